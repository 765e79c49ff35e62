import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.hits.null import fit_null, max_window
from helpers.hits.tail import Tail


def test_windows_are_those_of_a_double_loop():
    rng = np.random.default_rng(0)
    means, variances, shared = rng.normal(size=(20, 5)), rng.uniform(0.5, 2, size=(20, 5)), 0.3
    means[0, 2] = np.nan
    for m, v, got in zip(means, variances, max_window(means, variances, shared), strict=True):
        best = -np.inf
        for i, j in itertools.combinations(range(6), 2):
            window = [k for k in range(i, j) if np.isfinite(m[k])]
            if window:
                w = 1 / v[window]
                best = max(best, (w @ m[window]) / w.sum() / np.sqrt(1 / w.sum() + shared))
        assert got == pytest.approx(best)


def test_trend_takes_the_windows_that_end_at_the_top():
    rng = np.random.default_rng(1)
    means, variances, shared = rng.normal(size=(20, 5)), rng.uniform(0.5, 2, size=(20, 5)), 0.3
    for m, v, got in zip(
        means, variances, max_window(means, variances, shared, statistic="trend"), strict=True
    ):
        w = [1 / v[i:] for i in range(5)]
        best = max((w[i] @ m[i:]) / w[i].sum() / np.sqrt(1 / w[i].sum() + shared) for i in range(5))
        assert got == pytest.approx(best)


def test_wells_that_a_recipe_was_fitted_on_are_not_taken_for_quiet(tiny_scored, tiny_wells):
    """Sphering whitens the null's own wells: treated wells differ more, and their noise is taken."""
    from helpers.hits import score_wells
    from helpers.profiles import normalize

    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    assert fit_null(tiny_scored, rows).excess == 1
    sphered = score_wells(normalize(tiny_wells, "sphering"))
    trusting, null = fit_null(sphered, rows, inflate=False), fit_null(sphered, rows)
    assert null.excess > 1.5
    for plate, scale in null.scale.items():
        assert scale == pytest.approx(np.sqrt(null.excess) * trusting.scale[plate])


def test_number_of_draws(tiny_scored):
    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    assert len(fit_null(tiny_scored, rows, n_draws=2_000).tail(6, 6, 3).draws) == 2_000


def test_tail_goes_on_beyond_its_draws_and_errs_on_the_safe_side():
    tail = Tail(np.random.default_rng(0).normal(size=40_000))
    for z in (1.0, 2.0, 3.0, 4.0, 4.5):
        excess = np.log10(tail.p_value(z)) - np.log10(stats.norm.sf(z))
        assert -0.1 < excess < 0.8
    assert tail.fitted(np.array([0.0, 4.5])).tolist() == [False, True]


def test_tail_is_never_zero_and_falls():
    p = Tail(np.random.default_rng(1).normal(size=40_000)).p_value(np.linspace(0, 40, 200))
    assert (np.diff(p) <= 0).all()
    assert p.min() > 0


def test_centre_error_is_in_the_null_of_centred_plates(tiny_scored, tiny_wells):
    from helpers.hits import score_wells
    from helpers.profiles import normalize

    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    centred = fit_null(tiny_scored, rows)
    plate = next(iter(centred.n_reference))
    n, s = centred.n_reference[plate], centred.scale[plate]
    counts = dict.fromkeys(centred.n_reference, 2)
    own = sum(centred.scale[p] ** 2 / 2 for p in counts) / len(counts) ** 2
    assert centred.arm_variance(counts) > own
    assert centred.centre_variance[plate] == pytest.approx(np.pi / 2 * s**2 / n)
    raw = fit_null(score_wells(normalize(tiny_wells, "raw")), rows)
    assert raw.centre_variance[plate] == 0
    assert raw.shift_variance > 4 * centred.shift_variance


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["plate_center", "sphering", "tvn", "recommended"])
def test_no_recipe_makes_the_null_too_narrow(recipe):
    """Two twins without active compounds: wells of the null took part in fitting some of these recipes."""
    from helpers.hits import call_hits, score_wells
    from helpers.profiles import normalize, to_wells
    from helpers.screens import TwinModel, simulate_twin

    p, calls = [], []
    for seed in range(2):
        sites, _ = simulate_twin("tiny", seed, TwinModel().without_actives())
        scored = score_wells(normalize(to_wells(sites), recipe, seed=seed))
        p.append(call_hits(scored, min_rescue=0, seed=seed, rank_draws=0)[0]["p_value"])
        calls.append(call_hits(scored, seed=seed, rank_draws=0)[1]["call"])
    assert (pd.concat(p) <= 0.05).mean() < 0.07
    assert (pd.concat(calls) != "inactive").mean() < 0.01
