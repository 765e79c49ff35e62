"""Whether a curve is more than a flat line.

Under a flat curve EC50 and Hill slope mean nothing, so the textbook F distribution with 3 and n - 4 degrees of
freedom is wrong (it calls too few or too many curves, depending on the doses). What is right depends only on the
doses and the number of points, so the flat curve is simulated once for each design, and the R2 that the fit reaches
by chance is described by a Beta distribution; its two parameters act as effective degrees of freedom, as in
CurveCurator (Bayer 2023, doi:10.1038/s41467-023-43696-z). Each plate has a level of its own under the flat line and
under the curve alike, so that shifts of plates neither hide an effect nor feign one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from helpers.dose.design import DoseGroup, Points, fill_cells, indexed_groups
from helpers.dose.grid import Grid, explained, make_grid

N_FLAT = 4000
N_FLAT_MANY = 1000
"""Flat curves to simulate for each design, and for each where a table has more than ten designs."""


TAIL = (0.5, 0.8, 0.9, 0.95, 0.975, 0.99)
"""Quantiles of R2 that the null's Beta distribution is fitted to."""


@dataclass(frozen=True)
class FlatNull:
    """Effective degrees of freedom of the F-test against a flat line, for one dose design.

    `n_points` is the number of responses they hold for; a curve with more or fewer of them has as many more or fewer
    in the denominator.
    """

    numerator: float
    denominator: float
    n_points: float

    def degrees(self, n_points) -> np.ndarray:
        """Return the denominator's degrees of freedom for curves with so many points."""
        return np.maximum(self.denominator + np.asarray(n_points) - self.n_points, 1.0)

    def f_value(self, r2: np.ndarray, n_points) -> np.ndarray:
        """Return F for a coefficient of determination."""
        odds = r2 / np.maximum(1 - r2, 1e-300)
        return odds * self.degrees(n_points) / self.numerator

    def p_value(self, f_value: np.ndarray, n_points) -> np.ndarray:
        """Return the chance of an F at least as large when the curve is flat."""
        return stats.f.sf(f_value, self.numerator, self.degrees(n_points))

    def critical(self, alpha: float, n_points) -> np.ndarray:
        """Return the F that a flat curve exceeds with probability alpha."""
        return stats.f.isf(alpha, self.numerator, self.degrees(n_points))


def from_r2(r2: np.ndarray, n_points: float) -> FlatNull:
    """Return the null whose Beta distribution has the upper quantiles of the R2 that flat curves reached.

    Moments give the start; the quantiles, because a test lives in the upper tail.
    """
    mean, variance = r2.mean(), max(r2.var(), 1e-300)
    size = max(mean * (1 - mean) / variance - 1, 1e-3)
    reached = special.logit(np.quantile(r2, TAIL).clip(1e-12, 1 - 1e-12))

    def misfit(logs: np.ndarray) -> np.ndarray:
        return special.logit(stats.beta.ppf(TAIL, *np.exp(logs)).clip(1e-12, 1 - 1e-12)) - reached

    found = optimize.least_squares(misfit, np.log([mean * size, (1 - mean) * size]), max_nfev=50)
    shape = np.exp(found.x)
    return FlatNull(2 * float(shape[0]), 2 * float(shape[1]), n_points)


def simulate_flat(group: DoseGroup, grid: Grid, *, n_flat: int = N_FLAT, seed: int = 0) -> FlatNull:
    """Fit many flat curves of Gaussian noise with the group's doses, plates and typical weights.

    Parameters
    ----------
    group
        Its weights averaged over curves, and its median number of points, define the design.
    grid
        The grid of the real fits, so that both search alike. Limits of the plateaus play no part in the test.
    n_flat
        How many flat curves.
    seed
        Of the noise.
    """
    n_points = int(np.median(group.n_points))
    rng = np.random.default_rng([seed, len(group.doses), n_points])
    typical = group.weight.mean(axis=0)
    weight = np.broadcast_to(typical, (n_flat, *typical.shape))
    mean = rng.normal(size=weight.shape) / np.sqrt(np.where(weight > 0, weight, 1.0))
    spare = max(n_points - int((typical > 0).sum()), 0)
    within = np.zeros(weight.shape)
    within[:, 0, 0] = rng.chisquare(spare, size=n_flat) if spare else 0.0
    flat = DoseGroup(np.arange(n_flat), group.doses, weight, mean, within, np.broadcast_to(1.0, weight.shape))
    return from_r2(explained(flat, grid), n_points)


def permutation_p(
    points: Points,
    *,
    n_permutations: int,
    hill_bounds: tuple[float, float],
    margin: float,
    seed: int,
) -> dict[int, float]:
    """Return for each curve how often it explains as much after its doses were shuffled within plates.

    The p-value is (1 + number of shuffles that explain at least as much) / (1 + number of shuffles) (Phipson 2010,
    doi:10.2202/1544-6115.1585): exact whatever the noise, as long as wells of a plate are exchangeable, and never below
    1 / (1 + `n_permutations`). Real and shuffled curves are searched on the same coarse grid.
    """
    rng = np.random.default_rng([seed, n_permutations])
    out: dict[int, float] = {}
    for group, chosen, cell in indexed_groups(points):
        mine = points.take(chosen)
        grid = make_grid(group.doses, hill_bounds, margin, (25, 7))
        observed = explained(group, grid)
        reached = np.zeros(len(observed))
        block = np.cumsum((np.diff(mine.curve, prepend=-1) != 0) | (np.diff(mine.plate, prepend=-1) != 0))
        order = np.arange(len(block))
        for _ in range(n_permutations):
            shuffled = np.lexsort((rng.random(len(block)), block))
            moved = Points(mine.curve, mine.plate, mine.dose, mine.response[shuffled], mine.weight[shuffled])
            flat = fill_cells(group.curves, group.doses, group.weight.shape, cell[order], moved)
            reached += explained(flat, grid) >= observed * (1 - 1e-9)
        out |= dict(zip(group.curves.tolist(), (1 + reached) / (1 + n_permutations), strict=True))
    return out


def relevance(
    f_value: np.ndarray, effect: np.ndarray, null: FlatNull, n_points, alpha: float, min_effect: float
) -> np.ndarray:
    """Return CurveCurator's relevance score: -log10 p after F was deflated for small effects.

    F_adjusted = 1 / (1 / sqrt(F) + s0 / |effect|)^2 with s0 = min_effect / sqrt(F_alpha), so that a curve needs both a
    small p-value and an effect beyond `min_effect` (Bayer 2023, equations 9 to 11; s0 after Tusher 2001's SAM).
    """
    s0 = min_effect / np.sqrt(null.critical(alpha, n_points))
    with np.errstate(divide="ignore", invalid="ignore"):
        deflated = (1 / np.sqrt(f_value) + s0 / np.abs(effect)) ** -2.0
        p = null.p_value(np.nan_to_num(deflated), n_points)
        return np.maximum(-np.log10(np.maximum(p, 1e-300)), 0.0)
