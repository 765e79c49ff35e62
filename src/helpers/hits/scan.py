"""Scan: the statistic of a compound over its doses."""

import numpy as np

STATISTICS = ("max", "trend")
"""Statistics of a compound over its doses: the largest window of any doses, or of those that end at the highest one."""


def max_window(
    means: np.ndarray, variances: np.ndarray, shared: float | np.ndarray, *, statistic: str = "max"
) -> np.ndarray:
    """Return the largest standardised mean over windows of consecutive doses.

    Scanning windows finds a compound that works at its top doses (a window that ends at the top), one that turns
    toxic there (a window in the middle), and one that works at a single dose alike, at the price of one maximum whose
    null is drawn the same way.

    Parameters
    ----------
    means : array
        Mean at each dose in dose order, shape (..., n_doses); nan = no wells.
    variances : array
        Variance of each, without the part that all doses share, shape (..., n_doses) or (n_doses,).
    shared : float or array
        Variance of the error shared by all doses, a number or shape (...,).
    statistic : str
        One of :data:`helpers.hits.STATISTICS`: `max` over all windows; `trend` over those that end at the highest
        dose, step contrasts against a monotone effect, in the spirit of Williams 1971 (doi:10.2307/2528930).

    Returns
    -------
    ndarray, shape (...,)
    """
    variances = np.broadcast_to(variances, means.shape)
    shared = np.asarray(shared, dtype=float)[..., None]
    present = np.isfinite(means)
    weight = np.where(present, 1 / variances, 0.0)
    zero = np.zeros((*means.shape[:-1], 1))
    total = np.concatenate([zero, np.cumsum(weight, axis=-1)], axis=-1)
    weighted = np.concatenate([zero, np.cumsum(weight * np.where(present, means, 0.0), axis=-1)], axis=-1)
    best = np.full(means.shape[:-1], -np.inf)
    for length in range(1, means.shape[-1] + 1):
        w = total[..., length:] - total[..., :-length]
        with np.errstate(invalid="ignore", divide="ignore"):
            z = (weighted[..., length:] - weighted[..., :-length]) / w / np.sqrt(1 / w + shared)
        z = np.where(w > 0, z, -np.inf)
        best = np.maximum(best, z[..., -1] if statistic == "trend" else z.max(axis=-1))
    return best
