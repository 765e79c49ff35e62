"""The choice of a recipe in words: how firm it is, what it costs, and what the pages use."""

import numpy as np
import pandas as pd

from helpers.pages.normalization import choice
from pages.normalization.made import made_recipes


def test_the_price_of_a_recipe_names_what_others_do_better():
    recipes = pd.DataFrame(
        {
            "recipe": ["raw", "centre"], "selected": [False, True], "plate_predictability": [1.0, 0.7],
            "experiment_predictability": [0.0, 0.6947], "replicate_map": [0.1, 0.2], "control_auroc": [1.0, 0.9999],
            "z_prime_robust": [np.nan, 0.5], "uv_mock_gap": [0.043, 0.044],
        }
    )  # fmt: skip
    text = choice.recipe_price(recipes)
    assert text == (
        "The selected recipe is not the best in experiment predictability (0.695; `raw`: 0) and UV to mock gap (0.044; "
        "`raw`: 0.043)."
    )
    best = recipes.assign(experiment_predictability=0.0, uv_mock_gap=0.1)
    assert "No other recipe is better" in choice.recipe_price(best)


def test_the_choice_says_how_firm_it_is_and_what_would_change_it():
    text = choice.choice(made_recipes())
    assert "selects **`plate_center`**" in text
    assert "90 % of the bootstrap draws" in text
    assert "Without its condition the rule would pick `sphering`: its null is narrower" in text
    assert "replicate mAP alone would pick `sphering`" in text
    assert choice.chosen(made_recipes()) == "plate_center"
    assert choice.chosen(made_recipes().head(0)) == "raw"
    assert choice.choice(made_recipes().head(0)).startswith("No recipe could be selected")


def test_a_tie_is_called_a_tie():
    text = choice.choice(made_recipes(replicate_error=[0.1, 0.1, 0.2], selected=[True, False, False]))
    assert "no different to within 1 %, and the simpler recipe is taken" in text


def test_truth_is_compared_only_where_it_is_known():
    known = made_recipes(truth_rmse=[0.1, 0.05, 0.04], truth_rank=[0.2, 0.5, 0.6])
    text = choice.against_truth(known)
    assert "is 0.05 with `plate_center`" in text
    assert "The closest is `sphering` with 0.04" in text
    assert "not known" in choice.against_truth(made_recipes())
    assert choice.against_truth(made_recipes().head(0)) == ""


def test_the_recipe_of_the_pages_is_set_beside_the_rules_pick():
    other = made_recipes(selected=[False, False, True])
    text = choice.recipe_of_the_pages("plate_center", other)
    assert "all results on the pages that follow, use `plate_center`. The parameter `recipe` decides" in text
    assert "another one, `sphering` (replicate error 0.05 against 0.1 axis lengths" in text
    assert "`rxrx19 run -p recipe=auto`" in text
    agreed = choice.recipe_of_the_pages("plate_center", made_recipes())
    assert "Here it is the rule's pick" in agreed
    assert "rxrx19 run" not in agreed
    asked = choice.recipe_of_the_pages("sphering", made_recipes())
    assert "use `sphering`. The parameter" in asked
    assert "the rule does not consider `sphering`: its null is narrower" in asked
    assert "another one" not in choice.recipe_of_the_pages("plate_center", made_recipes().head(0))
    not_compared = choice.recipe_of_the_pages("tvn", made_recipes())
    assert "another one, `plate_center`. To compute" in not_compared


def test_recipe_choice_compares_with_raw():
    table = pd.DataFrame(
        {
            "recipe": ["raw", "plate_center"], "plate_predictability": [0.9, 0.1], "replicate_map": [np.nan, np.nan],
            "z_prime_robust": [-0.4, 0.5], "selected": [False, True],
        }
    )  # fmt: skip
    text = choice.recipe_choice(table)
    assert "**`plate_center`**" in text
    assert "plate predictability is 0.1 (raw: 0.9) and robust Z′ is 0.5 (raw: −0.4)" in text
    assert "mAP" not in text
    assert "No recipe could be selected" in choice.recipe_choice(table.head(0))
