"""Summary of a table of curves: what could be told, in a row for each class."""

import numpy as np
import pandas as pd

from helpers.errors import UsageError

MEANING = {
    "active": "EC50 with its interval",
    "partial": "EC50 with its interval; the upper plateau is extrapolated",
    "step": "EC50 between two doses",
    "bell": "EC50 of the doses before it turns back",
    "below_range": "EC50 below the tested doses, or below a limit among them",
    "above_range": "EC50 above the tested doses, or above a limit among them",
    "worsening": "falls with dose",
    "toxic_top": "harms cells at its top; nothing else is told",
    "inactive": "cannot be told from a flat line",
    "not_fitted": "too few doses, points or differences to fit",
}
"""Classes in words, those that say most first."""


def summary(curves: pd.DataFrame) -> pd.DataFrame:
    """Return how many curves are of each class, and what their EC50s are.

    Parameters
    ----------
    curves : DataFrame
        From :func:`helpers.dose.fit_curves` or :func:`helpers.dose.fit_screen`.

    Returns
    -------
    DataFrame
        One row per class that occurs, those that say most first: curve_class, n_curves, n_located (EC50s with limits
        on both sides), ec50_median (of these, in the unit of the table), fold (median ratio of the ends of their
        intervals), r2_median, meaning.

    Raises
    ------
    UsageError
        For a table that is none of curves.

    Examples
    --------
    >>> curves = pd.DataFrame({
    ...     "curve_class": ["active", "active", "inactive"], "ec50": [0.1, 0.4, None], "ec50_low": [0.05, 0.2, None],
    ...     "ec50_high": [0.2, 0.8, None], "ec50_censored": "", "r2": [0.9, 0.8, 0.1],
    ... })
    >>> summary(curves)[["curve_class", "n_curves", "n_located", "ec50_median", "fold"]].values.tolist()
    [['active', 2, 2, 0.25, 4.0], ['inactive', 1, 0, nan, nan]]
    """
    end = "_um" if "ec50_um" in curves else ""
    needed = ["curve_class", f"ec50{end}", f"ec50_low{end}", f"ec50_high{end}", "ec50_censored", "r2"]
    missing = [name for name in needed if name not in curves]
    if missing:
        raise UsageError(
            f"the table has no column {', '.join(missing)}; give one from fit_curves or fit_screen"
        )
    ec50, low, high = (curves[name].astype(float) for name in needed[1:4])
    located = ec50.notna() & curves["ec50_censored"].eq("") & np.isfinite(high) & (low > 0)
    each = pd.DataFrame(
        {
            "curve_class": curves["curve_class"].astype(str),
            "located": located,
            "ec50": ec50.where(located),
            "fold": (high / low).where(located),
            "r2": curves["r2"].astype(float),
        }
    )
    found = each.groupby("curve_class").agg(
        n_curves=("located", "size"),
        n_located=("located", "sum"),
        ec50_median=("ec50", "median"),
        fold=("fold", "median"),
        r2_median=("r2", "median"),
    )
    order = [name for name in MEANING if name in found.index]
    found = found.loc[order].reset_index()
    return found.rename(columns={"ec50_median": f"ec50_median{end}"}).assign(
        meaning=found["curve_class"].map(MEANING)
    )
