import numpy as np
import pandas as pd
import pytest

from helpers.dose import fit_screen
from helpers.dose.screen import curve_points, toxic_doses, wells_of_curve
from helpers.errors import UsageError
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
    assert points["curve"].nunique() == len(points.drop_duplicates(["experiment", "treatment"]))


@pytest.mark.slow
def test_falling_curves_are_called_worsening(tiny_scored, tiny_screen):
    truth = tiny_screen[1].groupby(["experiment", "treatment"], as_index=False)["rescue"].min()
    both = fit_screen(tiny_scored).merge(truth, on=["experiment", "treatment"])
    harmful = both[both["rescue"] < -0.35]
    assert len(harmful) >= 1
    assert (harmful["curve_class"] == "worsening").all()
    worse = both[both["curve_class"] == "worsening"]
    assert (worse["back"] < worse["front"]).all()
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
        {"experiment": "E", "treatment": treatment, "dose_um": doses, "off_disease": off, "off_limit": limit}
    )


@pytest.mark.parametrize(
    ("off", "toxic"),
    [
        ([0, 0, 0, 0, 0.2, 0.3], []),
        ([0, 0, 0, 0, 0.1, 0.9], [3]),
        ([0, 0, 0, 0.3, 0.9, 2.0], [0.3, 1, 3]),  # the first of them half-way to the limit
        ([0, 0.9, 0, 0, 0, 0], []),  # no top
        ([0, 0, 0, 0, 0.9, np.nan], [1]),  # all wells of the highest dose failed
    ],
)
def test_toxic_doses_are_an_unbroken_top(off, toxic):
    assert toxic_doses(arm_rows("A", off))["dose_um"].tolist() == toxic


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
    mostly = top.assign(off_disease=2.0)
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
