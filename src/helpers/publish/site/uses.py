"""Where the pages of the book use the names of the package: found in the code that they show."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.publish.notebooks import find_notebooks, read_notebook, tags
from helpers.publish.site.names import find_object, home_of

_HIDDEN = {"remove-cell", "remove-input"}
_HEADING = re.compile(r"^(#{1,6})[ ]+(.+?)[ ]*$", re.MULTILINE)
_PYTHON = re.compile(r"^```(?:python|\{code-block\} python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^(`{3,}|:{3,}).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Place:
    """Where a page uses a name.

    Attributes
    ----------
    page : str
        Without suffix, as in the table of contents.
    title : str
        Of the page.
    section : str
        The heading above, empty before the first one.
    """

    page: str
    title: str
    section: str


@dataclass(frozen=True)
class _Code:
    """A piece of code, the headings above it, and whether readers see it."""

    text: str
    title: str
    section: str
    is_shown: bool = True


def find_uses(root: Path) -> dict[str, list[Place]]:
    """Return the places at which pages use names of the package.

    Parameters
    ----------
    root : Path
        Folder with ``notebooks`` and ``book``.

    Returns
    -------
    dict
        Home of the name, such as ``helpers.hits.calls.call_hits`` -> places in reading order, each once. Code that
        readers do not see counts for nothing.
    """
    uses: dict[str, dict[Place, None]] = {}
    for page, pieces in _pages(root):
        names: dict[str, str] = {}
        for piece in pieces:
            tree = ast.parse(_without_magic(piece.text))
            names |= imported_names(tree)
            for dotted in used_names(tree, names) if piece.is_shown else ():
                place = Place(page, piece.title, piece.section)
                uses.setdefault(home_of(dotted), {})[place] = None
    return {home: list(places) for home, places in uses.items()}


def _pages(root: Path) -> Iterator[tuple[str, list[_Code]]]:
    for notebook in find_notebooks(root / "notebooks"):
        yield f"notebooks/{notebook.path.stem}", _notebook_code(notebook.path)
    for path in sorted((root / "book").glob("*.md")):
        yield path.stem, _page_code(path.read_text(encoding="utf-8"))


def _notebook_code(path: Path) -> list[_Code]:
    title, section, found = path.stem, "", []
    for cell in read_notebook(path).cells:
        if cell.cell_type == "markdown":
            title, section = _headings(cell.source, title, section)
        elif cell.cell_type == "code":
            found.append(_Code(cell.source, title, section, not _HIDDEN & set(tags(cell))))
    return found


def _page_code(text: str) -> list[_Code]:
    title, section, found, end = "", "", [], 0
    for match in _PYTHON.finditer(text):
        title, section = _headings(text[end : match.start()], title, section)
        found.append(_Code(match[1], title, section))
        end = match.end()
    return found


def _headings(text: str, title: str, section: str) -> tuple[str, str]:
    """Return the title of the page and the last heading of a part or subpart, as they stand after a text."""
    for marks, words in _HEADING.findall(_FENCE.sub("", text)):
        if len(marks) == 1:
            title, section = words, ""
        elif len(marks) <= 3:
            section = words
    return title, section


def _without_magic(code: str) -> str:
    return "\n".join("pass" if re.match(r"\s*[%!]", line) else line for line in code.splitlines())


def imported_names(tree: ast.AST) -> dict[str, str]:
    """Return what a piece of code imports from the package: name in the code -> dotted name."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "helpers":
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            asked = [alias for alias in node.names if alias.name.split(".")[0] == "helpers"]
            names |= {alias.asname or "helpers": alias.name if alias.asname else "helpers" for alias in asked}
    return names


def used_names(tree: ast.AST, names: dict[str, str]) -> list[str]:
    """Return the dotted names of the package that a piece of code uses, in order, each once.

    Parameters
    ----------
    tree : ast.AST
        Of the code. An import alone is no use.
    names : dict
        Name in the code -> dotted name, from this and earlier pieces.

    Examples
    --------
    >>> code = ast.parse("figures.use_style(); x = fit(table)")
    >>> used_names(code, {"figures": "helpers.figures", "fit": "helpers.dose.fit_curves"})
    ['helpers.figures.use_style', 'helpers.dose.fit_curves']
    """
    found: dict[str, None] = {}
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        dotted = _dotted(node, names) if node not in inside else None
        if dotted and isinstance(node, ast.Attribute):
            inside |= set(ast.walk(node))
        if dotted:
            found[_known_part(dotted)] = None
    return [dotted for dotted in found if "." in dotted]


def _dotted(node: ast.AST, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        left = _dotted(node.value, names)
        return f"{left}.{node.attr}" if left else None
    return None


def _known_part(dotted: str) -> str:
    """Return the name without the attributes of what it stands for."""
    parts = dotted.split(".")
    for i in range(1, len(parts)):
        head = ".".join(parts[:i])
        if not inspect.ismodule(find_object(head)):
            return head
    return dotted
