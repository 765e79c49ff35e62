"""Least-squares fits of log-logistic curves, all curves of a dose design at once.

A grid over EC50 and Hill slope finds the global region of the optimum (see :mod:`helpers.dose.grid`), and
Levenberg-Marquardt on the two polishes it, the plateaus solved for at every step. Plates' own shifts and gains, where
there are any, are eliminated too.
"""

from dataclasses import dataclass, fields

import numpy as np

from helpers.dose.curves import saturation, saturation_gradient
from helpers.dose.design import DoseGroup
from helpers.dose.grid import Grid, Limits, Penalty, Surface, normal_equations, search, solve_plateaus

MAX_ROUNDS = 120
TOLERANCE, CREEP = 1e-10, 1e-6
"""Relative decreases of the sum of squares that count as convergence: of a step, and of the last half of all rounds.

The second is for curves whose front or back runs away, because no dose is near it, while the fit hardly changes."""
EXACT = 1e-8
"""Share of the variance below which what is left is no error: exact data could be fitted ever closer for ever."""


@dataclass
class Fit:
    """Fitted parameters of the curves of one dose group, each of shape (n_curves,).

    `at_bound` says that EC50, Hill slope or a plateau ran into its bound, `converged` that the optimum was reached.
    `normal` is J'V^-1 J, (n_curves, 4, 4), for the parameters front, back, log EC50, log Hill; `plates` the deviations
    of each plate's front and back, (n_curves, n_plates, 2).
    """

    front: np.ndarray
    back: np.ndarray
    log_ec50: np.ndarray
    log_hill: np.ndarray
    rss: np.ndarray
    converged: np.ndarray
    at_bound: np.ndarray
    normal: np.ndarray
    plates: np.ndarray

    @property
    def ec50(self) -> np.ndarray:
        """EC50 in the unit of the doses."""
        return np.exp(self.log_ec50)

    @property
    def hill(self) -> np.ndarray:
        """Hill slope."""
        return np.exp(self.log_hill)

    def put(self, rows: np.ndarray, other: "Fit") -> None:
        """Replace the fits of some curves."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    def take(self, rows) -> "Fit":
        """Return the fits of some curves."""
        return Fit(*(getattr(self, field.name)[rows] for field in fields(self)))


def no_limits(n_curves: int) -> Limits:
    """Return limits that leave the plateaus free."""
    return Limits(np.full((n_curves, 2), -np.inf), np.full((n_curves, 2), np.inf))


def fit_group(
    group: DoseGroup,
    grid: Grid,
    *,
    limits: Limits | None = None,
    penalty: Penalty | None = None,
    surface: Surface | None = None,
) -> Fit:
    """Fit every curve of a group to convergence, starting from its best grid point.

    Parameters
    ----------
    group : DoseGroup
        Curves of one dose design. Without a `penalty` their plates are pooled.
    grid : Grid
        Where to start; its ends are the bounds of EC50 and Hill slope.
    limits : Limits, optional
        Of the plateaus.
    penalty : Penalty, optional
        Of the plates' own shifts and gains.
    surface : Surface, optional
        From :func:`helpers.dose.grid.search` with the same arguments, if it is at hand.
    """
    if penalty is None:
        group = group.pooled()
    limits = limits or no_limits(len(group.curves))
    surface = surface or search(group, grid, limits, penalty)
    i, j = np.unravel_index(surface.best, (len(grid.log_ec50), len(grid.log_hill)))
    start = np.column_stack([grid.log_ec50[i], grid.log_hill[j]])
    ends = [np.array([grid.log_ec50[k], grid.log_hill[k]]) for k in (0, -1)]
    problem = Problem(group, penalty, limits)
    theta, state, converged = _levenberg_marquardt(problem, start, *ends)
    at_end = ((theta[:, 2:] <= ends[0] + 1e-9) | (theta[:, 2:] >= ends[1] - 1e-9)).any(axis=1)
    at_limit = (problem.held(theta, slice(None)) & (limits.low < limits.high)).any(axis=1)
    rss = state.rss + group.within_ss
    return Fit(*theta.T, rss, converged, at_end | at_limit, state.normal, state.plates)


@dataclass
class State:
    """Sum of squares (n,), gradient (n, 4), normal matrix (n, 4, 4) and plate deviations (n, n_plates, 2)."""

    rss: np.ndarray
    gradient: np.ndarray
    normal: np.ndarray
    plates: np.ndarray

    def put(self, rows: np.ndarray, other: "State", chosen: np.ndarray) -> None:
        """Replace the state of some curves."""
        for name in ("rss", "gradient", "normal", "plates"):
            getattr(self, name)[rows] = getattr(other, name)[chosen]


@dataclass(frozen=True)
class Problem:
    """The penalised sum of squares of a group as a function of front, back, log EC50, log Hill."""

    group: DoseGroup
    penalty: Penalty | None
    limits: Limits

    def with_plateaus(self, shape: np.ndarray, rows) -> np.ndarray:
        """Return all four parameters for given log EC50 and log Hill, (n, 2): the best plateaus come first."""
        group = self.group.take(rows)
        share = saturation(group.doses, shape[:, :1], shape[:, 1:])
        normal = normal_equations(group, share[:, :, None], self.penalty and self.penalty.take(rows))
        front, back, _ = solve_plateaus(normal, self.limits.take(rows))
        return np.column_stack([front[:, 0], back[:, 0], shape])

    def held(self, theta: np.ndarray, rows) -> np.ndarray:
        """Return which of front and back stand at their limits, (n, 2)."""
        limits = self.limits.take(rows)
        return (theta[:, :2] <= limits.low) | (theta[:, :2] >= limits.high)

    def at(self, theta: np.ndarray, rows: np.ndarray) -> State:
        """Return value and derivatives for some curves; the sum of squares leaves out what lies within cells."""
        front, back, log_ec50, log_hill = (theta[:, k, None, None] for k in range(4))
        share, d_ec50, d_hill = saturation_gradient(self.group.doses, log_ec50, log_hill)
        weight = self.group.weight[rows]
        residual = self.group.mean[rows] - front - (back - front) * share
        basis = np.stack([1 - share, share], axis=-1)
        basis = np.broadcast_to(basis, (*weight.shape, 2))
        if self.penalty is None:
            plates = np.zeros((*weight.shape[:2], 2))
            inverse = None
        else:
            inverse = self._inverse(basis, weight, rows)
            plates = np.einsum("npij,npdj,npd->npi", inverse, basis, weight * residual, optimize=True)
        rest = residual - np.einsum("npdi,npi->npd", basis, plates)
        rise = back - front + plates[:, :, 1, None] - plates[:, :, 0, None]
        jacobian = np.concatenate([basis, np.stack([rise * d_ec50, rise * d_hill], axis=-1)], axis=-1)
        weighted = weight * rest
        gradient = np.einsum("npdj,npd->nj", jacobian, weighted)
        flat = jacobian.reshape(len(weight), -1, 4)
        wide = (weight[..., None] * jacobian).reshape(flat.shape)
        normal = flat.transpose(0, 2, 1) @ wide
        if inverse is not None:
            cross = np.einsum("npdi,npdj->npij", basis, weight[..., None] * jacobian, optimize=True)
            normal = normal - (cross.transpose(0, 1, 3, 2) @ inverse @ cross).sum(axis=1)
        return State((weighted * residual).sum(axis=(1, 2)), gradient, normal, plates)

    def _inverse(self, basis: np.ndarray, weight: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return (M + L)^-1 of each plate, (n, n_plates, 2, 2)."""
        l11, l12, l22 = (element[rows, None] for element in self.penalty.matrix())
        one, two = basis[..., 0], basis[..., 1]
        n11 = (weight * one**2).sum(-1) + l11
        n12 = (weight * one * two).sum(-1) + l12
        n22 = (weight * two**2).sum(-1) + l22
        determinant = n11 * n22 - n12**2
        rows_ = [np.stack([n22, -n12], axis=-1), np.stack([-n12, n11], axis=-1)]
        return np.stack(rows_, axis=-2) / determinant[..., None, None]


