"""Settings of recipes, from the words of a notebook's parameters."""

import pytest

from helpers.errors import UsageError
from helpers.study.settings import read_settings


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
