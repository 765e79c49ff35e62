"""Curves say what is known about an EC50, and nothing more."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers.dose import response_at
from helpers.dose.screen import wells_of_curve
from helpers.figures.curves import plot_curve, plot_curves


def curve(**changes):
    """Return a row of dose_response.csv."""
    values = {
        "experiment": "HRCE-1", "treatment": "TWN-0060", "curve_class": "active", "ec50_um": 0.2, "ec50_low_um": 0.12,
        "ec50_high_um": 0.34, "ec50_censored": "", "hill": 1.0, "front": 0.0, "back": 1.0,
    }  # fmt: skip
    return pd.Series({**values, **changes})


FLAT = {"curve_class": "inactive", "ec50_um": np.nan, "ec50_low_um": np.nan, "ec50_high_um": np.nan}


STEP = {"curve_class": "step", "ec50_um": 0.17, "ec50_low_um": 0.1, "ec50_high_um": 0.3}


BELOW = {
    "curve_class": "below_range",
    "ec50_um": 0.03,
    "ec50_low_um": 0.0,
    "ec50_high_um": 0.03,
    "ec50_censored": "<",
}


ABOVE = {
    "curve_class": "above_range",
    "ec50_um": 1.0,
    "ec50_low_um": 1.0,
    "ec50_high_um": np.inf,
    "ec50_censored": ">",
}


@pytest.fixture
def points(wells):
    return wells_of_curve(wells, "HRCE-1", "TWN-0060")


def diamonds(ax):
    return [line for line in ax.lines if line.get_marker() == "d"]


def test_axes_passed_in_come_back(points):
    _, ax = plt.subplots()
    assert plot_curve(points, ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("dose (µM)", "rescue", "log")


def test_fit_is_the_four_parameter_curve(points):
    ax = plot_curve(points, curve())
    fit = max(ax.lines, key=lambda line: len(line.get_xdata()))
    np.testing.assert_allclose(fit.get_ydata(), response_at(fit.get_xdata(), 0.0, 1.0, 0.2, 1.0))


def test_interval_of_the_ec50_is_a_bar_with_a_diamond(points):
    ax = plot_curve(points, curve())
    assert [line.get_xdata()[0] for line in diamonds(ax)] == [0.2]
    assert any(list(line.get_xdata()) == [0.12, 0.34] for line in ax.lines)


def test_step_has_plateaus_and_a_gap_but_no_number(points):
    ax = plot_curve(points, curve(**STEP))
    assert not diamonds(ax)
    ends = [tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
    assert (0.01, 0.1) in ends
    assert (0.3, 3.0) in ends
    assert (0.1, 0.3) in ends
    assert "between 0.1 and 0.3" in ax.get_title()


@pytest.mark.parametrize(("changes", "sign"), [(BELOW, -1), (ABOVE, 1)])
def test_bound_is_an_arrow_from_the_bound(points, changes, sign):
    ax = plot_curve(points, curve(**changes))
    arrow = next(text for text in ax.texts if text.arrow_patch is not None)
    assert arrow.xyann[0] == changes["ec50_um"]
    assert np.sign(arrow.xy[0] - arrow.xyann[0]) == sign
    assert not diamonds(ax)


def test_bounded_curve_is_drawn_as_means(points):
    ax = plot_curve(points, curve(**ABOVE))
    fine = points[points["qc_flag"] == ""].groupby("dose_um")["rescue"].mean()
    assert any(np.array_equal(line.get_ydata(), fine) for line in ax.lines)


def test_flat_curve_is_a_dotted_mean(points):
    ax = plot_curve(points, curve(**FLAT))
    dotted = next(line for line in ax.lines if line.get_linestyle() == ":")
    fine = points.loc[points["qc_flag"] == "", "rescue"].mean()
    assert set(dotted.get_ydata()) == {fine}
    assert not diamonds(ax)


def test_flagged_wells_are_crosses_and_do_not_set_the_scale(points):
    spoiled = points.copy()
    spoiled["qc_flag"] = ["failed", *[""] * (len(points) - 1)]
    spoiled["rescue"] = [99.0, *points["rescue"].iloc[1:]]
    ax = plot_curve(spoiled, curve())
    crosses = ax.collections[2]
    np.testing.assert_allclose(crosses.get_offsets()[:, 1], [99.0])
    assert ax.get_ylim()[1] < 3


def test_every_plate_has_a_marker(points):
    legend = plot_curve(points, curve()).figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["plate 1", "plate 2"]


def test_many_plates_are_counted_not_listed(points):
    many = points.assign(plate=[f"P{i}" for i in range(len(points))])
    legend = plot_curve(many.assign(qc_flag="")).figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["wells of 24 plates"]


def test_grid_has_one_scale_and_a_title_each(wells, curves):
    figure = plot_curves(wells, curves)
    used = [ax for ax in figure.axes if ax.axison]
    assert len(used) == len(curves)
    assert len({ax.get_ylim() for ax in used}) == 1
    assert used[1].get_title() == "TWN-0050\nHRCE-1, step\nEC50 between 0.1 and 0.3 µM"
    top = wells.loc[(wells["treatment"] == "TWN-0060") & (wells["qc_flag"] == ""), "rescue"].max()
    assert used[0].get_ylim()[1] > top


def test_nothing_to_fit_is_said(wells, curves):
    assert "No dose response" in plot_curves(wells, curves.head(0)).axes[0].texts[0].get_text()
    assert "No dose response" in plot_curve(wells.head(0)).texts[0].get_text()


def test_failed_wells_are_in_the_legend_only_where_there_are_any(points):
    fine = points.assign(qc_flag="")
    named = [text.get_text() for text in plot_curve(fine).figure.legends[0].get_texts()]
    assert named == ["plate 1", "plate 2"]
    failed = points.assign(qc_flag=["failed", *[""] * (len(points) - 1)])
    named = [text.get_text() for text in plot_curve(failed).figure.legends[0].get_texts()]
    assert named == ["plate 1", "plate 2", "failed, not fitted"]
