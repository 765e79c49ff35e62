import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.hits import call_hits, score_wells
from helpers.hits.rule import on_target_score
from helpers.hits.stability import NUMBERS, largest_size, score_interval
from helpers.profiles import normalize, to_wells
from helpers.screens import simulate_twin

KEYS = ["experiment", "treatment"]


@pytest.fixture(scope="module")
def tables(tiny_scored):
    return call_hits(tiny_scored, top_k=20)


def true_scores(truth):
    """Return the true score of each compound, and whether it is toxic anywhere."""
    arms = truth.assign(score=on_target_score(truth["rescue"], truth["off_disease"]))
    size = arms["score"].abs().groupby([arms["experiment"], arms["treatment"]]).idxmax()
    best = arms.loc[size, [*KEYS, "score"]].rename(columns={"score": "true"})
    toxic = arms.groupby(KEYS)["toxicity"].max().rename("toxicity").reset_index()
    return best.merge(toxic, on=KEYS)


def test_largest_size_by_hand():
    scores = np.array([[0.2, -0.5, 0.1, 0.3], [0.2, 0.1, -0.1, -0.3]])
    np.testing.assert_allclose(largest_size(scores, np.array([0, 2])), [[-0.5, 0.3], [0.2, -0.3]])


def test_interval_holds_the_reflected_one_and_stays_in_range():
    draws = np.linspace(0.5, 1.4, 1001)[:, None]
    low, high = score_interval(draws, np.array([0.6]), 0.9)
    np.testing.assert_allclose([low[0], high[0]], [-0.155, 1.0], atol=1e-6)


def test_intervals_hold_what_the_table_says(tables):
    hits = tables[1].dropna(subset=["score"])
    assert (hits["score_low"] <= hits["score"]).all()
    assert (hits["score"] <= hits["score_high"]).all()
    assert (hits["score_low"] >= -1).all()
    assert (hits["score_high"] <= 1).all()
    assert (hits["rank_low"] <= hits["rank_high"]).all()
    assert hits["top_k_probability"].between(0, 1).all()
    for _, group in hits.groupby("experiment"):
        assert group["top_k_probability"].sum() == pytest.approx(20)


@pytest.mark.slow
def test_intervals_cover_and_top_k_is_what_it_says():
    """Four tiny twins: true scores lie in their intervals, and what is said to be among the top ten mostly is."""
    found = []
    for seed in range(4):
        sites, truth = simulate_twin("tiny", seed)
        _, hits = call_hits(score_wells(normalize(to_wells(sites), "plate_center")), seed=seed, top_k=10)
        found.append(hits.merge(true_scores(truth), on=KEYS).assign(seed=seed))
    table = pd.concat(found)
    table = table[
        table["toxicity"] < 0.05
    ]  # what toxic cells' position on the axis means is not in the truth
    covered = table["true"].between(table["score_low"], table["score_high"])
    assert covered[table["true"].abs() >= 0.3].mean() > 0.92
    assert covered[table["true"].abs().between(0.05, 0.3)].mean() > 0.85
    assert covered.mean() > 0.93
    sure, unlikely = table["top_k_probability"] > 0.95, table["top_k_probability"] < 0.05
    rank = table.groupby(["seed", "experiment"])["true"].rank(ascending=False)
    assert (rank[sure] <= 10).mean() > 0.93
    assert (rank[unlikely] <= 5).mean() < 0.02


@pytest.mark.slow
def test_more_wells_give_narrower_intervals(tables, tiny_scored):
    """Without two thirds of the treated wells scores are known less well."""
    rng = np.random.default_rng(0)
    treated = tiny_scored.obs["treatment"].notna().to_numpy()
    fewer = tiny_scored[~treated | (rng.random(tiny_scored.n_obs) < 0.5)].copy()
    width = [(h["score_high"] - h["score_low"]).median() for h in (tables[1], call_hits(fewer)[1])]
    assert width[1] > 1.15 * width[0]


def test_one_plate_says_that_it_cannot_tell(tiny_scored):
    alone = tiny_scored[tiny_scored.obs["plate_id"] == "HRCE-1_1"].copy()
    _, hits = call_hits(alone)
    assert hits[NUMBERS].isna().all(axis=None)
    assert (hits["note"] == "on a single plate: how stable its score is cannot be told").all()


@pytest.mark.slow
def test_a_compound_on_one_plate_among_others(tiny_scored):
    first = (tiny_scored.obs["experiment"] == "HRCE-1").to_numpy()
    here = tiny_scored[first].copy()
    name = here.obs["treatment"].dropna().iloc[0]
    mine = (here.obs["treatment"] == name).to_numpy()
    once = here[~mine | (here.obs["plate_id"] == "HRCE-1_1").to_numpy()].copy()
    hits = call_hits(once)[1].set_index("treatment")
    row = hits[hits.index == name]
    assert row[NUMBERS].isna().all(axis=None)
    assert row["note"].str.contains("single plate").all()
    assert hits.drop(index=name)[NUMBERS].notna().all(axis=None)


@pytest.mark.slow
def test_no_draws_leave_it_missing(tiny_scored):
    _, hits = call_hits(tiny_scored, rank_draws=0)
    assert hits[NUMBERS].isna().all(axis=None)
    assert not hits["note"].str.contains("single plate").any()


@pytest.mark.parametrize(
    "bad", [{"top_k": 0}, {"rank_draws": -1}, {"level": 1.0}, {"null_draws": 10}, {"statistic": "mean"}]
)
def test_settings_outside_their_range_are_named(tiny_scored, bad):
    with pytest.raises(UsageError, match=next(iter(bad))):
        call_hits(tiny_scored, **bad)
