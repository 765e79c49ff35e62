"""Notebooks that still stand: anything that they depend on changes their mark, and outputs must be as written."""

from pathlib import Path

import pytest

from helpers.files import sha256
from helpers.publish.run import kept
from helpers.publish.run.kept import notebook_mark, output_marks, stands

SOURCE = {"path": "/screens/mine", "kind": "user", "name": "mine", "sha256": "ab" * 32, "source": "mine"}


@pytest.fixture
def mark(notebooks: list, tmp_path: Path):
    """Return a function that returns the mark of a toy notebook after a change."""
    lists = {"classes": str(tmp_path / "classes.csv"), "published": ""}
    (tmp_path / "classes.csv").write_text("treatment,class\n")

    def of(values: dict | None = None, source: dict | None = None) -> str:
        given = {"fdr": 0.05, "source": "mine", **lists, **(values or {})}
        return notebook_mark(notebooks[0], given, {**SOURCE, **(source or {})})

    return of


def test_the_same_gives_the_same(mark) -> None:
    assert mark() == mark()
    assert mark(source={"source": "./mine"}) == mark(), "another name of the same screen"


def test_parameters_data_and_lists_count(mark, tmp_path: Path) -> None:
    seen = {mark(), mark({"fdr": 0.1}), mark(source={"sha256": "cd" * 32}), mark(source={"path": "/other"})}
    (tmp_path / "classes.csv").write_text("treatment,class\na,b\n")
    seen.add(mark())
    (tmp_path / "scores.csv").write_text("x")
    seen.add(mark({"published": str(tmp_path / "scores.csv")}))
    assert len(seen) == 6


def test_its_text_and_the_package_count(mark, notebooks: list, monkeypatch: pytest.MonkeyPatch) -> None:
    before = mark()
    notebooks[0].path.write_text(notebooks[0].path.read_text() + "\n# more\n")
    edited = mark()
    monkeypatch.setattr(kept, "package_mark", lambda: "other code")
    assert len({before, edited, mark()}) == 3


@pytest.fixture
def entry(tmp_path: Path) -> dict:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.csv").write_text("a")
    return {"mark": "m", "outputs": {"tables/a.csv": sha256(tmp_path / "tables" / "a.csv")}, "parameters": {}}


def test_it_stands_with_its_mark_and_its_outputs(entry: dict, tmp_path: Path) -> None:
    assert stands(entry, "m", tmp_path)
    assert not stands(entry, "other", tmp_path)
    assert not stands({**entry, "outputs": {}}, "m", tmp_path)
    assert not stands({}, "m", tmp_path)
    assert not stands({**entry, "parameters": {"images": "http://x"}}, "m", tmp_path)
    (tmp_path / "tables" / "a.csv").write_text("edited")
    assert not stands(entry, "m", tmp_path)
    (tmp_path / "tables" / "a.csv").unlink()
    assert not stands(entry, "m", tmp_path)


def test_outputs_are_named_below_the_folder_of_the_run(tmp_path: Path) -> None:
    inside, outside = tmp_path / "out" / "tables" / "a.csv", tmp_path / "results" / "b.csv"
    for path in (inside, outside):
        path.parent.mkdir(parents=True)
        path.write_text(path.name)
    marks = output_marks([outside, inside], tmp_path / "out")
    assert marks == {"tables/a.csv": sha256(inside), str(outside): sha256(outside)}
    assert stands({"mark": "m", "outputs": marks}, "m", tmp_path / "out")
