"""Whether a curve is more than a flat line.

Under a flat curve EC50 and Hill slope mean nothing, so the textbook F distribution with 3 and n - 4 degrees of
freedom is wrong (it calls too few or too many curves, depending on the doses). What is right depends only on the
doses and the number of points, so the flat curve is simulated once for each design, and the R2 that the fit reaches
by chance is described by a Beta distribution; its two parameters act as effective degrees of freedom, as in
CurveCurator (Bayer 2023, doi:10.1038/s41467-023-43696-z). Each plate has a level of its own under the flat line and
under the curve alike, so that shifts of plates neither hide an effect nor feign one.

Where the front is known the flat line is that, and a curve starts there: one parameter less to be fooled by, and a
level that differs from the front is an effect too. Plates that shift tell a level only as a few independent numbers, so
there it is a second test, of the plates' means.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from helpers.dose.design import DoseGroup, Points, fill_cells, indexed_groups
from helpers.dose.grid import Grid, explained, make_grid

N_FLAT, N_FLAT_MANY, N_FLAT_ALL = 4000, 1000, 8000
"""Flat curves to simulate for each null, at most and at least, and for all nulls of a table between these."""

MIN_SHARE = 0.1
"""Share of the curves at some doses that must have the same design for it to get a null of its own."""

NOTHING = 1e-9
"""R2 below which a design can explain nothing."""
TAIL = (0.5, 0.8, 0.9, 0.95, 0.975, 0.99)
"""Quantiles of R2 that the null's Beta distribution is fitted to."""


@dataclass(frozen=True)
class FlatNull:
    """Effective degrees of freedom of the F-test against a flat line, for one dose design.

    `n_points` is the number of responses they hold for; a curve with more or fewer of them has as many more or fewer
    in the denominator. No p-value is below `floor`.
    """

    numerator: float
    denominator: float
    n_points: float
    floor: float = 0.0

    def degrees(self, n_points) -> np.ndarray:
        """Return the denominator's degrees of freedom for curves with so many points."""
        return np.maximum(self.denominator + np.asarray(n_points) - self.n_points, 1.0)

    def f_value(self, r2: np.ndarray, n_points) -> np.ndarray:
        """Return F for a coefficient of determination."""
        odds = r2 / np.maximum(1 - r2, 1e-300)
        return odds * self.degrees(n_points) / self.numerator

    def p_value(self, f_value: np.ndarray, n_points) -> np.ndarray:
        """Return the chance of an F at least as large when the curve is flat."""
        return np.maximum(stats.f.sf(f_value, self.numerator, self.degrees(n_points)), self.floor)

    def critical(self, alpha: float, n_points) -> np.ndarray:
        """Return the F that a flat curve exceeds with probability alpha."""
        return stats.f.isf(alpha, self.numerator, self.degrees(n_points))


def from_r2(r2: np.ndarray, n_points: float, *, doubt: float = 1.0) -> FlatNull:
    """Return the null whose Beta distribution has the upper quantiles of the R2 that flat curves reached.

    Moments give the start; the quantiles, because a test lives in the upper tail. Few points that four parameters fit
    almost exactly have a tail that no Beta distribution has: where it gives the fifth largest R2, whose p-value is
    about 5 / n, less than `doubt` / n, no p-value below 1 / n is given.
    """
    if r2.max() < NOTHING:  # such as where each dose stands on a plate of its own
        return FlatNull(1.0, 1.0, n_points)
    mean, variance = r2.mean(), max(r2.var(), 1e-300)
    size = max(mean * (1 - mean) / variance - 1, 1e-3)
    reached = special.logit(np.quantile(r2, TAIL).clip(1e-12, 1 - 1e-12))

    def misfit(logs: np.ndarray) -> np.ndarray:
        return special.logit(stats.beta.ppf(TAIL, *np.exp(logs)).clip(1e-12, 1 - 1e-12)) - reached

    found = optimize.least_squares(misfit, np.log([mean * size, (1 - mean) * size]), max_nfev=50)
    shape = np.exp(found.x)
    heavy = stats.beta.sf(np.partition(r2, -5)[-5], *shape) < doubt / len(r2)
    return FlatNull(*(2 * shape).tolist(), n_points, 1 / len(r2) if heavy else 0.0)


def share_null(group: DoseGroup) -> list[np.ndarray]:
    """Return the positions of the curves that share a null, ascending.

    Which doses stand on which plate decides how much a curve explains by chance once each plate has its own level. So
    every design that many curves have (plates are exchangeable) gets a null of its own, and the others, such as
    curves that lost a well here or there, get one together.
    """
    n_curves = len(group.curves)
    order = np.lexsort(np.moveaxis(group.weight, 2, 0)[::-1], axis=1)
    canonical = np.take_along_axis(group.weight, order[:, :, None], axis=1).reshape(n_curves, -1)
    _, design, size = np.unique(canonical, axis=0, return_inverse=True, return_counts=True)
    design = design.reshape(-1)
    own = np.flatnonzero(size >= max(MIN_SHARE * n_curves, 1))
    parts = [np.flatnonzero(design == d) for d in own]
    rest = np.flatnonzero(~np.isin(design, own))
    return [*parts, rest] if len(rest) else parts


