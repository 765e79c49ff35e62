"""Each floor of the house uses only the floors below it, and nobody reaches around the installation."""

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import helpers

PACKAGE = Path(helpers.__file__).parent
TESTS = Path(__file__).parent
# Each floor with those that it may use. The study computes and the figures draw: neither knows the other.
FLOORS = {
    "screens": set(),
    "profiles": {"screens"},
    "hits": {"screens", "profiles"},
    "dose": {"screens", "profiles", "hits"},
    "study": {"screens", "profiles", "hits", "dose"},
    "figures": {"screens", "profiles", "hits", "dose"},
    "pages": {"screens", "profiles", "hits", "dose", "study", "figures"},
    "publish": {"screens", "profiles", "hits", "dose", "study", "figures", "pages"},
    "cli": {"screens", "profiles", "hits", "dose", "study", "figures", "pages", "publish"},
}
# The cellar: anybody may use it, and it uses nothing of the house.
CELLAR = {"errors", "files", "options", "processes", "sealed", "text"}
# Rooms, and what each may use of its own floor: other rooms, and what stands between them (the floor's own name).
ROOMS = {
    "screens.images": {"screens", "screens.twin"},
    "screens.twin": {"screens"},
    "pages.tour": {"pages"},
    "pages.normalization": {"pages"},
    "pages.hits": {"pages"},
    "pages.dose": {"pages", "pages.hits"},
    "publish.run": {"publish"},
    "publish.site": {"publish", "publish.run"},
}
# Modules between the rooms that open a room, if only when it is needed.
DOORS = {
    "helpers.screens": {"screens.images", "screens.twin"},
    "helpers.screens.locate": {"screens.twin"},
    "helpers.publish": {"publish.run", "publish.site"},
}
# Figures draw what they are given. Of the floors that compute they use names of things and no computation, but for the
# line of a curve and the ellipse around a cloud.
DRAWN_FROM = {
    "helpers.profiles.selection": None,
    "helpers.profiles.planes": {"spread_ellipse"},
    "helpers.dose": {"CLASSES", "LOCATED", "RISING", "SCREEN_CLASSES", "response_at"},
    "helpers.dose.screen": {"wells_of_curve"},
}
COMPUTING = {"scipy", "sklearn", "umap", "copairs", "harmonypy"}


def dotted(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = ["helpers", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(part for part in parts if part != "__init__")


MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = {dotted(path): path for path in MODULES}


def floor(path: Path) -> str:
    """Return the floor, or the module of the cellar, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def room(name: str) -> str:
    """Return the room that a module belongs to; the floor for a module that stands between rooms."""
    parts = name.split(".")[1:]
    return ".".join(parts[:2]) if ".".join(parts[:2]) in ROOMS else ".".join(parts[:1])


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield the modules that a module imports anywhere in its text, also lazily, relatively or for types only.

    With each comes the name that is imported from it, if any.
    """
    package = ["helpers", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *filter(None, [node.module])])
            yield from ((base, alias.name) for alias in node.names)


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    for base, name in imports(path):
        yield base
        if name:
            yield f"{base}.{name}"


def modules_used(path: Path) -> set[str]:
    """Return the modules of the house that a module imports: the deepest that each import names."""
    found = set()
    for base, name in imports(path):
        found.add(f"{base}.{name}" if f"{base}.{name}" in NAMES else base)
    return (found & set(NAMES)) - {dotted(path)}


def floors_used(path: Path) -> set[str]:
    """Return the floors (and cellar modules) that a module imports from."""
    parts = (name.split(".") for name in imported(path))
    return {name[1] for name in parts if name[0] == "helpers" and len(name) > 1}


def test_every_floor_is_known() -> None:
    names = {floor(path) for path in MODULES} - {"__init__"}
    assert names == {*FLOORS, *CELLAR}


def test_every_room_is_known() -> None:
    rooms = {
        ".".join(path.parent.relative_to(PACKAGE).parts)
        for path in MODULES
        if path.name == "__init__.py" and path.parent != PACKAGE
    }
    assert {name for name in rooms if "." in name} == set(ROOMS)
    folders = {".".join(path.parent.relative_to(PACKAGE).parts) for path in MODULES} - {""}
    assert folders == rooms, "every folder of code is a package"


def test_floors_are_listed_from_the_lowest() -> None:
    known = set()
    for name, below in FLOORS.items():
        assert below <= known
        assert all(FLOORS[lower] <= below for lower in below), "what a floor uses, those above it may use"
        known.add(name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_looks_only_down(path: Path) -> None:
    own = floor(path)
    allowed = FLOORS[own] | {own} if own in FLOORS else set()
    assert floors_used(path) <= allowed | (CELLAR if own != "__init__" else set())


@pytest.mark.parametrize("name", [name for name in NAMES if room(name) in ROOMS])
def test_a_room_opens_only_its_own_doors(name: str) -> None:
    own = room(name)
    used = {room(other) for other in modules_used(NAMES[name])}
    of_floor = {other for other in used if other.split(".")[0] == own.split(".")[0]}
    assert of_floor <= ROOMS[own] | {own}


def test_what_stands_between_rooms_opens_few_of_them() -> None:
    opened = {}
    for name, path in NAMES.items():
        if room(name) not in ROOMS:
            own = name.split(".")[1] if "." in name else ""
            used = {room(other) for other in modules_used(path)} & set(ROOMS)
            if mine := {other for other in used if other.split(".")[0] == own}:
                opened[name] = mine
    assert opened == DOORS


def test_no_imports_go_in_a_circle() -> None:
    order = graphlib.TopologicalSorter({name: modules_used(path) for name, path in NAMES.items()})
    order.prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.split(".")[1:2] == ["figures"]], ids=lambda name: name
)
def test_a_figure_computes_nothing(name: str) -> None:
    for base, what in imports(NAMES[name]):
        assert base.split(".")[0] not in COMPUTING, base
        if re.match(r"helpers\.(profiles|hits|dose)\b", base):
            assert base in DRAWN_FROM, f"{base} is none of the few that figures draw from"
            assert DRAWN_FROM[base] is None or what in DRAWN_FROM[base], f"{what} of {base}"
        if base == "helpers":
            assert what not in ("profiles", "hits", "dose"), "import what is needed by its name"


def named_in_tests() -> set[str]:
    """Return the modules that test files import, or name with their dots."""
    found = set()
    for path in set(TESTS.rglob("test_*.py")) - {Path(__file__)}:
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bhelpers(?:\.\w+)+", text))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in found]
    return {".".join(name[:n]) for name in parts for n in range(1, len(name) + 1)}


def test_every_module_is_tested_by_its_name() -> None:
    assert sorted(set(NAMES) - named_in_tests()) == []


def test_the_reading_of_imports_sees_all_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "hits" / "x.py"
    module.parent.mkdir()
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "from ..dose import a\nfrom helpers import figures\ndef f():\n    import helpers.cli\n"
        "if TYPE_CHECKING:\n    from helpers.study import steps\n"
    )
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert floors_used(module) == {"dose", "figures", "cli", "study"}
    assert modules_used(module) == {"helpers.dose", "helpers.figures", "helpers.cli", "helpers.study.steps"}


@pytest.mark.parametrize("folder", ["src", "notebooks", "tests"])
def test_nothing_bends_the_import_path(folder: str, project: Path) -> None:
    bent = "sys" + ".path"
    found = [path for path in (project / folder).rglob("*.py") if bent in path.read_text(encoding="utf-8")]
    assert found == []


def test_the_installed_package_is_the_one_of_this_project(project: Path) -> None:
    assert project / "src" / "helpers" == PACKAGE
