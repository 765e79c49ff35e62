"""What is estimated for the curves of one dose design: fits, intervals, classes, as columns of a table."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special, stats

from helpers.dose.bootstrap import bootstrap_intervals
from helpers.dose.classes import classify
from helpers.dose.curves import effective_dose, mean_effect, response_at
from helpers.dose.design import DoseGroup, Points
from helpers.dose.fit import Fit, fit_group, observed_information
from helpers.dose.grid import Grid, Limits, Penalty, Surface, search
from helpers.dose.options import Fitting
from helpers.dose.plates import PlateSpread
from helpers.dose.profile import Intervals, effective_dose_interval, region

RESOLUTION = 1e-2
"""For intervals no response is known better than to this share of its curve's range: exact data have an error too."""


@dataclass
class Curves:
    """The curves of one dose design with their pooled fits.

    `noise` is s2 of each curve where it is not the residual variance, else missing, (n_curves,); `points` are the
    single responses and `cell` their places in the group's arrays.
    """

    group: DoseGroup
    grid: Grid
    limits: Limits
    noise: np.ndarray
    points: Points
    cell: np.ndarray
    surface: Surface
    fit: Fit

    @classmethod
    def fitted(cls, group, grid, limits, noise, points, cell) -> "Curves":
        """Return the curves after fitting them with their plates pooled.

        Parameters
        ----------
        group : DoseGroup
            Curves of one dose design.
        grid : Grid
            Where EC50 and Hill slope are searched.
        limits : Limits
            Of the plateaus.
        noise, points, cell : array, Points, array
            As the attributes.
        """
        pooled = group.pooled()
        surface = search(pooled, grid, limits, None)
        fit = fit_group(pooled, grid, limits=limits, surface=surface)
        return cls(group, grid, limits, noise, points, cell, surface, fit)

    def take(self, rows: np.ndarray) -> "Curves":
        """Return some of the curves; `rows` are positions, ascending."""
        row, plate, column = np.unravel_index(self.cell, self.group.weight.shape)
        place = np.full(len(self.group.curves), -1)
        place[rows] = np.arange(len(rows))
        chosen = place[row] >= 0
        shape = (len(rows), *self.group.weight.shape[1:])
        cell = (
            np.ravel_multi_index((place[row[chosen]], plate[chosen], column[chosen]), shape)
            if len(rows)
            else []
        )
        return Curves(
            self.group.take(rows), self.grid, self.limits.take(rows), self.noise[rows],
            self.points.take(chosen), np.asarray(cell, dtype=int), self.surface.take(rows), self.fit.take(rows),
        )  # fmt: skip

    def without_tops(self, keep: np.ndarray) -> "Curves":
        """Return the same curves fitted to fewer of their doses; `keep` has shape (n_curves, n_doses)."""
        row, _, column = np.unravel_index(self.cell, self.group.weight.shape)
        chosen = keep[row, column]
        parts = (self.grid, self.limits, self.noise, self.points.take(chosen), self.cell[chosen])
        return Curves.fitted(self.group.keep_doses(keep), *parts)


def seen_start(group: DoseGroup, fit: Fit, options: Fitting) -> np.ndarray:
    """Return what the effect of each curve counts from: `front` if given or seen, else the response at the lowest dose.

    Where EC50 lies near the lowest dose or below, the fitted front is an extrapolation and may have any size.
    """
    if options.known_front:
        return fit.front
    lowest = np.where(group.used, group.doses, np.inf).min(axis=1)
    return response_at(lowest, fit.front, fit.back, fit.ec50, fit.hill)


