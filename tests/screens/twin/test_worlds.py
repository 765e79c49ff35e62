"""Worlds: named sets of assumptions that a twin can be made with, and a name that is none refused."""

import dataclasses

import pytest

from helpers.errors import UsageError
from helpers.screens.twin.model import TwinModel
from helpers.screens.twin.worlds import WORLDS, describe_worlds, find_world


def test_the_calm_world_is_the_model_as_it_is():
    assert find_world("calm").model() == TwinModel()


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "calm"])
def test_a_world_differs_in_what_it_names_and_nothing_else(name):
    world = find_world(name)
    made, usual = world.model(), TwinModel()
    changed = {f.name for f in dataclasses.fields(usual) if getattr(made, f.name) != getattr(usual, f.name)}
    assert changed == set(world.changes)
    other = world.model(TwinModel(well_noise=0.123) if "well_noise" not in changed else usual)
    assert set(world.changes.items()) <= {(k, getattr(other, k)) for k in world.changes}
    assert "well_noise" in changed or other.well_noise == 0.123


def test_a_name_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match=r"world 'clam' is unknown; choose one of calm, busy"):
        find_world("clam")


def test_worlds_are_described_for_readers():
    table = describe_worlds()
    assert table["world"].tolist() == list(WORLDS)
    assert table[["summary", "reason"]].map(len).min(axis=None) > 20
    assert table["reason"].str.endswith(".").all()


@pytest.mark.parametrize("world", list(WORLDS))
def test_the_command_makes_any_world_and_says_which(world, tmp_path):
    from helpers.cli import main
    from helpers.screens import describe_source

    assert main(["data", "make", "twin", str(tmp_path / "t"), "--scale", "tiny", "--world", world]) == 0
    known = describe_source(str(tmp_path / "t"))
    assert known["world"] == world
    assert (world in known["name"]) == (world != "calm")
    assert main(["data", "check", str(tmp_path / "t")]) == 0


def test_worlds_can_be_mixed(tmp_path):
    import json

    from helpers.cli import main

    options = ["--scale", "tiny", "--world", "rough", "--set", "saturation=1.5"]
    assert main(["data", "make", "twin", str(tmp_path / "t"), *options]) == 0
    made = json.loads((tmp_path / "t" / "twin.json").read_text())
    assert made["world"] == "own"
    expected = dataclasses.replace(find_world("rough").model(), saturation=1.5)
    assert made["model"] == expected.to_dict()


def test_a_world_is_asked_of_the_twin_alone(tmp_path, monkeypatch):
    from helpers.screens import resolve_source

    with pytest.raises(UsageError, match="'world' = 'rough' goes with source=twin alone"):
        resolve_source(tmp_path, "rough")
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="world 'clam' is unknown"):
        resolve_source("twin", "clam")


def test_the_sites_of_a_world_are_those_of_its_files(tmp_path):
    import numpy as np

    from helpers.screens import make_twin, open_screen, simulate_twin

    folder = make_twin(tmp_path / "t", scale="tiny", seed=2, world="small_plates")
    written, made = open_screen(folder), simulate_twin("tiny", 2, world="small_plates")[0]
    np.testing.assert_allclose(written.X, made.X, rtol=1e-5)
    assert written.obs["well_id"].astype(str).tolist() == made.obs["well_id"].astype(str).tolist()
