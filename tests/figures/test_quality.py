"""Quality figures show the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from helpers.figures import (
    CONDITION_STYLE,
    plot_assay_quality,
    plot_before_after,
    plot_control_separation,
    plot_recipe_table,
    plot_recipe_tradeoff,
)
from helpers.figures.quality import RECIPE_MEASURES
from helpers.hits.compare import compare_recipes


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


def test_quality_dots_are_hollow_where_a_plate_fails(quality):
    auroc = plot_assay_quality(quality).axes[1].collections[0]
    np.testing.assert_allclose(auroc.get_offsets()[:, 0], quality["auroc"])
    faces = [to_hex(color) for color in auroc.get_facecolors()]
    assert faces[0] == "#ffffff"
    assert "#ffffff" not in faces[1:]


def test_quality_without_plates_says_so(quality):
    assert "cannot be measured" in texts(plot_assay_quality(quality.head(0)).axes[0])[0].replace("\n", " ")


def test_tradeoff_rings_the_selected_recipe(recipes):
    ax = plot_recipe_tradeoff(recipes)
    assert texts(ax) == ["plate_center", "raw", "experiment_center"]
    ring = [c for c in ax.collections if c.get_sizes()[0] == 260]
    np.testing.assert_allclose(ring[0].get_offsets(), [[0.35, 0.34]])


def test_tradeoff_names_crowded_recipes_apart(recipes):
    crowd = pd.concat([recipes.iloc[[2]]] * 9, ignore_index=True)
    crowd["recipe"] = [f"recipe_{i}" for i in range(9)]
    crowd["selected"] = [False] * 8 + [True]
    crowd["plate_predictability"] += np.arange(9) / 100
    ax = plot_recipe_tradeoff(pd.concat([crowd, recipes.assign(selected=False)], ignore_index=True))
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == 12
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    looks = {
        (to_hex(c.get_facecolor()[0]), str(c.get_paths()[0].vertices))
        for c in ax.collections
        if c.get_sizes()[0] == 70
    }
    assert len(looks) == 12


def test_tradeoff_needs_replicates_on_plates(recipes):
    assert "cannot be placed" in texts(plot_recipe_tradeoff(recipes.assign(replicate_map=np.nan)))[0].replace(
        "\n", " "
    )


def test_table_of_dots_fills_the_best_of_each_measure(recipes):
    figure = plot_recipe_table(recipes)
    assert len(figure.axes) == len(RECIPE_MEASURES)
    for ax in figure.axes:
        faces = [to_hex(c) for c in ax.collections[-1].get_facecolors()]
        assert [face != "#ffffff" for face in faces] == [False, False, True]
    assert texts(figure.axes[0]) == ["0.98", "0.91", "0.35"]


def test_differences_below_rounding_are_drawn_as_none(recipes):
    close = recipes.assign(uv_mock_gap=[0.04304, 0.04302, 0.04438], control_auroc=[0.9948, 0.9948, 1.0])
    axes = dict(zip(RECIPE_MEASURES, plot_recipe_table(close).axes, strict=True))
    gap, auroc = axes["uv_mock_gap"], axes["control_auroc"]
    assert texts(gap) == ["0.043", "0.043", "0.044"]
    assert texts(auroc) == ["0.995", "0.995", "1.000"]
    places = gap.transData.transform(gap.collections[-1].get_offsets())[:, 0]
    assert np.ptp(places) < 0.05 * gap.get_window_extent().width
    filled = [to_hex(c) != "#ffffff" for c in gap.collections[-1].get_facecolors()]
    assert filled == [True, True, False], "what is written alike is marked alike"


def test_recipes_that_could_not_be_used_have_a_row_without_dots(recipes):
    broken = recipes.copy()
    broken.loc[1, list(RECIPE_MEASURES)] = np.nan
    ax = plot_recipe_table(broken).axes[0]
    assert texts(ax) == ["0.98", "–", "0.35"]
    assert len(ax.collections[-1].get_offsets()) == 2


def test_measures_that_are_missing_get_no_column(recipes):
    figure = plot_recipe_table(recipes.assign(uv_mock_gap=np.nan, replicate_map=np.nan))
    assert len(figure.axes) == len(RECIPE_MEASURES) - 2


def test_every_measure_of_the_comparison_is_drawn():
    assert all(column in compare_recipes.__doc__ for column in RECIPE_MEASURES)


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
