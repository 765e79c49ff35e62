"""Curve classes: one rule table from a fit and its interval to what may be said of it."""

import numpy as np
import pandas as pd
from scipy import special

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


FLAT = 0.01
"""Share of the effect within which a curve stands on a plateau."""


def classify(
    doses: np.ndarray,
    used: np.ndarray,
    ec50: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    hill: np.ndarray,
    jump: np.ndarray,
    reached: np.ndarray,
    bell: np.ndarray,
    margin: float = np.inf,
) -> pd.DataFrame:
    """Return class, EC50, interval and censoring of curves that are told from a flat line.

    Parameters
    ----------
    doses, used : array
        Doses of the design, shape (n_doses,), and which of them each curve has, (n_curves, n_doses).
    ec50, low, high : array
        Estimate and interval in the unit of the doses, (n_curves,); 0 and inf where there is no limit.
    hill : array
        Hill slope, (n_curves,).
    jump : array
        Which curves are fitted as well by the steepest slope that is searched.
    reached : array
        Share of the effect reached at the highest dose.
    bell : array
        Which curves turn back at the top; their fit is that of the doses before.
    margin : float
        A limit further beyond the tested doses than by this factor is none.

    Returns
    -------
    DataFrame
        curve_class, ec50, ec50_low, ec50_high, ec50_censored; the classes are explained in
        :func:`helpers.dose.fit_curves`. A single limit lies among the tested doses, whatever the curve would say.
    """
    tested = used & (doses > 0)
    first = np.where(tested, doses, np.inf).min(axis=1)
    last = np.where(tested, doses, 0.0).max(axis=1)
    low = np.where(low < first / margin * 0.999, 0.0, low)
    high = np.where(high > last * margin * 1.001, np.inf, high)
    open_low, open_high = low == 0, np.isinf(high)
    under, over = open_low | (ec50 < first), open_high | (ec50 > last)
    # a limit beyond the other end of the doses says nothing, nor do two that lie beyond both
    unknown = under & over | under & (high > last) | over & (low < first) | (low < first) & (high > last)
    under, over = under & ~unknown, over & ~unknown
    below = np.where(
        tested & (doses <= 1.01 * low[:, None]) & (doses < 0.999 * ec50[:, None]), doses, -np.inf
    ).max(1)
    above = np.where(
        tested & (doses >= 0.99 * high[:, None]) & (doses > 1.001 * ec50[:, None]), doses, np.inf
    ).min(1)
    inside = tested & (doses > below[:, None]) & (doses < above[:, None])
    between = np.isfinite(below) & np.isfinite(above)
    with np.errstate(divide="ignore"):
        start, end = (
            special.expit(hill * (np.log(dose) - np.log(ec50))) for dose in (np.maximum(below, 0.0), above)
        )
    # one dose with any response between two plateaus is a step, if the curve itself says so
    single, ends = inside.sum(axis=1) == 1, np.maximum(start, 1 - end)
    # far from its plateaus' reach a steeper curve is the same curve, whatever a profile finds between its trial values
    sharp = single & (jump & (ends < FLAT) | (ends < FLAT / 10))
    step = ~unknown & ~under & ~over & between & (jump & ~inside.any(axis=1) | sharp)
    # an end that was not seen, on the fitted curve or on one that fits as well
    partial = ~unknown & ~under & ~over & ~step & ((reached < COMPLETE) | (high > last * 1.001))
    rules = [bell, under, over, step, partial]
    out = pd.DataFrame(
        {"curve_class": np.select(rules, ["bell", "below_range", "above_range", "step", "partial"], "active")}
    )
    # what the curve says below the lowest dose, or above the highest, hangs on its slope, which nobody saw there
    out["ec50"] = np.select(
        [unknown, under, over], [np.nan, np.maximum(high, first), np.minimum(low, last)], ec50
    )
    # A jump anywhere in the gap fits as well as the curve does: the doses cannot tell more than the gap.
    out["ec50_low"] = np.select([under, over, step], [0.0, out["ec50"], below], low)
    out["ec50_high"] = np.select([over, under, step], [np.inf, out["ec50"], above], high)
    out["ec50_censored"] = np.select([under, over], ["<", ">"], "")
    return out
