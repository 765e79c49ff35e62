"""One rule for what differs by rounding only: it is no spread, and nothing is divided by it."""

import numpy as np

ROUNDING = 10 * float(np.finfo(np.float32).eps)
"""Differences up to this share of the size of the numbers are what float32, or sums of it, leave of equal ones."""


def varies(spread: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return which features vary by more than rounding.

    Parameters
    ----------
    spread : array
        Of each feature, in its own unit: a standard deviation, a range or the like, shape (n_features,).
    size : array
        Its largest absolute value, shape (n_features,).

    Examples
    --------
    >>> varies(np.array([0.0, 3e-5, 0.1]), np.array([300.0, 300.0, 300.0])).tolist()
    [False, False, True]
    """
    return np.asarray(spread) > ROUNDING * np.abs(size)


def divisor(spread: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return what features are divided by: their spread, and 1 where it is rounding only.

    Parameters
    ----------
    spread, size : array
        As for :func:`helpers.screens.rounding.varies`.
    """
    return np.where(varies(spread, size), spread, 1.0)
