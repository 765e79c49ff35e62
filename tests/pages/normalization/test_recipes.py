"""Settings of recipes reach the steps, the comparison and the table of recipes."""

from helpers.pages.normalization.recipes import recipe_table, settings_given
from helpers.profiles import RECIPES
from helpers.study import compare_recipes, normalize, read_settings


def test_settings_reach_steps_tables_and_keys(tiny_wells):
    settings = read_settings(reference="mock", batch="experiment")
    recipes = ("raw", "plate_standard")
    assert compare_recipes.entry(tiny_wells, recipes, **settings) != compare_recipes.entry(
        tiny_wells, recipes
    )
    record = normalize(tiny_wells, "plate_standard", **settings).uns["normalization"]
    assert record["settings"] == settings
    step = record["steps"]["step 1"]
    assert step["reference"] == "mock wells"
    assert set(step["n"]) == {"HRCE-1", "HRCE-2"}
    table = recipe_table(settings).set_index("recipe")
    assert table.loc["plate_standard", "settings it takes"] == "reference = mock, batch = experiment"
    assert "`reference` = mock" in settings_given(settings)
    assert "its own settings" in settings_given({})


def test_every_recipe_has_a_row_and_says_what_it_does():
    table = recipe_table({})
    assert table["recipe"].tolist() == list(RECIPES)
    assert table.notna().all(axis=None)
