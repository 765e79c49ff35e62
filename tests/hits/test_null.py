import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.hits.null import Tail, benjamini_hochberg, fit_null, max_window


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
    own = sum((1 / 3) ** 2 * centred.scale[p] ** 2 / 2 for p in counts)
    assert centred.arm_variance(counts) > own
    assert centred.centre_variance[plate] == pytest.approx(np.pi / 2 * s**2 / n)
    raw = fit_null(score_wells(normalize(tiny_wells, "raw")), rows)
    assert raw.centre_variance[plate] == 0
    assert raw.shift_variance > 4 * centred.shift_variance


@pytest.mark.slow
def test_p_values_are_uniform_where_nothing_works():
    """Twenty twins without any active compound: the window test at min_rescue 0 rejects as often as it says."""
    from helpers.hits import call_hits, score_wells
    from helpers.profiles import normalize, to_wells
    from helpers.screens import TwinModel, simulate_twin

    arms, hits = [], []
    for seed in range(20):
        sites, _ = simulate_twin("tiny", seed, TwinModel().without_actives())
        tables = call_hits(score_wells(normalize(to_wells(sites), "plate_center")), min_rescue=0, seed=seed)
        arms.append(tables[0]["p_value"])
        hits.append(tables[1]["p_value"])
    for p in (pd.concat(arms), pd.concat(hits)):
        for level, tolerance in ((0.01, 0.005), (0.05, 0.012), (0.25, 0.035), (0.5, 0.04)):
            assert (p <= level).mean() == pytest.approx(level, abs=tolerance)


def test_benjamini_hochberg_by_hand():
    q = benjamini_hochberg(pd.Series([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(q, [0.03, np.nan, 0.04, 0.04])
