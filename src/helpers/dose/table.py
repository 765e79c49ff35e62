"""Fit every curve of a table of responses, and say what the data can and cannot tell."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from helpers.dose.bells import find_bells
from helpers.dose.checks import Columns, Data, check_columns, read_points
from helpers.dose.classes import CLASSES
from helpers.dose.curves import response_at
from helpers.dose.design import DoseGroup, Points, indexed_groups
from helpers.dose.engine import (
    Curves,
    activity_area,
    describe,
    seen_effect,
    seen_start,
)
from helpers.dose.flat import (
    N_FLAT,
    N_FLAT_ALL,
    N_FLAT_MANY,
    FlatNull,
    either,
    level_p,
    permutation_p,
    relevance,
    share_null,
    simulate_flat,
    together,
)
from helpers.dose.grid import Limits, explained, make_grid
from helpers.dose.known import LEVEL_SHARE, NOTHING, Known
from helpers.dose.options import CurveOptions, Fitting
from helpers.dose.plates import PlateSpread, plate_spread
from helpers.dose.robust import robust_weights, simulate_flat_robust
from helpers.dose.units import UnitWarning, given_numbers, unit_notes
from helpers.hits.multiple import q_values
from helpers.options import with_settings

__all__ = ["CLASSES", "fit_curves"]

COLUMNS = (
    "curve", "curve_class", "ec50", "ec50_low", "ec50_high", "ec50_censored", "hill", "front", "back", "r2",
    "f_value", "p_value", "q_value", "relevance", "n_points", "at_bound", "hill_low", "hill_high", "back_low",
    "back_high", "activity_area", "n_doses", "n_plates", "n_dropped", "n_dropped_doses", "converged",
    "ec50_all", "ec50_all_low", "ec50_all_high", "ec50_fit", "effect",
)  # fmt: skip
POLISHED = 8
"""Responses from which on the test takes the fit as it is, and not its best point on the null's grid."""


