"""Least-squares fits of log-logistic curves, all curves of a dose design at once.

Given EC50 and Hill slope the two plateaus are a linear regression, so a grid over the two finds the global region
of the optimum (variable projection), and Levenberg-Marquardt on all four parameters polishes it.
"""

from dataclasses import dataclass

import numpy as np

from helpers.dose.curves import saturation, saturation_gradient
from helpers.dose.design import DoseGroup

N_EC50, N_HILL = 81, 25
MAX_ROUNDS = 200
TOLERANCE = 1e-11
"""Relative decrease of the sum of squares below which a curve has converged."""


@dataclass(frozen=True)
class Grid:
    """Trial values of log EC50 and log Hill slope for one dose design, and the curve shapes that belong to them.

    Attributes
    ----------
    log_ec50, log_hill
        Shapes (n_ec50,) and (n_hill,).
    shapes
        Saturation at each dose, shape (n_doses, n_ec50, n_hill).
    plateaus
        Smallest and largest value that front and back may take.
    """

    log_ec50: np.ndarray
    log_hill: np.ndarray
    shapes: np.ndarray
    plateaus: tuple[float, float]

    def rss(self, group: DoseGroup) -> np.ndarray:
        """Return the residual sums of squares of a group, shape (n_curves, n_ec50 * n_hill)."""
        return grid_rss(group, self.shapes.reshape(len(self.shapes), -1), self.plateaus)


@dataclass
class Fit:
    """Fitted parameters of the curves of one dose group, each of shape (n_curves,).

    `at_bound` says that EC50 or Hill slope ran into its bound, `converged` that the optimum was reached.
    """

    front: np.ndarray
    back: np.ndarray
    log_ec50: np.ndarray
    log_hill: np.ndarray
    rss: np.ndarray
    converged: np.ndarray
    at_bound: np.ndarray


def make_grid(
    doses: np.ndarray, hill_bounds: tuple[float, float], margin: float, plateaus: tuple[float, float]
) -> Grid:
    """Return the grid for a set of doses.

    Parameters
    ----------
    doses
        Distinct doses, ascending; a zero is allowed.
    hill_bounds
        Smallest and largest Hill slope.
    margin
        Factor by which EC50 may lie outside the tested doses.
    plateaus
        Smallest and largest value that front and back may take.
    """
    positive = doses[doses > 0]
    low, high = np.log(positive[0] / margin), np.log(positive[-1] * margin)
    log_ec50 = np.linspace(low, high, N_EC50)
    log_hill = np.linspace(*np.log(hill_bounds), N_HILL)
    shapes = saturation(doses[:, None, None], log_ec50[None, :, None], log_hill[None, None, :])
    return Grid(log_ec50, log_hill, shapes, plateaus)


def grid_rss(group: DoseGroup, shapes: np.ndarray, plateaus: tuple[float, float]) -> np.ndarray:
    """Return the residual sum of squares with best plateaus at every grid point, shape (n_curves, n_grid).

    Parameters
    ----------
    group
        Curves of one dose design.
    shapes
        Saturation at each dose, shape (n_doses, n_grid).
    plateaus
        Smallest and largest value that front and back may take; infinite = free.
    """
    w, wy = group.weight, group.weight * group.mean
    total, sy = w.sum(axis=1, keepdims=True), wy.sum(axis=1, keepdims=True)
    s, ss, sxy = w @ shapes, w @ shapes**2, wy @ shapes
    # normal equations of response = front * (1 - shape) + back * shape
    a, b, c, p, q = total - 2 * s + ss, s - ss, ss, sy - sxy, sxy
    determinant = total * ss - s**2
    solvable = determinant > 1e-12 * total**2
    divisor = np.where(solvable, determinant, 1.0)
    front = np.where(solvable, (c * p - b * q) / divisor, sy / total)
    back = np.where(solvable, (a * q - b * p) / divisor, sy / total)
    if np.isfinite(plateaus).any():
        front, back = _bounded_plateaus(front, back, (a, b, c, p, q), plateaus)
    square = (wy * group.mean).sum(axis=1, keepdims=True)
    rss = square - 2 * (front * p + back * q) + front**2 * a + 2 * front * back * b + back**2 * c
    return np.maximum(rss, 0.0) + group.within[:, None]