def describe(curves: Curves, bell: np.ndarray, spread: PlateSpread | None, options: Fitting) -> pd.DataFrame:
    """Return estimates, intervals and classes of curves that are told from a flat line, one row each.

    Parameters
    ----------
    curves : Curves
        Fitted with their plates pooled.
    bell : array of bool
        Which of them turn back at the top, shape (n_curves,).
    spread : PlateSpread or None
        How much plates differ; None where plates play no part.
    options : Fitting
        Of the call.

    Returns
    -------
    DataFrame
        Index: code of the curve.
    """
    group = curves.group if options.clustered else curves.group.pooled()
    fit, surface, penalty = curves.fit, curves.surface, None
    degrees = np.maximum(group.n_points - options.n_parameters, 1)
    if spread is not None:
        every = np.ones(len(group.curves), dtype=bool)
        penalty = spread.penalty(group, curves.fit, every)
        degrees = spread.degrees(group, options.n_parameters, every)
        surface = search(group, curves.grid, curves.limits, penalty)
        fit = fit_group(group, curves.grid, limits=curves.limits, penalty=penalty, surface=surface)
    s2 = _residual_variance(curves, group, fit, degrees)
    limit = fit.rss + s2 * stats.f.ppf(options.level, 1, degrees)
    box = region(curves.grid, surface, fit, limit)

    between = spread.potency_variance(group, curves.fit) if spread is not None else 0.0
    reach = stats.norm.ppf(0.5 + options.level / 2) * np.sqrt(between)

    def profile(share: float) -> Intervals:
        return effective_dose_interval(group, fit, box, limit, curves.limits, penalty, share=share)

    found = profile(0.5)
    one_sided = (
        fit.rss + s2 * stats.f.ppf(2 * options.level - 1, 1, degrees) if options.level > 0.5 else limit
    )
    found = _one_sided(found, group, curves, fit, surface, one_sided, penalty)
    found = _widen(found, fit.log_ec50, reach)
    jump = found.hill_high >= curves.grid.log_hill[-1] - 1e-9
    if options.interval == "bootstrap":
        found = _bootstrap(curves, group, fit, options)
    out = _estimates(group, fit, found, jump, bell, options)
    for percent in options.effective_doses:
        log_dose = np.log(effective_dose(percent / 100, fit.ec50, fit.hill))
        _add_effective_dose(out, percent, fit, _widen(profile(percent / 100), log_dose, reach))
    if options.standard_errors:
        own = np.where(np.isnan(curves.noise), fit.rss / degrees, curves.noise)
        _add_standard_errors(out, group, fit, penalty, own, options)
    if options.clustered:
        out["ec50_naive_low"], out["ec50_naive_high"] = _naive(curves, options)
    out.index = group.curves
    return out


def _estimates(
    group: DoseGroup, fit: Fit, found: Intervals, jump: np.ndarray, bell: np.ndarray, options: Fitting
) -> pd.DataFrame:
    """Return classes, estimates and intervals from a fit and what its profile found."""
    low, high = np.exp(found.ec50_low), np.exp(found.ec50_high)
    _, last = group.dose_range()
    reached = special.expit(fit.hill * (np.log(last) - fit.log_ec50))
    out = classify(
        group.doses, group.used, fit.ec50, low, high, fit.hill, jump, reached, bell, options.ec50_margin
    )
    out["ec50_fit"] = fit.ec50
    _add_shape(out, group, fit, found, options)
    out["effect"] = seen_effect(group, fit)
    area, seen = activity_area(group, fit, options)
    out["activity_area"] = np.where((out["ec50_low"] > 0) | seen, area, np.nan)
    # where the limits leave no curve, such as [0, 1] for responses in percent, it is no fit of these responses
    size = np.maximum(np.abs(fit.front), np.abs(fit.back))
    bent = np.abs(fit.back - fit.front) > 1e-9 * np.maximum(size, 1e-300)
    out["converged"], out["at_bound"] = fit.converged & bent, fit.at_bound
    return out


