"""Fits of any table (helpers.figures.fits): a panel a curve, in the table's own columns."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.dose import fit_curves
from helpers.dose.coverage import simulate_curves
from helpers.errors import UsageError
from helpers.figures import plot_fits


def title_of(ax):
    """Return a title wherever the style in use sets it."""
    return "".join(ax.get_title(loc) for loc in ("left", "center", "right"))


NAMES = {"curve": "drug", "dose": "conc", "response": "viability"}


@pytest.fixture(scope="module")
def fitted():
    table, _ = simulate_curves(5, ec50=(0.001, 30.0), seed=4)
    table = table.rename(columns=NAMES)
    table["conc"] *= 1000
    return table, fit_curves(table, cluster="plate", **NAMES)


def test_panels_hold_the_responses_and_the_fit(fitted):
    table, curves = fitted
    figure = plot_fits(table, curves, cluster="plate", most=4, **NAMES)
    shown = [ax for ax in figure.axes if ax.axison]
    assert len(shown) == 4
    for ax, (_, row) in zip(shown, curves.iterrows(), strict=False):
        mine = table[table["drug"] == row["curve"]]
        heights = np.concatenate([points.get_offsets()[:, 1] for points in ax.collections])
        assert set(np.round(heights, 9)) >= set(np.round(mine["viability"], 9))
        title = title_of(ax).split("\n")
        assert title[:2] == [str(row["curve"]), row["curve_class"].replace("_", " ")]
        low, high = ax.get_xlim()
        assert low < mine["conc"].min() < mine["conc"].max() < high
    assert {ax.get_ylabel() for ax in shown} == {"viability", ""}
    plt.close(figure)


def test_the_fit_goes_through_its_ec50(fitted):
    table, curves = fitted
    one = curves[curves["curve_class"] == "active"].head(1)
    figure = plot_fits(table, one, **NAMES)
    line = max(figure.axes[0].lines, key=lambda line: len(line.get_xdata()))
    row = one.iloc[0]
    middle = np.interp(np.log(row["ec50"]), np.log(line.get_xdata()), line.get_ydata())
    assert middle == pytest.approx((row["front"] + row["back"]) / 2, abs=1e-3)
    plt.close(figure)


def test_nothing_to_draw_is_a_sentence_and_a_wrong_column_is_refused(fitted):
    table, curves = fitted
    figure = plot_fits(table, curves.head(0), **NAMES)
    assert "no curves" in figure.axes[0].texts[0].get_text()
    with pytest.raises(UsageError, match="no column dose"):
        plot_fits(table, curves, curve="drug", response="viability")
    with pytest.raises(UsageError, match="no column batch"):
        plot_fits(table, curves, cluster="batch", **NAMES)
    plt.close("all")
