"""The sum of squares over trial values of EC50 and Hill slope, the plateaus solved for at each of them.

Given EC50 and Hill slope the curve is linear in its plateaus, so they need no search (variable projection, Golub 1973,
doi:10.1137/0710036). Plates may have plateaus of their own: each plate's deviation from the common ones costs a
quadratic penalty (`Penalty`), which is the linear mixed model of the curve with the plate's shift and gain as random
effects; they too are solved for, in closed form.
"""

from dataclasses import dataclass

import numpy as np

from helpers.dose.curves import saturation
from helpers.dose.design import DoseGroup

N_EC50, N_HILL = 61, 17
CACHED = 200_000
"""Grid values per array and chunk: 1.6 MB."""


@dataclass(frozen=True)
class Limits:
    """Smallest and largest front and back of each curve, shape (n_curves, 2); equal where a plateau is given."""

    low: np.ndarray
    high: np.ndarray

    @property
    def any(self) -> bool:
        """Whether some plateau is limited."""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    def take(self, rows) -> "Limits":
        """Return those of some of the curves."""
        return Limits(self.low[rows], self.high[rows])


@dataclass(frozen=True)
class Penalty:
    """What a plate's own shift and gain cost, relative to the variance of a response, shape (n_curves,) each.

    With variance s2 of a response, t2 of the plates' shifts and g2 of their gains (in units of the response):
    `shift` = s2 / t2, `gain` = s2 / g2. Tiny values leave the plates free, huge ones make them one.
    """

    shift: np.ndarray
    gain: np.ndarray

    def take(self, rows) -> "Penalty":
        """Return those of some of the curves."""
        return Penalty(self.shift[rows], self.gain[rows])

    def matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the penalty's matrix for deviations of (front, back): elements 11, 12, 22."""
        return self.shift + self.gain, -self.gain, self.gain


@dataclass(frozen=True)
class Grid:
    """Trial values of log EC50 and log Hill slope for one dose design, and the curve shapes that belong to them.

    `log_ec50` has shape (n_ec50,), `log_hill` (n_hill,), `shapes` is the saturation, (n_doses, n_ec50 * n_hill).
    """

    log_ec50: np.ndarray
    log_hill: np.ndarray
    shapes: np.ndarray


@dataclass(frozen=True)
class Surface:
    """What is kept of the sums of squares over the grid.

    Attributes
    ----------
    best : array
        Grid point of the smallest one, shape (n_curves,).
    over_ec50, over_hill : array
        Smallest sum of squares at each EC50 and at each Hill slope, shapes (n_curves, n_ec50), (n_curves, n_hill).
    """

    best: np.ndarray
    over_ec50: np.ndarray
    over_hill: np.ndarray

    def take(self, rows) -> "Surface":
        """Return those of some of the curves."""
        return Surface(self.best[rows], self.over_ec50[rows], self.over_hill[rows])


def make_grid(
    doses: np.ndarray,
    hill_bounds: tuple[float, float],
    margin: float,
    size: tuple[int, int] = (N_EC50, N_HILL),
) -> Grid:
    """Return the grid for a set of doses.

    Parameters
    ----------
    doses : array
        Distinct doses, ascending; a zero is allowed.
    hill_bounds : tuple of float
        Smallest and largest Hill slope.
    margin : float
        Factor by which EC50 may lie outside the tested doses.
    size : tuple of int
        Numbers of trial EC50s and Hill slopes.
    """
    positive = doses[doses > 0]
    log_ec50 = np.linspace(np.log(positive[0] / margin), np.log(positive[-1] * margin), size[0])
    log_hill = np.linspace(*np.log(hill_bounds), size[1])
    shapes = saturation(doses[:, None, None], log_ec50[None, :, None], log_hill[None, None, :])
    return Grid(log_ec50, log_hill, shapes.reshape(len(doses), -1))


def _sums(weight: np.ndarray, mean: np.ndarray, shapes: np.ndarray) -> tuple:
    """Return weighted sums of 1, shape, shape^2, y, shape x y of one plate; (n_curves, 1 or n_grid) each.

    `shapes` is (n_doses, n_grid), or (n_curves, n_doses, n_grid) where each curve has a grid of its own. Curves of
    equal weights share the sums that do not depend on the responses.
    """
    own = shapes.ndim == 3
    w = weight if own or not (weight == weight[0]).all() else weight[:1]

    def times(vector, matrix):
        return (vector[:, None, :] @ matrix)[:, 0] if own else vector @ matrix

    wy = weight * mean
    total, level = w.sum(axis=1, keepdims=True), wy.sum(axis=1, keepdims=True)
    return total, times(w, shapes), times(w, shapes**2), level, times(wy, shapes)


