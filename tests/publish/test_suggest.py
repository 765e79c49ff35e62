"""A near miss is answered with what may have been meant, anything else with nothing."""

import pytest

from helpers.publish.suggest import suggest


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("hit_caling", ": did you mean hit_calling?"),
        ("fdrr", ": did you mean fdr?"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_near_misses_are_told(word, told):
    assert suggest(word, iter(["hit_calling", "fdr"])) == told


def test_without_choices_there_is_nothing_to_mean():
    assert suggest("fdr", []) == ""
