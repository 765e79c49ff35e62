"""Readings: one interval for a curve of which part of the rise may be harm, and may not."""

import numpy as np
import pandas as pd

from helpers.dose.classes import RISING


def cover_both(table: pd.DataFrame, other: pd.DataFrame, curves: pd.Index, points: pd.DataFrame) -> None:
    """Let the intervals of curves cover another reading too; what has an effect in one of them alone cannot be told.

    As with any curve, a single limit that lies beyond the other end of the doses says nothing.

    Parameters
    ----------
    table, other : DataFrame
        From :func:`helpers.dose.fit_curves`, by treatment; `table` is changed in place.
    curves : Index
        Of the treatments that have two readings.
    points : DataFrame
        Their responses, of which treatment and dose_um are read.
    """
    one, two = table.loc[curves], other.loc[curves]
    flat = ~two["curve_class"].isin([*RISING]) & one["curve_class"].isin(RISING)
    table.loc[curves[flat], "curve_class"] = "inactive"
    both = curves[(one["curve_class"].isin(RISING) & two["curve_class"].isin(RISING)).to_numpy()]
    low = np.minimum(table.loc[both, "ec50_low"].fillna(0.0), other.loc[both, "ec50_low"].fillna(0.0))
    high = np.maximum(
        table.loc[both, "ec50_high"].fillna(np.inf), other.loc[both, "ec50_high"].fillna(np.inf)
    )
    doses = points[points["dose_um"] > 0].groupby("treatment")["dose_um"].agg(["min", "max"]).loc[both]
    under = low.eq(0) & (high <= doses["max"])
    over = np.isinf(high) & (low >= doses["min"])
    unknown = (low.eq(0) | np.isinf(high)) & ~under & ~over
    table.loc[both, "ec50_low"], table.loc[both, "ec50_high"] = low, high
    for dose in [
        name.removesuffix("_low") for name in table if name.startswith("ed") and name.endswith("_low")
    ]:
        for end, widest in (("_low", np.minimum), ("_high", np.maximum)):
            table.loc[both, dose + end] = widest(table.loc[both, dose + end], other.loc[both, dose + end])
        table.loc[both[under | over | unknown], [dose, f"{dose}_low", f"{dose}_high"]] = np.nan
    table.loc[both[under], "ec50"], table.loc[both[over], "ec50"] = high[under], low[over]
    table.loc[both[unknown], "ec50"] = np.nan
    table.loc[both, "ec50_censored"] = np.select([under, over], ["<", ">"], "")
    table.loc[both[under], "curve_class"], table.loc[both[over], "curve_class"] = "below_range", "above_range"
    table.loc[both[unknown], "curve_class"] = "active"
    unseen = ~under & ~over & ~unknown & (high > doses["max"] * 1.001)
    ends_unseen = table.index.isin(both[unseen]) & table["curve_class"].eq("active")
    table.loc[ends_unseen, "curve_class"] = "partial"
