"""Recipes compared: marks, rings, intervals, and what is said where something is missing."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import plot_recipe_table
from helpers.figures.recipes import BIOLOGY, TECHNICAL, plot_recipe_choice, plot_shared


@pytest.fixture
def compared(recipes) -> pd.DataFrame:
    return recipes.assign(
        replicate_error=[0.2, 0.1, 0.04],
        replicate_error_low=[0.15, 0.09, 0.03],
        replicate_error_high=[0.3, 0.12, 0.05],
        selection_share=[0.0, 0.1, 0.9],
        excluded=["", "its null is narrower than what replicates show", ""],
    )


def test_the_rules_measure_is_drawn_with_interval_share_and_ring(compared):
    upper, lower = plot_recipe_choice(compared).axes
    assert [t.get_text() for t in lower.get_yticklabels()] == compared["recipe"].tolist()
    assert [t.get_text() for t in lower.texts][:3] == ["0 %", "10 %", "90 %"]
    assert lower.get_xscale() == "log"
    ends = [line.get_xdata() for line in lower.lines if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(ends, compared[["replicate_error_low", "replicate_error_high"]])
    for ax in (upper, lower):
        rings = [c for c in ax.collections if not len(c.get_facecolors())]
        assert len(rings) == 1
    assert lower.get_yticklabels()[2].get_fontweight() == "bold"


def test_excluded_recipes_are_hollow(compared):
    lower = plot_recipe_choice(compared).axes[1]
    faces = [c.get_facecolors()[0][:3].tolist() for c in lower.collections if len(c.get_facecolors())]
    assert [face == [1.0, 1.0, 1.0] for face in faces] == [False, True, False]


def test_equal_errors_look_equal(compared):
    same = compared.assign(
        replicate_error=[0.171, 0.1709, 0.171], replicate_error_low=np.nan, replicate_error_high=np.nan
    )
    low, high = plot_recipe_choice(same).axes[1].get_xlim()
    assert high / low >= 1.49


def test_without_replicates_robust_z_prime_takes_the_place(recipes):
    axes = plot_recipe_choice(recipes.assign(replicate_map=np.nan)).axes
    assert len(axes) == 1
    assert "robust Z′" in axes[0].get_xlabel()
    assert "Without embeddings" in plot_recipe_choice(recipes.head(0)).axes[0].texts[0].get_text()


def test_tables_of_dots_take_both_lists_of_measures(compared):
    assert len(plot_recipe_table(compared, TECHNICAL).axes) == 3
    assert len(plot_recipe_table(compared, BIOLOGY).axes) == 4


def test_shared_arms_are_drawn_against_each_other_on_one_scale():
    rng = np.random.default_rng(0)
    true = rng.normal(size=50)
    arms = pd.DataFrame({"treatment": "t", "dose_um": 1.0, "E": true, "F": true + 0.1 * rng.normal(size=50)})
    axes = plot_shared({"raw": arms, "plate_center": arms, "none": arms.head(0)}).axes
    assert [ax.get_title() for ax in axes] == ["raw", "plate_center"]
    assert axes[0].get_xlim() == axes[0].get_ylim() == axes[1].get_xlim()
    assert axes[0].texts[0].get_text() == f"r = {np.corrcoef(arms['E'], arms['F'])[0, 1]:.2f}"
    assert axes[0].get_xlabel() == "rescue in E"
    assert "share enough arms" in plot_shared({"raw": arms.head(0)}).axes[0].texts[0].get_text()


@pytest.mark.parametrize(
    "errors", [[0.15, 0.035, 0.03], [0.2, 0.1, 0.04], [0.171, 0.1709, 0.171], [5.0, 0.1, 0.001]]
)
def test_a_logarithmic_axis_has_enough_numbers_and_says_what_it_is(compared, errors):
    table = compared.assign(replicate_error=errors, replicate_error_low=np.nan, replicate_error_high=np.nan)
    ax = plot_recipe_choice(table).axes[1]
    low, high = ax.get_xlim()
    assert sum(low <= tick <= high for tick in ax.get_xticks()) >= 4
    assert len(ax.get_xticks()) <= 9
    assert "log scale" in ax.get_xlabel()
