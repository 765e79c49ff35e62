"""What is known of an EC50, in a few words for titles."""

import numpy as np
import pandas as pd

from helpers.figures.style import format_um


def is_step(curve: pd.Series) -> bool:
    """Return whether a curve's EC50 is only known to lie between two tested doses."""
    return str(curve["curve_class"]) == "step"


def ec50_text(curve: pd.Series) -> str:
    """Say in words what is known about a curve's EC50.

    Parameters
    ----------
    curve : Series
        A row of `dose_response.csv`.

    Returns
    -------
    str
        For instance ``EC50 0.21 µM (0.12 to 0.4)``, ``EC50 < 0.01 µM``, ``EC50 between 0.1 and 0.3 µM``
        or ``no EC50``.

    Examples
    --------
    >>> curve = pd.Series({
    ...     "curve_class": "active", "ec50_um": 0.21, "ec50_low_um": 0.12, "ec50_high_um": 0.4, "ec50_censored": "",
    ... })
    >>> ec50_text(curve)
    'EC50 0.21 µM (0.12 to 0.4)'
    """
    low, high = curve["ec50_low_um"], curve["ec50_high_um"]
    censored = _censored(curve)
    if censored:
        bound = next((v for v in (curve["ec50_um"], high if censored == "<" else low) if pd.notna(v)), None)
        return f"EC50 {censored} {format_um(bound, 2)} µM" if bound else f"EC50 {censored} the tested doses"
    if is_step(curve):
        return f"EC50 between {format_um(low)} and {format_um(high)} µM"
    if pd.isna(curve["ec50_um"]):
        unlimited = _moves(curve) and str(curve["curve_class"]) != "toxic_top"
        return "EC50 without limits" if unlimited else "no EC50"
    text = f"EC50 {format_um(curve['ec50_um'], 2)} µM"
    ends = [format_um(v, 2) if np.isfinite(v) else "∞" for v in (low, high) if pd.notna(v)]
    return f"{text} ({' to '.join(ends)})" if len(ends) == 2 else text


def _moves(curve: pd.Series) -> bool:
    """Return whether a curve was told from a flat line."""
    return str(curve["curve_class"]) not in {"inactive", "not_fitted"}


def _censored(curve: pd.Series) -> str:
    """Return ``<`` or ``>`` where the EC50 is only bounded, else nothing."""
    return curve["ec50_censored"] if isinstance(curve["ec50_censored"], str) else ""
