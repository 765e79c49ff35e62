"""Editions of the notebooks for a course: one to fill in, one with the solutions."""

from pathlib import Path
from typing import TYPE_CHECKING

from helpers.publish.notebooks import (
    project_root,
    read_notebook,
    select_notebooks,
    tags,
    write_notebook,
)
from helpers.publish.run.folders import check_writable

if TYPE_CHECKING:
    from nbformat import NotebookNode

EDITIONS = ("instructor", "student")
PLACEHOLDER = {"code": "# your turn\n", "markdown": "*Write your answer here.*"}


def build_workshop(out: Path, folder: Path | None = None) -> list[Path]:
    """Write ``student/`` and ``instructor/`` notebooks and return their paths.

    Parameters
    ----------
    out : Path
        Folder of both editions.
    folder : Path, optional
        Where the notebooks are; the project's own by default.

    Raises
    ------
    UsageError
        If `out` cannot be written.
    """
    for written_to in (out, *(out / edition for edition in EDITIONS)):
        check_writable(written_to, "choose another folder with --out")
    written = []
    for notebook in select_notebooks([], folder or project_root() / "notebooks"):
        node = read_notebook(notebook.path)
        for edition, content in zip(EDITIONS, (node, student_edition(node)), strict=True):
            path = out / edition / notebook.ipynb
            write_notebook(content, path)
            written.append(path)
    return sorted(written)


def student_edition(node: "NotebookNode") -> "NotebookNode":
    """Return a copy without solutions: cells in a row tagged ``solution`` become one empty cell."""
    import nbformat

    student = nbformat.from_dict(node)
    student.cells = []
    run: list[NotebookNode] = []
    for cell in [*node.cells, None]:
        if cell is not None and "solution" in tags(cell):
            run.append(cell)
            continue
        if run:
            student.cells.append(_placeholder(run))
            run = []
        if cell is not None:
            student.cells.append(nbformat.from_dict(cell))
    return student


def _placeholder(solution: "list[NotebookNode]") -> "NotebookNode":
    from nbformat import v4

    first = solution[0]
    kind = "code" if any(cell.cell_type == "code" for cell in solution) else "markdown"
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    return make(PLACEHOLDER[kind], id=first["id"])
