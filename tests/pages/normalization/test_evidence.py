"""The page on normalisation: recipes, measures and choice in words, and what is said where something is missing."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.figures import BIOLOGY, TECHNICAL
from helpers.publish import Analysis, normalization
from helpers.screens import make_twin
from helpers.study.projections import Projection


@pytest.fixture(autouse=True)
def screen():
    """Undo the stand-in of the other tests of this folder: these read a real screen."""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    folder = make_twin(tmp_path_factory.mktemp("screen") / "tiny", scale="tiny", seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Analysis(str(folder), recipes="raw,plate_center", results=str(tmp_path_factory.mktemp("out")))


def test_settings_reach_steps_tables_and_keys(analysis):
    other = Analysis(analysis.source, recipes="raw,plate_standard", reference="mock", batch="experiment")
    assert other._key("recipes") != Analysis(analysis.source, recipes="raw,plate_standard")._key("recipes")
    assert other.normalize("plate_standard").uns["normalization"]["settings"] == other.settings
    step = other.normalize("plate_standard").uns["normalization"]["steps"]["step 1"]
    assert step["reference"] == "mock wells"
    assert set(step["n"]) == {"HRCE-1", "HRCE-2"}
    table = normalization.recipe_table(other.settings).set_index("recipe")
    assert table.loc["plate_standard", "settings it takes"] == "reference = mock, batch = experiment"
    assert "`reference` = mock" in normalization.settings_given(other.settings)
    assert "its own settings" in normalization.settings_given({})


def made_recipes(**columns) -> pd.DataFrame:
    defaults = {
        "recipe": ["raw", "plate_center", "sphering"],
        "plate_predictability": [1.0, 0.2, 0.1],
        "experiment_predictability": [0.9, 0.5, 0.5],
        "uv_mock_gap": np.nan,
        "replicate_map": [0.1, 0.3, 0.4],
        "z_prime_robust": [0.0, 0.4, 0.6],
        "control_auroc": 1.0,
        "replicate_error": [0.2, 0.1, 0.05],
        "null_ratio": [1.0, 1.0, 0.5],
        "replicate_map_low": [0.05, np.nan, 0.3],
        "replicate_map_high": [0.15, np.nan, 0.5],
        "selected": [False, True, False],
        "selection_share": [0.0, 0.9, 0.1],
        "excluded": ["", "", "its null is narrower than what replicates show"],
        "reason": ["", "", ""],
    }
    return pd.DataFrame(defaults | columns)


def test_measures_carry_their_intervals():
    table = normalization.measure_table(made_recipes(), [*TECHNICAL, *BIOLOGY])
    assert table["replicate mAP"].tolist() == ["0.1 (0.05 to 0.15)", "0.3", "0.4 (0.3 to 0.5)"]
    assert "UV to mock gap" not in table, "a measure that no recipe has is no column"


def test_the_choice_says_how_firm_it_is_and_what_would_change_it():
    text = normalization.choice(made_recipes())
    assert "selects **`plate_center`**" in text
    assert "90 % of the bootstrap draws" in text
    assert "Without its condition the rule would pick `sphering`: its null is narrower" in text
    assert "replicate mAP alone would pick `sphering`" in text
    assert normalization.chosen(made_recipes()) == "plate_center"
    assert normalization.chosen(made_recipes().head(0)) == "raw"
    assert normalization.choice(made_recipes().head(0)).startswith("No recipe could be selected")


def test_a_tie_is_called_a_tie():
    text = normalization.choice(made_recipes(replicate_error=[0.1, 0.1, 0.2], selected=[True, False, False]))
    assert "no different to within 1 %, and the simpler recipe is taken" in text


def test_truth_is_compared_only_where_it_is_known():
    known = made_recipes(truth_rmse=[0.1, 0.05, 0.04], truth_rank=[0.2, 0.5, 0.6])
    text = normalization.against_truth(known)
    assert "is 0.05 with `plate_center`" in text
    assert "The closest is `sphering` with 0.04" in text
    assert "not known" in normalization.against_truth(made_recipes())
    assert normalization.against_truth(made_recipes().head(0)) == ""


def test_recipes_that_could_not_be_used_are_listed():
    assert normalization.unusable(made_recipes()) == ""
    text = normalization.unusable(made_recipes(reason=["", "", "plate P has 3 wells"]))
    assert "- `sphering`: plate P has 3 wells." in text


def test_site_offsets_are_told_or_said_to_be_missing():
    named = pd.DataFrame({"experiment": ["E", "F"], "predictability": [0.912, -0.01]})
    assert "0.91 in E and 0 in F" in normalization.site_offsets(named)
    assert "cannot be compared" in normalization.site_offsets(named.head(0))


def test_shared_arms_are_those_of_the_pair_that_shares_most(analysis):
    arms = normalization.shared_arms(analysis.scored.obs)
    assert list(arms.columns) == ["treatment", "dose_um", "HRCE-1", "HRCE-2"]
    obs = analysis.scored.obs
    one = obs[
        (obs["experiment"] == "HRCE-2").to_numpy()
        & (obs["treatment"] == arms["treatment"][3]).to_numpy()
        & (obs["dose_um"] == arms["dose_um"][3]).to_numpy()
        & (obs["qc_flag"] == "").to_numpy()
    ]
    by_plate = one.groupby("plate_id", observed=True)["rescue"].mean()
    assert arms["HRCE-2"][3] == pytest.approx(by_plate.mean())
    text = normalization.shared_found({"raw": obs})
    assert f"{len(arms)} arms were tested in both HRCE-1 and HRCE-2" in text
    alone = obs[(obs["experiment"] == "HRCE-1").to_numpy()]
    assert len(normalization.shared_arms(alone)) == 0
    assert "No two experiments" in normalization.shared_found({"raw": alone})


def test_neighbours_before_and_after():
    one, two = (
        Projection(
            pd.DataFrame(), pd.DataFrame({"column": ["plate"], "share": [share], "chance": [0.25]}), 10
        )
        for share in (0.9, 0.3)
    )
    text = normalization.neighbors_change(one, two)
    assert "nearest neighbours, 90 % share its plate before and 30 % after (chance: 25 %)" in text
    none = Projection(pd.DataFrame(), one.neighbors.head(0), 10)
    assert "too few" in normalization.neighbors_change(none, none)


@pytest.mark.parametrize(
    ("column", "chance", "shares", "expected"),
    [
        ("plate", 0.1, (1.0, 0.12), "Islands by plate dissolve."),
        ("plate", 0.1, (1.0, 0.5), "Islands by plate dissolve in part: plates can still be told apart."),
        ("experiment", 0.4, (1.0, 0.94), "Islands by experiment do not dissolve"),
        ("experiment", 0.4, (0.42, 0.41), "hardly any islands by experiment."),
        ("plate", 0.1, (0.12, 0.9), "but there are some afterwards"),
        (
            "condition",
            0.76,
            (0.81, 0.78),
            "do not come together by this measure; it falls. It can say little here",
        ),
        ("condition", 0.3, (0.5, 0.9), "Wells of one condition come closer together."),
        ("condition", 0.3, (0.5, 0.501), "as close together as before."),
    ],
)
def test_what_dissolves_is_told_from_the_numbers(column, chance, shares, expected):
    one, two = (
        Projection(
            pd.DataFrame(), pd.DataFrame({"column": [column], "share": [share], "chance": [chance]}), 10
        )
        for share in shares
    )
    assert expected in normalization.neighbors_change(one, two)


def test_measures_without_an_interval_are_named_with_the_experiments_that_have_few_plates():
    wells = pd.DataFrame({"experiment": ["E"] * 3 + ["F"] * 2, "plate_id": ["1", "2", "3", "4", "5"]})
    text = normalization.intervals_missing(made_recipes(), ["replicate_map", "control_auroc"], wells)
    assert "no recipe has one for *control AUROC*; some lack one for *replicate mAP* (1 of 3 recipes)" in text
    assert text.endswith("Here F has 2 plates.")
    whole = made_recipes(replicate_map_low=0.0)
    assert normalization.intervals_missing(whole, ["replicate_map", "uv_mock_gap"], wells) == ""


class Pages(SimpleNamespace):
    """An analysis as far as its choice of a recipe goes."""

    def __init__(self, recipe: str = "plate_center", **values):
        super().__init__(recipe=recipe, **values)


def test_the_recipe_of_the_pages_is_set_beside_the_rules_pick():
    other = made_recipes(selected=[False, False, True])
    text = normalization.recipe_of_the_pages(Pages(recipes=other))
    assert "the parameter `recipe` names, `plate_center`. It is the default" in text
    assert "another one, `sphering` (replicate error 0.05 against 0.1 axis lengths" in text
    assert "`rxrx19 run -p recipe=sphering`" in text
    agreed = normalization.recipe_of_the_pages(Pages(recipes=made_recipes()))
    assert "the rule's pick is the same recipe" in agreed
    assert "rxrx19 run" not in agreed
    asked = normalization.recipe_of_the_pages(Pages("sphering", recipes=made_recipes()))
    assert "names, here `sphering`. The default is `plate_center`" in asked
    assert "the rule does not consider `sphering`: its null is narrower" in asked
    assert "rule's pick" not in normalization.recipe_of_the_pages(Pages(recipes=made_recipes().head(0)))
    not_compared = normalization.recipe_of_the_pages(Pages("tvn", recipes=made_recipes()))
    assert "another one, `plate_center`. To compute" in not_compared


def sloped(change: float) -> pd.DataFrame:
    """Return two plates of infected wells whose rescue changes so much from the first to the last column."""
    row, col, plate = (a.ravel() for a in np.meshgrid(range(16), range(24), range(2), indexing="ij"))
    rescue = np.random.default_rng(0).normal(0, 0.1, len(row)) + change * (col / 23 - 0.5)
    obs = pd.DataFrame({"row": row, "col": col, "plate": plate, "rescue": rescue})
    return obs.assign(experiment="E", plate_id=obs["plate"], condition="infected", treatment=None, qc_flag="")


def test_a_slope_that_is_left_is_told_and_squared_with_its_measure():
    recipes = made_recipes(position_predictability=[0.3, 0.0, 0.2])
    text = normalization.position_left(sloped(0.4), sloped(0.1), "plate_center", recipes)
    assert "a slope is left over the columns (2" in text, "about a quarter of what it was"
    assert "rows" not in text
    assert "A position predictability of 0 does not deny that" in text
    assert "spread of single wells, 0.1" in text
    told = normalization.position_left(sloped(0.4), sloped(0.1), "raw", recipes)
    assert "deny" not in told, "raw's own measure tells the slope"
    none = normalization.position_left(sloped(0.4), sloped(0.0), "plate_center", recipes)
    assert "no slope is left" in none
    missing = sloped(0.0).drop(columns="rescue")
    assert normalization.position_left(missing, missing, "plate_center", recipes) == ""