def _bounded_plateaus(front, back, normal, plateaus) -> tuple[np.ndarray, np.ndarray]:
    """Return the best plateaus inside the bounds: a box around a convex quadratic with two unknowns.

    Outside the box the optimum lies on its rim: one plateau is at its bound, the other solved for and clipped.
    """
    a, b, c, p, q = normal
    clipped_front, clipped_back = front.clip(*plateaus), back.clip(*plateaus)
    tiny = 1e-9 * (a + 2 * b + c)  # a plateau that no dose comes near stays where it is
    other_back = np.where(c > tiny, (q - b * clipped_front) / np.maximum(c, tiny), clipped_back).clip(
        *plateaus
    )
    other_front = np.where(a > tiny, (p - b * clipped_back) / np.maximum(a, tiny), clipped_front).clip(
        *plateaus
    )

    def loss(f, k):
        return f**2 * a + 2 * f * k * b + k**2 * c - 2 * (f * p + k * q)

    first = loss(clipped_front, other_back) <= loss(other_front, clipped_back)
    rim_front = np.where(first, clipped_front, other_front)
    rim_back = np.where(first, other_back, clipped_back)
    inside = (front == clipped_front) & (back == clipped_back)
    return np.where(inside, front, rim_front), np.where(inside, back, rim_back)


def fit_group(group: DoseGroup, grid: Grid) -> Fit:
    """Fit every curve of a group to convergence, starting from its best grid point."""
    best = np.concatenate([grid.rss(part).argmin(axis=1) for part in group.chunks()])
    i, j = np.unravel_index(best, grid.shapes.shape[1:])
    theta = np.empty((len(best), 4))
    theta[:, 2], theta[:, 3] = grid.log_ec50[i], grid.log_hill[j]
    theta[:, :2] = _start_plateaus(group, grid.shapes[:, i, j].T).clip(*grid.plateaus)
    lower = np.array([grid.plateaus[0], grid.plateaus[0], grid.log_ec50[0], grid.log_hill[0]])
    upper = np.array([grid.plateaus[1], grid.plateaus[1], grid.log_ec50[-1], grid.log_hill[-1]])
    theta, rss, converged = _levenberg_marquardt(group, theta, lower, upper)
    at_bound = ((theta <= lower + 1e-9) | (theta >= upper - 1e-9)).any(axis=1)
    return Fit(theta[:, 0], theta[:, 1], theta[:, 2], theta[:, 3], rss, converged, at_bound)


def _start_plateaus(group: DoseGroup, shape: np.ndarray) -> np.ndarray:
    """Return best front and back given each curve's saturation, shape (n_curves, 2)."""
    w = group.weight
    level = (w * group.mean).sum(1, keepdims=True) / w.sum(1, keepdims=True)
    spread = shape - (w * shape).sum(1, keepdims=True) / w.sum(1, keepdims=True)
    slope = (w * spread * group.mean).sum(1) / np.maximum((w * spread**2).sum(1), 1e-12)
    middle = level[:, 0] - slope * (w * shape).sum(1) / w.sum(1)
    return np.column_stack([middle, middle + slope])


