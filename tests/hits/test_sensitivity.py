import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.hits import call_hits, ranking_sensitivity, score_wells
from helpers.hits.sensitivity import compare_rankings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table(tiny_wells):
    return ranking_sensitivity(tiny_wells, ("plate_center", "recommended"), top_k=5)


def test_a_ranking_agrees_with_itself(table):
    same = table[(table["recipe"] == "plate_center") & (table["axis"] == "mean_difference")]
    assert len(same) == 2
    np.testing.assert_allclose(same[["spearman", "top_k_overlap", "same_call"]], 1)


def test_a_ranking_at_hand_is_not_computed_again(tiny_wells, tiny_scored, table, monkeypatch):
    first = ("plate_center", "mean_difference")
    called, hits = [], call_hits(tiny_scored, rank_draws=0)[1]
    monkeypatch.setattr(
        "helpers.hits.sensitivity.score_wells",
        lambda wells, axis: called.append(axis) or score_wells(wells, axis=axis),
    )
    again = ranking_sensitivity(tiny_wells, first[:1], reference=hits, reference_is=first, top_k=5)
    assert called == ["discriminant"]
    np.testing.assert_allclose(again.loc[again["axis"] == first[1], "spearman"], 1)
    other = table[(table["recipe"] == first[0]) & (table["axis"] == "discriminant")]
    np.testing.assert_allclose(again.loc[again["axis"] == "discriminant", "spearman"], other["spearman"])


def test_other_recipes_and_axes_agree_on_what_is_strong(table):
    other = table[(table["recipe"] != "plate_center") | (table["axis"] != "mean_difference")]
    assert len(other) == 6
    assert other["spearman"].between(0.5, 0.99).all()
    assert (other["top_k_overlap"] >= 0.6).all()
    assert (other["top_k_expected"] < 0.06).all()
    assert (other["same_call"] > 0.85).all()


def test_rankings_by_hand():
    names = [f"c{i:02d}" for i in range(30)]
    one = pd.DataFrame({"experiment": "E", "treatment": names, "score": range(30), "call": "inactive"})
    other = one.assign(score=[*range(28), 29, 28], call=["rescue", *["inactive"] * 29])
    row = compare_rankings(one, other, top_k=20).iloc[0]  # a tenth of 30 compounds is 3
    assert row["top_k_overlap"] == 1
    assert row["top_k_expected"] == pytest.approx(0.1)
    assert row["same_call"] == pytest.approx(29 / 30)
    assert 0.99 < row["spearman"] < 1
    assert compare_rankings(one, one.assign(score=-one["score"]), 3).iloc[0]["spearman"] == pytest.approx(-1)


def test_a_given_reference_is_used(tiny_wells, tiny_scored):
    _, hits = call_hits(tiny_scored, rank_draws=0)
    table = ranking_sensitivity(tiny_wells, ("recommended",), ("mean_difference",), reference=hits)
    assert (table["spearman"] < 1).all()


def test_what_a_screen_does_not_allow_is_said(tiny_wells):
    few = tiny_wells[tiny_wells.obs["plate_id"] == "HRCE-1_1"].copy()
    infected = few.obs.index[(few.obs["condition"] == "infected") & few.obs["treatment"].isna()]
    few = few[~few.obs.index.isin(infected[6:])].copy()
    table = ranking_sensitivity(few, ("plate_center", "plate_robust"), ("mean_difference",))
    refused = table[table["recipe"] == "plate_robust"].iloc[0]
    assert "needs 8" in refused["reason"]
    assert pd.isna(refused["spearman"])


@pytest.mark.parametrize(
    ("recipes", "axes"), [(("nothing",), ("mean_difference",)), (("raw",), ("lda",)), ((), ("lda",))]
)
def test_unknown_names(tiny_wells, recipes, axes):
    with pytest.raises(UsageError, match="is unknown; choose among"):
        ranking_sensitivity(tiny_wells, recipes, axes)
