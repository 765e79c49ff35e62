"""What a screen lacks is said, and tables without rows have sentences of their own."""

import pytest

from helpers.pages.absent import lacking
from helpers.pages.dose import findings, potency
from helpers.pages.hits import calls, crosschecks
from helpers.pages.normalization import choice, evidence
from helpers.pages.tour import projections, window
from helpers.study.absent import empty_table


def test_what_lacks_is_listed():
    assert lacking([]).startswith("This screen has all")
    assert "No embeddings. No doses. The parts" in lacking(["No embeddings.", "No doses."])


@pytest.mark.parametrize(
    ("say", "name", "rest"),
    [
        (calls.calls, "hits", (0.05, 0.1)),
        (calls.top_hits, "hits", ()),
        (calls.off_axis, "hits", ()),
        (findings.curve_classes, "curves", ()),
        (findings.potency, "curves", ()),
        (findings.falling, "curves", ()),
        (findings.truth_share, "curves", (None,)),
        (choice.recipe_price, "recipes", ()),
        (calls.deciding_dose, "hits", (empty_table("arms"),)),
        (calls.truth_arms, "arms", (None,)),
        (calls.plates_limit, "arms", ()),
        (crosschecks.say_ranks, "hits", (10,)),
        (crosschecks.say_sensitivity, "sensitivity", ()),
        (crosschecks.say_experiments, "agreement", ()),
        (choice.choice, "recipes", ()),
        (choice.against_truth, "recipes", ()),
        (evidence.unusable, "recipes", ()),
        (potency.say_toxic, "curves", ()),
        (projections.variance_found, "variance", ()),
        (window.quality, "quality", ()),
        (window.gate, "quality", (0.0,)),
    ],
)
def test_absent_tables_have_sentences(say, name, rest):
    text = say(empty_table(name), *rest)
    assert "nan" not in text.lower()
    assert "of 0 " not in text
