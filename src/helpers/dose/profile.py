"""Intervals from the profile likelihood: of EC50 and other effective doses, Hill slope and plateau.

A value belongs to the interval if the best fit with it has a sum of squares below rss + s2 x F, with s2 the residual
variance and F the quantile with 1 and as many degrees of freedom as s2 has (Bates and Watts 1988,
doi:10.1002/9780470316757, chapter 6). Unlike a standard error this knows that an EC50 may be unbounded on one side,
and that between two doses any EC50 may fit alike. The coarse grid of the fit gives the region, a finer grid of each
curve's own inside it the limits.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.dose.curves import saturation
from helpers.dose.design import DoseGroup
from helpers.dose.fit import Fit
from helpers.dose.grid import (
    Grid,
    Limits,
    Penalty,
    Surface,
    chunk_size,
    normal_equations,
    smallest_rss,
)

FINE = (33, 17)
"""Trial values of the effective dose and of the Hill slope inside the region."""


@dataclass(frozen=True)
class Region:
    """Where a curve's log EC50 and log Hill slope may lie, from the coarse grid; each of shape (n_curves,).

    `open_low`, `open_high` say that the region of EC50 reaches the end of the grid.
    """

    ec50_low: np.ndarray
    ec50_high: np.ndarray
    hill_low: np.ndarray
    hill_high: np.ndarray
    open_low: np.ndarray
    open_high: np.ndarray

    def take(self, rows) -> "Region":
        """Return those of some curves."""
        return Region(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Intervals:
    """Limits of log EC50, log Hill slope and back, shape (n_curves,) each; -inf and inf where there is none."""

    ec50_low: np.ndarray
    ec50_high: np.ndarray
    hill_low: np.ndarray
    hill_high: np.ndarray
    back_low: np.ndarray
    back_high: np.ndarray


def region(grid: Grid, surface: Surface, fit: Fit, limit: np.ndarray) -> Region:
    """Return the box of EC50 and Hill slope that holds every fit with a sum of squares below `limit`.

    Parameters
    ----------
    grid : Grid
        Trial values.
    surface : Surface
        Sums of squares over it.
    fit : Fit
        Of the same curves.
    limit : array
        Sum of squares, shape (n_curves,).
    """
    ec50_low, ec50_high, open_low, open_high = _box(grid.log_ec50, surface.over_ec50, fit.log_ec50, limit)
    hill_low, hill_high, _, _ = _box(grid.log_hill, surface.over_hill, fit.log_hill, limit)
    return Region(ec50_low, ec50_high, hill_low, hill_high, open_low, open_high)


def _box(x: np.ndarray, values: np.ndarray, best: np.ndarray, limit: np.ndarray) -> tuple:
    """Return the range of x within the limit, one grid step wider, and whether it reaches the ends."""
    inside = values <= limit[:, None]
    position = np.searchsorted(x, best).clip(1, len(x) - 1)
    first = np.where(inside.any(axis=1), inside.argmax(axis=1), len(x))
    last = np.where(inside.any(axis=1), len(x) - 1 - inside[:, ::-1].argmax(axis=1), -1)
    low = np.minimum(first - 1, position - 1).clip(0)
    high = np.maximum(last + 1, position).clip(0, len(x) - 1)
    # with an optimum that lies on its bound the grid may miss by rounding what the fit has reached
    open_low = (first == 0) | (best <= x[0] + 1e-9)
    open_high = (last == len(x) - 1) | (best >= x[-1] - 1e-9)
    return x[low], x[high], open_low, open_high


def effective_dose_interval(
    group: DoseGroup,
    fit: Fit,
    box: Region,
    limit: np.ndarray,
    limits: Limits,
    penalty: Penalty | None,
    *,
    share: float = 0.5,
) -> Intervals:
    """Return profile intervals; `ec50_low`, `ec50_high` are those of the dose with this share of the full effect.

    Parameters
    ----------
    group : DoseGroup
        The curves.
    fit : Fit
        Their fits.
    box : Region
        Where to look, from :func:`helpers.dose.profile.region`.
    limit : array
        Sum of squares at the ends of the intervals, shape (n_curves,).
    limits : Limits
        Of the plateaus.
    penalty : Penalty or None
        Of the plates' own shifts and gains.
    share : float
        Of the full effect, in (0, 1).
    """
    parts = []
    size = chunk_size(FINE[0] * FINE[1] * 2)
    for start in range(0, len(group.curves), size):
        rows = slice(start, start + size)
        part = (group.take(rows), fit.take(rows), box.take(rows), limit[rows], limits.take(rows))
        parts.append(_fine_intervals(*part, penalty and penalty.take(rows), share))
    return Intervals(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _fine_intervals(group, fit, box, limit, limits, penalty, share) -> tuple[np.ndarray, ...]:
    """Return the intervals of some curves from a fine grid of each one's own."""
    log_hill = np.linspace(box.hill_low, box.hill_high, FINE[1], axis=1)
    shift = special.logit(share) * np.exp(-log_hill)
    target = np.linspace(box.ec50_low + shift.min(axis=1), box.ec50_high + shift.max(axis=1), FINE[0], axis=1)
    log_ec50 = target[:, :, None] - shift[:, None, :]
    shapes = saturation(group.doses[None, :, None, None], log_ec50[:, None], log_hill[:, None, None, :])
    normal = normal_equations(group, shapes.reshape(*shapes.shape[:2], -1), penalty)
    within = group.within_ss[:, None]
    rss = (smallest_rss(normal, limits) + within).reshape(log_ec50.shape)
    best = fit.log_ec50 + special.logit(share) / fit.hill
    low, high = _crossings(target, _valley(rss), limit, best, fit.rss)
    low, high = np.where(box.open_low, -np.inf, low), np.where(box.open_high, np.inf, high)
    hill = _crossings(log_hill, _valley(rss.transpose(0, 2, 1)), limit, fit.log_hill, fit.rss)
    back = _plateau_interval(normal, within, limit, limits, fit.back)
    return low, high, *hill, *back