def normal_equations(group: DoseGroup, shapes: np.ndarray, penalty: Penalty | None) -> tuple:
    """Return the quadratic in (front, back) that the sum of squares is at each grid point.

    Returns
    -------
    a, b, c, p, q, square
        RSS = square - 2 (front p + back q) + front^2 a + 2 front back b + back^2 c, without what lies within cells.
    """
    parts = []
    for plate in range(group.weight.shape[1]):
        weight, mean = group.weight[:, plate], group.mean[:, plate]
        total, s, ss, level, sxy = _sums(weight, mean, shapes)
        square = (weight * mean**2).sum(axis=1, keepdims=True)
        # normal equations of response = front * (1 - shape) + back * shape
        normal = (total - 2 * s + ss, s - ss, ss, level - sxy, sxy, square)
        parts.append(normal if penalty is None else _absorb(normal, penalty))
    return parts[0] if len(parts) == 1 else tuple(sum(terms) for terms in zip(*parts, strict=True))


def _absorb(normal: tuple, penalty: Penalty) -> tuple:
    """Return the quadratic in the common plateaus after a plate's own deviation has been minimised over.

    With M, v the plate's quadratic, L the penalty and K = (M + L)^-1 this is M - M K M, v - M K v and square - v'K v.
    (L - L K L is the same, and loses all digits where the penalty is stiff.)
    """
    a, b, c, p, q, square = normal
    l11, l12, l22 = (element[:, None] for element in penalty.matrix())
    n11, n12, n22 = a + l11, b + l12, c + l22
    scale = 1 / (n11 * n22 - n12**2)
    k11, k12, k22 = n22 * scale, -n12 * scale, n11 * scale
    u, v = k11 * p + k12 * q, k12 * p + k22 * q
    # columns of K M
    km11, km12 = k11 * a + k12 * b, k11 * b + k12 * c
    km21, km22 = k12 * a + k22 * b, k12 * b + k22 * c
    return (
        a - (a * km11 + b * km21),
        b - (a * km12 + b * km22),
        c - (b * km12 + c * km22),
        p - (a * u + b * v),
        q - (b * u + c * v),
        square - (p * u + q * v),
    )