def fit_curves(
    table: pd.DataFrame,
    *,
    curve: str = "curve",
    dose: str = "dose",
    response: str = "response",
    weight: str | None = None,
    cluster: str | None = None,
    front: float | str | None = None,
    back: float | str | None = None,
    known: Known = NOTHING,
    options: CurveOptions = CurveOptions(),
    seed: int = 0,
    **settings: Any,
) -> pd.DataFrame:
    """Fit a log-logistic curve to each group of responses.

    Parameters
    ----------
    table : DataFrame
        One row per response. Rows with a missing dose or response are dropped, and counted in `n_dropped`.
    curve : str
        Column that says which curve a response belongs to.
    dose : str
        Column of doses, 0 or more, in any unit.
    response : str
        Column of responses, in any unit.
    weight : str, optional
        Column of weights, above 0.
    cluster : str, optional
        Column of the plate (batch, donor, ...) a response comes from. Responses of a plate share a shift and a gain;
        the test takes each plate's level off, and the interval counts plates, not wells (see
        :mod:`helpers.dose.plates`). Without it responses count as independent.
    front : float or str, optional
        Response at dose 0, if it is known: a number, or a column that holds one number per curve. The curve then has
        three parameters, and is also tested for a level that differs from it, so that a compound that does all it can
        at every dose is not taken for flat. None = fitted too.
    back : float or str, optional
        Response at an infinite dose, if it is known, such as that of dead cells: as `front`.
    known : Known
        What other wells tell: how much plates shift and stretch, and whether a curve lies off the level without effect.
    options : CurveOptions
        How curves are fitted, tested and reported.
    seed : int
        Of everything drawn: simulated flat curves, shuffles, resamples.
    **settings
        Single fields of `options` by their names, such as ``level=0.9``.

    Returns
    -------
    DataFrame
        One row per curve in order of first appearance: curve, curve_class, ec50, ec50_low, ec50_high, ec50_censored,
        hill, front, back, r2, f_value, p_value, q_value, relevance, n_points, at_bound (a parameter of the fit stands
        at its bound), hill_low, hill_high, back_low, back_high, activity_area (mean over the log doses of the fitted
        response less that at the lowest dose, or less `front` where it is given or dose 0 was tested; see
        :func:`helpers.dose.mean_effect`; missing where the start of an active curve was not seen), n_doses, n_plates,
        n_dropped, n_dropped_doses (doses left out because the curve turns back there; ec50_all, ec50_all_low,
        ec50_all_high then are the estimates with them), converged, effect (change of the fitted curve from the lowest
        dose to the highest), and ec50_fit: the EC50 of a curve that is told from flat, whatever else the data can tell
        of it, for comparison with other software, not for reporting. A parameter that the data do not tell is missing.
        With `cluster` also ec50_naive_low, ec50_naive_high, the interval that takes wells as independent; r2 then is
        that within plates. With `permutations`, `effective_doses`, `standard_errors` their columns. Doses in the unit
        given. Classes, by the first rule that holds:

        ============= ===============================================================================================
        `not_fitted`  too few doses, no more points than parameters, constant responses, or no convergence
        `inactive`    cannot be told from a flat line: no EC50
        `bell`        turns back at the top; the fit is that of the doses before. EC50 may be censored as below
        `below_range` only an upper limit is known, `ec50_censored` is `<`: the start of the curve was not seen
        `above_range` only a lower limit is known, `ec50_censored` is `>`: the end of the curve was not seen
        `step`        EC50 lies between two neighbouring doses, or a single response lies between two plateaus, and a
                      jump would fit as well: the interval is that gap
        `partial`     EC50 has limits on both sides, but the highest dose reaches less than 80 % of the fitted effect
                      or lies below the upper limit: the end is extrapolated
        `active`      EC50 has limits on both sides; it is missing if it could lie anywhere among the doses, also
                      where its one limit lies beyond their other end, or both beyond theirs
        ============= ===============================================================================================

    Raises
    ------
    UsageError
        For a column that does not exist, or an argument outside its range.
    DataError
        For doses, responses or weights that are no numbers, negative doses, weights that are not positive, or several
        fronts or backs for one curve.

    Examples
    --------
    >>> import pandas as pd
    >>> doses = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
    >>> responses = [0.01, 0.02, 0.11, 0.48, 0.91, 0.98, 1.0]
    >>> table = pd.DataFrame({"curve": "a", "dose": doses, "response": responses})
    >>> fitted = fit_curves(table).iloc[0]
    >>> fitted["curve_class"], round(float(fitted["ec50"]), 2), round(float(fitted["hill"]), 2)
    ('active', 0.31, 1.95)
    """
    chosen = with_settings(options, settings)
    options = Fitting(
        **vars(chosen),
        clustered=cluster is not None,
        known_front=front is not None,
        known_back=back is not None,
        seed=seed,
    )
    columns = Columns(curve, dose, response, weight, cluster, front, back)
    check_columns(table, columns.names, options)
    data = read_points(table, columns, options.limits)
    whole = data.points.response + data.level[data.points.curve]
    for note in unit_notes(
        np.asarray(data.names)[data.points.curve], whole, given_numbers(front, back, chosen)
    ):
        warnings.warn(note, UnitWarning, stacklevel=2)
    return _fit(data, known, options)


