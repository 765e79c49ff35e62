"""Position effects: how a value varies over the rows and columns of plates."""

import numpy as np
import pandas as pd

from helpers.profiles.selection import well_kind


def position_profile(
    obs: pd.DataFrame, value: str, by: str = "row", *, kinds: tuple[str, ...] = ("infected", "treated")
) -> pd.DataFrame:
    """Take the median of a value over the rows or columns of all plates, relative to each plate's own median.

    Only wells that stand scattered over the plate are used by default: few of the treated ones do anything, and
    their treatments are drawn anew on every plate, so the medians show position and not compound.

    Parameters
    ----------
    obs : DataFrame
        Wells; flagged ones are left out.
    value : str
        A numeric column.
    by : str
        ``row`` or ``col``.
    kinds : tuple of str
        Kinds of wells (see `well_kind`).

    Returns
    -------
    DataFrame
        One row per plate row or column: position, median, low, high (two standard errors of a median), n.
    """
    chosen = obs[well_kind(obs).isin(kinds).to_numpy()]
    if "qc_flag" in chosen:
        chosen = chosen[(chosen["qc_flag"].astype(str) == "").to_numpy()]
    plates = chosen.groupby(["experiment", "plate"], observed=True)[value]
    grouped = (chosen[value] - plates.transform("median")).groupby(chosen[by].to_numpy())
    table = pd.DataFrame({"median": grouped.median(), "n": grouped.count()})
    spread = grouped.quantile(0.75) - grouped.quantile(0.25)
    # 1.349 quartile distances to a standard deviation, 1.253 of its errors to that of a median.
    error = 2 * 1.253 * spread / 1.349 / np.sqrt(table["n"])
    table["low"], table["high"] = table["median"] - error, table["median"] + error
    return table.rename_axis("position").reset_index()


def position_profiles(obs: pd.DataFrame, value: str = "rescue") -> pd.DataFrame:
    """Return the profiles over rows and over columns in one table.

    Parameters
    ----------
    obs : DataFrame
        As in :func:`helpers.profiles.positions.position_profile`.
    value : str
        A numeric column.

    Returns
    -------
    DataFrame
        The columns of :func:`helpers.profiles.positions.position_profile`, and `by` (``row`` or ``col``); no rows where
        the value is missing.
    """
    if value not in obs or obs[value].isna().all():
        return pd.DataFrame(columns=["by", "position", "median", "n", "low", "high"])
    return pd.concat([position_profile(obs, value, by).assign(by=by) for by in ("row", "col")])


def position_trend(profile: pd.DataFrame) -> tuple[float, float, float]:
    """Fit a straight line to a profile: its change from the first to the last position, and two standard errors of it.

    Medians are weighted by their own errors. Where they scatter around the line by more than these, as over a curved
    profile, the errors are widened to match.

    Parameters
    ----------
    profile : DataFrame
        From `position_profile`.

    Returns
    -------
    change, low, high : float
        NaN where fewer than three positions have a median.
    """
    known = profile.dropna(subset=["median"])
    if len(known) < 3:
        return (float("nan"),) * 3
    x, y = known["position"].to_numpy(float), known["median"].to_numpy(float)
    error = ((known["high"] - known["low"]) / 4).to_numpy(float)
    usual = float(np.median(error))
    # A position with few wells that happen to agree must not decide the line alone.
    weight = 1 / np.maximum(error, 0.2 * usual) ** 2 if usual > 0 else np.ones(len(x))
    centre = np.average(x, weights=weight)
    squares = np.sum(weight * (x - centre) ** 2)
    slope = np.sum(weight * (x - centre) * y) / squares
    rest = y - np.average(y, weights=weight) - slope * (x - centre)
    wider = max(float(usual > 0), np.sum(weight * rest**2) / (len(x) - 2))
    length = float(np.ptp(x))
    change, reach = slope * length, 2 * np.sqrt(wider / squares) * length
    return float(change), float(change - reach), float(change + reach)