def _add_shape(out: pd.DataFrame, group: DoseGroup, fit: Fit, found: Intervals, options: Fitting) -> None:
    """Add Hill slope and plateaus with their intervals; what the data do not tell is missing.

    Where an end of the curve was not seen its plateau and the slope towards it are extrapolations, and a plateau
    further from the responses than these span is one too. A limit that far off, or at a bound of the search, is none: 0
    or infinite.
    """
    censored, known = out["ec50_censored"], out["ec50"].notna() & (out["ec50_censored"] == "")
    step = out["curve_class"] == "step"
    bounds = np.array(options.hill_bounds) * [1 + 1e-6, 1 - 1e-6]
    low, high = np.exp(found.hill_low), np.exp(found.hill_high)
    out["hill"] = np.where(known & ~step, fit.hill, np.nan)
    out["hill_low"] = np.where(known & ~step, np.where(low > bounds[0], low, 0.0), np.nan)
    out["hill_high"] = np.where(known & ~step, np.where(high < bounds[1], high, np.inf), np.nan)
    seen = group.weight > 0
    least = np.where(seen, group.mean, np.inf).min(axis=(1, 2))
    most = np.where(seen, group.mean, -np.inf).max(axis=(1, 2))
    span = most - least

    def near(values: np.ndarray) -> np.ndarray:
        return (values >= least - span) & (values <= most + span)

    untreated = (group.used & (group.doses == 0)).any(axis=1)
    start = untreated | (near(fit.front) & (censored != "<")) | options.known_front
    end = options.known_back | (near(fit.back) & (censored != ">"))
    out["front"], out["back"] = np.where(start, fit.front, np.nan), np.where(end, fit.back, np.nan)
    for name, values, none in (("back_low", found.back_low, -np.inf), ("back_high", found.back_high, np.inf)):
        out[name] = np.where(end, np.where(near(values), values, none), np.nan)


def seen_effect(group: DoseGroup, fit: Fit) -> np.ndarray:
    """Return the change of each fitted curve from its lowest dose to its highest, shape (n_curves,)."""
    lowest = np.where(group.used, group.doses, np.inf).min(axis=1)
    shape = fit.front, fit.back, fit.ec50, fit.hill
    return response_at(group.dose_range()[1], *shape) - response_at(lowest, *shape)


def activity_area(group: DoseGroup, fit: Fit, options: Fitting) -> tuple[np.ndarray, np.ndarray]:
    """Return the activity area of each curve, and whether it counts from a front that was given or seen."""
    first, last = group.dose_range()
    start = seen_start(group, fit, options)
    return mean_effect(
        first, last, fit.front, fit.back, fit.ec50, fit.hill
    ) + fit.front - start, start == fit.front


def _one_sided(
    found: Intervals, group, curves: Curves, fit: Fit, surface: Surface, limit, penalty
) -> Intervals:
    """Return the intervals, one-sided where both sides are open and the estimate lies off the doses.

    A single limit that is stated in one direction may spend all of its error there. `limit` is that of the sum of
    squares for it.
    """
    first, last = group.dose_range()
    under, over = fit.ec50 < first, fit.ec50 > last
    rows = np.flatnonzero(np.isneginf(found.ec50_low) & np.isposinf(found.ec50_high) & (under | over))
    if not len(rows):
        return found
    part, own = group.take(rows), fit.take(rows)
    box = region(curves.grid, surface.take(rows), own, limit[rows])
    again = effective_dose_interval(
        part, own, box, limit[rows], curves.limits.take(rows), penalty and penalty.take(rows)
    )
    low, high = found.ec50_low.copy(), found.ec50_high.copy()
    low[rows] = np.where(over[rows], again.ec50_low, -np.inf)
    high[rows] = np.where(under[rows], again.ec50_high, np.inf)
    return replace(found, ec50_low=low, ec50_high=high)


def _widen(found: Intervals, estimate: np.ndarray, reach: np.ndarray | float) -> Intervals:
    """Return the intervals with an independent error, of that reach on the log scale, added on both sides."""
    low = estimate - np.hypot(estimate - found.ec50_low, reach)
    high = estimate + np.hypot(found.ec50_high - estimate, reach)
    return replace(found, ec50_low=low, ec50_high=high)


def _residual_variance(curves: Curves, group: DoseGroup, fit: Fit, degrees: np.ndarray) -> np.ndarray:
    """Return the variance of a response of weight 1 about its curve, shape (n_curves,)."""
    seen = group.weight > 0
    span = np.where(seen, group.mean, -np.inf).max(axis=(1, 2)) - np.where(seen, group.mean, np.inf).min(
        axis=(1, 2)
    )
    unit = group.weight.sum(axis=(1, 2)) / group.n_points
    own = np.maximum(fit.rss / degrees, unit * (RESOLUTION * span) ** 2)
    return np.where(np.isnan(curves.noise), own, curves.noise)


