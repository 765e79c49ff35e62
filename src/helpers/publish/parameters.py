"""Parameters of a notebook: read from its own cell, checked strictly, merged from the command line.

A parameters cell holds one typed line a parameter, nothing else::

    fdr: float = 0.05  # share of false calls that is accepted [0 < x < 1]
    axis: str = "robust"  # how centroids are found [robust | mean]

papermill alone would take an unknown name, a wrong type or a missing cell without a word.
"""

import ast
import io
import json
import math
import re
import sys
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short_repr

from helpers.errors import DataError, UsageError
from helpers.publish.notebooks import Notebook, find_notebooks, read_notebook, suggest, tags

Value = str | int | float | bool

TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
# A relative path means the user's working folder, which is not the one a kernel runs in.
PATHS = ("source", "results", "classes", "published")
KEYWORD_SOURCES = ("twin", "rxrx19a")
# What no list or range in a cell can say.
_ALLOWED_TEXTS = {"source": "twin | rxrx19a | a folder", "results": "a folder"}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(?:({_NUMBER})\s*(<=?)\s*)?x(?:\s*(<=?|>=?)\s*({_NUMBER}))?")
_ALLOWED = re.compile(r"\s*\[([^\[\]]*)\]\s*$")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell; `allowed` is empty where any value of the type will do."""

    name: str
    kind: type
    default: Value
    help: str
    allowed: str = ""

    @property
    def allowed_text(self) -> str:
        """Return what is allowed, in words where no list or range says it."""
        return self.allowed or _ALLOWED_TEXTS.get(self.name, "any")

    def check(self, value: object) -> Value:
        """Return the value in the parameter's type.

        Raises
        ------
        UsageError
            If it has another type or is not an allowed value.
        """
        result = coerce(self.name, value, self.kind)
        if self.name == "source" and result == "":
            raise UsageError("parameter 'source' must not be empty; allowed: twin, rxrx19a or a folder")
        if not _is_allowed(result, self.kind, self.allowed):
            choices = _choices(self.allowed)
            near = suggest(str(result), choices) if choices else ""
            raise UsageError(
                f"parameter '{self.name}' = {json.dumps(result)} is not allowed{near}; "
                f"allowed: {self.allowed}"
            )
        return result


def coerce(name: str, value: object, kind: type) -> Value:
    """Return `value` as `kind`, from the text of a command line or from a value of a YAML file.

    An integer is never taken from ``1.0`` or ``true``, and a float is finite: silent conversions are how a
    run gets other numbers than its author meant.

    Raises
    ------
    UsageError
        If the value is not one of this type.
    """
    result = _from_text(value.strip(), kind) if isinstance(value, str) and kind is not str else value
    if kind is float and isinstance(result, int) and not isinstance(result, bool):
        result = float(result) if abs(result) <= sys.float_info.max else math.inf
    odd = (kind is float and not math.isfinite(result)) if type(result) is kind else True
    if odd or (kind is str and "\0" in result):
        form = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}[kind]
        raise UsageError(f"parameter '{name}' must be {form} ({kind.__name__}), got {short_repr(value)}")
    return result


def _from_text(text: str, kind: type) -> object:
    if kind is bool:
        return _TRUTH.get(text.lower())
    if kind is int:
        # No seed or count has more digits, and Python refuses to read thousands of them.
        return int(text) if re.fullmatch(r"[+-]?\d{1,100}", text) else None
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _choices(allowed: str) -> list[str]:
    return [] if _RANGE.fullmatch(allowed) else [choice.strip() for choice in allowed.split("|")]


def _is_allowed(value: Value, kind: type, allowed: str) -> bool:
    if not allowed:
        return True
    match = _RANGE.fullmatch(allowed)
    if match is None:
        return value in [choice if kind is str else _from_text(choice, kind) for choice in _choices(allowed)]
    low, low_sign, sign, bound = match.groups()
    holds = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    above = low is None or holds[low_sign](float(low), float(value))
    return above and (bound is None or holds[sign](float(value), float(bound)))


def read_parameters(path: Path) -> dict[str, Parameter]:
    """Read the parameters of one notebook.

    Parameters
    ----------
    path : Path
        A py:percent notebook with exactly one code cell tagged ``parameters``.

    Raises
    ------
    DataError
        If the cell is missing or doubled, or a line is not ``name: type = default  # help [allowed]``.
    """
    cells = [cell for cell in read_notebook(path).cells if "parameters" in tags(cell)]
    if len(cells) != 1 or cells[0].cell_type != "code":
        raise DataError(f"{path.name}: needs exactly one code cell tagged 'parameters', found {len(cells)}")
    try:
        return parse_cell(cells[0].source)
    except (DataError, SyntaxError) as error:
        raise DataError(f"{path.name}, parameters cell: {error}") from None


def parse_cell(source: str) -> dict[str, Parameter]:
    """Parse the text of a parameters cell into parameters by name, in its order."""
    comments = {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip()
    }
    found: dict[str, Parameter] = {}
    for statement in ast.parse(source).body:
        lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        parameter = _parse_line(statement, " ".join(comments[line] for line in lines if line in comments))
        if parameter.name in found:
            raise DataError(f"line {statement.lineno}: '{parameter.name}' is given twice")
        found[parameter.name] = parameter
    return found


def _parse_line(statement: ast.stmt, comment: str) -> Parameter:
    form = "name: type = default  # help [allowed]"
    where = f"line {statement.lineno}"
    if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
        raise DataError(f"{where} must read `{form}`")
    name = statement.target.id
    kind = TYPES.get(ast.unparse(statement.annotation))
    if kind is None:
        raise DataError(f"{where}: the type of '{name}' must be one of {', '.join(TYPES)}")
    try:
        default = ast.literal_eval(statement.value) if statement.value else None
    except ValueError:
        default = None
    bracket = _ALLOWED.search(comment)
    allowed = bracket[1].strip() if bracket else ""
    text = comment[: bracket.start()].strip() if bracket else comment
    if not text:
        raise DataError(f"{where}: '{name}' needs a help comment, `{form}`")
    if bracket and "|" not in allowed and not _RANGE.fullmatch(allowed):
        raise DataError(f"{where}: [{allowed}] is neither [a | b] nor a range such as [0 < x <= 1]")
    parameter = Parameter(name, kind, default, text, allowed)
    try:
        parameter.check(default)
    except UsageError as error:
        raise DataError(f"{where}: the default does not fit: {error}") from None
    return parameter


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``NAME=VALUE`` arguments; the last of a name counts."""
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"{pair!r} is not of the form NAME=VALUE")
        values[name.strip()] = value
    return values