def _valley(surface: np.ndarray) -> np.ndarray:
    """Return the smallest value along the last axis, between grid points by a parabola."""
    best = surface.argmin(axis=-1).clip(1, surface.shape[-1] - 2)[..., None]
    left, middle, right = (np.take_along_axis(surface, best + k, axis=-1)[..., 0] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    dip = np.divide((left - right) ** 2, 8 * bend, out=np.zeros_like(bend), where=bend > 0)
    inside = (middle <= left) & (middle <= right)
    return np.where(inside, middle - dip, surface.min(axis=-1))


def _crossings(x, profile, limit, best, rss) -> tuple[np.ndarray, np.ndarray]:
    """Return where profiles cross the limit on either side of the optimum; the ends of x where they do not.

    The signed root of the excess over the optimum is nearly linear in x, so it is what is interpolated.
    """
    x = np.concatenate([x, best[:, None]], axis=1)
    root = np.sqrt(np.maximum(np.concatenate([profile, rss[:, None]], axis=1) - rss[:, None], 0.0))
    order = np.argsort(x, axis=1, kind="stable")
    x, root = np.take_along_axis(x, order, 1), np.take_along_axis(root, order, 1)
    height = np.sqrt(np.maximum(limit - rss, 0.0))
    inside = root <= height[:, None]
    rows, end = np.arange(len(x)), x.shape[1] - 1
    first, last = inside.argmax(axis=1), end - inside[:, ::-1].argmax(axis=1)

    def between(i, j):
        rise = root[rows, j] - root[rows, i]
        part = np.divide(height - root[rows, i], rise, out=np.ones_like(rise), where=rise > 0)
        return x[rows, i] + part.clip(0, 1) * (x[rows, j] - x[rows, i])

    low = np.where(first == 0, x[:, 0], between(first, np.maximum(first - 1, 0)))
    high = np.where(last == end, x[:, -1], between(last, np.minimum(last + 1, end)))
    return low, high


def _plateau_interval(normal: tuple, within, limit, limits: Limits, best) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of back over all shapes that fit within the limit.

    At each shape the sum of squares is a parabola in back, so its own limits are known in closed form.
    """
    a, b, c, p, q, square = normal
    tiny = 1e-9 * (a + 2 * b + c)
    # front solved for: free, or held at its value
    given = (limits.low[:, :1] == limits.high[:, :1]) & (a > 0)
    held = np.where(np.isfinite(limits.low[:, :1]), limits.low[:, :1], 0.0)
    curvature = np.where(given, c, c - b**2 / np.maximum(a, tiny))
    slope = np.where(given, q - b * held, q - b * p / np.maximum(a, tiny))
    base = np.where(given, square - 2 * held * p + held**2 * a, square - p**2 / np.maximum(a, tiny))
    known = curvature > tiny
    centre = slope / np.where(known, curvature, 1.0)
    room = limit[:, None] - within - (base - slope * centre)
    half = np.sqrt(np.maximum(room, 0.0) / np.where(known, curvature, 1.0))
    fits = room >= 0
    low = np.where(fits, np.where(known, centre - half, -np.inf), np.inf).min(axis=1)
    high = np.where(fits, np.where(known, centre + half, np.inf), -np.inf).max(axis=1)
    bounds = limits.low[:, 1], limits.high[:, 1]
    return np.minimum(low, best).clip(*bounds), np.maximum(high, best).clip(*bounds)
