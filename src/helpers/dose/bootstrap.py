"""Intervals from resampled plates.

Whole plates are drawn with replacement, because wells of a plate share its error. Of three plates a plain percentile
interval covers far too seldom: there are ten different draws, and their spread is a third too small in variance. So the
spread of log EC50 over the draws is brought to that of a mean of plates (times n / (n - 1)) and goes with Student's t
for n - 1 degrees of freedom. For a statistic that is linear in the plates this is the exact interval, for EC50 nearly.
"""

import numpy as np
from scipy import stats

from helpers.dose.curves import saturation
from helpers.dose.design import DoseGroup, Points, fill_cells
from helpers.dose.fit import Fit, fit_group
from helpers.dose.grid import Limits, make_grid
from helpers.dose.profile import Intervals

GRID = (31, 9)


def bootstrap_intervals(
    group: DoseGroup,
    fit: Fit,
    limits: Limits,
    *,
    points: tuple[Points, np.ndarray] | None,
    hill_bounds: tuple[float, float],
    margin: float,
    level: float,
    draws: int,
    seed: int,
) -> Intervals:
    """Return bootstrap intervals of log EC50, log Hill slope and back.

    Parameters
    ----------
    group : DoseGroup
        The curves.
    fit : Fit
        Their fits, about whose estimates the intervals lie.
    limits : Limits
        Of the plateaus.
    points : tuple or None
        The group's points and their cells, to resample residuals where there are no plates; None = draw plates.
    hill_bounds : tuple of float
        Smallest and largest Hill slope that is searched.
    margin : float
        Factor by which EC50 is searched beyond the doses.
    level : float
        Coverage.
    draws : int
        How many resamples. Those that are the same set of plates are fitted once.
    seed : int
        Of the draws; every curve of the group is drawn alike.
    """
    grid = make_grid(group.doses, hill_bounds, margin, GRID)
    rng = np.random.default_rng([seed, draws, group.weight.shape[1]])
    if points is None:
        samples, times = _plate_samples(group, draws, rng)
        n_plates = group.weight.shape[1]
        quantile = stats.t.ppf(0.5 + level / 2, n_plates - 1) * np.sqrt(n_plates / (n_plates - 1))
    else:
        samples, times = _residual_samples(group, fit, *points, draws, rng), np.ones(draws)
        quantile = stats.norm.ppf(0.5 + level / 2)
    fits = [fit_group(sample, grid, limits=limits) for sample in samples]
    share = times / times.sum()
    tail = (1 - level) / 2
    log_ec50 = np.array([f.log_ec50 for f in fits])
    at_low = share @ (log_ec50 <= grid.log_ec50[0] + 1e-9) > tail
    at_high = share @ (log_ec50 >= grid.log_ec50[-1] - 1e-9) > tail
    low, high = _around(fit.log_ec50, log_ec50, share, quantile)
    hill = _around(fit.log_hill, np.array([f.log_hill for f in fits]), share, quantile)
    back = _around(fit.back, np.array([f.back for f in fits]), share, quantile)
    back = (b.clip(limits.low[:, 1], limits.high[:, 1]) for b in back)
    return Intervals(np.where(at_low, -np.inf, low), np.where(at_high, np.inf, high), *hill, *back)


def _around(estimate: np.ndarray, values: np.ndarray, share: np.ndarray, quantile: float) -> tuple:
    """Return estimate -/+ quantile x SD of the resampled values, whose shares are given."""
    centre = share @ values
    spread = np.sqrt(share @ (values - centre) ** 2)
    return estimate - quantile * spread, estimate + quantile * spread


def _plate_samples(group: DoseGroup, draws: int, rng: np.random.Generator) -> tuple[list, np.ndarray]:
    """Return the different sets of plates that were drawn, as groups, and how often each was."""
    n_plates = group.weight.shape[1]
    counts = rng.multinomial(n_plates, np.full(n_plates, 1 / n_plates), size=draws)
    different, times = np.unique(counts, axis=0, return_counts=True)
    size = (len(group.curves), n_plates)
    return [group.reweight(np.broadcast_to(row, size).astype(float)).pooled() for row in different], times


def _residual_samples(
    group: DoseGroup, fit: Fit, points: Points, cell: np.ndarray, draws: int, rng: np.random.Generator
) -> list[DoseGroup]:
    """Return groups whose responses are the fitted curve plus residuals drawn with replacement from the same curve.

    Residuals are scaled up by what the fit took from them; drawing responses within doses instead would give half the
    variance where a dose has two.
    """
    row, _, column = np.unravel_index(cell, group.weight.shape)
    share = saturation(group.doses, fit.log_ec50[:, None], fit.log_hill[:, None])[row, column]
    level = fit.front[row] + (fit.back - fit.front)[row] * share
    n = np.bincount(row)
    scale = np.sqrt(n / np.maximum(n - 4, 1))[row]
    residual = (points.response - level) * np.sqrt(points.weight) * scale
    starts = (np.cumsum(n) - n)[row]
    out = []
    for _ in range(draws):
        drawn = residual[starts + np.floor(rng.random(len(row)) * n[row]).astype(int)]
        response = level + drawn / np.sqrt(points.weight)
        sample = Points(points.curve, points.plate, points.dose, response, points.weight)
        out.append(fill_cells(group.curves, group.doses, group.weight.shape, cell, sample))
    return out
