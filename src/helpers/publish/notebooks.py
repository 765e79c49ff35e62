"""The notebooks: where they are, what they are called, and how their text becomes cells."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import DataError, UsageError
from helpers.publish.parameters import Parameter, parse_cell
from helpers.publish.suggest import suggest

if TYPE_CHECKING:
    from nbformat import NotebookNode

_FILE = re.compile(r"(?P<order>\d+)_(?P<name>[a-z]\w*)\.py")
# The name every Jupyter knows its own Python by, so an executed notebook opens anywhere.
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


ANALYSES = ("dataset_tour", "normalization", "hit_calling", "dose_response")
"""What a run without names makes; later chapters run by name, or with the book."""


@dataclass(frozen=True)
class Notebook:
    """One analysis: `name` as in ``hit_calling``, `path` of its text."""

    name: str
    path: Path

    @property
    def ipynb(self) -> str:
        """Return the file name of the notebook once it is generated."""
        return f"{self.path.stem}.ipynb"

    @functools.cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Return its parameters by name; its cell is read once."""
        return read_parameters(self.path)


def project_root() -> Path:
    """Return the folder that holds the notebooks and the book.

    The installed package comes first, then the working folder and its parents: an editable install must not
    run another checkout's notebooks because a user happens to stand in it.

    Raises
    ------
    DataError
        If neither holds a ``notebooks`` folder.
    """
    here = Path.cwd()
    for folder in (Path(__file__).resolve().parents[3], here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "_config.yml").is_file():
            return folder
    raise DataError(
        "the folder of the notebooks was not found: run this inside a clone of the project, or use `make env`"
    )


def find_notebooks(folder: Path) -> list[Notebook]:
    """Return the notebooks of a folder (``NN_name.py``) in the order of their numbers."""
    found = []
    for path in sorted(folder.glob("*.py")):
        match = _FILE.fullmatch(path.name)
        if match:
            found.append((int(match["order"]), Notebook(match["name"], path.resolve())))
    if not found:
        raise DataError(f"no notebook (NN_name.py) in {folder}")
    return [notebook for _, notebook in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


def select_notebooks(names: Sequence[str], folder: Path | None = None) -> list[Notebook]:
    """Return the notebooks asked for, in reading order; none asked for means all.

    Parameters
    ----------
    names : sequence of str
        Each as ``hit_calling``, ``03_hit_calling`` or a path ending in ``03_hit_calling.py``.
    folder : Path, optional
        Where the notebooks are; the project's own by default.

    Raises
    ------
    UsageError
        If a name is not that of a notebook; the message lists the valid ones.
    """
    notebooks = find_notebooks(folder or project_root() / "notebooks")
    known = {key: notebook.name for notebook in notebooks for key in (notebook.name, notebook.path.stem)}
    valid = [notebook.name for notebook in notebooks]
    wanted = set()
    for name in names:
        key = Path(name).name.removesuffix(".py").removesuffix(".ipynb")
        if key not in known:
            raise UsageError(f"unknown notebook {name!r}{suggest(key, known)}; valid: {', '.join(valid)}")
        wanted.add(known[key])
    return [notebook for notebook in notebooks if not names or notebook.name in wanted]


def read_notebook(path: Path) -> "NotebookNode":
    """Read a py:percent notebook.

    Cell ids are numbers in order, not random, so that the same text gives the same ``.ipynb`` byte for byte.
    """
    import jupytext

    node = jupytext.read(path, fmt="py:percent")
    for number, cell in enumerate(node.cells, start=1):
        cell["id"] = f"cell-{number:03d}"
    node.metadata = {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}}
    node.nbformat, node.nbformat_minor = 4, 5
    return node


def tags(cell: "NotebookNode") -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def write_notebook(node: "NotebookNode", path: Path) -> None:
    """Write a notebook whole or not at all."""
    import nbformat

    from helpers.files import atomic_path

    with atomic_path(path) as temporary:
        temporary.write_text(nbformat.writes(node) + "\n", encoding="utf-8")


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
