"""Calls, arms and potencies meet the truth, counted by hand."""

import pandas as pd

from helpers.pages import truth
from helpers.pages.hits import calls


def test_a_compound_that_does_exactly_what_is_allowed_is_no_rescuer(hits, known):
    nothing = truth.truth_table(hits, known.assign(rescue=0.0), 0.0).set_index("true rescue")
    assert nothing.loc["at most 0", "compounds"] == 4


def test_table_of_truth_counts_every_compound_once(hits, known):
    table = truth.truth_table(hits, known, 0.1).set_index("true rescue")
    assert table["compounds"].sum() == 4
    assert table.loc["0.5 or more", "rescue"] == 1
    assert table.loc["0.25 to 0.5", "inactive"] == 1
    assert table.loc["at most 0.1", ["rescue", "rescue_off_target"]].tolist() == [1, 1]
    assert truth.truth_table(hits, None, 0.1)["true rescue"].tolist() == ["not known"]


def test_truth_of_arms_meets_doses(known):
    arms = pd.DataFrame(
        {
            "experiment": "E", "treatment": ["A", "A", "D"], "dose_um": [0.1, 1.0, 1.0], "rescue": [0.5, 0.9, 1.5],
            "rescue_low": [0.45, 0.8, 1.0], "rescue_high": [0.55, 1.0, 2.0],
        }
    )  # fmt: skip
    joined = truth.truth_of_arms(arms, known)
    assert joined["rescue_true"].tolist() == [0.4, 0.9, 0.0]
    text = calls.truth_arms(arms, known)
    assert "Over 2 arms without toxicity" in text
    assert "is 0.071" in text
    assert "50 % of the 95 % intervals" in text
    assert truth.truth_of_arms(arms, None).empty


def test_a_bar_in_a_name_joins_nothing_that_does_not_belong_together(hits, known):
    split = known.assign(experiment="E|a", treatment="b")
    other = hits.assign(experiment="E", treatment=["a|b", "B", "C", "D"])
    assert truth.truth_of_compounds(other, split)["rescue_true"].isna().all()
    same = hits.assign(experiment="E|1")
    assert truth.truth_of_compounds(same, known.assign(experiment="E|1"))["rescue_true"].notna().all()
