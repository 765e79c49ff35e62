"""Each floor of the house uses only the floors below it, and nobody reaches around the installation."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import helpers

PACKAGE = Path(helpers.__file__).parent
FLOORS = ["screens", "profiles", "hits", "dose", "figures", "publish", "cli"]
# The cellar: anybody may use it, and it uses nothing of the house.
CELLAR = {"errors", "files"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def floor(path: Path) -> str:
    """Return the floor, or the module of the cellar, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports anywhere in its text, also lazily and relatively."""
    package = ["helpers", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def floors_used(path: Path) -> set[str]:
    """Return the floors (and cellar modules) that a module imports from."""
    parts = (name.split(".") for name in imported(path))
    return {name[1] for name in parts if name[0] == "helpers" and len(name) > 1}


def test_every_floor_is_known() -> None:
    names = {floor(path) for path in MODULES} - {"__init__"}
    assert names == {*FLOORS, *CELLAR}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_looks_only_down(path: Path) -> None:
    own = floor(path)
    below = [] if own in CELLAR or own == "__init__" else FLOORS[: FLOORS.index(own) + 1]
    allowed = {*CELLAR, *below} if below else set()
    assert floors_used(path) <= allowed


def test_the_reading_of_imports_sees_all_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "hits" / "x.py"
    module.parent.mkdir()
    module.write_text("from ..dose import a\nfrom helpers import figures\ndef f():\n    import helpers.cli\n")
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert floors_used(module) == {"dose", "a", "figures", "cli"} - {"a"}


@pytest.mark.parametrize("folder", ["src", "notebooks", "tests"])
def test_nothing_bends_the_import_path(folder: str, project: Path) -> None:
    bent = "sys" + ".path"
    found = [path for path in (project / folder).rglob("*.py") if bent in path.read_text(encoding="utf-8")]
    assert found == []


def test_the_installed_package_is_the_one_of_this_project(project: Path) -> None:
    assert project / "src" / "helpers" == PACKAGE
