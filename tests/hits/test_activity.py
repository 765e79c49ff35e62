import warnings

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.hits import activity_map, compound_activity
from helpers.hits.activity import average_precision, expected_precision
from helpers.profiles import normalize, to_wells
from helpers.screens import TwinModel, simulate_twin

ARM = ["experiment", "treatment", "dose_um"]


@pytest.fixture(scope="module")
def centred(tiny_wells):
    return normalize(tiny_wells, "plate_center")


@pytest.fixture(scope="module")
def table(centred):
    return activity_map(centred)


def test_precision_is_that_of_copairs():
    """Three plates, arms of two, one and no wells on some of them."""
    from copairs.map import average_precision as reference

    rng = np.random.default_rng(0)
    arm = np.repeat(np.arange(30), 6)
    plate = np.tile(np.repeat(["a", "b", "c"], 2), 30)
    keep = rng.random(len(arm)) < 0.7
    arm, plate = arm[keep], plate[keep]
    Z = rng.normal(size=(len(arm), 8)) + (arm % 5)[:, None] * 0.2
    others, other_plate = rng.normal(size=(40, 8)), np.repeat(["a", "b", "c", "c"], 10)
    found, expected = average_precision(Z, arm, plate, others, other_plate)
    meta = pd.DataFrame(
        {
            "arm": [f"arm {a}" for a in arm] + [f"alone {i}" for i in range(40)],
            "plate": [*plate, *other_plate],
            "control": [False] * len(arm) + [True] * 40,
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = reference(
            meta, np.vstack([Z, others]).astype(np.float32), ["arm"], ["plate"], [], ["control", "plate"],
            progress_bar=False,
        )  # fmt: skip
    theirs = theirs["average_precision"].to_numpy()[: len(arm)]
    np.testing.assert_allclose(found, theirs, rtol=1e-5)
    assert np.isfinite(found).mean() > 0.9
    assert (np.isfinite(found) == np.isfinite(expected)).all()


def test_expected_precision_is_that_of_random_rankings():
    rng = np.random.default_rng(0)
    for m, n in ((1, 20), (4, 100)):
        place = np.sort(rng.random((20_000, m + n)).argsort(axis=1)[:, :m] + 1, axis=1)
        drawn = (np.arange(1, m + 1) / place).mean(axis=1)
        assert expected_precision(np.array(m), n) == pytest.approx(drawn.mean(), rel=0.03)


def test_what_changes_cells_is_found_and_what_does_not_is_not(table, tiny_screen):
    truth = tiny_screen[1]
    both = table.merge(truth, on=ARM)
    strong = both[both["toxicity"] > 1]
    inert = both[both["kind"] == "inert"]
    assert (strong["q_value"] < 0.05).mean() > 0.95
    assert (inert["p_value"] < 0.05).mean() < 0.08
    assert strong["map"].mean() > 0.9
    assert inert["map"].mean() == pytest.approx(inert["map_expected"].mean(), abs=0.02)
    compounds = compound_activity(table).merge(both[[*ARM[:2], "kind"]].drop_duplicates(), on=ARM[:2])
    assert (compounds.loc[compounds["kind"] == "toxic", "q_value"] < 0.05).all()
    assert (compounds.loc[compounds["kind"] == "inert", "q_value"] < 0.05).mean() < 0.05


@pytest.mark.slow
def test_p_values_are_not_too_small_where_nothing_works():
    tables = []
    for seed in range(3):
        sites, _ = simulate_twin("tiny", seed, TwinModel().without_actives())
        tables.append(activity_map(normalize(to_wells(sites), "plate_center"), seed=seed))
    p = pd.concat(tables)["p_value"]
    assert (p <= 0.01).mean() < 0.015
    assert 0.02 < (p <= 0.05).mean() < 0.065
    assert 0.4 < (p <= 0.5).mean() < 0.56


def test_simes_by_hand():
    arms = pd.DataFrame(
        {"experiment": "E", "treatment": "a", "map": [0.1, 0.3, 0.2], "p_value": [0.5, 0.01, 0.04]}
    )
    compound = compound_activity(arms).iloc[0]
    assert compound["p_value"] == pytest.approx(0.03)
    assert compound["map_max"] == 0.3


@pytest.mark.slow
def test_order_of_wells_and_seed(centred, table):
    order = np.random.default_rng(3).permutation(centred.n_obs)
    again = activity_map(centred[order].copy())
    both = table.merge(again, on=ARM)
    np.testing.assert_allclose(both["map_x"], both["map_y"], atol=1e-3)
    np.testing.assert_allclose(both["p_value_x"], both["p_value_y"], atol=0.02)
    pd.testing.assert_frame_equal(table, activity_map(centred))


def test_screens_that_do_not_say(centred, plate25):
    alone = centred[centred.obs["plate_id"] == centred.obs["plate_id"].iloc[0]].copy()
    for wells in (alone, plate25):
        empty = activity_map(wells)
        assert list(empty.columns[:3]) == ARM
        assert not len(empty)
        assert not len(compound_activity(empty))
    with pytest.raises(DataError, match="no embeddings"):
        activity_map(centred[:, :0].copy())
