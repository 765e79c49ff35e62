"""Variance estimates that borrow strength from each other.

With three plates an arm's own variance has two degrees of freedom and is worth little. Following Smyth 2004 (limma,
doi:10.2202/1544-6115.1027), variances of many arms are taken to scatter around a common value like a scaled
inverse chi-square, and each is pulled towards it.
"""

import numpy as np
from scipy import special

MEDIAN_VARIANCE = np.pi / 2
"""Variance of the median of many Gaussian values, relative to that of their mean."""


def fit_prior(variances: np.ndarray, degrees: np.ndarray) -> tuple[float, float]:
    """Return prior variance and prior degrees of freedom of a set of variance estimates.

    Parameters
    ----------
    variances : array
        Sample variances, shape (n,); zeros are ignored, for their logarithm says nothing.
    degrees : array
        Their degrees of freedom, shape (n,).

    Returns
    -------
    s0_squared, d0
        d0 is inf if the variances scatter no more than their degrees of freedom explain; with fewer than three
        variances there is nothing to learn from: (nan, 0).
    """
    keep = (variances > 0) & (degrees > 0)
    if keep.sum() < 3:
        return float("nan"), 0.0
    half = degrees[keep] / 2
    e = np.log(variances[keep]) - special.digamma(half) + np.log(half)
    excess = e.var(ddof=1) - special.polygamma(1, half).mean()
    if excess <= 0:
        return float(np.exp(e.mean())), float("inf")
    half_prior = _inverse_trigamma(excess)
    return float(np.exp(e.mean() + special.digamma(half_prior) - np.log(half_prior))), 2 * half_prior


def moderate(
    variances: np.ndarray, degrees: np.ndarray, default: float, default_degrees: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return posterior variances and their degrees of freedom.

    Parameters
    ----------
    variances, degrees : array
        As in :func:`helpers.hits.moderation.fit_prior`; a variance with 0 degrees of freedom takes the prior's.
    default, default_degrees : float
        The prior to use where there are too few variances to fit one.

    Returns
    -------
    posterior, posterior_degrees
        Each of shape (n,); degrees may be inf.
    """
    prior, d0 = fit_prior(variances, degrees)
    if d0 == 0:
        prior, d0 = default, default_degrees
    total = degrees + d0
    if np.isinf(d0):
        return np.full(len(variances), prior), total
    own = np.where(degrees > 0, variances, 0.0) * degrees
    return (own + d0 * prior) / np.maximum(total, 1e-12), total


def _inverse_trigamma(y: float) -> float:
    """Return x with trigamma(x) = y by Newton's method on 1/trigamma, which is nearly linear (Smyth 2004)."""
    if y > 1e7:
        return 1 / np.sqrt(y)
    if y < 1e-6:
        return 1 / y
    x = 0.5 + 1 / y
    for _ in range(50):
        value = special.polygamma(1, x)
        step = value * (1 - value / y) / special.polygamma(2, x)
        x += step
        if -step / x < 1e-8:
            break
    return float(x)
