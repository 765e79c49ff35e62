"""The code in a key: what changes it, what does not, and what a living process makes of an edited file."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import textwrap
import tomllib

import pytest
from packaging.requirements import Requirement

from helpers import study
from helpers.study import code

STEPS = {name: step for name in study.__all__ if hasattr(step := getattr(study, name), "entry")}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a copy of the package that stands for it, so that its files can be edited."""
    copy = tmp_path / "helpers"
    shutil.copytree(code.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", copy)
    monkeypatch.setattr(code, "_LIVE", {})
    return copy


def marks() -> dict[str, str]:
    """Return the mark of every floor."""
    return {floor: code.code_mark(floor) for floor in code.FLOORS}


def edit(path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")


def changed_by(path) -> list[str]:
    """Return the floors whose mark an edit of a file changes."""
    before = marks()
    edit(path)
    after = marks()
    return [floor for floor in code.FLOORS if before[floor] != after[floor]]


def test_marks_stay_where_nothing_changes(package):
    assert marks() == marks()
    assert len(set(marks().values())) == len(code.FLOORS)


@pytest.mark.parametrize("floor", ["figures", "pages", "publish"])
def test_sentences_figures_and_runs_change_no_key(package, floor):
    before = marks()
    for path in (package / floor).rglob("*.py"):
        edit(path)
    (package / floor / "more.py").write_text("")
    edit(package / "cli.py")
    assert marks() == before
    shutil.rmtree(package / floor)
    assert marks() == before


ABOVE = {floor: list(code.FLOORS[i:]) for i, floor in enumerate(code.FLOORS)}


@pytest.mark.slow
@pytest.mark.parametrize("floor", code.FLOORS)
def test_an_edit_changes_its_floor_and_those_above(package, floor):
    assert changed_by(package / floor / "__init__.py") == ABOVE[floor]
    before = code.code_mark(floor)
    for path in sorted((package / floor).rglob("*.py")):
        edit(path)
        after = code.code_mark(floor)
        assert after != before, path
        before = after


@pytest.mark.slow
def test_files_that_all_floors_use_change_every_key(package):
    for path in ("files.py", "errors.py", "processes.py"):
        assert changed_by(package / path) == list(code.FLOORS)


def test_data_beside_the_code_counts(package):
    assert changed_by(package / "hits" / "data" / "classes.csv") == ABOVE["hits"]


@pytest.mark.slow
def test_new_moved_and_removed_files_count(package):
    before = marks()["hits"]
    new = package / "hits" / "new.py"
    new.write_text("")
    added = marks()["hits"]
    new.rename(package / "hits" / "moved.py")
    assert len({before, added, marks()["hits"]}) == 3
    (package / "hits" / "moved.py").unlink()
    assert marks()["hits"] == before


def test_compiled_files_change_nothing(package):
    before = marks()
    (package / "hits" / "__pycache__").mkdir()
    (package / "hits" / "__pycache__" / "rule.cpython-311.pyc").write_bytes(b"anything")
    assert marks() == before


def test_steps_stand_on_the_floor_of_their_function():
    floors = {name: code.floor_of(step.__wrapped__) for name, step in STEPS.items()}
    assert floors["open_screen"] == "screens"
    assert floors["to_wells"] == floors["normalize"] == "profiles"
    assert floors["score_wells"] == floors["call_hits"] == floors["compare_recipes"] == "hits"
    assert floors["fit_screen"] == floors["coverage_by_noise"] == "dose"
    assert floors["project_wells"] == floors["agreement_on_some"] == "study"


@pytest.fixture(scope="module")
def entries(source, sites, wells, normalized, scored, called):
    """Return a function that returns the entry of every step."""
    arms, hits = called
    calls = {
        "open_screen": ((source,), {}),
        "to_wells": ((sites,), {}),
        "normalize": ((wells, "plate_center"), {}),
        "score_wells": ((normalized,), {}),
        "assay_quality": ((scored,), {}),
        "call_hits": ((scored,), {}),
        "fit_screen": ((scored,), {"arms": arms}),
        "compare_recipes": ((wells,), {}),
        "activity_map": ((normalized,), {}),
        "energy_test": ((normalized,), {}),
        "ranking_sensitivity": ((wells,), {"reference": hits}),
        "pick_recipe": ((wells,), {}),
        "judge_worlds": ((1,), {}),
        "experiment_agreement": ((arms,), {}),
        "decompose_stages": (({"raw": wells},), {}),
        "agreement_on_some": ((sites,), {}),
        "sites_named_on_some": ((sites,), {}),
        "project_wells": ((wells,), {"max_wells": 600}),
        "calibration_study": ((2,), {}),
        "coverage_by_noise": ((60,), {}),
    }
    assert set(calls) == set(STEPS)
    return lambda: {name: STEPS[name].entry(*args, **given) for name, (args, given) in calls.items()}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.slow
def test_an_edit_makes_anew_what_can_use_it(package, entries):
    first = entries()
    edit(package / "dose" / "fit.py")
    second = entries()
    of_study = {"project_wells", "agreement_on_some", "sites_named_on_some"}
    assert changed(first, second) == {"fit_screen", "coverage_by_noise", "judge_worlds", *of_study}
    edit(package / "hits" / "data" / "classes.csv")
    third = entries()
    stay = {"open_screen", "to_wells", "normalize", "decompose_stages"}
    assert changed(second, third) == set(STEPS) - stay
    edit(package / "profiles" / "wells.py")
    assert changed(third, entries()) == set(STEPS) - {"open_screen"}
    for path in ("figures/plane.py", "pages/words.py", "publish/run/jobs.py"):
        before = entries()
        edit(package / path)
        assert entries() == before


def declared(project) -> list[str]:
    lines = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    return sorted(Requirement(line).name for line in lines)


def test_the_versions_are_those_of_the_declared_libraries(project):
    assert sorted(code.library_versions()) == declared(project)
    assert not {"jupyter-book", "pytest"} & set(code.library_versions())


@pytest.fixture
def upgrade(monkeypatch):
    """Return a function that makes a library look as if another version of it was installed."""
    installed = importlib.metadata.version

    def upgrade(library: str) -> None:
        told = {library: "99"}
        monkeypatch.setattr(importlib.metadata, "version", lambda name: told.get(name) or installed(name))

    return upgrade


@pytest.mark.slow
def test_another_version_of_any_library_changes_the_mark_of_every_floor(project, upgrade):
    before = marks()
    seen = set(before.values())
    for library in declared(project):
        upgrade(library)
        assert seen.isdisjoint(marks().values()), library
        seen |= set(marks().values())
    upgrade("pytest")
    assert marks() == before


@pytest.mark.slow
def test_another_version_of_a_library_changes_the_key_of_every_step(entries, upgrade):
    before = entries()
    upgrade("harmonypy")
    assert changed(before, entries()) == set(STEPS)


def test_another_version_of_python_changes_every_key(monkeypatch):
    before = marks()
    monkeypatch.setattr(sys, "version", sys.version + " other")
    assert set(before.values()).isdisjoint(marks().values())


def test_the_mark_of_the_package_counts_every_file(package):
    before = code.package_mark()
    for path in ("figures/plane.py", "pages/words.py", "cli.py", "hits/data/classes.csv"):
        edit(package / path)
        assert code.package_mark() != before
        before = code.package_mark()
    assert code.package_mark() == before


# --- living processes ---------------------------------------------------------------------------------------------

HEAD = """
import importlib, sys
from pathlib import Path
import helpers
from helpers.study.code import code_mark

file = Path(helpers.__file__).parent / "hits" / "rule.py"

def edit():
    file.write_text(file.read_text() + "\\n# edited\\n")

"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs lines with a copy of the package, and returns what they print."""
    shutil.copytree(code.PACKAGE, tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(lines: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", HEAD + textwrap.dedent(lines)],
            capture_output=True, text=True, env=environment, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


@pytest.mark.slow
def test_a_living_process_sees_an_edit_and_a_reload(run):
    before, edited, reloaded = run("""
        import helpers.study
        print(code_mark("hits"))
        edit()
        print(code_mark("hits"))
        importlib.reload(sys.modules["helpers.hits.rule"])
        print(code_mark("hits"))
    """)
    (fresh,) = run('import helpers.study\nprint(code_mark("hits"))')
    assert len({before, edited, reloaded}) == 3
    assert edited != fresh, "the old code still runs"
    assert reloaded == fresh


@pytest.mark.slow
def test_an_edit_between_loading_and_the_first_step_is_seen(run):
    (edited,) = run("""
        import helpers.study
        edit()
        print(code_mark("hits"))
    """)
    (fresh,) = run('import helpers.study\nprint(code_mark("hits"))')
    assert edited != fresh, "the old code still runs"


@pytest.mark.slow
def test_what_else_is_loaded_changes_no_key(run):
    """Pages load different modules, and the second process loads none but the steps: they share their results."""
    first = run("""
        import helpers.study
        print(code_mark("hits"))
        import helpers.hits.deciding, helpers.screens.images.open, helpers.figures
        print(code_mark("hits"))
    """)
    assert first[0] == first[1]
