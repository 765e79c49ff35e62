"""The arm that stands for a compound brings its interval, and is the one that the call is about."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.deciding import best_arms, deciding_arms, with_calls
from made_up import made_up_arms, made_up_hits, made_up_wells


@pytest.fixture(scope="module")
def arms() -> pd.DataFrame:
    return made_up_arms(made_up_wells())


@pytest.fixture(scope="module")
def hits(arms) -> pd.DataFrame:
    return made_up_hits(arms)


def test_best_arm_brings_its_interval(arms, hits):
    table = best_arms(hits, arms)
    assert len(table) == len(hits)
    np.testing.assert_allclose(table["rescue_low"], table["rescue_max"] - 0.1)
    np.testing.assert_allclose(table["rescue_high"], table["rescue_max"] + 0.1)


def test_compounds_that_worsen_are_drawn_where_they_do(arms, hits):
    table = deciding_arms(hits, arms).set_index(["experiment", "treatment"])
    best = best_arms(hits, arms).set_index(["experiment", "treatment"])
    worst = (
        arms.astype({"experiment": str, "treatment": str})
        .groupby(["experiment", "treatment"])["rescue"]
        .min()
    )
    harm = table["call"] == "worsens"
    assert harm.sum() > 5
    np.testing.assert_allclose(table.loc[harm, "rescue_max"], worst[table.index[harm]])
    np.testing.assert_allclose(table.loc[harm, "rescue_low"], table.loc[harm, "rescue_max"] - 0.1)
    pd.testing.assert_frame_equal(table[~harm], best[~harm])
    assert (best.loc[harm, "rescue_max"] > table.loc[harm, "rescue_max"]).all()


def test_arms_have_the_call_of_their_compound_and_a_place_on_the_axis(arms, hits):
    table = with_calls(arms, hits)
    calls = hits.set_index(["experiment", "treatment"])["call"]
    expected = [calls[key] for key in zip(arms["experiment"], arms["treatment"], strict=True)]
    assert table["call"].tolist() == expected
    np.testing.assert_allclose(table["on_disease"], 1 - arms["rescue"])
    pd.testing.assert_frame_equal(table[arms.columns], arms)


def test_without_arms_there_is_nothing_to_decide(arms, hits):
    assert deciding_arms(hits.head(0), arms.head(0)).empty
    assert {"call", "on_disease"} <= set(with_calls(arms.head(0), hits.head(0)))
