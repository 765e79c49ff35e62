"""Weights that keep failed wells from bending a curve: M-estimation with Tukey's biweight.

Iteratively reweighted least squares (Holland and Welsch 1977, doi:10.1080/03610927708827533): three rounds with Huber's
weights from the least-squares fit, then Tukey's, which give a response more than 4.7 scales off its curve no weight at
all. The scale is the median absolute residual of the curve's own responses. Gaussian curves lose 5 % of efficiency.
"""

import numpy as np

from helpers.dose.curves import saturation
from helpers.dose.design import DoseGroup, Points, fill_cells, indexed_groups
from helpers.dose.fit import fit_group
from helpers.dose.flat import FlatNull, from_r2, lend_designs
from helpers.dose.grid import Grid, Limits, Penalty, explained, make_grid
from helpers.dose.plates import FREE, STIFF

HUBER, TUKEY = 1.345, 4.685
ROUNDS = (3, 5)
N_FLAT = 1000
DOUBT = 2.5
"""How readily the tail of the null is doubted: a response of no weight lets the curve pass through the others."""


def robust_weights(
    points: Points,
    *,
    hill_bounds: tuple[float, float],
    margin: float,
    limits_of=None,
) -> tuple[np.ndarray, dict[int, float]]:
    """Return new weights and the variance of a response about its curve.

    Parameters
    ----------
    points : Points
        Responses; plates with levels of their own keep them.
    hill_bounds : tuple of float
        Smallest and largest Hill slope that is searched.
    margin : float
        Factor by which EC50 is searched beyond the doses.
    limits_of : callable, optional
        Takes codes of curves and returns :class:`helpers.dose.grid.Limits`; None = free plateaus.

    Returns
    -------
    weight : array, shape (n_points,)
        The weights given times the robust ones; at least a millionth, so that no response vanishes from the design.
    noise : dict
        Curve code to s2: the variance with which least-squares formulas on the weighted responses hold.
    """
    weight, noise = points.weight.copy(), {}
    for group, chosen, cell in indexed_groups(points):
        grid = make_grid(group.doses, hill_bounds, margin, (41, 13))
        limits = limits_of(group.curves) if limits_of else None
        robust, s2 = _reweight(group, points.take(chosen), cell, grid, limits)
        weight[chosen] *= robust
        noise |= dict(zip(group.curves.tolist(), s2, strict=True))
    return weight, noise


def _reweight(
    group: DoseGroup, points: Points, cell: np.ndarray, grid: Grid, limits: Limits | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return robust weights of a group's points, and s2 of its curves."""
    row, _, _ = np.unravel_index(cell, group.weight.shape)
    n = np.bincount(row)
    n_levels = (group.weight.sum(axis=2) > 0).sum(axis=1) + 3
    robust, current = np.ones(len(cell)), group
    for round_ in range(sum(ROUNDS)):
        residual = _residuals(current, points, cell, grid, limits)
        size = np.abs(residual) * np.sqrt(points.weight)
        freedom = np.sqrt(n / np.maximum(n - n_levels, 1))
        scale = np.maximum(1.4826 * _medians(size, row, len(n)) * freedom, 1e-300)
        u = size / scale[row]
        huber = np.minimum(1.0, HUBER / np.maximum(u, 1e-300))
        robust = huber if round_ < ROUNDS[0] else np.maximum((1 - np.minimum(u / TUKEY, 1) ** 2) ** 2, 1e-6)
        weighted = Points(points.curve, points.plate, points.dose, points.response, points.weight * robust)
        current = fill_cells(group.curves, group.doses, group.weight.shape, cell, weighted)
    inside = np.minimum(u / TUKEY, 1) ** 2
    psi = u * (1 - inside) ** 2
    slope = (1 - inside) * (1 - 5 * inside)
    mean_square, mean_slope = np.bincount(row, psi**2) / n, np.bincount(row, slope) / n
    mean_weight = np.bincount(row, robust) / n
    spread = scale**2 * mean_square / np.maximum(mean_slope, 0.1) ** 2 * freedom**2
    # Huber's correction for few points (Robust Statistics 1981, section 7.6)
    slope_variance = np.maximum(np.bincount(row, slope**2) / n - mean_slope**2, 0.0)
    spread *= (1 + n_levels / n * slope_variance / np.maximum(mean_slope, 0.1) ** 2) ** 2
    return robust, np.maximum(spread * mean_weight, 1e-300)


def _residuals(
    group: DoseGroup, points: Points, cell: np.ndarray, grid: Grid, limits: Limits | None
) -> np.ndarray:
    """Return response minus fitted curve for every point, each plate with its own level."""
    row, plate, column = np.unravel_index(cell, group.weight.shape)
    unit = np.maximum(group.weight.sum(axis=(1, 2)) / group.n_points, 1e-12)
    penalty = Penalty(FREE * unit, STIFF * unit) if group.weight.shape[1] > 1 else None
    fit = fit_group(group, grid, limits=limits, penalty=penalty)
    share = saturation(group.doses, fit.log_ec50[:, None], fit.log_hill[:, None])[row, column]
    front, back = fit.front[row] + fit.plates[row, plate, 0], fit.back[row] + fit.plates[row, plate, 1]
    return points.response - front - (back - front) * share


def _medians(values: np.ndarray, row: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the median of each row's values; `row` is sorted."""
    order = np.lexsort((values, row))
    starts = np.searchsorted(row, np.arange(n_rows + 1))
    size = np.diff(starts)
    low, high = starts[:-1] + (size - 1) // 2, starts[:-1] + size // 2
    return (values[order][low] + values[order][high]) / 2


def simulate_flat_robust(
    group: DoseGroup,
    grid: Grid,
    *,
    hill_bounds: tuple[float, float],
    margin: float,
    from_front: bool = False,
    seed: int,
) -> FlatNull:
    """Return the null of robust fits: flat curves, simulated and reweighted like real ones.

    Parameters
    ----------
    group : DoseGroup
        Its curves lend their designs, see :func:`helpers.dose.flat.lend_designs`.
    grid : Grid
        As in the real fits.
    hill_bounds : tuple of float
        As there.
    margin : float
        As there.
    from_front : bool
        As in :func:`helpers.dose.flat.simulate_flat`.
    seed : int
        Of the noise.
    """
    lender = lend_designs(group, N_FLAT)
    repeat, n_points = group.count[lender].astype(int), int(group.n_points[lender[0]])
    curve, plate, column = (
        np.repeat(place, repeat.ravel()) for place in np.indices(repeat.shape).reshape(3, -1)
    )
    rng = np.random.default_rng([seed, len(group.doses), n_points])
    response = rng.normal(size=len(curve))
    flat = Points.sort(curve, plate, group.doses[column], response, np.ones(len(curve)))
    weight, _ = robust_weights(flat, hill_bounds=hill_bounds, margin=margin)
    flat = Points(flat.curve, flat.plate, flat.dose, flat.response, weight)
    ((reweighted, _, _),) = indexed_groups(flat)
    front = np.zeros(len(reweighted.curves)) if from_front else None
    return from_r2(explained(reweighted, grid, front=front), n_points, doubt=DOUBT)
