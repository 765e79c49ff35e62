"""When a feature has a spread, and when what looks like one is the rounding of float32."""

import numpy as np


def rounding(largest: np.ndarray) -> np.ndarray:
    """Return the spread that rounding alone may give float32 values.

    Parameters
    ----------
    largest : array, shape (n_features,)
        Largest absolute value of each feature.
    """
    return 10 * float(np.finfo(np.float32).eps) * largest


def live_scale(scale: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return spreads to divide by, float32, shape (n_features,): 1 where `scale` is zero or only rounding.

    Parameters
    ----------
    scale : array, shape (n_features,)
        A spread of each feature, in its own units.
    X : array, shape (n, n_features)
        The values that it was taken from.
    """
    return np.where(scale > rounding(np.abs(X).max(axis=0)), scale, 1.0).astype(np.float32)
