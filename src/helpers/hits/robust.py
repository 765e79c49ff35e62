"""Robust means: an arm's mean that a single failed well cannot carry.

Wells are drawn in towards the middle well of their arm before they are averaged: a well further from it than wells of
one arm ever differ counts as if it stood at that distance (Huber 1964, doi:10.1214/aoms/1177703732). With an even
number the middle is the one of the two middle wells that is nearer to no effect: of two wells that disagree, the one
that shows nothing is believed. The null's wells are averaged in the same way.
"""

import numpy as np

REACH = 2.5
"""Standard deviations of the difference of two wells beyond which a well is drawn in."""


def draw_in(values: np.ndarray, spread: np.ndarray | float) -> np.ndarray:
    """Return the wells of arms of one size, drawn in towards the middle well of each.

    Parameters
    ----------
    values : array
        Effects, 0 = none, shape (n_arms, n_wells); they come back in ascending order.
    spread : array or float
        Standard deviation of the wells of an arm, a number or shape (n_arms, 1).

    Returns
    -------
    ndarray, shape (n_arms, n_wells)

    Examples
    --------
    >>> draw_in(np.array([[0.1, 0.2, 9.0], [0.0, 0.1, 0.2]]), 0.1).round(2).tolist()
    [[0.1, 0.2, 0.55], [0.0, 0.1, 0.2]]
    >>> draw_in(np.array([[0.0, 5.0]]), 0.1).round(2).tolist()
    [[0.0, 0.35]]
    """
    values = np.sort(values, axis=1)
    n = values.shape[1]
    if n < 2:
        return values
    low, high = values[:, (n - 1) // 2], values[:, n // 2]
    middle = np.where(np.abs(low) <= np.abs(high), low, high)[:, None]
    reach = REACH * np.sqrt(2) * spread
    return np.clip(values, middle - reach, middle + reach)


def draw_in_arms(values: np.ndarray, spread: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Return wells of arms of any size drawn in, in the order in which they were given.

    Parameters
    ----------
    values, spread : array
        Effect of each well, and the standard deviation of wells on its plate, shape (n_wells,).
    arm : array of int
        Number of the arm of each well, from 0, shape (n_wells,).
    """
    out = np.array(values, dtype=float)
    sizes = np.bincount(arm) if len(arm) else np.empty(0, dtype=int)
    order = np.lexsort((values, arm))
    for size in np.unique(sizes[sizes > 1]):
        rows = order[sizes[arm[order]] == size].reshape(-1, size)
        out[rows] = draw_in(values[rows], spread[rows].mean(axis=1, keepdims=True))
    return out
