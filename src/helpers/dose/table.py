"""Fit every curve of a table of responses, and say what the data can and cannot tell."""

import numpy as np
import pandas as pd

from helpers.dose.curves import response_at
from helpers.dose.design import DoseGroup, group_curves
from helpers.dose.fit import Fit, Grid, fit_group, make_grid
from helpers.dose.inference import (
    N_FLAT,
    N_FLAT_MANY,
    FlatNull,
    Profile,
    profile_ec50,
    relevance,
    simulate_flat,
)
from helpers.errors import DataError, UsageError

COLUMNS = (
    "curve", "curve_class", "ec50", "ec50_low", "ec50_high", "ec50_censored", "hill", "front", "back", "r2",
    "f_value", "p_value", "q_value", "relevance", "n_points", "at_bound",
)  # fmt: skip
CLASSES = ("active", "step", "below_range", "above_range", "inactive", "not_fitted")
MIN_DOSES = 4
HILL_BOUNDS = (0.2, 20.0)
EC50_MARGIN = 10.0


def fit_curves(
    table: pd.DataFrame,
    *,
    curve: str = "curve",
    dose: str = "dose",
    response: str = "response",
    weight: str | None = None,
    alpha: float = 0.05,
    level: float = 0.95,
    min_effect: float = 0.0,
    hill_bounds: tuple[float, float] = HILL_BOUNDS,
    ec50_margin: float = EC50_MARGIN,
    plateaus: tuple[float, float] = (-np.inf, np.inf),
    seed: int = 0,
) -> pd.DataFrame:
    """Fit a four-parameter log-logistic curve to each group of responses.

    Parameters
    ----------
    table
        One row per response. Rows with a missing dose or response are dropped.
    curve, dose, response, weight
        Names of the columns: which curve, dose >= 0 in any unit, response, and (optional) weight > 0.
    alpha
        A curve is inactive, and gets no EC50, unless its q-value over the table is at most this.
    level
        Coverage of the EC50 interval.
    min_effect
        Effect below which the relevance score is deflated, in units of the response.
    hill_bounds
        Smallest and largest Hill slope that is searched.
    ec50_margin
        Factor by which EC50 is searched beyond the lowest and highest dose.
    plateaus
        Smallest and largest value that front and back may take, where the response has natural limits: an EC50
        that is half-way to a plateau nobody has seen is otherwise not bounded from above.
    seed
        Of the simulated flat curves behind the p-value.

    Returns
    -------
    DataFrame
        One row per curve in order of first appearance: curve, curve_class, ec50, ec50_low, ec50_high, ec50_censored,
        hill, front, back, r2, f_value, p_value, q_value, relevance, n_points, at_bound (a parameter of the fit stands
        at its bound). Doses in the unit given. Classes:

        ============= ===============================================================================================
        `active`      EC50 has limits on both sides; it is missing if it could lie anywhere among the doses
        `step`        it lies between two neighbouring doses, a jump would fit as well: the interval is that gap
        `below_range` only an upper limit is known, `ec50_censored` is `<`: the start of the curve was not seen
        `above_range` only a lower limit is known, `ec50_censored` is `>`: the end of the curve was not seen
        `inactive`    cannot be told from a flat line: no EC50
        `not_fitted`  fewer than four doses or five points, constant responses, or no convergence
        ============= ===============================================================================================

    Raises
    ------
    UsageError
        For a column that does not exist, or a bound or level outside its range.
    DataError
        For negative doses or weights that are not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> doses = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
    >>> responses = [0.01, 0.02, 0.11, 0.48, 0.91, 0.98, 1.0]
    >>> table = pd.DataFrame({"curve": "a", "dose": doses, "response": responses})
    >>> fit_curves(table).round(2).loc[0, ["curve_class", "ec50", "hill"]].tolist()
    ['active', 0.31, 2.0]
    """
    _check_call(
        table, [curve, dose, response, *([weight] if weight else [])], alpha, level, hill_bounds, ec50_margin
    )
    points, names = _points(table, curve, dose, response, weight)
    # Without bounds on the plateaus the common level of a curve is taken off: its square would cost digits.
    common = points.groupby("curve")["response"].mean() * (not np.isfinite(plateaus).any())
    points["response"] -= points["curve"].map(common)
    rows = pd.DataFrame({"curve": names, "curve_class": "not_fitted", "ec50_censored": "", "at_bound": False})
    rows["n_points"] = points.groupby("curve").size().reindex(rows.index, fill_value=0)
    numbers = [
        "ec50",
        "ec50_low",
        "ec50_high",
        "hill",
        "front",
        "back",
        "r2",
        "f_value",
        "p_value",
        "relevance",
    ]
    rows[numbers] = np.nan
    fitted = []
    groups = group_curves(_fittable(points)) if len(points) else []
    n_flat = N_FLAT if len(groups) <= 10 else N_FLAT_MANY
    for group in groups:
        grid = make_grid(group.doses, hill_bounds, ec50_margin, plateaus)
        fit, null = fit_group(group, grid), simulate_flat(group, grid, n_flat=n_flat, seed=seed)
        _fill_parameters(rows, group, fit, null, alpha, min_effect)
        fitted.append((group, fit, grid))
    rows[["front", "back"]] = rows[["front", "back"]].add(common, axis=0)
    rows["q_value"] = _q_values(rows["p_value"])
    for group, fit, grid in fitted:
        _fill_ec50(rows, group, fit, grid, alpha, level)
    return rows[list(COLUMNS)]