def _naive(curves: Curves, options: Fitting) -> tuple[np.ndarray, np.ndarray]:
    """Return the EC50 interval that takes wells as independent, for comparison."""
    group, fit = curves.group.pooled(), curves.fit
    degrees = np.maximum(group.n_points - options.n_parameters, 1)
    s2 = _residual_variance(curves, group, fit, degrees)
    limit = fit.rss + s2 * stats.f.ppf(options.level, 1, degrees)
    box = region(curves.grid, curves.surface, fit, limit)
    found = effective_dose_interval(group, fit, box, limit, curves.limits, None)
    return np.exp(found.ec50_low), np.exp(found.ec50_high)


def _bootstrap(curves: Curves, group: DoseGroup, fit: Fit, options: Fitting) -> Intervals:
    plates = group.weight.shape[1] > 1
    settings = {"hill_bounds": options.hill_bounds, "margin": options.ec50_margin, "level": options.level}
    if not plates:
        # one cell a dose: the points of a curve are sorted by dose within their only plate
        row, _, column = np.unravel_index(curves.cell, curves.group.weight.shape)
        cell = np.ravel_multi_index((row, 0 * row, column), group.weight.shape)
        order = np.argsort(cell, kind="stable")
        points = (curves.points.take(order), cell[order])
    return bootstrap_intervals(
        group, fit, curves.limits, points=None if plates else points, draws=options.bootstrap_draws,
        seed=options.seed, **settings,
    )  # fmt: skip


def _add_effective_dose(out: pd.DataFrame, percent: float, fit: Fit, found: Intervals) -> None:
    """Add the dose of a share of the effect with its interval; missing where EC50 is not reported as a number."""
    known = out["ec50"].notna() & (out["ec50_censored"] == "")
    name = f"ed{percent:g}"
    out[name] = np.where(known, effective_dose(percent / 100, fit.ec50, fit.hill), np.nan)
    out[f"{name}_low"] = np.where(known, np.exp(found.ec50_low), np.nan)
    out[f"{name}_high"] = np.where(known, np.exp(found.ec50_high), np.nan)


def _add_standard_errors(
    out: pd.DataFrame, group: DoseGroup, fit: Fit, penalty: Penalty | None, s2: np.ndarray, options: Fitting
) -> None:
    """Add Wald standard errors: the roots of the diagonal of s2 H^-1, and the delta method for effective doses.

    H is half the matrix of second derivatives of the sum of squares at the optimum, as in the R package drc; without
    the curvature of the model it would be J'J.
    """
    free = np.flatnonzero([not options.known_front, not options.known_back, True, True])
    part = (slice(None), *np.ix_(free, free))
    second = observed_information(group, fit, penalty)[part]
    diagonal = np.sqrt(np.maximum(np.einsum("njj->nj", fit.normal[part]), 1e-300))
    scale = diagonal[:, :, None] * diagonal[:, None, :]
    values, vectors = np.linalg.eigh(second / scale)
    inverse = np.einsum("nij,nj,nkj->nik", vectors, 1 / np.maximum(values, 1e-12), vectors) / scale
    covariance = np.full((len(s2), 4, 4), np.nan)
    covariance[part] = s2[:, None, None] * inverse
    error = np.sqrt(np.einsum("njj->nj", covariance))
    # where a direction is flat, or a bound was hit, a standard error says nothing
    unknown = ~fit.converged | fit.at_bound | (values.min(axis=1) <= 1e-12)
    errors = {
        "ec50": fit.ec50 * error[:, 2], "hill": fit.hill * error[:, 3], "front": error[:, 0], "back": error[:, 1],
    }  # fmt: skip
    for percent in options.effective_doses:
        lean = -special.logit(percent / 100) / fit.hill
        variance = covariance[:, 2, 2] + 2 * lean * covariance[:, 2, 3] + lean**2 * covariance[:, 3, 3]
        dose = effective_dose(percent / 100, fit.ec50, fit.hill)
        errors[f"ed{percent:g}"] = dose * np.sqrt(np.maximum(variance, 0))
    for name, numbers in errors.items():
        out[f"{name}_se"] = np.where(unknown, np.nan, numbers)
