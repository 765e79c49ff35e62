"""The words of the cross-checks, on tables made up by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.calls import SINGLE_PLATE
from helpers.pages.hits import crosschecks


@pytest.fixture
def hits() -> pd.DataFrame:
    calls = ["rescue", "rescue", "inactive", "inactive", "inactive", "toxic"]
    names = list("ABCDEF")
    return pd.DataFrame(
        {
            "experiment": "E",
            "treatment": names,
            "call": calls,
            "top_k_probability": [1, 0.96, 0.5, 0, 0, np.nan],
            "note": "",
        }
    )


def test_activity_is_counted_by_call_among_those_that_were_judged(hits):
    p = [1e-5, 1e-5, 0.9, 1e-5, 0.9]
    activity = pd.DataFrame(
        {"experiment": "E", "treatment": list("AABCD"), "map": 0.5, "p_value": p, "q_value": p}
    )
    energy = pd.DataFrame({"experiment": "E", "treatment": list("ABCD"), "q_value": 0.01})
    table = crosschecks.activity_table(hits, activity, energy, 0.05)
    assert table["call"].tolist() == ["rescue", "toxic", "inactive"]
    assert table["calls"].tolist() == [2, 1, 3]
    # E has no q-value and does not count
    assert table["tested by retrieval"].tolist() == [2, 0, 2]
    assert table["active by retrieval"].tolist() == [1, 0, 1]
    text = crosschecks.say_activity(table)
    assert "called `rescue` 1 of 2 by retrieval and 2 of 2 by energy distance" in text
    assert "cannot be tested" in crosschecks.say_activity(table.head(0))
    no_retrieval = crosschecks.say_activity(crosschecks.activity_table(hits, activity.head(0), energy, 0.05))
    assert "called `rescue` 2 of 2 by energy distance; of" in no_retrieval
    assert "Nothing can be told by retrieval here" in no_retrieval


def test_sensitivity_names_the_ranking_that_fits_least():
    columns = [
        "recipe",
        "axis",
        "experiment",
        "spearman",
        "top_k_overlap",
        "top_k_expected",
        "same_call",
        "reason",
    ]
    rows = [
        ("plate_center", "mean_difference", "E", 1.0, 1.0, 0.1, 1.0, ""),
        ("plate_robust", "mean_difference", "E", 0.9, 0.9, 0.1, 0.98, ""),
        ("plate_robust", "discriminant", "E", 0.7, 0.8, 0.1, 0.96, ""),
        ("harmony", "mean_difference", np.nan, np.nan, np.nan, np.nan, np.nan, "one plate only"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    text = crosschecks.say_sensitivity(table)
    assert (
        "Over 2 other rankings the scores keep a rank correlation of 0.8 (median; 0.7 with `plate_robust`"
        in text
    )
    assert "Not possible here: `harmony` (one plate only)" in text
    assert "nothing to compare" in crosschecks.say_sensitivity(table.head(1))
    assert "No other ranking" in crosschecks.say_sensitivity(table.tail(1))


def test_experiments_are_held_against_what_noise_allows():
    row = {"experiment_a": "A", "experiment_b": "B", "same_cells": False, "n_compounds": 3, "n_arms": 20}
    numbers = {"correlation": 0.7, "ceiling": 0.8, "slope": 1.2}
    ends = {f"{name}{end}": value for name, value in numbers.items() for end in ("_low", "_high")}
    text = crosschecks.say_experiments(pd.DataFrame([row | numbers | ends]))
    assert "A and B (other cells), 3 compounds at 20 arms: correlation **0.7** (0.7 to 0.7)" in text
    assert "noise would leave 0.8 of perfect agreement" in text
    few = pd.DataFrame([row | dict.fromkeys(numbers | ends, np.nan)])
    assert "too few or too noisy" in crosschecks.say_experiments(few)
    assert "No two experiments" in crosschecks.say_experiments(few.head(0))


def test_ranks_are_firm_or_not(hits):
    text = crosschecks.say_ranks(hits, 10)
    assert "among the best 10: E 2 compounds (1 more between 5 % and 95 %)" in text
    assert "one plate" not in text
    assert "cannot be told" in crosschecks.say_ranks(hits.assign(top_k_probability=np.nan), 10)
    first = hits.index == 0
    alone = hits.assign(
        top_k_probability=hits["top_k_probability"].mask(first), note=np.where(first, SINGLE_PLATE, "")
    )
    assert f"1 of {len(hits)} results (a compound in an experiment) stand" in crosschecks.say_ranks(alone, 10)


def test_calls_that_another_recipe_changes_are_counted():
    hits = pd.DataFrame(
        {"experiment": "E", "treatment": list("abcd"), "call": ["rescue", "rescue", "inactive", "toxic"]}
    )
    other = hits.assign(call=["rescue", "inactive", "inactive", "toxic"])
    table = crosschecks.changed_calls(hits, other)
    assert table.set_index("call").loc["rescue"].to_dict() == {"rescue": 1, "toxic": 0, "inactive": 1}
    text = crosschecks.say_changed(table, "recommended", "plate_center")
    assert "1 of 4 compounds get another call than with `plate_center`" in text
    assert "`rescue` is called 2 times here and 1 times there" in text
    assert "is `plate_center` itself" in crosschecks.say_changed(table, "plate_center", "plate_center")
    assert crosschecks.say_changed(table.head(0), "raw", "plate_center") == ""