def _check_call(table, columns, alpha, level, hill_bounds, ec50_margin) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise UsageError(
            f"no column {', '.join(missing)} in the table; it has {', '.join(map(str, table.columns))}"
        )
    for name, value in (("alpha", alpha), ("level", level)):
        if not 0 < value < 1:
            raise UsageError(f"{name}={value} is outside (0, 1)")
    if not 0 < hill_bounds[0] < hill_bounds[1]:
        raise UsageError(f"hill_bounds={hill_bounds} must be two numbers, 0 < smallest < largest")
    if ec50_margin < 1:
        raise UsageError(f"ec50_margin={ec50_margin} must be at least 1: a factor beyond the tested doses")


def _points(table, curve, dose, response, weight) -> tuple[pd.DataFrame, list]:
    """Return complete responses with a curve code, and the curves' names in order of first appearance."""
    codes, names = pd.factorize(table[curve])
    points = pd.DataFrame(
        {
            "curve": codes,
            "dose": pd.to_numeric(table[dose], errors="coerce").to_numpy(float),
            "response": pd.to_numeric(table[response], errors="coerce").to_numpy(float),
            "weight": table[weight].to_numpy(float) if weight else 1.0,
        }
    )
    points = points[(codes >= 0) & np.isfinite(points).all(axis=1)]
    if (points["dose"] < 0).any():
        bad = points.loc[points["dose"] < 0].iloc[0]
        raise DataError(
            f"curve {names[int(bad['curve'])]} has the dose {bad['dose']:g}; doses must be 0 or more"
        )
    if (points["weight"] <= 0).any():
        raise DataError("weights must be greater than 0; leave out the rows that should not count")
    return points, list(names)


def _fittable(points: pd.DataFrame) -> pd.DataFrame:
    """Return the points of curves with enough doses, enough points and responses that differ."""
    grouped = points.groupby("curve")
    positive = points["dose"].where(points["dose"] > 0).groupby(points["curve"]).transform("nunique")
    enough = (grouped["dose"].transform("nunique") >= MIN_DOSES) & (
        grouped["dose"].transform("size") > MIN_DOSES
    )
    span = grouped["response"].transform("max") - grouped["response"].transform("min")
    size = grouped["response"].transform(lambda r: r.abs().max())
    return points[enough & (positive >= 2) & (span > 1e-12 * np.maximum(size, 1e-300))]


def _fill_parameters(
    rows, group: DoseGroup, fit: Fit, null: FlatNull, alpha: float, min_effect: float
) -> None:
    """Write the test against a flat line, and the parameters of the fits that converged."""
    r2 = np.clip(1 - fit.rss / group.null_rss, 0, 1)
    f_value = null.f_value(r2)
    top = response_at(group.doses[-1], fit.front, fit.back, np.exp(fit.log_ec50), np.exp(fit.log_hill))
    tests = {
        "r2": r2, "f_value": f_value, "p_value": null.p_value(f_value),
        "relevance": relevance(f_value, top - fit.front, null, alpha, min_effect),
    }  # fmt: skip
    for name, values in tests.items():
        rows.loc[group.curves, name] = values
    for name, values in {"front": fit.front, "back": fit.back, "hill": np.exp(fit.log_hill)}.items():
        rows.loc[group.curves, name] = np.where(fit.converged, values, np.nan)
    rows.loc[group.curves, "at_bound"] = fit.at_bound
    rows.loc[group.curves, "curve_class"] = "inactive"


def _q_values(p: pd.Series) -> pd.Series:
    from scipy import stats

    q = pd.Series(np.nan, index=p.index)
    if p.notna().any():
        q[p.notna()] = stats.false_discovery_control(p.dropna().to_numpy())
    return q


def _fill_ec50(rows, group: DoseGroup, fit: Fit, grid: Grid, alpha: float, level: float) -> None:
    """Write class, EC50 and interval of the curves that can be told from a flat line."""
    significant = (rows.loc[group.curves, "q_value"] <= alpha).to_numpy()
    rows.loc[group.curves[significant & ~fit.converged], "curve_class"] = "not_fitted"
    active = np.flatnonzero(significant & fit.converged)
    positive = group.doses[group.doses > 0]
    names = ["curve_class", "ec50", "ec50_low", "ec50_high", "ec50_censored"]
    for row in active:
        profile = profile_ec50(group, row, fit, grid, level=level)
        rows.loc[group.curves[row], names] = _classify(float(np.exp(fit.log_ec50[row])), profile, positive)


def _classify(ec50: float, profile: Profile, doses: np.ndarray) -> list:
    """Return class, EC50, interval and censoring: the rule table of :func:`fit_curves`."""
    low, high = profile.low, profile.high
    open_below, open_above = low == 0, np.isinf(high)
    if (open_below and high > doses[-1]) or (open_above and low < doses[0]):
        return ["active", np.nan, low, high, ""]
    if open_below or ec50 < doses[0]:
        return ["below_range", high, 0.0, high, "<"]
    if open_above or ec50 > doses[-1]:
        return ["above_range", low, low, np.inf, ">"]
    gap = min(int(np.searchsorted(doses, ec50, side="right")), len(doses) - 1)
    below, above = doses[gap - 1], doses[gap]
    within_gap = low >= below * 0.99 and high <= above * 1.01
    jump = profile.steepest[0] < above and profile.steepest[1] > below
    if within_gap and jump:
        # A jump anywhere in the gap fits as well as the curve does: the doses cannot tell more than the gap.
        return ["step", ec50, below, above, ""]
    return ["active", ec50, low, high, ""]
