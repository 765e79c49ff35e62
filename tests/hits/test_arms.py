"""Arms: means over wells, intervals over plates, and rows for arms whose wells all failed."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.arms import summarize_arms
from helpers.hits.multiple import q_values
from helpers.hits.null import fit_null
from helpers.profiles.selection import rows_by, treated, usable


@pytest.fixture(scope="module")
def rows(tiny_scored) -> np.ndarray:
    return rows_by(tiny_scored.obs, "experiment")["HRCE-2"]


@pytest.fixture(scope="module")
def null(tiny_scored, rows):
    return fit_null(tiny_scored, rows, seed=0, n_draws=2000)


@pytest.fixture(scope="module")
def arms(tiny_scored, rows, null) -> pd.DataFrame:
    return summarize_arms(tiny_scored, rows, null, min_rescue=0.1)


def test_an_arm_is_the_mean_of_its_good_wells_which_one_far_off_cannot_carry(tiny_scored, rows, arms):
    obs = tiny_scored.obs.iloc[rows]
    members = obs[treated(obs) & usable(obs)].astype({"treatment": str})
    by_hand = members.groupby(["treatment", "dose_um"])["rescue"].agg(["mean", "median", "size"])
    table = arms.set_index(["treatment", "dose_um"]).loc[by_hand.index]
    alike = np.isclose(table["rescue"], by_hand["mean"])
    assert alike.mean() > 0.99
    others, middle = table.loc[~alike, "rescue"], by_hand.loc[~alike]
    assert ((others - middle["median"]).abs() < (middle["mean"] - middle["median"]).abs()).all()
    assert table["n_wells"].tolist() == by_hand["size"].tolist()
    assert set(arms["experiment"]) == {"HRCE-2"}
    assert arms["treatment"].is_monotonic_increasing


def test_intervals_lie_around_the_mean_and_grow_with_their_level(tiny_scored, rows, null, arms):
    np.testing.assert_allclose(arms["rescue_high"] - arms["rescue"], arms["rescue"] - arms["rescue_low"])
    wide = summarize_arms(tiny_scored, rows, null, min_rescue=0.1, level=0.99)
    assert (wide["rescue_high"] > arms["rescue_high"]).all()
    assert set(arms["interval_basis"]) == {"plates"}
    assert (arms["rescue_se"] >= arms["null_sd"] * 0.9).all(), "plates share errors that no arm shows"


def test_p_values_are_of_more_rescue_than_is_allowed(tiny_scored, rows, null, arms):
    strict = summarize_arms(tiny_scored, rows, null, min_rescue=0.3)
    assert (strict["p_value"] >= arms["p_value"]).all()
    order = arms[(arms["n_wells"] == 6) & (arms["n_plates"] == 3)].sort_values("rescue")
    assert (order["p_value"].diff().dropna() <= 0.05).all()
    assert order["p_value"].iloc[-1] < 1e-3 < 0.5 < order["p_value"].iloc[0]
    pd.testing.assert_series_equal(arms["q_value"], q_values(arms["p_value"]), check_names=False)
    assert ((arms["p_value"] < 0.01) & (arms["p_worsens"] < 0.01)).sum() == 0


def test_an_arm_whose_wells_all_failed_keeps_its_row(tiny_scored, rows, null):
    scored = tiny_scored.copy()
    first = sorted(scored.obs["treatment"].iloc[rows].dropna().astype(str).unique())[0]
    scored.obs.loc[(scored.obs["treatment"] == first).to_numpy(), "qc_flag"] = "failed"
    table = summarize_arms(scored, rows, null, min_rescue=0.1).set_index("treatment")
    assert (table.loc[first, "n_wells"] == 0).all()
    assert table.loc[first, ["rescue", "rescue_low", "p_value", "off_disease"]].isna().all(axis=None)


def test_wells_without_a_dose_form_one_arm(tiny_scored, rows, null):
    scored = tiny_scored.copy()
    scored.obs["dose_um"] = np.nan
    table = summarize_arms(scored, rows, null, min_rescue=0.1)
    assert not table["treatment"].duplicated().any()
    assert table["dose_um"].isna().all()
    assert table["rescue"].notna().all()
