import numpy as np
import pandas as pd
import pytest

from dose.simulated import simulate_curves
from helpers.dose import CLASSES, LOCATED, RISING, fit_curves
from helpers.dose.classes import classify
from helpers.dose.coverage import DOSES

GRID = np.array(DOSES)


@pytest.mark.parametrize(
    ("klass", "ec50", "low", "high", "hill", "jump", "reached", "censored", "limits"),
    [
        ("active", 0.2, 0.08, 0.5, 1.5, False, 0.95, "", (0.08, 0.5)),
        ("partial", 1.5, 0.9, 4.0, 1.5, False, 0.6, "", (0.9, 4.0)),
        # between two doses, and as steep as you like
        ("step", 0.17, 0.11, 0.28, 8.0, True, 1.0, "", (0.1, 0.3)),
        ("active", 0.17, 0.11, 0.28, 8.0, False, 1.0, "", (0.11, 0.28)),
        # a response at one dose between two plateaus; with a gentle best slope it tells the EC50
        ("step", 0.1, 0.098, 0.102, 16.0, True, 1.0, "", (0.03, 0.3)),
        ("active", 0.1, 0.098, 0.102, 3.0, True, 1.0, "", (0.098, 0.102)),
        ("below_range", 0.004, 0.0, 0.02, 1.5, False, 1.0, "<", (0.0, 0.02)),
        # nothing was seen below the lowest dose: no slope may place the limit there
        ("below_range", 0.001, 0.0, 0.004, 1.5, False, 1.0, "<", (0.0, 0.01)),
        ("above_range", 9.0, 1.2, np.inf, 1.5, False, 0.3, ">", (1.2, np.inf)),
        ("above_range", 9.0, 4.0, 11.0, 1.5, False, 0.3, ">", (3.0, np.inf)),
        ("above_range", 2.0, 1.2, np.inf, 1.5, False, 0.6, ">", (1.2, np.inf)),
        # anywhere
        ("active", 0.2, 0.0, np.inf, 1.5, False, 0.9, "?", (0.0, np.inf)),
        ("active", 0.2, 0.0, 13.5, 1.5, False, 0.9, "?", (0.0, 13.5)),
        ("active", 0.2, 0.004, np.inf, 1.5, False, 0.9, "?", (0.004, np.inf)),
        ("active", 0.004, 0.0, 13.5, 1.5, False, 1.0, "?", (0.0, 13.5)),
        ("active", 0.02, 0.002, 13.5, 1.5, False, 1.0, "?", (0.002, 13.5)),
        # beyond the margin is nowhere
        ("above_range", 2.0, 1.2, 31.0, 1.5, False, 0.6, ">", (1.2, np.inf)),
    ],
)
def test_rule_table(klass, ec50, low, high, hill, jump, reached, censored, limits):
    numbers = (np.array([value], dtype=float) for value in (ec50, low, high, hill))
    used = np.ones((1, len(GRID)), dtype=bool)
    row = classify(
        GRID, used, *numbers, np.array([jump]), np.array([reached]), np.array([False]), margin=10.0
    ).iloc[0]
    assert (row["curve_class"], row["ec50_censored"]) == (klass, censored.strip("?"))
    assert (row["ec50_low"], row["ec50_high"]) == limits
    expected = {"<": limits[1], ">": limits[0], "?": np.nan}.get(censored, ec50)
    np.testing.assert_equal(row["ec50"], expected)


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