def observed_information(
    group: DoseGroup, fit: Fit, penalty: Penalty | None = None, step: float = 1e-4
) -> np.ndarray:
    """Return half the second derivatives of the sum of squares, (n_curves, 4, 4), by differences of its gradient.

    Parameters
    ----------
    group : DoseGroup
        The curves.
    fit : Fit
        Their fits.
    penalty : Penalty, optional
        Of the plates' own shifts and gains; without it plates are pooled.
    step : float
        Of the differences: relative to the effect for the plateaus, absolute for the logarithms.
    """
    pooled = group if penalty is not None else group.pooled()
    problem = Problem(pooled, penalty, no_limits(len(fit.rss)))
    theta = np.column_stack([fit.front, fit.back, fit.log_ec50, fit.log_hill])
    size = np.maximum(np.abs(fit.back - fit.front), 1e-300)
    steps = step * np.column_stack([size, size, np.ones_like(size), np.ones_like(size)])
    rows, columns = np.arange(len(theta)), []
    for k in range(4):
        move = np.zeros_like(theta)
        move[:, k] = steps[:, k]
        change = problem.at(theta - move, rows).gradient - problem.at(theta + move, rows).gradient
        columns.append(change / (2 * steps[:, k, None]))
    matrix = np.stack(columns, axis=-1)
    return (matrix + matrix.transpose(0, 2, 1)) / 2


