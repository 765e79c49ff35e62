"""The statistic of a compound over its doses, against a double loop."""

import itertools

import numpy as np
import pytest

from helpers.hits.scan import max_window


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
