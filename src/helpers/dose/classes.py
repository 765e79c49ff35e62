"""Curve classes: one rule table from a fit and its interval to what may be said of it."""

import numpy as np
import pandas as pd

CLASSES = (
    "active", "partial", "step", "bell", "below_range", "above_range", "inactive", "not_fitted",
)  # fmt: skip
"""Classes of curves of :func:`helpers.dose.fit_curves`, which explains them."""
SCREEN_CLASSES = (*CLASSES, "worsening", "toxic_top")
"""Classes of curves of :func:`helpers.dose.fit_screen`: two more, which it explains."""
RISING = ("active", "partial", "step", "bell", "below_range", "above_range")
"""Classes of curves that are told from a flat line (and, in a screen, do not fall)."""
LOCATED = ("active", "partial", "step", "bell")
"""Classes whose EC50 may have limits on both sides."""
COMPLETE = 0.8
"""Share of the fitted effect that must be reached at the highest dose for the end of a curve to count as seen."""


def classify(
    doses: np.ndarray,
    used: np.ndarray,
    ec50: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    steepest: tuple[np.ndarray, np.ndarray],
    reached: np.ndarray,
    bell: np.ndarray,
) -> pd.DataFrame:
    """Return class, EC50, interval and censoring of curves that are told from a flat line.

    Parameters
    ----------
    doses, used : array
        Doses of the design, shape (n_doses,), and which of them each curve has, (n_curves, n_doses).
    ec50, low, high : array
        Estimate and interval in the unit of the doses, (n_curves,); 0 and inf where there is no limit.
    steepest : tuple of arrays
        Range of EC50 within which a jump fits as well as the curve does; missing if a jump does not fit.
    reached : array
        Share of the effect reached at the highest dose.
    bell : array
        Which curves turn back at the top; their fit is that of the doses before.

    Returns
    -------
    DataFrame
        curve_class, ec50, ec50_low, ec50_high, ec50_censored; the classes are explained in
        :func:`helpers.dose.fit_curves`.
    """
    tested = used & (doses > 0)
    first = np.where(tested, doses, np.inf).min(axis=1)
    last = np.where(tested, doses, 0.0).max(axis=1)
    below = np.where(used & (doses <= ec50[:, None]), doses, -np.inf).max(axis=1)
    above = np.where(tested & (doses > ec50[:, None]), doses, np.inf).min(axis=1)
    open_low, open_high = low == 0, np.isinf(high)
    # a limit beyond the other end of the doses says nothing, unless the estimate lies off the doses too
    unknown = open_low & ((high > last) & (ec50 >= first)) | open_high & ((low < first) & (ec50 <= last))
    unknown |= open_low & open_high
    under = ~unknown & (open_low | (ec50 < first))
    over = ~unknown & ~under & (open_high | (ec50 > last))
    gap = (low >= below * 0.99) & (high <= above * 1.01)
    jump = (steepest[0] < above) & (steepest[1] > below)  # False where missing
    step = ~unknown & ~under & ~over & gap & jump
    partial = ~unknown & ~under & ~over & ~step & (reached < COMPLETE)
    rules = [bell, under, over, step, partial]
    out = pd.DataFrame(
        {"curve_class": np.select(rules, ["bell", "below_range", "above_range", "step", "partial"], "active")}
    )
    out["ec50"] = np.select([unknown, under, over], [np.nan, high, low], ec50)
    # A jump anywhere in the gap fits as well as the curve does: the doses cannot tell more than the gap.
    out["ec50_low"] = np.select([under, step], [0.0, below], low)
    out["ec50_high"] = np.select([over, step], [np.inf, above], high)
    out["ec50_censored"] = np.select([under, over], ["<", ">"], "")
    return out