def _levenberg_marquardt(
    problem: Problem, start: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, State, np.ndarray]:
    """Polish EC50 and Hill slope of all curves together, the plateaus solved for at every step (Kaufman's projection).

    A curve leaves the batch when it has converged: when no step improves, or three improvements in a row were each
    below the tolerance.
    """
    every = np.arange(len(start))
    damping, idle = np.full(len(start), 1e-3), np.zeros(len(start), dtype=int)
    converged = np.zeros(len(start), dtype=bool)
    theta = problem.with_plateaus(start, every)
    state = problem.at(theta, every)
    # against which a decrease is judged, beside what is left
    base = problem.group.within_ss + EXACT * problem.group.pooled().null_rss
    halfway = state.rss.copy()
    for round_ in range(MAX_ROUNDS):
        if round_ == MAX_ROUNDS // 2:
            halfway = state.rss.copy()
        rows = np.flatnonzero(~converged)
        if len(rows) == 0:
            return theta, state, converged
        gradient = state.gradient[rows, 2:]
        normal = _project(state.normal[rows], problem.held(theta[rows], rows))
        step = _damped_step(gradient, normal, damping[rows], lower - theta[rows, 2:], upper - theta[rows, 2:])
        trial = problem.with_plateaus((theta[rows, 2:] + step).clip(lower, upper), rows)
        new = problem.at(trial, rows)
        decrease = state.rss[rows] - new.rss
        better = decrease >= 0
        relative = decrease / np.maximum(state.rss[rows] + base[rows], 1e-300)
        idle[rows] = np.where(better, np.where(relative < TOLERANCE, idle[rows] + 1, 0), idle[rows])
        converged[rows] = (idle[rows] >= 3) | (damping[rows] > 1e10)
        predicted = 2 * (gradient * step).sum(axis=1) - np.einsum("ni,nij,nj->n", step, normal, step)
        gain = np.divide(decrease, predicted, out=np.zeros_like(decrease), where=predicted > 0)
        # Nielsen's rule: a step that gains little of what was predicted overshoots, and wants more damping, not less.
        eased = np.clip(1 - (2 * np.clip(gain, -1, 1) - 1) ** 3, 1 / 9, 2)
        damping[rows] = np.where(better, np.maximum(damping[rows] * eased, 1e-14), damping[rows] * 4)
        kept = rows[better]
        theta[kept] = trial[better]
        state.put(kept, new, better)
    converged |= (halfway - state.rss <= CREEP * (state.rss + base)) | (state.rss <= base)
    return theta, state, converged


def _project(normal: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Return the normal matrix of log EC50 and log Hill after the plateaus that may move have followed, (n, 2, 2)."""
    free = (~held).astype(float)
    a = np.where(held[:, 0], 1.0, normal[:, 0, 0])
    c = np.where(held[:, 1], 1.0, normal[:, 1, 1])
    b = normal[:, 0, 1] * free[:, 0] * free[:, 1]
    scale = 1 / np.maximum(a * c - b**2, 1e-14 * a * c + 1e-300)
    inverse = (
        np.stack([np.stack([c, -b], axis=-1), np.stack([-b, a], axis=-1)], axis=-2) * scale[:, None, None]
    )
    cross = normal[:, :2, 2:] * free[:, :, None]
    return normal[:, 2:, 2:] - cross.transpose(0, 2, 1) @ inverse @ cross


def _damped_step(gradient, normal, damping, room_down, room_up) -> np.ndarray:
    """Return the Levenberg-Marquardt step of each curve within the bounds, (n, 2).

    A parameter that the step would carry over its bound is put there, and the other one is solved for again given
    that; clipping alone would leave it where it fits the parameter's old value, and creep along the bound.
    """
    diagonal = np.einsum("njj->nj", normal)
    floor = np.maximum(1e-12 * diagonal.max(axis=1, keepdims=True), 1e-140)
    ridge = damping[:, None] * np.maximum(diagonal, floor)
    a, c = (np.maximum(diagonal, floor) + ridge).T
    b, (p, q) = normal[:, 0, 1], gradient.T
    scale = 1 / np.maximum(a * c - b**2, 1e-14 * a * c)
    step = np.column_stack([(c * p - b * q) * scale, (a * q - b * p) * scale])
    over = ((step > room_up) | (step < room_down)).any(axis=1)
    put = np.clip(step, room_down, room_up)
    # on the rim of the box one of them is at its bound and the other follows
    first = np.column_stack([put[:, 0], (q - b * put[:, 0]) / c]).clip(room_down, room_up)
    second = np.column_stack([(p - b * put[:, 1]) / a, put[:, 1]]).clip(room_down, room_up)

    def promise(d: np.ndarray) -> np.ndarray:
        return 2 * (p * d[:, 0] + q * d[:, 1]) - (
            a * d[:, 0] ** 2 + 2 * b * d[:, 0] * d[:, 1] + c * d[:, 1] ** 2
        )

    rim = np.where((promise(first) >= promise(second))[:, None], first, second)
    return np.where(over[:, None], rim, step)