def solve_plateaus(normal: tuple, limits: Limits | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return front, back and the sum of squares at every grid point, within the limits."""
    a, b, c, p, q, square = normal
    determinant = a * c - b**2
    total = a + 2 * b + c
    solvable = _solvable(determinant, a, c, total)
    divisor = np.where(solvable, determinant, 1.0)
    level = (p + q) / total
    front = np.where(solvable, (c * p - b * q) / divisor, level)
    back = np.where(solvable, (a * q - b * p) / divisor, level)
    if limits is not None and limits.any:
        front, back = _within_limits(front, back, normal, limits)
    rss = square - 2 * (front * p + back * q) + front**2 * a + 2 * front * back * b + back**2 * c
    return front, back, np.maximum(rss, 0.0)


def _solvable(determinant: np.ndarray, a: np.ndarray, c: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return where both plateaus can be solved for, also a back of which the doses see only the first rise.

    Shares near 0 are exact to the last digit, those near 1 are not: so much of front must be seen.
    """
    return (determinant > 1e-12 * a * c) & (a > 1e-12 * total)


def smallest_rss(normal: tuple, limits: Limits | None) -> np.ndarray:
    """Return the sum of squares of :func:`helpers.dose.grid.solve_plateaus` alone.

    Without limits it needs no plateaus.
    """
    if limits is not None and limits.any:
        return solve_plateaus(normal, limits)[2]
    a, b, c, p, q, square = normal
    determinant = a * c - b**2
    total = a + 2 * b + c
    solvable = _solvable(determinant, a, c, total)
    # the inverse of the normal matrix; where there is none, what gives the sum of squares of a common level
    divisor, level = np.where(solvable, determinant, 1.0), 1 / total
    pp, pq, qq = (np.where(solvable, x / divisor, level) for x in (c, -b, a))
    rss = p * (p * pp + (2 * pq) * q)
    rss += q * q * qq
    return np.maximum(np.subtract(square, rss, out=rss), 0.0, out=rss)


def _within_limits(front, back, normal, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """Return the best plateaus inside the limits: a box around a convex quadratic with two unknowns.

    Outside the box the optimum lies on its rim: one plateau is at its limit, the other solved for and clipped.
    """
    a, b, c, p, q, _ = normal
    f_box, k_box = ((limits.low[:, i, None], limits.high[:, i, None]) for i in (0, 1))
    clipped_front, clipped_back = front.clip(*f_box), back.clip(*k_box)
    tiny = 1e-9 * (a + 2 * b + c)  # a plateau that no dose comes near stays where it is
    other_back = np.where(c > tiny, (q - b * clipped_front) / np.maximum(c, tiny), clipped_back).clip(*k_box)
    other_front = np.where(a > tiny, (p - b * clipped_back) / np.maximum(a, tiny), clipped_front).clip(*f_box)

    def loss(f, k):
        return f**2 * a + 2 * f * k * b + k**2 * c - 2 * (f * p + k * q)

    first = loss(clipped_front, other_back) <= loss(other_front, clipped_back)
    rim_front = np.where(first, clipped_front, other_front)
    rim_back = np.where(first, other_back, clipped_back)
    inside = (front == clipped_front) & (back == clipped_back)
    return np.where(inside, front, rim_front), np.where(inside, back, rim_back)


def chunk_size(n_grid: int) -> int:
    """Return how many curves to put on a grid at a time."""
    return max(CACHED // n_grid, 1)


def search(group: DoseGroup, grid: Grid, limits: Limits | None, penalty: Penalty | None) -> Surface:
    """Return the sums of squares of a group over the grid, reduced to what is used of them.

    Parameters
    ----------
    group : DoseGroup
        Curves of one dose design.
    grid : Grid
        Trial values.
    limits : Limits or None
        Of the plateaus; None = free.
    penalty : Penalty or None
        Of the plates' own shifts and gains; None = plates share the curve.
    """
    size, shape = chunk_size(grid.shapes.shape[1]), (len(grid.log_ec50), len(grid.log_hill))
    parts = []
    for start in range(0, len(group.curves), size):
        rows = slice(start, start + size)
        part = group.take(rows)
        normal = normal_equations(part, grid.shapes, penalty and penalty.take(rows))
        rss = smallest_rss(normal, limits and limits.take(rows)) + part.within_ss[:, None]
        cube = rss.reshape(-1, *shape)
        parts.append((rss.argmin(axis=1), cube.min(axis=2), cube.min(axis=1)))
    return Surface(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def explained(group: DoseGroup, grid: Grid, *, front: np.ndarray | None = None) -> np.ndarray:
    """Return the largest share of the variance that a curve explains, shape (n_curves,), plateaus without limits.

    One curve for all plates, a level for each, and the variance is that around these. What the test against a flat line
    rests on.

    Parameters
    ----------
    group : DoseGroup
        Curves of one dose design.
    grid : Grid
        Trial values.
    front : array, optional
        Where each curve starts, shape (n_curves,); the variance then is that around it, on all plates together.
    """
    best = np.empty(len(group.curves))
    size = chunk_size(grid.shapes.shape[1])
    origin = group.plate_means() if front is None else front[:, None]
    scatter = group.null_rss if front is None else group.sum_of_squares(front)
    for start in range(0, len(group.curves), size):
        rows = slice(start, start + size)
        part = group.take(rows)
        weighted = part.weight * (part.mean - origin[rows, :, None])
        cross = weighted.sum(axis=1) @ grid.shapes
        spread = sum(
            _spreads(part.weight[:, plate], grid.shapes, about_mean=front is None)
            for plate in range(part.weight.shape[1])
        )
        least = 1e-10 * part.weight.sum(axis=(1, 2))[:, None]
        inverse = np.where(spread > least, 1 / np.maximum(spread, least), 0.0)
        cross *= cross
        cross *= inverse
        best[rows] = cross.max(axis=1)
    return np.clip(best / np.maximum(scatter, 1e-300), 0.0, 1.0)


def _spreads(weight: np.ndarray, shapes: np.ndarray, *, about_mean: bool) -> np.ndarray:
    """Return the weighted sum of squares of each shape on one plate, (n_curves or 1, n_grid)."""
    w = weight[:1] if (weight == weight[0]).all() else weight
    square = w @ shapes**2
    if about_mean:
        total = np.maximum(w.sum(axis=1, keepdims=True), 1e-300)
        square -= (w @ shapes) ** 2 / total
    return square
