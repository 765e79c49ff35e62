"""Settings of recipes, from the words of a notebook's parameters."""

import pytest

from helpers.errors import UsageError
from helpers.profiles import RECIPES
from helpers.study.settings import read_bounds, read_recipes, read_settings


def test_the_defaults_leave_every_recipe_its_own():
    assert read_settings() == {}


def test_what_differs_is_passed_on():
    given = read_settings(
        reference="mock", batch="experiment", position_model="none", n_components=7, regulariser="0.25"
    )
    assert given == {
        "reference": "mock",
        "batch": "experiment",
        "position_model": "none",
        "n_components": 7,
        "regulariser": 0.25,
    }
    assert read_settings(regulariser="ledoit_wolf") == {"regulariser": "ledoit_wolf"}
    assert read_settings(regulariser="0") == {"regulariser": 0.0}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reference": "dmso"}, "'reference' = 'dmso' is not allowed; allowed: infected, mock"),
        ({"batch": "well"}, "allowed: plate, experiment"),
        ({"position_model": "loess"}, "allowed: trend, row_column, none"),
        ({"n_components": -1}, "'n_components' = -1"),
        ({"regulariser": "1.5"}, "a number from 0 to 1"),
        ({"regulariser": "nan"}, "a number from 0 to 1"),
        ({"regulariser": "held-out"}, "auto, ledoit_wolf, or a number"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(given, said):
    with pytest.raises(UsageError, match=said):
        read_settings(**given)


def test_recipes_are_named_once_in_their_order():
    assert read_recipes("raw, plate_center,raw,") == ("raw", "plate_center")
    assert read_recipes(" all ") == tuple(RECIPES)


@pytest.mark.parametrize(
    ("text", "said"), [("raw,nothing", "no recipe nothing"), (" , ", r"no recipe \(empty\)")]
)
def test_recipes_that_are_none_are_named_with_those_that_are(text, said):
    with pytest.raises(UsageError, match=f"parameter 'recipes': {said}; valid: all, raw, "):
        read_recipes(text)


def test_bounds_are_two_numbers():
    assert read_bounds("hill_bounds", "0.2,20") == (0.2, 20.0)
    assert read_bounds("hill_bounds", " 1 , 1e3") == (1.0, 1000.0)


@pytest.mark.parametrize(
    "text", ["", "1", "1,2,3", "a,b", "2,1", "1,1", "0,1", "-1,1", "1,inf", "nan,1", "1,nan"]
)
def test_bounds_that_are_none_are_named_with_an_example(text):
    with pytest.raises(
        UsageError, match=r"parameter 'hill_bounds' = .* two numbers above 0.* such as 0\.2,20"
    ):
        read_bounds("hill_bounds", text)