def _residuals(group: DoseGroup, theta: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sqrt(weight) x residual of the dose means, (n, n_doses), and its Jacobian, (n, n_doses, 4)."""
    front, back, log_ec50, log_hill = (theta[:, k, None] for k in range(4))
    share, d_ec50, d_hill = saturation_gradient(group.doses, log_ec50, log_hill)
    root = np.sqrt(group.weight[rows])
    residual = root * (group.mean[rows] - front - (back - front) * share)
    gradient = np.stack([1 - share, share, (back - front) * d_ec50, (back - front) * d_hill], axis=-1)
    return residual, root[..., None] * gradient


def _levenberg_marquardt(
    group: DoseGroup, theta: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Polish all curves together; a curve leaves the batch when it has converged.

    Converged means that no step improves, or that three improvements in a row were each below the tolerance.
    """
    damping = np.full(len(theta), 1e-3)
    idle = np.zeros(len(theta), dtype=int)
    converged = np.zeros(len(theta), dtype=bool)
    residual, jacobian = _residuals(group, theta, np.arange(len(theta)))
    rss = (residual**2).sum(axis=1)
    for _ in range(MAX_ROUNDS):
        rows = np.flatnonzero(~converged)
        if len(rows) == 0:
            break
        step = _damped_step(residual[rows], jacobian[rows], damping[rows], theta[rows], lower, upper)
        trial = np.clip(theta[rows] + step, lower, upper)
        new_residual, new_jacobian = _residuals(group, trial, rows)
        new_rss = (new_residual**2).sum(axis=1)
        better = new_rss <= rss[rows]
        decrease = (rss[rows] - new_rss) / np.maximum(rss[rows] + group.within[rows], 1e-300)
        idle[rows] = np.where(better, np.where(decrease < TOLERANCE, idle[rows] + 1, 0), idle[rows])
        converged[rows] = (idle[rows] >= 3) | (damping[rows] > 1e10)
        predicted = _predicted(residual[rows], jacobian[rows], trial - theta[rows])
        gain = np.divide(rss[rows] - new_rss, predicted, out=np.zeros_like(rss[rows]), where=predicted > 0)
        # Nielsen's rule: a step that gains little of what was predicted overshoots, and wants more damping, not less.
        eased = np.clip(1 - (2 * np.clip(gain, -1, 1) - 1) ** 3, 1 / 9, 2)
        damping[rows] = np.where(better, np.maximum(damping[rows] * eased, 1e-14), damping[rows] * 4)
        kept = rows[better]
        theta[kept], rss[kept] = trial[better], new_rss[better]
        residual[kept], jacobian[kept] = new_residual[better], new_jacobian[better]
    return theta, rss + group.within, converged


def _predicted(residual: np.ndarray, jacobian: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return by how much the linearised model says each step lowers the sum of squares."""
    change = np.einsum("nij,nj->ni", jacobian, step)
    return 2 * (residual * change).sum(axis=1) - (change**2).sum(axis=1)


def _damped_step(residual, jacobian, damping, theta, lower, upper) -> np.ndarray:
    """Return the Levenberg-Marquardt step of each curve within the bounds.

    A parameter that the step would carry over its bound is put there, and the others are solved for again given
    that; clipping alone would leave them where they fit the parameter's old value, and creep along the bound.
    """
    gradient = np.einsum("nij,ni->nj", jacobian, residual)
    normal = np.einsum("nij,nik->njk", jacobian, jacobian)
    diagonal = np.einsum("njj->nj", normal)
    scale = np.maximum(diagonal, 1e-12 * np.maximum(diagonal.max(axis=1, keepdims=True), 1e-300))
    normal = normal + (damping[:, None] * scale)[:, :, None] * np.eye(4)
    room_up, room_down = upper - theta, lower - theta
    fixed = np.zeros(theta.shape, dtype=bool)
    target = np.zeros(theta.shape)
    for _ in range(3):
        matrix = np.where(fixed[:, :, None], np.eye(4), normal)
        step = np.linalg.solve(matrix, np.where(fixed, target, gradient)[..., None])[..., 0]
        over = ~fixed & ((step > room_up) | (step < room_down))
        if not over.any():
            break
        target = np.where(over, np.clip(step, room_down, room_up), target)
        fixed |= over
    return step
