"""Windows: how far mock lies from infected on each plate, and how much of that a plate's few controls can tell.

Plates respond more or less strongly. Where a plate's controls tell its own window, its scores are in units of that
window; where they are few, the window is shrunk towards the experiment's on the logarithmic scale, by how much windows
differ between plates beyond their errors (random effects after DerSimonian & Laird 1986,
doi:10.1016/0197-2456(86)90046-2).
"""

from dataclasses import dataclass

import numpy as np

N_ROUNDS = 3
"""Relative errors are those of the shrunk windows, in so many rounds: by its own size, a window that came out small by
chance would count for less than it should."""
LEAST = 2.0
"""Standard errors that a window must be long to count as measured."""


@dataclass(frozen=True)
class Windows:
    """Windows of the plates of one experiment.

    Attributes
    ----------
    lengths : dict
        Plate -> distance from mock to infected, embedding units, shrunk.
    variances : dict
        Plate -> variance of the error of its logarithm: what is not known of how strongly effects show on it.
    leaning : dict
        Plate -> how much of its window is the experiment's, from 0 (all its own) to 1.
    common : float
        Variance of the error of the logarithm of the experiment's window, which all plates share as they lean on it.
    """

    lengths: dict[str, float]
    variances: dict[str, float]
    leaning: dict[str, float]
    common: float = 0.0


def shrink_windows(gaps: dict[str, tuple[float, float]], usual: float) -> Windows:
    """Return the windows of the plates.

    Parameters
    ----------
    gaps : dict
        Plate -> distance between its control medians along the axis of other plates, and the variance of that
        distance; missing (nan) where the plate lacks a kind of control.
    usual : float
        Length of the experiment's axis, embedding units: of plates that tell nothing where no plate does.

    Examples
    --------
    >>> windows = shrink_windows({"1": (1.0, 1e-4), "2": (4.0, 1e-4), "3": (float("nan"), float("nan"))}, 2.0)
    >>> {plate: round(length, 2) for plate, length in windows.lengths.items()}
    {'1': 1.0, '2': 4.0, '3': 2.0}
    """
    plates = list(gaps)
    gap, variance = np.array(list(gaps.values()), dtype=float).reshape(-1, 2).T
    with np.errstate(invalid="ignore"):
        told = (gap > LEAST * np.sqrt(variance)) & (gap > 0)
    if not told.any():
        return Windows(*(dict.fromkeys(plates, value) for value in (usual, 0.0, 1.0)))
    logs, lengths = np.log(gap[told]), gap[told]
    for _ in range(N_ROUNDS):
        # an error of zero would be a plate whose controls agree by chance
        errors = np.maximum(variance[told] / lengths**2, 1e-6)
        between = between_variance(logs, errors)
        weights = 1 / (between + errors)
        middle = float(weights @ logs / weights.sum())
        share = between / (between + errors)
        lengths = np.exp(middle + share * (logs - middle))
    columns = np.array([[np.exp(middle)], [between], [1.0]]).repeat(len(plates), axis=1)
    columns[:, told] = lengths, between * (1 - share), 1 - share
    by_plate = (dict(zip(plates, values.tolist(), strict=True)) for values in columns)
    return Windows(*by_plate, common=float(1 / weights.sum()))


def between_variance(values: np.ndarray, errors: np.ndarray) -> float:
    """Return the variance between values beyond their errors, after DerSimonian & Laird 1986; 0 for a single one.

    Parameters
    ----------
    values, errors : array
        Estimates and their error variances, shape (n,).

    Examples
    --------
    >>> between_variance(np.array([0.0, 2.0]), np.array([0.5, 0.5]))
    1.5
    """
    if len(values) < 2:
        return 0.0
    w = 1 / errors
    q = float(w @ (values - (w @ values) / w.sum()) ** 2)
    return max(0.0, (q - (len(values) - 1)) / float(w.sum() - (w @ w) / w.sum()))
