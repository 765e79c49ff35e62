"""The table of dots shows the numbers of its table, and marks alike what is written alike."""

import numpy as np
from matplotlib.colors import to_hex

from helpers.figures import plot_recipe_table
from helpers.figures.recipe_table import RECIPE_MEASURES
from helpers.hits.compare import compare_recipes


def texts(ax):
    return [text.get_text().replace("\n", " ") for text in ax.texts]


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
