import warnings

import numpy as np
import pandas as pd
import pytest

from helpers.dose import fit_curves, fit_screen
from helpers.dose.screen import curve_points, wells_of_curve
from helpers.dose.units import UnitWarning
from helpers.errors import UsageError
from helpers.hits import call_hits
from made_up import made_up_wells


def test_real_plate_places_remdesivir_and_finds_oseltamivir_flat(plate25):
    curves = fit_screen(plate25).set_index("treatment")
    remdesivir, oseltamivir = curves.loc["Remdesivir (GS-5734)"], curves.loc["Oseltamivir carboxylate"]
    assert remdesivir["curve_class"] in ("active", "step")
    assert 0.03 <= remdesivir["ec50_low_um"] < remdesivir["ec50_high_um"] <= 1
    assert oseltamivir["curve_class"] == "inactive"
    assert np.isnan(oseltamivir["ec50_um"])


@pytest.mark.slow
def test_real_a549_screen_places_remdesivir(a549):
    """A plain four-parameter fit of its 173 wells puts the EC50 at 0.034 uM."""
    curves = fit_screen(a549)
    row = curves[curves["treatment"].str.lower() == "remdesivir"].iloc[0]
    assert row["ec50_low_um"] < 0.034 < row["ec50_high_um"]
    assert row["ec50_high_um"] / row["ec50_low_um"] < 3


@pytest.mark.slow
def test_truth_of_the_twin_is_covered(tiny_scored, tiny_screen):
    truth = tiny_screen[1].drop_duplicates(["experiment", "treatment"])
    both = fit_screen(tiny_scored).merge(truth, on=["experiment", "treatment"], suffixes=("", "_true"))
    known = both[(both["kind"] == "rescuing") & (both["curve_class"] == "active") & (both["emax"] > 0.3)]
    inside = (known["ec50_low_um"] <= known["ec50_um_true"]) & (
        known["ec50_um_true"] <= known["ec50_high_um"]
    )
    assert len(known) >= 5
    assert inside.mean() >= 0.85


def test_failed_wells_are_left_out_and_experiments_kept_apart(tiny_scored):
    points = curve_points(tiny_scored)
    obs = tiny_scored.obs
    expected = ((obs["condition"] == "infected") & obs["treatment"].notna() & (obs["qc_flag"] == "")).sum()
    assert len(points) == expected
    assert points["experiment"].nunique() == obs["experiment"].nunique()


@pytest.mark.slow
def test_falling_curves_are_called_worsening(tiny_scored, tiny_screen):
    truth = tiny_screen[1].groupby(["experiment", "treatment"], as_index=False)["rescue"].min()
    both = fit_screen(tiny_scored).merge(truth, on=["experiment", "treatment"])
    harmful = both[both["rescue"] < -0.35]
    assert len(harmful) >= 1
    assert (harmful["curve_class"] == "worsening").all()
    worse = both[both["curve_class"] == "worsening"]
    assert ((worse["back"] - worse["front"]).fillna(worse["effect"]) < 0).all()
    assert isinstance(both, pd.DataFrame)


@pytest.mark.slow
def test_a_compound_whose_wells_all_failed_has_a_row(tiny_scored):
    lost = tiny_scored.copy()
    name = lost.obs["treatment"].dropna().iloc[0]
    lost.obs.loc[lost.obs["treatment"] == name, "qc_flag"] = "failed"
    curves = fit_screen(lost).set_index("treatment")
    assert (curves.loc[[name], "curve_class"] == "not_fitted").all()
    assert (curves.loc[[name], "n_points"] == 0).all()


def arm_rows(treatment, off, limit=0.5):
    doses = [0.01, 0.03, 0.1, 0.3, 1, 3][: len(off)]
    return pd.DataFrame(
        {
            "experiment": "E",
            "treatment": treatment,
            "dose_um": doses,
            "off_disease": off,
            "off_limit": limit,
            "rescue": 0.0,
        }
    )


