"""Whether a curve is more than a flat line, and how well its EC50 is known.

Under a flat curve EC50 and Hill slope mean nothing, so the textbook F distribution with 3 and n - 4 degrees of
freedom is wrong (it calls too few or too many curves, depending on the doses). What is right depends only on the
doses and the number of points, so the flat curve is simulated once for each design, and the R2 that the fit reaches
by chance is described by a Beta distribution; its two parameters act as effective degrees of freedom, as in
CurveCurator (Bayer 2023, doi:10.1038/s41467-023-43696-z).
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.dose.design import DoseGroup
from helpers.dose.fit import Fit, Grid

N_FLAT = 4000
N_FLAT_MANY = 1000
"""Flat curves to simulate for each design, and for each where a table has more than ten designs."""


@dataclass(frozen=True)
class FlatNull:
    """Effective degrees of freedom of the F-test against a flat line, for one dose design."""

    numerator: float
    denominator: float

    def f_value(self, r2: np.ndarray) -> np.ndarray:
        """Return F for a coefficient of determination."""
        odds = r2 / np.maximum(1 - r2, 1e-300)
        return odds * self.denominator / self.numerator

    def p_value(self, f_value: np.ndarray) -> np.ndarray:
        """Return the chance of an F at least as large when the curve is flat."""
        return stats.f.sf(f_value, self.numerator, self.denominator)

    def critical(self, alpha: float) -> float:
        """Return the F that a flat curve exceeds with probability alpha."""
        return float(stats.f.isf(alpha, self.numerator, self.denominator))


def simulate_flat(group: DoseGroup, grid: Grid, *, n_flat: int = N_FLAT, seed: int = 0) -> FlatNull:
    """Fit many flat curves of Gaussian noise with the group's doses and typical weights.

    Parameters
    ----------
    group
        Its weights averaged over curves, and its median number of points, define the design.
    grid
        The grid of the real fits, so that both search alike; its bounds on the plateaus are left out, because where
        a flat curve lies between them is not known, and without them the test is on the safe side.
    n_flat
        How many flat curves.
    seed
        Of the noise.
    """
    rng = np.random.default_rng([seed, len(group.doses), int(np.median(group.n_points))])
    weight = np.broadcast_to(group.weight.mean(axis=0), (n_flat, len(group.doses)))
    mean = rng.normal(size=weight.shape) / np.sqrt(weight)
    spare = max(int(np.median(group.n_points)) - len(group.doses), 0)
    within = rng.chisquare(spare, size=n_flat) if spare else np.zeros(n_flat)
    flat = DoseGroup(
        np.arange(n_flat), group.doses, weight, mean, within, np.full(n_flat, spare + len(group.doses))
    )
    free = dataclasses.replace(grid, plateaus=(-np.inf, np.inf))
    rss = np.concatenate([free.rss(part).min(axis=1) for part in flat.chunks()])
    r2 = 1 - rss / flat.null_rss
    mean_r2, variance = r2.mean(), r2.var()
    size = mean_r2 * (1 - mean_r2) / variance - 1
    return FlatNull(2 * mean_r2 * size, 2 * (1 - mean_r2) * size)


@dataclass(frozen=True)
class Profile:
    """How well each EC50 within the grid fits one curve, the other parameters fitted anew.

    Attributes
    ----------
    low, high
        Interval of EC50 in the unit of the doses; 0 and inf where the data set no limit within the grid.
    steepest
        Range of EC50 at which the steepest curve of the grid fits within the limit as well; nan if none does.
    """

    low: float
    high: float
    steepest: tuple[float, float]


def profile_ec50(group: DoseGroup, row: int, fit: Fit, grid: Grid, *, level: float) -> Profile:
    """Return the profile-likelihood interval of one curve's EC50.

    The interval holds the EC50 whose best residual sum of squares is below rss * (1 + F / (n - 4)), F the `level`
    quantile with 1 and n - 4 degrees of freedom. Unlike a standard error it knows that EC50 may be unbounded on
    one side, and that between two doses any EC50 may fit alike.
    """
    surface = grid.rss(group.take(slice(row, row + 1))).reshape(grid.shapes.shape[1:])
    spare = max(int(group.n_points[row]) - 4, 1)
    limit = fit.rss[row] * (1 + stats.f.ppf(level, 1, spare) / spare)
    low, high = _crossings(grid.log_ec50, _profile(surface), limit, fit.log_ec50[row], fit.rss[row])
    steep = np.exp(grid.log_ec50[surface[:, -1] <= limit])
    return Profile(low, high, (steep.min(), steep.max()) if len(steep) else (np.nan, np.nan))


def _profile(surface: np.ndarray) -> np.ndarray:
    """Return the best residual sum of squares at each trial EC50, from the surface over EC50 and Hill slope."""
    best = surface.argmin(axis=1).clip(1, surface.shape[1] - 2)
    rows = np.arange(len(surface))
    left, middle, right = (surface[rows, best + k] for k in (-1, 0, 1))
    # A parabola through the three best Hill slopes removes what the grid is too coarse for.
    bend = left - 2 * middle + right
    dip = np.divide((left - right) ** 2, 8 * bend, out=np.zeros_like(bend), where=bend > 0)
    inside = (middle <= left) & (middle <= right)
    return np.where(inside, middle - dip, surface.min(axis=1))


def _crossings(
    x: np.ndarray, profile: np.ndarray, limit: float, best: float, rss: float
) -> tuple[float, float]:
    """Return where the profile crosses the limit on either side of the optimum, on the dose scale."""
    position = int(np.searchsorted(x, best))
    x = np.insert(x, position, best)
    excess = np.insert(profile, position, rss) - limit
    below = np.flatnonzero(excess <= 0)
    first, last = below[0], below[-1]
    low = 0.0 if first == 0 else np.exp(_root(x, excess, first - 1, first))
    high = np.inf if last == len(x) - 1 else np.exp(_root(x, excess, last, last + 1))
    return float(low), float(high)


def _root(x: np.ndarray, y: np.ndarray, i: int, j: int) -> float:
    return x[i] if y[i] == y[j] else x[i] - y[i] * (x[j] - x[i]) / (y[j] - y[i])


def relevance(
    f_value: np.ndarray, effect: np.ndarray, null: FlatNull, alpha: float, min_effect: float
) -> np.ndarray:
    """Return CurveCurator's relevance score: -log10 p after F was deflated for small effects.

    F_adjusted = 1 / (1 / sqrt(F) + s0 / |effect|)^2 with s0 = min_effect / sqrt(F_alpha), so that a curve needs both a
    small p-value and an effect beyond `min_effect` (Bayer 2023, equations 9 to 11; s0 after Tusher 2001's SAM).
    """
    s0 = min_effect / np.sqrt(null.critical(alpha))
    with np.errstate(divide="ignore"):
        deflated = (1 / np.sqrt(f_value) + s0 / np.abs(effect)) ** -2.0
        return np.maximum(-np.log10(np.maximum(null.p_value(deflated), 1e-300)), 0.0)
