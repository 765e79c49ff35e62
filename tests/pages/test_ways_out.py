"""Nothing reaches a page but through the few doors that know what to do with names."""

import ast
import re
from pathlib import Path

import pytest

import helpers

PACKAGE = Path(helpers.__file__).parent
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))
DOORS = {
    "pages/show.py": {"HTML"},
    "pages/search.py": {"HTML"},
    "pages/downloads.py": {"HTML"},
    "study/banner.py": {"HTML"},
}
"""Modules that may hand HTML to a page: each escapes what it is given, as its tests say."""

SHOWS = {"HTML", "Markdown", "Latex", "Math", "SVG", "Javascript"}


def shown(path: Path) -> set[str]:
    """Return what a module uses of that which makes a page."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("IPython")
        for alias in node.names
        if alias.name in SHOWS
    }


def test_only_the_doors_make_pages() -> None:
    found = {path.relative_to(PACKAGE).as_posix(): shown(path) for path in sorted(PACKAGE.rglob("*.py"))}
    assert {name: what for name, what in found.items() if what} == DOORS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_makes_no_page_by_itself(path: Path) -> None:
    assert shown(path) == set()


NAMES = r"experiment|experiment_a|experiment_b|plate|plate_id|treatment|cells|cell_type|class|well_id|title"
RAW = re.compile(rf"""\{{\w+(?:\.(?:{NAMES})|\[['"](?:{NAMES})['"]\])(?:![rs])?(?::[^}}]*)?\}}""")


@pytest.mark.parametrize("path", sorted((PACKAGE / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_a_sentence_writes_no_name_as_it_came(path: Path) -> None:
    """`{row.experiment}` in a sentence is `{name_code(row.experiment)}`; titles of figures draw what they are given."""
    found = [line for line in path.read_text(encoding="utf-8").splitlines() if RAW.search(line)]
    assert [line for line in found if "raise" not in line and 'return f"treated: ' not in line] == []