@pytest.mark.slow
def test_toxic_doses_are_left_out_and_both_fits_reported(tiny_scored):
    plain = fit_screen(tiny_scored, drop_toxic=False)
    chosen = plain[(plain["curve_class"] == "active") & (plain["n_doses"] == 6)].iloc[0]
    key = {"experiment": chosen["experiment"], "treatment": chosen["treatment"]}
    top = arm_rows(key["treatment"], [0.0] * 5 + [2.0]).assign(experiment=key["experiment"])
    doses = tiny_scored.obs.loc[tiny_scored.obs["treatment"] == key["treatment"], "dose_um"].unique()
    top["dose_um"] = np.sort(doses)
    less = fit_screen(tiny_scored, arms=top)
    row = less[(less[list(key)] == pd.Series(key)).all(axis=1)].iloc[0]
    assert (row["n_toxic_doses"], row["n_dropped_doses"]) == (1, 1)
    assert row["ec50_all_um"] == pytest.approx(chosen["ec50_um"], rel=0.1)
    mostly = top.assign(off_disease=[0.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    none = fit_screen(tiny_scored, arms=mostly)
    row = none[(none[list(key)] == pd.Series(key)).all(axis=1)].iloc[0]
    assert row["curve_class"] == "toxic_top"
    assert np.isnan(row["ec50_um"])
    assert np.isfinite(row["ec50_all_um"])


@pytest.mark.slow
def test_chosen_compounds_are_those_of_the_whole_screen(tiny_scored):
    whole = fit_screen(tiny_scored, drop_toxic=False)
    name = whole["treatment"].iloc[3]
    some = fit_screen(tiny_scored, drop_toxic=False, compounds=[name.upper()])
    expected = whole[whole["treatment"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected, check_exact=True)
    with pytest.raises(UsageError, match="no curve of NOPE"):
        fit_screen(tiny_scored, drop_toxic=False, compounds=["NOPE"])


@pytest.mark.slow
def test_three_parameters_start_at_the_infected_level(tiny_scored):
    curves = fit_screen(tiny_scored, drop_toxic=False, model="3pl")
    assert (curves["front"].dropna() == 0).all()
    with pytest.raises(UsageError, match="choose 4pl or 3pl"):
        fit_screen(tiny_scored, model="5pl")


def test_wells_of_one_compound_are_sorted_by_dose_and_keep_those_that_failed():
    wells = made_up_wells()
    points = wells_of_curve(wells, "HRCE-1", "TWN-0060")
    assert len(points) == 24
    assert points["dose_um"].is_monotonic_increasing
    assert set(points["experiment"]) == {"HRCE-1"}
    assert wells_of_curve(wells.assign(qc_flag="failed"), "HRCE-1", "TWN-0060").index.equals(points.index)
    assert wells_of_curve(wells, "HRCE-1", "nobody").empty


@pytest.fixture(scope="module")
def called(tiny_scored):
    return call_hits(tiny_scored, rank_draws=0)


@pytest.mark.slow
def test_a_compound_that_rescues_at_every_dose_is_below_the_doses_with_any_model(tiny_scored, called):
    scored = tiny_scored.copy()
    obs = scored.obs
    name = obs["treatment"].dropna().iloc[0]
    mine = (obs["treatment"] == name).to_numpy() & (obs["qc_flag"] == "").to_numpy()
    rng = np.random.default_rng(0)
    obs.loc[mine, "rescue"] = 0.9 + rng.normal(0, 0.03, mine.sum())
    for model in ("4pl", "3pl"):
        row = fit_screen(scored, arms=called[0], hits=called[1], model=model, compounds=[name]).iloc[0]
        lowest = obs.loc[mine & (obs["experiment"].astype(str) == row["experiment"]), "dose_um"].min()
        assert (row["curve_class"], row["ec50_censored"]) == ("below_range", "<")
        assert row["ec50_um"] == lowest
        assert row["front"] == 0
        assert row["back"] == pytest.approx(0.9, abs=0.05)
        assert row["note"].startswith("called inactive") or row["note"] == ""


@pytest.mark.slow
def test_harm_that_feigns_rescue_gets_no_ec50(tiny_scored, called):
    scored, arms = tiny_scored.copy(), called[0].copy()
    obs = scored.obs
    counts = obs.groupby("treatment", observed=True)["dose_um"].nunique()
    name = counts.index[counts == 6][0]
    doses = np.sort(obs.loc[obs["treatment"] == name, "dose_um"].unique())
    off = pd.Series([0.05, 0.0, 0.05, 0.3, 1.5, 2.5], doses)
    mine = (obs["treatment"] == name).to_numpy()
    rng = np.random.default_rng(1)
    # all that is seen along the axis is harm, at a fixed ratio to what is seen off it
    obs.loc[mine, "rescue"] = 0.4 * obs.loc[mine, "dose_um"].map(off).astype(float) + rng.normal(
        0, 0.03, mine.sum()
    )
    arm = (arms["treatment"].astype(str) == name).to_numpy()
    arms.loc[arm, "off_disease"] = arms.loc[arm, "dose_um"].map(off)
    arms.loc[arm, "off_limit"] = 0.2
    arms.loc[arm, "rescue"] = 0.4 * arms.loc[arm, "off_disease"]
    row = fit_screen(scored, arms=arms, hits=called[1], compounds=[name]).iloc[0]
    assert row["curve_class"] == "toxic_top"
    assert row["n_toxic_doses"] >= 2
    assert np.isnan(row["ec50_um"])
    assert (row["off_toxic"], row["off_fitted"] < 1) == (2.5, True)
    assert "doses harm cells" in row["note"]
    own = arms.copy()
    own.loc[arm, "off_disease"] = 0.45  # the same at every dose: a compound's own effect
    row = fit_screen(scored, arms=own, hits=called[1], compounds=[name]).iloc[0]
    assert row["n_toxic_doses"] == 0
    assert row["curve_class"] not in ("toxic_top", "inactive")


@pytest.mark.slow
def test_tables_hold_no_number_that_means_nothing(tiny_scored, called):
    curves = fit_screen(tiny_scored, arms=called[0], hits=called[1])
    flat = curves[curves["curve_class"].isin(["inactive", "toxic_top", "not_fitted"])]
    shape = [
        "ec50_um",
        "ec50_fit_um",
        "hill",
        "hill_low",
        "hill_high",
        "front",
        "back",
        "back_low",
        "back_high",
    ]
    assert flat[shape].isna().all(axis=None)
    assert (flat["ec50_censored"] == "").all()
    doses = tiny_scored.obs.groupby("treatment", observed=True)["dose_um"].agg(["min", "max"])
    first, last = (curves["treatment"].map(doses[end]).astype(float) for end in ("min", "max"))
    low, high = curves["ec50_low_um"], curves["ec50_high_um"]
    assert (low.isna() | (low == 0) | (low >= 0.099 * first)).all()
    assert (high.isna() | np.isinf(high) | (high <= 10.1 * last)).all()
    limit = curves["ec50_censored"] != ""
    assert curves.loc[limit, "ec50_um"].between(first[limit], last[limit]).all()
    rescued = curves.merge(
        called[1].astype({"experiment": str, "treatment": str}), on=["experiment", "treatment"]
    )
    silent = rescued["call"].str.startswith("rescue") & rescued["curve_class"].isin(
        ["inactive", "not_fitted"]
    )
    assert (rescued.loc[silent, "note_x"] != "").all()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["4pl", "3pl"])
def test_real_compounds_that_do_all_they_can_at_every_dose(dahlin, model):
    """Colchicine, vinblastine and podophyllotoxin stop spindles at every dose that was tested."""
    curves = fit_screen(dahlin, model=model)
    names = ["Colchicine", "Vinblastine", "Podophyllotoxin"]
    mine = curves[curves["treatment"].isin(names)]
    assert set(mine["treatment"]) == set(names)
    assert (mine["curve_class"] == "below_range").all()


def test_rescue_of_small_windows_is_no_percent(tiny_scored):
    """A warning would stop the page that shows the curves."""
    few = tiny_scored[tiny_scored.obs["experiment"] == tiny_scored.obs["experiment"].iloc[0]].copy()
    few.obs["rescue"] *= 100.0
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnitWarning)
        curves = fit_screen(few, drop_toxic=False, compounds=[few.obs["treatment"].dropna().iloc[0]])
    assert len(curves) == 1
    points = curve_points(few).rename(columns={"treatment": "curve", "dose_um": "dose", "rescue": "response"})
    with pytest.warns(UnitWarning, match="looks like a fraction"):
        fit_curves(points, min_effect=0.1, alpha=1e-9)
