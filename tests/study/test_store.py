"""Entries of the memory: whole or absent, made by one process at a time, read back as they were stored."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.hits import Calibration
from helpers.study import store
from helpers.study.fingerprint import fingerprint
from helpers.study.projections import Projection
from study.same import assert_same


@pytest.fixture(autouse=True)
def entries(empty_memory):
    """Return the folder of entries; every test starts with none."""
    return empty_memory


def never() -> None:
    pytest.fail("computed twice")


def test_wells_come_back_as_they_were(tiny_scored):
    stored = store.recall("a", lambda: tiny_scored)
    again = store.recall("a", never)
    for wells in (stored, again):
        assert_same(wells, tiny_scored)
        assert wells.obs["condition"].cat.categories.tolist() == ["mock", "uv", "infected", "blank"]


def test_wells_from_the_memory_cannot_be_changed_by_accident(tiny_scored):
    wells = store.recall("a", lambda: tiny_scored)
    assert not wells.X.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        wells.X[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        wells.X.flags.writeable = True
    copy = wells.copy()
    copy.X[0, 0] = 1
    np.testing.assert_array_equal(wells.X, tiny_scored.X)


def test_released_wells_are_read_again(tiny_scored):
    wells = store.recall("a", lambda: tiny_scored)
    total = wells.X.sum()
    for some in (wells, wells[:10], tiny_scored.copy(), ad.AnnData(np.zeros((3, 0)))):
        store.release(some)
    assert wells.X.sum() == total
    assert_same(wells, tiny_scored)


@pytest.mark.parametrize("shape", [(3, 0), (0, 2)])
def test_wells_without_features_and_no_wells_come_back(shape):
    wells = ad.AnnData(
        np.zeros(shape, np.float32), obs=pd.DataFrame(index=[f"w{i}" for i in range(shape[0])])
    )
    assert_same(store.recall("a", lambda: wells), wells)


TABLE = pd.DataFrame(
    {
        "experiment": pd.Categorical(["E", None, "F"], ["F", "E", "unused"], ordered=True),
        "flag": [True, False, True],
        "n": np.array([1, 2, 3], np.int32),
        "x": [0.1, np.nan, np.inf],
        "text": ["a", "", "µ"],
    },
    index=pd.Index(["u", "v", "w"], name="name"),
)
TABLE.attrs = {"alone": {"E": ["a"]}}

VALUES = {
    "table": TABLE,
    "no rows": TABLE.head(0),
    "no columns": pd.DataFrame(index=[1, 2]),
    "tuple": (TABLE, TABLE.head(1)),
    "dict": {"b": TABLE, "a": {"c": 1.5}},
    "record": Projection(TABLE, TABLE.head(1), 3),
    "calibration": Calibration(*[TABLE.reset_index(drop=True)] * 4),
    "number": 0.1,
    "text": "µ",
    "nothing": None,
    "list": [1, "a", None, [True]],
}


@pytest.mark.parametrize("name", list(VALUES))
def test_values_come_back_as_they_were(name):
    value = VALUES[name]
    assert_same(store.recall("a", lambda: value), value)
    assert_same(store.recall("a", never), value)
    assert fingerprint(store.read_entry("a")) == fingerprint(value)


@dataclass
class Unknown:
    """A record of something that cannot be stored."""

    what: object


def test_a_value_that_cannot_be_stored_leaves_nothing(entries):
    for value in (object(), Unknown(object()), {"a": {1, 2}}):
        with pytest.raises(TypeError):
            store.recall("a", lambda value=value: value)
        assert not store.is_stored("a")
    assert not [path for path in entries.iterdir() if path.is_dir()]


def test_a_failing_step_stores_nothing():
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.recall("b", fail)
    assert not store.is_stored("b")
    table = pd.DataFrame({"x": [1.5]})
    pd.testing.assert_frame_equal(store.recall("b", lambda: table), table)


def test_an_entry_is_found_by_its_content(tiny_scored):
    table = pd.DataFrame({"x": [1.5]})
    store.recall("wells", lambda: tiny_scored)
    store.recall("table", lambda: table)
    assert store.find_entry(fingerprint(tiny_scored)) == "wells"
    assert store.find_entry(fingerprint(table.copy())) == "table"
    assert store.find_entry(fingerprint(table + 1)) is None


def test_old_entries_make_room(monkeypatch, entries):
    monkeypatch.setattr(store, "MAX_BYTES", 20_000)
    for name in ("one", "two", "three"):
        store.recall(name, lambda: pd.DataFrame({"x": np.random.default_rng(0).normal(size=1000)}))
    kept = sorted(path.name for path in entries.iterdir() if path.is_dir())
    assert "three" in kept
    assert "one" not in kept


def test_what_was_used_last_stays(monkeypatch, entries):
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=1000)})
    for name in ("one", "two"):
        store.recall(name, lambda: table)
        os.utime(entries / name, (1, 1))
    store.recall("one", never)
    monkeypatch.setattr(store, "MAX_BYTES", 25_000)
    store.recall("three", lambda: table)
    assert store.is_stored("one")
    assert not store.is_stored("two")


def test_leftovers_of_killed_processes_go_after_a_day(entries):
    store.recall("one", lambda: 1)
    old, new, lock = entries / ".new-old", entries / ".new-new", entries / ".other.lock"
    for folder in (old, new):
        folder.mkdir()
        (folder / "value.npy").write_text("half")
    lock.touch()
    day = time.time() - store.A_DAY - 60
    for path in (old, lock):
        os.utime(path, (day, day))
    store.recall("two", lambda: 2)
    assert not old.exists()
    assert not lock.exists()
    assert new.exists(), "it may be under way"


def test_half_an_entry_is_none(entries):
    """Only a folder with its last file counts."""
    (entries / "a").mkdir(parents=True)
    (entries / "a" / "value.feather").write_text("half")
    assert not store.is_stored("a")
    assert store.recall("a", lambda: 7) == 7


MAKER = """
import sys, time
from pathlib import Path
from helpers.study.store import recall

