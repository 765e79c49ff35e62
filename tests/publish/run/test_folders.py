"""Folders of results: held by one run, writable or refused, and replaced as a whole or not at all."""

from pathlib import Path

import pytest

from helpers.errors import DataError, UsageError
from helpers.publish.run.folders import check_results, check_writable, held_folders, put_in_place

ADVICE = "choose another"


def test_a_folder_that_can_be_made_is_not_left_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b", ADVICE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=r"cannot write to .*file \(it is a file\): choose another"):
        check_writable(tmp_path / "file", ADVICE)
    with pytest.raises(UsageError, match=r"cannot write to .*below"):
        check_writable(tmp_path / "file" / "below", ADVICE)


@pytest.mark.parametrize("name", ["tables", "figures", "notebooks", "partial"])
def test_a_file_where_a_folder_of_results_belongs_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"{name} is a file where a folder of results belongs"):
        check_results({tmp_path: ADVICE})
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_is_held_by_one_run_and_swept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "tables" / ".work-dead").mkdir(parents=True)
    (folder / ".run.json.dead").mkdir()
    with held_folders({folder: ADVICE}):
        assert not (folder / "tables" / ".work-dead").exists()
        assert not (folder / ".run.json.dead").exists()
        with (
            pytest.raises(DataError, match=f"another run is writing to {folder}"),
            held_folders({folder: ADVICE}),
        ):
            pass
        (folder / ".work-late").mkdir()
    assert not (folder / ".work-late").exists()
    with held_folders({folder: ADVICE}):
        pass


def test_a_folder_that_stayed_empty_is_taken_away(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), held_folders({tmp_path / "deep" / "out": ADVICE}):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError), held_folders({tmp_path / "new": ADVICE, Path("/proc/none"): ADVICE}):
        pass
    assert not (tmp_path / "new").exists()


@pytest.fixture
def staged(tmp_path: Path) -> dict[Path, Path]:
    files = {}
    for name in ("a.csv", "b.csv"):
        (tmp_path / "stage").mkdir(exist_ok=True)
        (tmp_path / "stage" / name).write_text(f"new {name}")
        files[tmp_path / "out" / "tables" / name] = tmp_path / "stage" / name
    (tmp_path / "out" / "tables").mkdir(parents=True)
    (tmp_path / "out" / "tables" / "a.csv").write_text("old")
    (tmp_path / "out" / "run.json").write_text("{}")
    return files


def test_files_take_their_places_and_the_old_record_goes(tmp_path: Path, staged: dict) -> None:
    put_in_place(staged, tmp_path / "out" / "run.json")
    assert [target.read_text() for target in staged] == ["new a.csv", "new b.csv"]
    assert not (tmp_path / "out" / "run.json").exists()
    assert sorted(path.name for path in (tmp_path / "out" / "tables").iterdir()) == ["a.csv", "b.csv"]


def test_where_one_cannot_none_does(tmp_path: Path, staged: dict) -> None:
    (tmp_path / "out" / "tables" / "b.csv").mkdir()
    with pytest.raises(DataError, match=r"b\.csv cannot be written .* the earlier results are as they were"):
        put_in_place(staged, tmp_path / "out" / "run.json")
    assert (tmp_path / "out" / "tables" / "a.csv").read_text() == "old"
    assert (tmp_path / "out" / "run.json").exists()
    assert sorted(path.name for path in (tmp_path / "out" / "tables").iterdir()) == ["a.csv", "b.csv"]
