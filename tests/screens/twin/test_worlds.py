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
