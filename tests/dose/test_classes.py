import numpy as np
import pandas as pd
import pytest

from dose.simulated import simulate_curves
from helpers.dose import CLASSES, LOCATED, RISING, fit_curves
from helpers.dose.classes import classify
from helpers.dose.coverage import DOSES

GRID = np.array(DOSES)


@pytest.mark.parametrize(
    ("klass", "ec50", "low", "high", "jump", "reached", "censored"),
    [
        ("active", 0.2, 0.08, 0.5, False, 0.95, ""),
        ("partial", 1.5, 0.9, 4.0, False, 0.6, ""),
        ("step", 0.17, 0.11, 0.28, True, 1.0, ""),
        ("below_range", 0.004, 0.0, 0.02, False, 1.0, "<"),
        ("above_range", 9.0, 1.2, np.inf, False, 0.3, ">"),
        ("above_range", 2.0, 1.2, np.inf, False, 0.6, ">"),
        ("active", 0.2, 0.0, np.inf, False, 0.9, ""),
        ("active", 0.2, 0.0, 13.5, False, 0.9, ""),
        ("active", 0.2, 0.004, np.inf, False, 0.9, ""),
        ("below_range", 0.004, 0.0, 13.5, False, 1.0, "<"),
    ],
)
def test_rule_table(klass, ec50, low, high, jump, reached, censored):
    steepest = (np.array([0.11 if jump else np.nan]), np.array([0.28 if jump else np.nan]))
    arrays = (np.array([value], dtype=float) for value in (ec50, low, high))
    used = np.ones((1, len(GRID)), dtype=bool)
    row = classify(GRID, used, *arrays, steepest, np.array([reached]), np.array([False])).iloc[0]
    assert (row["curve_class"], row["ec50_censored"]) == (klass, censored)
    expected = {"<": high, ">": low}.get(censored, ec50)
    bounded = low >= GRID[0] or high <= GRID[-1]  # a limit beyond the other end of the doses says nothing
    if censored or bounded:
        assert row["ec50"] == expected
    else:
        assert np.isnan(row["ec50"])
    if klass == "step":
        assert (row["ec50_low"], row["ec50_high"]) == (0.1, 0.3)


def test_lists_of_classes_agree():
    assert set(LOCATED) < set(RISING) < set(CLASSES)


def test_bells_are_told_and_fitted_without_their_top():
    table, truth = simulate_curves(300, noise=0.08, ec50=(0.02, 0.2), seed=10)
    table.loc[table["dose"] == 3, "response"] *= 0.3
    found, blind = fit_curves(table), fit_curves(table, bell=False)
    assert (found["curve_class"] == "bell").mean() > 0.9
    assert (found.loc[found["curve_class"] == "bell", "n_dropped_doses"] == 1).mean() > 0.95
    inside = (found["ec50_low"] <= truth["ec50"]) & (truth["ec50"] <= found["ec50_high"])
    assert inside.mean() > 0.92
    assert found["ec50_all_low"].notna().mean() > 0.9
    error = [(f["back"] / truth["back"] - 1).abs().median() for f in (found, blind)]
    assert error[0] < error[1]


def test_curves_that_stay_up_are_no_bells():
    found = fit_curves(simulate_curves(800, seed=11)[0])
    assert (found["curve_class"] == "bell").mean() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sign", "ec50", "doses"), [(">", (4.0, 12.0), DOSES), ("<", (0.0008, 0.006), (0.0, *DOSES))]
)
def test_ec50s_outside_the_doses_are_censored_on_the_right_side(sign, ec50, doses):
    table, truth = simulate_curves(
        600, ec50=ec50, doses=doses, noise=0.05, hill=(1, 2), back=(0.8, 1.0), seed=9
    )
    found = fit_curves(table, cluster="plate")
    told = ~found["curve_class"].isin(["inactive", "not_fitted"])
    assert told.mean() > 0.95
    assert (found.loc[told, "ec50_censored"] == sign).mean() >= 0.95
    inside = (found["ec50_low"] <= truth["ec50"]) & (truth["ec50"] <= found["ec50_high"])
    assert inside[told & found["ec50_low"].notna()].mean() >= 0.95


def test_too_little_data_is_no_crash_and_no_number_with_plates_and_bootstrap():
    odd = pd.concat(
        [
            pd.DataFrame({"curve": "two doses", "dose": [1, 1, 3, 3], "response": [0.0, 0.1, 1.0, 0.9]}),
            pd.DataFrame({"curve": "constant", "dose": GRID, "response": 0.7}),
            pd.DataFrame({"curve": "missing", "dose": GRID, "response": np.nan}),
        ],
        ignore_index=True,
    )
    odd["plate"] = "p"
    for options in ({}, {"interval": "bootstrap"}, {"loss": "robust"}, {"permutations": 9}, {"front": 0.0}):
        found = fit_curves(odd, cluster="plate", **options)
        assert (found["curve_class"] == "not_fitted").all()
        assert found[["ec50", "ec50_low", "ec50_high", "hill", "p_value", "ec50_fit"]].isna().all(axis=None)
    assert found["n_dropped"].tolist() == [0, 0, len(GRID)]


def test_one_replicate_is_fitted_with_a_wide_interval():
    table, _ = simulate_curves(1, n_plates=1, n_wells=1, noise=0.02, seed=1)
    found = fit_curves(table, cluster="plate").iloc[0]
    assert found["n_points"] == 6
    assert found["curve_class"] in CLASSES
