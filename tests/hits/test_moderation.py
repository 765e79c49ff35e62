import numpy as np
import pytest
from scipy import stats

from helpers.hits.moderation import fit_prior, moderate


def test_prior_is_recovered():
    """Variances drawn from the model of Smyth 2004 give back its two parameters."""
    rng = np.random.default_rng(0)
    true = 0.5 * 8 / rng.chisquare(8, size=20_000)
    variances = true * rng.chisquare(2, size=20_000) / 2
    s0, d0 = fit_prior(variances, np.full(20_000, 2.0))
    assert s0 == pytest.approx(0.5, rel=0.03)
    assert d0 == pytest.approx(8, rel=0.1)


def test_equal_variances_give_an_infinite_prior():
    rng = np.random.default_rng(1)
    variances = rng.chisquare(2, size=5000) / 2
    posterior, degrees = moderate(variances, np.full(5000, 2.0), default=9.0, default_degrees=1.0)
    assert degrees.min() > 50
    assert posterior == pytest.approx(1.0, rel=0.1)


def test_posterior_is_the_weighted_mean():
    variances, degrees = np.array([1.0, 4.0]), np.array([2.0, 2.0])
    posterior, total = moderate(variances, degrees, default=2.0, default_degrees=6.0)
    np.testing.assert_allclose(posterior, (2 * variances + 6 * 2.0) / 8)
    np.testing.assert_allclose(total, 8)


def test_moderated_intervals_cover_where_own_ones_would_be_hopeless():
    """With two degrees of freedom each: same coverage, half the width."""
    rng = np.random.default_rng(2)
    scale = np.sqrt(0.1 * 12 / rng.chisquare(12, size=4000))
    plates = rng.normal(size=(4000, 3)) * scale[:, None]
    mean, variance = plates.mean(axis=1), plates.var(axis=1, ddof=1)
    posterior, degrees = moderate(variance, np.full(4000, 2.0), default=1.0, default_degrees=1.0)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(posterior / 3)
    own = stats.t.ppf(0.975, 2) * np.sqrt(variance / 3)
    assert (np.abs(mean) <= half).mean() == pytest.approx(0.95, abs=0.012)
    assert half.mean() < 0.62 * own.mean()
