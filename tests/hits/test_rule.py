import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.hits import CALLS, Rule, call_hits, recall
from helpers.hits.rule import best_by_score


def arms(**columns):
    base = {"experiment": "E", "treatment": "a", "dose_um": 1.0, "off_limit": 0.2}
    return pd.DataFrame({**base, **columns})


def test_first_row_that_fits_is_the_call():
    hits = pd.DataFrame(
        {
            "q_on_target": [0.01, 0.5, 0.06, 0.5, 0.5, 0.5, np.nan],
            "q_value": [0.01, 0.01, 0.01, 0.5, 0.5, 0.5, np.nan],
            "q_worsens": [0.5, 0.01, 0.5, 0.01, 0.01, 0.5, np.nan],
            "toxic": [True, True, False, True, False, False, False],
        }
    )
    expected = ["rescue", *["rescue_off_target"] * 2, "toxic", "worsens", "inactive", "not_tested"]
    assert Rule().call(hits).tolist() == expected
    assert set(expected) == set(CALLS)


def test_on_target_and_toxic_by_hand():
    table = arms(rescue=[0.5, 0.5, 1.6, 0.5, 0.1], off_disease=[0.4, 0.6, 1.2, 0.1, 1.1])
    judged = Rule().judge_arms(table)
    assert judged["on_target"].tolist() == [True, False, False, True, False]  # beyond 1, rescue counts as 1
    assert judged["toxic"].tolist() == [False, False, True, False, True]
    assert Rule(max_off_ratio=1.5).judge_arms(table)["on_target"].tolist() == [True, True, True, True, False]
    assert not Rule(toxic_off=1.15).judge_arms(table)["toxic"].iloc[4]
    assert not Rule().judge_arms(table.assign(off_limit=2.0))["toxic"].any()


def test_best_dose_and_score_are_of_the_same_compound():
    table = arms(treatment=["a", "a", "b", "b"], dose_um=[1.0, 3.0, 1.0, 3.0])
    table = table.assign(
        rescue=[0.2, 0.6, 0.1, -0.3], off_disease=[0.0, 0.1, 0.0, 0.0], score=[0.2, 0.59, 0.1, -0.3]
    )
    best = best_by_score(table).set_index("treatment")
    assert best.loc["a", ["rescue_max", "dose_at_max_um", "score"]].tolist() == [0.6, 3.0, 0.59]
    assert best.loc["b", ["rescue_max", "dose_at_max_um", "score"]].tolist() == [0.1, 1.0, -0.3]


@pytest.mark.slow
def test_recall_is_what_calling_again_gives(tiny_scored):
    tables = call_hits(tiny_scored, rank_draws=0)
    assert (recall(*tables, Rule()) == tables[1]["call"]).all()
    _, hits = call_hits(tiny_scored, fdr=0.001, toxic_off=0.4, rank_draws=0)
    again = tables[1].assign(again=recall(*tables, Rule(fdr=0.001, toxic_off=0.4)))
    both = again.merge(hits, on=["experiment", "treatment"])
    assert (both["again"] == both["call_y"]).all()
    assert (both["call_x"] != both["call_y"]).any()


@pytest.mark.parametrize(
    "bad", [{"fdr": 0}, {"min_rescue": 1}, {"off_limit": 0.5}, {"max_off_ratio": 0}, {"toxic_off": -1}]
)
def test_thresholds_outside_their_range_are_named(bad):
    with pytest.raises(UsageError, match=next(iter(bad))):
        Rule(**bad)
