"""Noise, ceiling and agreement: known truth comes back, intervals hold it, and little data give no number."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from helpers.hits.published import find_published, identify, published_compounds, read_published
from helpers.hits.reliability import (
    draw_without_noise,
    duplicate_pairs,
    hit_recovery,
    noise_sd,
    rank_agreement,
    score_noise,
    spearman,
)
from helpers.screens import facts


def made_up(rng, draw, n=600, n_pairs=60, sd=1.0):
    """Return duplicate pairs and compounds whose scores have noise of this size."""
    true = draw(n)
    scores = true + sd * rng.standard_normal(n)
    again = true[:n_pairs] + sd * rng.standard_normal(n_pairs)
    # As ChEMBL lists them: the higher one first.
    pairs = np.sort(np.column_stack([scores[:n_pairs], again]), axis=1)[:, ::-1]
    compounds = pd.DataFrame({"score": scores, "n_scores": 1})
    return pd.DataFrame(pairs, columns=["first", "second"]), compounds


def test_noise_does_not_depend_on_the_order_within_a_pair():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 5000)) * 0.3
    assert noise_sd(first, second) == pytest.approx(0.3, rel=0.03)
    assert noise_sd(np.maximum(first, second), np.minimum(first, second)) == noise_sd(first, second)


@pytest.mark.slow
@pytest.mark.parametrize("tails", ["normal", "long"])
def test_noise_reliability_and_ceiling_come_back(tails):
    rng = np.random.default_rng(1)
    draw = rng.standard_normal if tails == "normal" else (lambda n: rng.standard_t(4, n) / np.sqrt(2))
    true = draw(100_000)
    noisy, again = (true + rng.standard_normal(len(true)) for _ in range(2))
    expected = {
        "sd_one_score": 1.0,
        "reliability": 0.5,
        "ceiling": spearman(true, noisy),
        "repeat": spearman(noisy, again),
    }
    held, found = [], []
    for seed in range(12):
        noise = score_noise(*made_up(rng, draw), seed=seed, n_bootstrap=30)
        held.append([noise[f"{k}_low"] <= v <= noise[f"{k}_high"] for k, v in expected.items()])
        found.append([noise[k] for k in expected])
    assert np.mean(held) > 0.8
    np.testing.assert_allclose(np.mean(found, axis=0), list(expected.values()), atol=0.06)


def test_what_is_left_without_noise_keeps_its_long_tail():
    rng = np.random.default_rng(2)
    true = np.where(rng.random(5000) < 0.9, 0.0, rng.normal(0, 4, 5000))
    noisy = true + rng.standard_normal(5000)
    drawn = draw_without_noise(noisy, np.ones(5000), 20_000, rng)
    assert np.std(drawn) == pytest.approx(np.std(true), rel=0.08)
    assert stats.kurtosis(drawn) > 2 * stats.kurtosis(noisy)


def test_a_score_of_two_measurements_counts_as_less_noisy():
    rng = np.random.default_rng(3)
    pairs, compounds = made_up(rng, rng.standard_normal)
    once = score_noise(pairs, compounds, n_bootstrap=2)["reliability"]
    twice = score_noise(pairs, compounds.assign(n_scores=2), n_bootstrap=2)["reliability"]
    assert twice > once


def test_too_little_gives_no_number():
    rng = np.random.default_rng(4)
    pairs, compounds = made_up(rng, rng.standard_normal)
    few = score_noise(pairs.head(4), compounds)
    assert np.isnan(few["sd_one_score"])
    assert few["n_pairs"] == 4
    assert few["sd_all"] > 0
    assert np.isnan(score_noise(pairs, compounds.head(5))["ceiling"])
    assert np.isnan(score_noise(pairs.head(0), compounds.head(0))["sd_all"])
    same = score_noise(pairs.assign(second=pairs["first"]), compounds, n_bootstrap=2)
    assert (same["sd_one_score"], same["reliability"], same["ceiling"]) == (0, 1, 1)


def test_the_same_call_gives_the_same_numbers():
    rng = np.random.default_rng(5)
    data = made_up(rng, rng.standard_normal)
    assert score_noise(*data, seed=1, n_bootstrap=5) == score_noise(*data, seed=1, n_bootstrap=5)
    assert score_noise(*data, seed=1, n_bootstrap=5) != score_noise(*data, seed=2, n_bootstrap=5)
    turned = [table.sample(frac=1, random_state=3) for table in data]
    assert score_noise(*turned, seed=1, n_bootstrap=5) == score_noise(*data, seed=1, n_bootstrap=5)
    x, y = rng.standard_normal((2, 40))
    assert rank_agreement(x, y, n_bootstrap=20) == rank_agreement(x[::-1], y[::-1], n_bootstrap=20)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rho"), [(12, 0.0), (31, 0.5), (200, 0.8)])
def test_interval_of_a_rank_correlation_covers(n, rho):
    rng = np.random.default_rng(6)
    true, held = 6 / np.pi * np.arcsin(rho / 2), 0
    for seed in range(60):
        x = rng.standard_normal(n)
        y = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(n)
        found = rank_agreement(x, y, seed=seed, n_bootstrap=120)
        held += found["spearman_low"] <= true <= found["spearman_high"]
    assert held / 60 > 0.88


@pytest.mark.slow
def test_rank_correlation_is_scipys_and_skips_the_missing():
    rng = np.random.default_rng(7)
    x, y = np.round(rng.standard_normal((2, 50)), 1)
    x[3] = y[9] = np.nan
    found = rank_agreement(x, y)
    assert found["n"] == 48
    assert found["spearman"] == pytest.approx(stats.spearmanr(x, y, nan_policy="omit").statistic)
    assert np.isnan(rank_agreement(x[:7], y[:7])["spearman"])
    assert np.isnan(rank_agreement(x, np.zeros(50))["spearman"])
    assert rank_agreement(np.arange(30), np.arange(30))["spearman_high"] <= 1


def test_recovery_of_hits():
    published = np.array([0.9, 0.8, 0.7, 0.1, 0.2, 0.3, np.nan])
    score = np.array([5.0, 1.0, 4.0, 3.0, 0.0, 0.5, 9.0])
    found = hit_recovery(score, published)
    assert (found["n"], found["n_hits"], found["in_top"]) == (6, 3, 2.0)
    assert found["auroc"] == pytest.approx(roc_auc_score(published[:6] > 0.6, score[:6]))
    assert found["auroc_low"] < found["auroc"] < found["auroc_high"]


def test_ties_at_the_cut_count_by_their_share():
    found = hit_recovery(np.array([1.0, 0, 0, 0, 0]), np.array([0.9, 0.9, 0, 0, 0]))
    assert found["in_top"] == pytest.approx(1 + 1 / 4)
    assert np.isnan(hit_recovery(np.arange(4.0), np.zeros(4))["auroc"])
    assert np.isnan(hit_recovery(np.arange(4.0), np.array([1.0, 0, 0, 0]))["auroc_low"]), (
        "one hit has no interval"
    )


@pytest.fixture(scope="module")
def real_rows(real_data):
    return read_published(find_published(str(real_data / "published")))


@pytest.mark.slow
def test_the_noise_of_the_published_scores_is_what_was_reported(real_rows):
    pairs = duplicate_pairs(real_rows)
    compounds = published_compounds(real_rows).query("cells == 'HRCE'")
    noise = score_noise(pairs[pairs["cells"] == "HRCE"], compounds, n_bootstrap=100)
    assert noise["n_pairs"] == facts.SCORE_NOISE["n_pairs"]
    assert noise["sd_one_score"] == pytest.approx(facts.SCORE_NOISE["sd_one_score"], abs=0.001)
    assert noise["sd_all"] == pytest.approx(facts.SCORE_NOISE["sd_all"], abs=0.001)
    assert noise["median_all"] == pytest.approx(facts.SCORE_NOISE["median_all"], abs=0.001)
    assert 0.25 < noise["reliability_low"] < 0.5 < noise["reliability_high"] < 0.7


@pytest.mark.slow
def test_drugs_that_were_scored_under_two_names_tell_the_same_noise(real_rows):
    pairs = duplicate_pairs(identify(real_rows), compounds=True).query("cells == 'HRCE'")
    assert 8 <= len(pairs) <= 15
    # With so few pairs the interval of the standard deviation reaches from .7 to 1.7 times the estimate.
    assert 0.7 < noise_sd(pairs["first"], pairs["second"]) / facts.SCORE_NOISE["sd_one_score"] < 1.7