def _fit(data: Data, known: Known, options: Fitting) -> pd.DataFrame:
    """Fit, test and classify the curves of a table that was read."""
    rows = _empty_rows(data, options)
    points = given = data.fittable(options)
    noise: dict[int, float] = {}
    if options.loss == "robust" and len(points.curve):
        robust, noise = robust_weights(
            points,
            hill_bounds=options.hill_bounds,
            margin=options.ec50_margin,
            limits_of=data.limits_of,
        )
        points = Points(points.curve, points.plate, points.dose, points.response, robust)
    designs = _fit_designs(points, noise, data.limits_of, options)
    alike = [curves.take(part) for curves in designs for part in share_null(_tested(curves, options))]
    n_flat = int(np.clip(N_FLAT_ALL // max(len(alike), 1), N_FLAT_MANY, N_FLAT))
    for curves in alike:
        _fill_test(rows, curves, _null(curves, n_flat, options), options)
    if known.level_p is not None:
        level = known.levels(data.names)
        rows["p_value"] = np.where(
            rows["p_value"].notna(), either(rows["p_value"], level, LEVEL_SHARE), np.nan
        )
        rows["relevance"] = np.maximum(rows["relevance"], -np.log10(np.maximum(level, 1e-300)))
    if options.permutations and len(points.curve):
        # robust weights profit from the order of the doses, so shuffled ones would have to be weighted anew
        shuffled = permutation_p(
            given,
            n_permutations=options.permutations,
            hill_bounds=options.hill_bounds,
            margin=options.ec50_margin,
            seed=options.seed,
        )
        rows.loc[list(shuffled), "p_permutation"] = list(shuffled.values())
    rows["q_value"] = q_values(rows["p_value"])
    active = [(rows.loc[curves.group.curves, "q_value"] <= options.alpha).to_numpy() for curves in designs]
    spread = _spread(designs, active, known, options)
    for curves, chosen in zip(designs, active, strict=True):
        _fill_active(rows, curves.take(np.flatnonzero(chosen)), spread, options)
    for column in ("front", "back", "back_low", "back_high"):
        rows[column] += data.level
    columns = [*COLUMNS, *options.column_names(clustered=options.clustered)]
    return rows.loc[data.appearance, columns].reset_index(drop=True)


def _empty_rows(data: Data, options: Fitting) -> pd.DataFrame:
    """Return the table before anything is fitted."""
    rows = pd.DataFrame({"curve": data.names, "curve_class": "not_fitted", "ec50_censored": ""})
    columns = [*COLUMNS, *options.column_names(clustered=options.clustered)]
    for column in columns:
        if column not in rows:
            rows[column] = np.nan
    rows["at_bound"] = rows["converged"] = False
    n = len(rows)
    rows["n_points"] = np.bincount(data.points.curve, minlength=n)
    pairs = {"n_doses": data.points.dose, "n_plates": data.points.plate}
    for column, values in pairs.items():
        different = pd.DataFrame({"curve": data.points.curve, "value": values}).drop_duplicates()
        rows[column] = np.bincount(different["curve"], minlength=n)
    rows["n_dropped"], rows["n_dropped_doses"] = data.n_dropped, 0
    return rows


def _fit_designs(
    points: Points, noise: dict, limits_of: Callable[[np.ndarray], Limits], options: Fitting
) -> list[Curves]:
    """Return the curves of each design with their pooled fits."""
    designs = []
    for group, chosen, cell in indexed_groups(points):
        grid = make_grid(group.doses, options.hill_bounds, options.ec50_margin)
        s2 = np.array([noise.get(code, np.nan) for code in group.curves.tolist()])
        designs.append(Curves.fitted(group, grid, limits_of(group.curves), s2, points.take(chosen), cell))
    return designs


def _tested(curves: Curves, options: Fitting) -> DoseGroup:
    """Return the curves as the test sees them."""
    return curves.group if options.clustered else curves.group.pooled()


def _joint(options: Fitting) -> bool:
    """Return whether slope and level are tested at once: the front is known, and no plate shifts."""
    return options.known_front and not options.clustered


def _null(curves: Curves, n_flat: int, options: Fitting) -> FlatNull:
    group = _tested(curves, options)
    from_front = _joint(options)
    if options.loss == "robust":
        return simulate_flat_robust(
            group,
            curves.grid,
            hill_bounds=options.hill_bounds,
            margin=options.ec50_margin,
            from_front=from_front,
            seed=options.seed,
        )
    return simulate_flat(group, curves.grid, n_flat=n_flat, from_front=from_front, seed=options.seed)


def _fill_test(rows: pd.DataFrame, curves: Curves, null: FlatNull, options: Fitting) -> None:
    """Write the test against a flat line, and the parameters of the pooled fits that converged."""
    group, fit = _tested(curves, options), curves.fit
    front = curves.limits.low[:, 0]
    r2 = explained(group, curves.grid, front=front if _joint(options) else None)
    if group.weight.shape[1] == 1 and not curves.limits.any and options.loss != "robust":
        # the polished fit, where it is the same curve; it fits a few points closer than any of the null's were fitted
        polished = 1 - fit.rss / group.null_rss
        r2 = np.where(group.n_points >= POLISHED, np.maximum(r2, polished), r2)
    n, code = group.n_points, group.curves
    f_value = null.f_value(r2, n)
    p_value = null.p_value(f_value, n)
    if options.known_front and group.weight.shape[1] > 1:
        p_value = together(p_value, level_p(group, front))
    effect = response_at(group.dose_range()[1], fit.front, fit.back, fit.ec50, fit.hill)
    effect = effect - seen_start(group, fit, options)
    shown = r2 if group.weight.shape[1] > 1 else np.clip(1 - fit.rss / group.null_rss, 0, 1)
    tests = {
        "r2": shown, "f_value": f_value, "p_value": p_value,
        "relevance": relevance(f_value, effect, null, n, options.alpha, options.min_effect),
    }  # fmt: skip
    for name, values in tests.items():
        rows.loc[code, name] = values
    for name, values in {
        "effect": seen_effect(group, fit),
        "activity_area": activity_area(group, fit, options)[0],
    }.items():
        rows.loc[code, name] = np.where(fit.converged, values, np.nan)
    rows.loc[code, "converged"] = fit.converged
    rows.loc[code, "curve_class"] = "inactive"


def _spread(
    designs: list[Curves], active: list[np.ndarray], known: Known, options: Fitting
) -> PlateSpread | None:
    """Return how much plates differ over all curves of the table; None where plates play no part."""
    several = [i for i, curves in enumerate(designs) if curves.group.weight.shape[1] > 1]
    if not (options.clustered and several):
        return None
    chosen = [designs[i] for i in several]
    told = plate_spread(
        [c.group for c in chosen],
        [c.fit for c in chosen],
        [active[i] for i in several],
        known_front=options.known_front and known.shift_sd is None,
    )
    return told.with_known(known.shift_sd, known.gain_sd)


def _fill_active(rows: pd.DataFrame, curves: Curves, spread: PlateSpread | None, options: Fitting) -> None:
    """Write classes, estimates and intervals of the curves that can be told from a flat line."""
    if not len(curves.group.curves):
        return
    spread = spread if curves.group.weight.shape[1] > 1 else None
    bell = np.zeros(len(curves.group.curves), dtype=bool)
    if options.bell:
        keep = find_bells(curves, options)
        bell = (keep != curves.group.used).any(axis=1)
    if bell.any():
        dropped = curves.group.used.sum(axis=1) - keep.sum(axis=1)
        rows.loc[curves.group.curves, "n_dropped_doses"] = dropped
        turned = curves.take(np.flatnonzero(bell))
        everything = describe(turned, np.zeros(bell.sum(), dtype=bool), spread, options)
        for column in ("ec50", "ec50_low", "ec50_high"):
            rows.loc[everything.index, f"{column.replace('ec50', 'ec50_all')}"] = everything[column]
        rest = turned.without_tops(keep[bell])
        _write(rows, describe(rest, np.ones(bell.sum(), dtype=bool), spread, options))
        curves = curves.take(np.flatnonzero(~bell))
    if len(curves.group.curves):
        _write(rows, describe(curves, np.zeros(len(curves.group.curves), dtype=bool), spread, options))


def _write(rows: pd.DataFrame, found: pd.DataFrame) -> None:
    """Write what was found into the rows; of fits that did not converge, only that they did not."""
    failed = found.index[~found["converged"]]
    good = found[found["converged"]]
    rows.loc[good.index, good.columns] = good
    rows.loc[failed, "curve_class"] = "not_fitted"
    rows.loc[failed, "converged"] = False
    rows.loc[failed, ["effect", "activity_area"]] = np.nan
