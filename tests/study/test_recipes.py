"""The recipe of a page: as asked for, or what the rule picks among those that are compared."""

import pytest

from helpers import study
from helpers.hits.compare import FALLBACK
from helpers.study.recipes import choose_recipe


def test_a_recipe_that_is_named_is_taken(wells):
    assert choose_recipe(wells, "plate_robust") == "plate_robust"


@pytest.mark.slow
def test_auto_is_what_the_comparison_selects(wells):
    names = ("raw", "plate_center", "recommended")
    table = study.compare_recipes(wells, names, n_bootstrap=0).set_index("selected")
    assert choose_recipe(wells, "auto", names) == table.loc[True, "recipe"]


def test_without_an_axis_the_fallback_stands_in(wells):
    bare = wells[(wells.obs["condition"] != "mock").to_numpy()].copy()
    assert choose_recipe(bare) == FALLBACK