def read_file(path: Path) -> dict[str, object]:
    """Read a YAML file of parameters: ``name: value`` lines, and mappings named after notebooks."""
    from helpers.screens.yaml_file import YamlFileError, parse_yaml

    try:
        content = parse_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"parameter file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"parameter file {path} is not UTF-8 text; save it as UTF-8") from None
    except YamlFileError as error:
        raise UsageError(f"parameter file {path}, {error}" if error.where else f"{path}: {error}") from None
    if not isinstance(content or {}, dict) or any(not isinstance(key, str) for key in content or {}):
        raise UsageError(f"parameter file {path} must hold `name: value` lines")
    return content or {}


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
    known = {notebook.name: read_parameters(notebook.path) for notebook in notebooks}
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
                f"section {name!r} of the parameter file is not a notebook{suggest(name, valid)}; "
                f"valid: {', '.join(valid)}"
            )


def _sections(notebooks: Sequence[Notebook]) -> list[str]:
    return [notebook.name for notebook in find_notebooks(notebooks[0].path.parent)]


def _refuse(name: str, valid: Iterable[str], of: str) -> None:
    valid = list(valid)
    raise UsageError(f"unknown parameter {name!r}{of}{suggest(name, valid)}; valid: {', '.join(valid)}")


def _absolute(name: str, value: Value) -> Value:
    if name not in PATHS or value == "" or (name == "source" and value in KEYWORD_SOURCES):
        return value
    return str(Path(str(value)).expanduser().resolve())
