"""What is counted in a world is counted right; how much of it holds is the business of `make worlds`."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.promises import (
    PROMISES,
    _harmless,
    judge_world,
)


@pytest.fixture(scope="module")
def calm():
    return judge_world("calm", 4, recipes=("raw", "plate_center"))


@pytest.mark.slow
def test_the_kindest_world_keeps_its_promises(calm):
    value = calm.set_index("promise")["value"]
    assert value["fdp_05"] <= 0.0625
    assert value["called_without_actives"] <= 0.01
    assert value["power_strong"] >= 0.95
    assert 0.92 <= value["coverage"] <= 0.98
    assert value["safe_dim"] >= 0.95
    assert value["safe_low_cells"] >= 0.8
    assert value["good_lost"] <= 0.005
    assert value["regret"] == 0, "raw wells are no match for centred ones"
    assert value["near_best"] == 1
    assert set(calm["promise"]) <= set(PROMISES)
    assert calm.set_index("promise").loc["coverage", "n"] > 1000


@pytest.mark.slow
def test_the_same_call_gives_the_same_table(calm):
    again = judge_world("calm", 4, recipes=("raw", "plate_center"))
    pd.testing.assert_frame_equal(again, calm)


def test_a_missed_well_harms_by_its_compounds_call_and_a_control_by_the_calls_of_others():
    obs = pd.DataFrame({
        "experiment": "E", "treatment": ["a", "b", None, "c"],
    })  # fmt: skip
    missed = np.array([True, True, True, False])
    same = pd.Series(
        [True, False, True],
        pd.MultiIndex.from_product([["E"], ["a", "b", "c"]], names=["experiment", "treatment"]),
    )
    assert _harmless(obs, missed, same).tolist() == [True, False, True, False]
    # the call of a compound without any missed well changes: the control did it
    same["E", "c"] = False
    assert _harmless(obs, missed, same).tolist() == [True, False, False, False]
    # in another experiment it cannot have done that
    elsewhere = obs.assign(experiment=["E", "E", "F", "E"])
    assert _harmless(elsewhere, missed, same).tolist() == [True, False, True, False]
