"""Curves are chosen by name, by relevance, by class."""

import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.pages.dose import curves as chosen
from made_up import made_up_wells


def test_curves_are_chosen_by_name_then_by_relevance(curves):
    falling = curves.assign(curve_class=curves["curve_class"].replace("above_range", "worsening"))
    assert chosen.strongest_curves(falling, 2)["treatment"].tolist() == ["B", "A"]
    curves = falling
    assert chosen.strongest_curves(curves, 1, "c, b")["treatment"].tolist() == ["C", "B"]
    with pytest.raises(UsageError, match="'Ab' has no curve in this screen; close: A"):
        chosen.strongest_curves(curves, 2, "Ab")


def test_example_is_an_active_curve_unless_asked_otherwise(curves):
    assert chosen.example_curve(curves)["treatment"] == "A"
    assert chosen.example_curve(curves, "D")["treatment"] == "D"
    assert chosen.example_curve(curves.iloc[[2, 5]])["treatment"] == "C"
    assert chosen.example_curve(curves.head(0)) is None


def test_each_class_has_one_example(curves):
    doubled = pd.concat([curves, curves.assign(relevance=curves["relevance"] + 10)])
    table = chosen.one_of_each_class(doubled)
    assert table["curve_class"].tolist() == [
        "active",
        "step",
        "below_range",
        "above_range",
        "inactive",
        "not_fitted",
    ]
    assert table["relevance"].iloc[0] == 13


def test_limits_of_an_ec50_that_is_not_given_are_not_shown(curves):
    given = curves.assign(ec50_low_um=0.1, ec50_high_um=2.0)
    loose = given.assign(ec50_um=given["ec50_um"].where(given["treatment"] != "A"))
    shown = chosen.curve_list(loose)
    assert shown.iloc[0].isna().sum() >= 3
    assert shown.iloc[1].notna().all()
    assert chosen.without_loose_limits(loose)["ec50_low_um"].notna().tolist() == [0, 1, 0, 1, 1, 0]
    no_limits = given[["treatment", "curve_class"]]
    pd.testing.assert_frame_equal(chosen.without_loose_limits(no_limits), no_limits)


def test_fitted_points_are_treated_good_and_have_a_dose():
    wells = made_up_wells()
    points = chosen.fitted_points(wells)
    fine = (wells["qc_flag"] == "") & wells["dose_um"].notna() & wells["treatment"].notna()
    assert len(points) == fine.sum()
    curve = pd.Series({"experiment": "HRCE-1", "treatment": "TWN-0060"})
    assert len(chosen.points_of(wells, curve)) == 24, "failed wells are shown too"
    assert chosen.points_of(wells, None).empty