log = Path(sys.argv[1])
seconds = float(sys.argv[2])

def make():
    with log.open("a") as file:
        file.write("made\\n")
    time.sleep(seconds)
    return 42

assert recall("slow", make) == 42
"""


def start(log, seconds: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", MAKER, str(log), str(seconds)])


def wait_for(log) -> None:
    deadline = time.monotonic() + 60
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert log.exists()


@pytest.mark.slow
def test_two_processes_compute_an_entry_once(tmp_path):
    log = tmp_path / "log"
    both = [start(log, 1.0), start(log, 1.0)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert log.read_text() == "made\n"
    assert store.recall("slow", never) == 42


@pytest.mark.slow
def test_the_lock_of_a_killed_process_goes_with_it(tmp_path, entries):
    log = tmp_path / "log"
    first = start(log, 600)
    wait_for(log)
    first.kill()
    first.wait()
    assert not store.is_stored("slow")
    begin = time.monotonic()
    assert store.recall("slow", lambda: 43) == 43
    assert time.monotonic() - begin < 10


def damage(path, at: int, how: int) -> None:
    """Change one bit of a file, or cut it there."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << how % 8
    path.write_bytes(data if how % 4 else data[:at])


def test_damage_of_any_file_gives_the_same_values(entries, tiny_scored, capsys):
    """Bits and lengths drawn over all files of all kinds of entries; the next call gives what was stored."""
    values = {**VALUES, "wells": tiny_scored[:40].copy()}
    for name, value in values.items():
        store.recall(name, lambda value=value: value)
    rng = np.random.default_rng(0)
    files = sorted(path for path in entries.rglob("*") if path.is_file() and path.parent != entries)
    assert {path.name for path in files} >= {".seal", "about.json", "value.feather", "value.npy"}
    for how, path in enumerate(rng.choice(files, 200)):
        damage(path, int(rng.integers(path.stat().st_size)), how)
        name = path.parent.name
        assert_same(store.recall(name, lambda name=name: values[name]), values[name])
        assert_same(store.recall(name, never), values[name])
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 200
    assert all("is dropped and made again" in line for line in told)


def test_a_damaged_entry_is_not_read_by_name(entries):
    store.recall("a", lambda: 1)
    (entries / "a" / "about.json").write_text('{"value": {"kind": "plain", "value": 2}}')
    with pytest.raises(FileNotFoundError, match=r"entry a is damaged in about\.json"):
        store.read_entry("a")
    for text in ("", "[]", "{}", "[" * 100_000):
        (entries / "a" / "about.json").write_text(text)
        assert store.find_entry("x") is None


def test_a_file_in_the_place_of_all_entries(entries):
    entries.parent.mkdir(exist_ok=True)
    entries.write_text("x")
    assert store.recall("a", lambda: 1) == 1


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_the_next_one_the_same(tmp_path, entries):
    """Moments over making, storing and reading; each is followed by a call that must give the value."""
    rng = np.random.default_rng(0)
    expected = {"number": 42}
    for seconds in rng.uniform(0, 0.4, 2):
        log = tmp_path / f"log-{seconds}"
        process = start(log, float(rng.choice([0.0, 0.2])))
        wait_for(log)
        time.sleep(seconds)
        process.kill()
        process.wait()
        assert store.recall("slow", lambda: expected["number"]) == 42
        assert store.recall("slow", never) == 42
        store.drop(entries / "slow")
