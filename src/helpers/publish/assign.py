"""Values of parameters, merged from the command line and a file, and checked before anything runs."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError, shorten
from helpers.files import UnreadableTextError, home_path, read_small_text
from helpers.publish.notebooks import Notebook, find_notebooks
from helpers.publish.parameters import Value, coerce
from helpers.publish.suggest import suggest

if TYPE_CHECKING:
    from helpers.screens.twin.model import TwinModel

# A relative path means the user's working folder, which is not the one a kernel runs in.
PATHS = ("source", "results", "classes", "published", "images")
# Values of these parameters that name no path.
KEYWORDS = {"source": ("twin", "rxrx19a"), "images": ("rxrx19a",)}


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``NAME=VALUE`` arguments; the last of a name counts."""
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"{shorten(pair, 80)!r} is not of the form NAME=VALUE, such as fdr=0.1")
        values[name.strip()] = value
    return values


def read_file(path: Path) -> dict[str, object]:
    """Read a YAML file of parameters: ``name: value`` lines, and mappings named after notebooks."""
    from helpers.screens.yaml_file import MOST_BYTES, YamlFileError, parse_yaml

    try:
        content = parse_yaml(read_small_text(path, most=MOST_BYTES))
    except UnreadableTextError as error:
        raise UsageError(f"parameter file {path} {error}") from None
    except YamlFileError as error:
        raise UsageError(f"parameter file {path}{',' if error.where else ''} {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(f"parameter file {path} must hold `name: value` lines, found {short_repr(content)}")
    for key in content:
        if not isinstance(key, str):
            raise UsageError(
                f"parameter file {path} must hold `name: value` lines with names of text, found {short_repr(key)}; "
                "`rxrx19 params` lists the names"
            )
    return content


def assign(
    notebooks: Iterable[Notebook], pairs: Sequence[str] = (), file: Path | None = None
) -> dict[str, dict[str, Value]]:
    """Return the values that the user set, by notebook, checked against each notebook's own cell.

    A value goes to every notebook that has a parameter of that name. In the file, a mapping named after a
    notebook holds values for it alone; the command line overrides the file.

    Raises
    ------
    UsageError
        If a name belongs to none of the notebooks, or a value has the wrong type or is not allowed.
    """
    notebooks = list(notebooks)
    known = {notebook.name: notebook.parameters for notebook in notebooks}
    given = read_file(file) if file else {}
    # A section without a line in it holds nothing.
    alone = {
        name: value or {}
        for name, value in given.items()
        if isinstance(value, dict) or (value is None and name in _sections(notebooks))
    }
    typed = parse_pairs(pairs)
    everyone = {**{name: value for name, value in given.items() if name not in alone}, **typed}
    _check_names(everyone, alone, known)
    _check_sections(alone, notebooks)
    return {
        notebook: {
            name: _absolute(name, parameters[name].check(value))
            for name, value in {**everyone, **alone.get(notebook, {}), **typed}.items()
            if name in parameters
        }
        for notebook, parameters in known.items()
    }


def assign_assumptions(world: str, pairs: Sequence[str]) -> "TwinModel":
    """Return the model of a world with the assumptions that ``NAME=VALUE`` arguments change.

    Parameters
    ----------
    world : str
        One of :data:`helpers.screens.twin.worlds.WORLDS`.
    pairs : sequence of str
        Of single numbers and words; ranges cannot be changed in this way.

    Raises
    ------
    UsageError
        For an unknown world or assumption, or a value of another type.
    """
    from helpers.screens.twin.worlds import find_world

    model = find_world(world).model()
    defaults = {item.name: getattr(model, item.name) for item in dataclasses.fields(model)}
    plain = {name: value for name, value in defaults.items() if type(value) in (str, int, float, bool)}
    changes: dict[str, Any] = {}
    for name, text in parse_pairs(pairs).items():
        if name not in plain:
            raise UsageError(
                f"unknown assumption {shorten(name, 80)!r} of the twin{suggest(name, plain)}; "
                f"valid: {', '.join(plain)}"
            )
        changes[name] = coerce(name, text, type(plain[name]))
    return dataclasses.replace(model, **changes)


def _check_names(
    everyone: Mapping[str, object], alone: Mapping[str, Mapping], known: Mapping[str, Mapping]
) -> None:
    every_name = {name: None for parameters in known.values() for name in parameters}
    for name in everyone:
        if name not in every_name:
            _refuse(name, every_name, "")
    for notebook in known:
        for name in alone.get(notebook, {}):
            if name not in known[notebook]:
                _refuse(str(name), known[notebook], f" of {notebook}")


def _check_sections(alone: Mapping[str, Mapping], notebooks: Sequence[Notebook]) -> None:
    """Refuse a section of the file that no notebook is named after; one that is not run now is skipped."""
    valid = _sections(notebooks) if alone else []
    for name in alone:
        if name not in valid:
            raise UsageError(
                f"section {shorten(name, 80)!r} of the parameter file is not a notebook{suggest(name, valid)}; "
                f"valid: {', '.join(valid)}"
            )


def _sections(notebooks: Sequence[Notebook]) -> list[str]:
    return [notebook.name for notebook in find_notebooks(notebooks[0].path.parent)]


def _refuse(name: str, valid: Iterable[str], of: str) -> None:
    valid = list(valid)
    raise UsageError(
        f"unknown parameter {shorten(name, 80)!r}{of}{suggest(name, valid)}; valid: {', '.join(valid)}"
    )


def _absolute(name: str, value: Value) -> Value:
    if name not in PATHS or value == "" or value in KEYWORDS.get(name, ()) or "://" in str(value):
        return value
    return str(home_path(str(value)).resolve())