def lend_designs(group: DoseGroup, n_flat: int) -> np.ndarray:
    """Return which curve lends its design to each flat one, shape (n_flat,): those of median size, in turn."""
    size = group.n_points
    median = np.sort(size)[(len(size) - 1) // 2]
    return np.resize(np.flatnonzero(size == median), n_flat)


def simulate_flat(
    group: DoseGroup, grid: Grid, *, n_flat: int = N_FLAT, from_front: bool = False, seed: int = 0
) -> FlatNull:
    """Fit many flat curves of Gaussian noise with the doses, plates and weights of the group's curves.

    Parameters
    ----------
    group : DoseGroup
        Its curves lend their designs, see :func:`helpers.dose.flat.lend_designs`.
    grid : Grid
        The grid of the real fits, so that both search alike. Limits of the plateaus play no part in the test.
    n_flat : int
        How many flat curves.
    from_front : bool
        Whether curves start at a known front, here 0.
    seed : int
        Of the noise.
    """
    lender = lend_designs(group, n_flat)
    weight, n_points = group.weight[lender], int(group.n_points[lender[0]])
    rng = np.random.default_rng([seed, len(group.doses), n_points])
    mean = rng.normal(size=weight.shape) / np.sqrt(np.where(weight > 0, weight, 1.0))
    spare = n_points - (weight > 0).sum(axis=(1, 2))
    within = np.zeros(weight.shape)
    within[:, 0, 0] = 2 * rng.standard_gamma(spare / 2)  # chi-square, 0 where no cell holds a second response
    flat = DoseGroup(np.arange(n_flat), group.doses, weight, mean, within, np.broadcast_to(1.0, weight.shape))
    return from_r2(explained(flat, grid, front=np.zeros(n_flat) if from_front else None), n_points)


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

    Parameters
    ----------
    points : Points
        Responses of all curves.
    n_permutations : int
        Shuffles.
    hill_bounds : tuple of float
        Smallest and largest Hill slope that is searched.
    margin : float
        Factor by which EC50 is searched beyond the doses.
    seed : int
        Of the shuffles.

    Returns
    -------
    dict
        Code of the curve -> p-value.
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


def level_p(group: DoseGroup, front: np.ndarray) -> np.ndarray:
    """Return the p-value of *the mean response is `front`*, shape (n_curves,): a two-sided t-test of plates' means.

    Plates are the replicates, whose wells share a level: a single one gives p = 1.
    """
    used = group.weight.sum(axis=2) > 0
    n = used.sum(axis=1)
    means = np.where(used, group.plate_means() - front[:, None], 0.0)
    mean = means.sum(axis=1) / n
    square = (np.where(used, means - mean[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(n - 1, 1)
    error = np.sqrt(np.maximum(square, 1e-300) / n)
    return np.where(n > 1, 2 * stats.t.sf(np.abs(mean) / error, np.maximum(n - 1, 1)), 1.0)


def together(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the p-value of two independent ones taken together (Fisher 1932, Statistical Methods, section 21.1)."""
    logs = np.log(np.maximum(one, 1e-300)) + np.log(np.maximum(other, 1e-300))
    return stats.chi2.sf(-2 * logs, 4)


def either(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Return the p-value of the smaller of two, of which the second gets a `share` of the error (Bonferroni)."""
    return np.minimum(np.minimum(one / (1 - share), other / share), 1.0)


def relevance(
    f_value: np.ndarray, effect: np.ndarray, null: FlatNull, n_points, alpha: float, min_effect: float
) -> np.ndarray:
    """Return CurveCurator's relevance score: -log10 p after F was deflated for small effects.

    F_adjusted = 1 / (1 / sqrt(F) + s0 / |effect|)^2 with s0 = min_effect / sqrt(F_alpha), so that a curve needs both a
    small p-value and an effect beyond `min_effect` (Bayer 2023, equations 9 to 11; s0 after Tusher 2001's SAM).

    Parameters
    ----------
    f_value : array
        Of the test against a flat line, shape (n_curves,).
    effect : array
        In units of the response, of either sign, shape (n_curves,).
    null : FlatNull
        Of the design.
    n_points : array
        Responses of each curve.
    alpha : float
        Level at which s0 is set, in (0, 1).
    min_effect : float
        In units of the response, 0 or more.

    Returns
    -------
    array
        0 or more, shape (n_curves,).
    """
    s0 = min_effect / np.sqrt(null.critical(alpha, n_points))
    with np.errstate(divide="ignore", invalid="ignore"):
        deflated = (1 / np.sqrt(f_value) + s0 / np.abs(effect)) ** -2.0
        p = null.p_value(np.nan_to_num(deflated), n_points)
        return np.maximum(-np.log10(np.maximum(p, 1e-300)), 0.0)
