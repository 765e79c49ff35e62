"""The way from a screen to its calls, with damage to all that is kept: the tables are those of an empty cache."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers import study
from study.same import assert_same


def analysis() -> tuple:
    wells = study.to_wells(study.open_screen("twin"))
    scored = study.score_wells(study.normalize(wells, "plate_center"))
    return scored, study.assay_quality(scored), study.call_hits(scored)


def put(path: Path, data: bytes) -> None:
    """Write a file anew under its name: what a process has mapped is another one."""
    path.unlink()
    path.write_bytes(data)


def flip(path: Path, rng: np.random.Generator) -> None:
    data = bytearray(path.read_bytes())
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    put(path, bytes(data))


def cut(path: Path, rng: np.random.Generator) -> None:
    put(path, path.read_bytes()[: rng.integers(path.stat().st_size)])


def make_folder(path: Path, _: object) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (
    flip,
    cut,
    lambda path, _: put(path, b""),
    lambda path, _: path.unlink(),
    make_folder,
    lambda path, _: shutil.copy(path, path.with_name("more.csv")),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory, tiny_folder):
    """Return a cache in which everything of the analysis is kept; its twin is the tiny one."""
    home = tmp_path_factory.mktemp("cache")

    def tiny(folder: Path, **_: object) -> Path:
        return shutil.copytree(tiny_folder, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", str(home))
        patch.setattr("helpers.screens.twin.make.make_twin", tiny)
        yield home


@pytest.fixture(scope="module")
def undisturbed(home):
    return analysis()


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [DAMAGES[:1], DAMAGES[1:]], ids=["bits", "other damage"])
def test_damage_in_every_entry_at_once_changes_nothing(kinds, home, undisturbed, capsys):
    entries = [*home.glob("twin-*"), *(path for path in (home / "steps").iterdir() if path.is_dir())]
    assert len(entries) == 7
    rng = np.random.default_rng(0)
    for entry, damage in zip(entries, itertools.cycle(kinds), strict=False):
        damage(rng.choice(sorted(path for path in entry.iterdir() if path.is_file())), rng)
    assert_same(analysis(), undisturbed)
    assert len(capsys.readouterr().err.splitlines()) == len(entries)
