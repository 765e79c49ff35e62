import numpy as np
import pandas as pd

from helpers.dose import fit_screen
from helpers.dose.screen import curve_points


def test_real_plate_places_remdesivir_and_finds_oseltamivir_flat(plate25):
    curves = fit_screen(plate25).set_index("treatment")
    remdesivir, oseltamivir = curves.loc["Remdesivir (GS-5734)"], curves.loc["Oseltamivir carboxylate"]
    assert remdesivir["curve_class"] in ("active", "step")
    assert 0.03 <= remdesivir["ec50_low_um"] < remdesivir["ec50_high_um"] <= 1
    assert oseltamivir["curve_class"] == "inactive"
    assert np.isnan(oseltamivir["ec50_um"])


def test_real_a549_screen_places_remdesivir(a549):
    """A plain four-parameter fit of its 173 wells puts the EC50 at 0.034 uM."""
    curves = fit_screen(a549)
    row = curves[curves["treatment"].str.lower() == "remdesivir"].iloc[0]
    assert row["ec50_low_um"] < 0.034 < row["ec50_high_um"]


def test_truth_of_the_twin_is_covered(tiny_scored, tiny_screen):
    truth = tiny_screen[1].drop_duplicates(["experiment", "treatment"])
    both = fit_screen(tiny_scored).merge(truth, on=["experiment", "treatment"], suffixes=("", "_true"))
    known = both[(both["kind"] == "rescuing") & (both["curve_class"] == "active") & (both["emax"] > 0.3)]
    inside = (known["ec50_low_um"] <= known["ec50_um_true"]) & (
        known["ec50_um_true"] <= known["ec50_high_um"]
    )
    assert len(known) >= 5
    assert inside.mean() >= 0.7


def test_failed_wells_are_left_out_and_experiments_kept_apart(tiny_scored):
    points = curve_points(tiny_scored)
    obs = tiny_scored.obs
    expected = ((obs["condition"] == "infected") & obs["treatment"].notna() & (obs["qc_flag"] == "")).sum()
    assert len(points) == expected
    assert points["curve"].nunique() == len(points.drop_duplicates(["experiment", "treatment"]))


def test_falling_curves_are_called_worsening(tiny_scored, tiny_screen):
    truth = tiny_screen[1].groupby(["experiment", "treatment"], as_index=False)["rescue"].min()
    both = fit_screen(tiny_scored).merge(truth, on=["experiment", "treatment"])
    harmful = both[both["rescue"] < -0.35]
    assert len(harmful) >= 1
    assert (harmful["curve_class"] == "worsening").all()
    worse = both[both["curve_class"] == "worsening"]
    assert (worse["back"] < worse["front"]).all()
    assert isinstance(both, pd.DataFrame)


def test_a_compound_whose_wells_all_failed_has_a_row(tiny_scored):
    lost = tiny_scored.copy()
    name = lost.obs["treatment"].dropna().iloc[0]
    lost.obs.loc[lost.obs["treatment"] == name, "qc_flag"] = "failed"
    curves = fit_screen(lost).set_index("treatment")
    assert (curves.loc[[name], "curve_class"] == "not_fitted").all()
    assert (curves.loc[[name], "n_points"] == 0).all()
