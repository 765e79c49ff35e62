"""Curves small enough for the cell of a table: means per dose and what was fitted, as SVG of a few hundred bytes."""

import numpy as np
import pandas as pd

from helpers.dose import response_at
from helpers.figures.style import dose_positions

WIDTH, HEIGHT = 110, 34
"""Size of a curve, in pixels."""

LOW, HIGH = -0.3, 1.3
"""Rescue at the lower and upper edge, the same for all curves so that they can be compared."""

KEYS = ["experiment", "treatment"]
N_LINE = 24


def curve_sparklines(points: pd.DataFrame, curves: pd.DataFrame) -> pd.Series:
    """Draw every curve as a small SVG.

    Parameters
    ----------
    points : DataFrame
        Fitted wells: experiment, treatment, dose_um, rescue.
    curves : DataFrame
        `dose_response.csv`.

    Returns
    -------
    Series of str
        Indexed like `curves`. Dots are means per dose; the line is the fit where the EC50 has a number, the two
        plateaus of a step, dotted where a flat line does as well, and nothing where no curve was fitted. Faint lines:
        infected (0) and mock (1). What lies beyond the edges is drawn at the edge. Empty where there are no points.
    """
    means = points.groupby([*KEYS, "dose_um"], observed=True)["rescue"].mean().reset_index("dose_um")
    rows = dict(list(means.groupby(level=KEYS, observed=True)))
    drawn = [
        _sparkline(rows.get((str(curve["experiment"]), str(curve["treatment"]))), curve)
        for _, curve in curves.iterrows()
    ]
    return pd.Series(drawn, index=curves.index, dtype=object)


def _sparkline(means: pd.DataFrame | None, curve: pd.Series) -> str:
    if means is None or means["rescue"].isna().all():
        return ""
    at = np.log10(dose_positions(means["dose_um"]).to_numpy(float))
    span = (at.min(), max(at.max(), at.min() + 0.5))
    dots = "".join(
        f"M{x:.0f} {y:.1f}h0" for x, y in zip(_across(at, span), _down(means["rescue"]), strict=True)
    )
    levels = "".join(f'<path d="M0 {y:.1f}H{WIDTH}" opacity=".25"/>' for y in _down(np.array([0.0, 1.0])))
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" stroke="currentColor" '
        f'role="img" aria-label="{_label(curve)}">{levels}{_line(curve, means, span)}'
        f'<path d="{dots}" stroke-width="4" stroke-linecap="round"/></svg>'
    )


def _label(curve: pd.Series) -> str:
    return f"curve, {str(curve['curve_class']).replace('_', ' ')}"


def _line(curve: pd.Series, means: pd.DataFrame, span: tuple[float, float]) -> str:
    """Return the path of what was fitted."""
    dose = np.logspace(*span, N_LINE)
    kind = str(curve["curve_class"])
    if kind == "not_fitted":
        return ""
    if kind == "inactive":
        level = _down(np.array([means["rescue"].mean()]))[0]
        return f'<path d="M4 {level:.1f}H{WIDTH - 4}" stroke-dasharray="2 2"/>'
    if kind == "step":
        front, back = _down(np.array([curve["front"], curve["back"]]))
        low, high = _across(np.log10([curve["ec50_low_um"], curve["ec50_high_um"]]), span)
        return f'<path d="M4 {front:.1f}H{low:.0f}M{high:.0f} {back:.1f}H{WIDTH - 4}"/>'
    if pd.isna(curve["ec50_um"]) or str(curve.get("ec50_censored", "")) in ("<", ">"):
        return ""  # its plateaus are not known
    if curve[["front", "back", "hill"]].isna().any():
        return ""
    fit = response_at(dose, curve["front"], curve["back"], curve["ec50_um"], curve["hill"])
    path = "L".join(
        f"{x:.0f} {y:.1f}" for x, y in zip(_across(np.log10(dose), span), _down(fit), strict=True)
    )
    return f'<path d="M{path}"/>'


def _across(log_dose: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    return 4 + (np.asarray(log_dose) - span[0]) / (span[1] - span[0]) * (WIDTH - 8)


def _down(rescue) -> np.ndarray:
    share = (np.clip(np.asarray(rescue, dtype=float), LOW, HIGH) - LOW) / (HIGH - LOW)
    return HEIGHT - 3 - share * (HEIGHT - 6)
