"""Quality figures show the numbers of their tables."""

import pytest
from matplotlib.colors import to_hex

from helpers.figures import CONDITION_STYLE
from helpers.figures.quality import plot_before_after, plot_control_separation


def texts(ax):
    return [text.get_text().replace("\n", " ") for text in ax.texts]


def test_separation_writes_each_plates_robust_z_prime(wells, quality):
    ax = plot_control_separation(wells, quality)
    assert texts(ax) == ["robust Z′", "0.30", "0.40", "0.50", "0.60"]
    assert next(label.get_text() for label in ax.get_yticklabels()) == "HRCE-1_1"


def test_separation_draws_every_control_once(wells, quality):
    ax = plot_control_separation(wells, quality)
    drawn = sum(len(points.get_offsets()) for points in ax.collections)
    controls = wells["treatment"].isna() & wells["condition"].isin(["mock", "uv", "infected"])
    assert drawn == controls.sum()


def test_separation_draws_flagged_wells_hollow(wells, quality):
    ax = plot_control_separation(wells, quality)
    hollow = [c for c in ax.collections if len(c.get_offsets()) and to_hex(c.get_facecolor()[0]) == "#ffffff"]
    controls = wells["treatment"].isna() & wells["condition"].isin(["mock", "uv", "infected"])
    assert sum(len(c.get_offsets()) for c in hollow) == (controls & (wells["qc_flag"] != "")).sum()


def test_only_the_worst_plates_are_drawn_of_many(wells, quality):
    ax = plot_control_separation(wells, quality, max_plates=2)
    assert texts(ax) == ["robust Z′", "0.30", "0.40"]


def test_separation_without_scores_says_so(wells, quality):
    ax = plot_control_separation(wells.drop(columns="on_disease"), quality)
    assert "nothing can be scored" in texts(ax)[0]


def test_spread_has_a_line_per_plate_and_recipe(wells):
    ax = plot_before_after({"raw": wells, "plate_center": wells})
    medians = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert len(medians) == 8
    plate = wells[(wells["plate_id"] == "HRCE-1_1") & (wells["qc_flag"] == "")]
    expected = plate.loc[(plate["condition"] == "infected") & plate["treatment"].isna(), "rescue"].median()
    assert medians[0].get_xdata()[0] == pytest.approx(expected)


def test_controls_keep_their_colours(wells, quality):
    ax = plot_control_separation(wells, quality)
    colors = {to_hex(c.get_edgecolor()[0]) for c in ax.collections if len(c.get_offsets())}
    assert colors == {to_hex(CONDITION_STYLE[k].color) for k in ("mock", "uv", "infected")}
