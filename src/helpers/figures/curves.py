"""Dose response drawn with what the data can and cannot tell: points, curve, EC50, censoring, class."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.dose import response_at
from helpers.dose.screen import wells_of_curve
from helpers.figures.ec50 import _censored, _moves, ec50_text, is_step
from helpers.figures.style import (
    CONDITION_STYLE,
    FAINT,
    INK,
    SERIES,
    WIDTH,
    Mark,
    axes_or_new,
    dose_axis,
    dose_positions,
    hide_spare,
    legend_below,
    legend_handles,
    plot_missing,
    series_styles,
)
from helpers.screens.order import natural_order
from helpers.text import drawn

NO_CURVES = "No dose response to draw: this screen has no doses, or nothing that could be scored."


def plate_styles(plates: Sequence) -> dict[str, Mark]:
    """Return a marker for each plate: told apart by shape first, since colour is for calls."""
    return {p: Mark(f"plate {p}", m.color, m.marker) for p, m in series_styles(natural_order(plates)).items()}


def plot_curve(
    points: pd.DataFrame,
    curve: pd.Series | None = None,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    extra: Sequence = (),
    size: float = 26,
) -> Axes:
    """Draw one dose-response curve: wells by plate, the fit, and what is known about its EC50.

    Flagged wells are crosses, and wells at doses that were left out are hollow: they are shown, and were not fitted. A
    hollow diamond is the EC50 that the fit to all doses gives.

    Parameters
    ----------
    points : DataFrame
        Scored wells of one treatment: dose_um, rescue, plate, qc_flag.
    curve : Series, optional
        Its row of `dose_response.csv`; without one only the wells are drawn.
    ax : Axes, optional
        Where to draw; new axes by default.
    title : str, optional
        By default the treatment, the class of the curve and its EC50.
    legend : bool
        Name the plates below.
    extra : sequence
        Further entries of that legend.
    size : float
        Area of a point in square points.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if points.empty or points["rescue"].notna().sum() == 0:
        return plot_missing(NO_CURVES, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.0))
    left_out = _left_out(points, curve)
    draw_points(ax, points, size, left_out)
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axhline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    dose_axis(ax, points["dose_um"], max_ticks=8 if legend else 4)
    _limit(ax, points)
    if curve is not None:
        draw_fit(ax, points, curve)
        draw_ec50(ax, points, curve)
    ax.set_ylabel("rescue")
    ax.set_title(_title(points, curve) if title is None else title, fontsize=11 if legend else 9)
    if legend:
        handles = [
            *_plate_handles(points["plate"]),
            *_flag_handle(points),
            *_left_out_handle(left_out),
            *extra,
        ]
        legend_below(ax, handles, ncols=2 if extra else 4 if len(handles) < 5 else 3)
    return ax


def _flagged(points: pd.DataFrame) -> np.ndarray:
    """Return which wells failed quality control."""
    return (
        (points["qc_flag"].astype(str) != "").to_numpy()
        if "qc_flag" in points
        else np.zeros(len(points), bool)
    )


MANY = 8
"""Of more plates than this a legend gives the number only: their markers repeat."""


def _left_out(points: pd.DataFrame, curve: pd.Series | None) -> np.ndarray:
    """Return which wells stand at the highest doses that the fit left out."""
    n = 0 if curve is None else curve.get("n_dropped_doses", 0)
    if pd.isna(n) or not n:
        return np.zeros(len(points), bool)
    highest = np.sort(points["dose_um"].dropna().unique())[-int(n) :]
    return points["dose_um"].isin(highest).to_numpy()


def _left_out_handle(left_out: np.ndarray) -> list[Line2D]:
    """Return the legend entry of wells at doses that were left out, if there are any."""
    hollow = Line2D([], [], ls="", marker="o", color=INK, mfc="white", ms=6, label="dose left out")
    return [hollow] if left_out.any() else []


def _plate_handles(plates: pd.Series) -> list[Line2D]:
    """Return the legend entries of the plates."""
    styles = plate_styles(plates)
    if len(styles) <= MANY:
        return legend_handles(styles, plates.unique())
    return [Line2D([], [], ls="", marker="o", color=SERIES[0], ms=6, label=f"wells of {len(styles)} plates")]


def _flag_handle(points: pd.DataFrame) -> list[Line2D]:
    """Return the legend entry of flagged wells, if there are any."""
    cross = Line2D([], [], ls="", marker="x", color=FAINT, mew=1.2, ms=6, label="failed, not fitted")
    return [cross] if _flagged(points).any() else []


def draw_points(ax: Axes, points: pd.DataFrame, size: float, left_out: np.ndarray) -> None:
    """Draw wells, a marker per plate, moved apart a little so that none hides another.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    points : DataFrame
        dose_um, rescue, plate; qc_flag where wells may have failed.
    size : float
        Area of a point in square points.
    left_out : array
        Which wells are drawn hollow, shape (n_wells,).
    """
    at = dose_positions(points["dose_um"])
    flagged = _flagged(points)
    styles = plate_styles(points["plate"])
    for i, (plate, mark) in enumerate(styles.items()):
        shift = 10 ** (0.05 * (i - (len(styles) - 1) / 2))
        mine = (points["plate"] == plate).to_numpy() & ~flagged
        for chosen, look in (
            (mine & ~left_out, {"c": mark.color, "edgecolors": "white", "linewidths": 0.4, "alpha": 0.9}),
            (mine & left_out, {"facecolors": "white", "edgecolors": mark.color, "linewidths": 1.0}),
        ):
            if chosen.any():
                at_plate = at[chosen] * shift
                ax.scatter(at_plate, points["rescue"][chosen], s=size, marker=mark.marker, zorder=3, **look)
    ax.scatter(
        at[flagged], points["rescue"][flagged], s=size * 1.2, c=FAINT, marker="x", linewidths=1.2, zorder=2
    )


def fitted_wells(points: pd.DataFrame) -> pd.DataFrame:
    """Return the wells that were fitted; all where every one is flagged."""
    fine = points[~_flagged(points)]
    return points if fine.empty else fine


def _limit(ax: Axes, points: pd.DataFrame) -> None:
    """Show all fitted wells and both controls; a flagged well far out does not set the scale."""
    fine = fitted_wells(points)
    low, high = min(fine["rescue"].min(), 0.0), max(fine["rescue"].max(), 1.0)
    ax.set_ylim(low - 0.12 * (high - low), high + 0.12 * (high - low))
    at = dose_positions(points["dose_um"])
    ax.set_xlim(at.min() / 1.8, at.max() * 1.8)


def draw_fit(ax: Axes, points: pd.DataFrame, curve: pd.Series) -> None:
    """Draw what was fitted over the tested doses.

    A step is drawn as its two plateaus, a curve without limits of its EC50 on both sides as the means per dose
    (its plateaus are not known), and one that cannot be told from a flat line as a dotted line.
    """
    at = dose_positions(points["dose_um"])
    dose = np.geomspace(at.min(), at.max(), 200)
    if is_step(curve):
        _draw_step(ax, dose, curve)
    elif _censored(curve) or (_moves(curve) and curve[["ec50_um", "front", "back", "hill"]].isna().any()):
        means = fitted_wells(points).groupby("dose_um")["rescue"].mean()
        ax.plot(dose_positions(means.index.to_series()), means, color=INK, lw=1.0, zorder=2)
    elif pd.isna(curve["ec50_um"]):
        used = points[~_left_out(points, curve)]
        ax.plot(dose[[0, -1]], [fitted_wells(used)["rescue"].mean()] * 2, color=INK, lw=1.4, ls=":", zorder=4)
    else:
        fit = response_at(dose, curve["front"], curve["back"], curve["ec50_um"], curve["hill"])
        ax.plot(dose, fit, color=INK, lw=1.6, zorder=4)


def _draw_step(ax: Axes, dose: np.ndarray, curve: pd.Series) -> None:
    """Draw the two plateaus of a step; nothing is drawn between the doses, where nothing is known."""
    low, high = curve["ec50_low_um"], curve["ec50_high_um"]
    for ends, level in (((dose[0], low), curve["front"]), ((high, dose[-1]), curve["back"])):
        ax.plot(ends, [level] * 2, color=INK, lw=1.6, zorder=4)


def draw_ec50(ax: Axes, points: pd.DataFrame, curve: pd.Series) -> None:
    """Draw the EC50 and its interval as a band, a bound as an arrow, an unknown one not at all."""
    at = dose_positions(points["dose_um"])
    low, high = (np.clip(curve[c], at.min() / 1.8, at.max() * 1.8) for c in ("ec50_low_um", "ec50_high_um"))
    foot = {"transform": ax.get_xaxis_transform(), "color": SERIES[0]}
    censored = _censored(curve)
    if censored:
        _draw_bound(ax, at, curve["ec50_um"], censored)
        return
    if pd.notna(low) and pd.notna(high):
        hatch = {"hatch": "////", "ec": FAINT, "alpha": 0.35} if is_step(curve) else {"alpha": 0.25}
        ax.axvspan(low, high, fc="none" if is_step(curve) else SERIES[3], lw=0, zorder=0, **hatch)
        ax.plot([low, high], [0.06, 0.06], lw=2.2, solid_capstyle="butt", zorder=5, **foot)
    if pd.notna(curve["ec50_um"]) and not is_step(curve):
        ax.plot(curve["ec50_um"], 0.06, "d", mec="white", ms=7, zorder=6, **foot)
    if pd.notna(curve.get("ec50_all_um", np.nan)):
        foot |= {"mfc": "white", "mec": SERIES[0]}
        ax.plot(
            np.clip(curve["ec50_all_um"], at.min() / 1.8, at.max() * 1.8), 0.06, "d", ms=6, zorder=5, **foot
        )


def _draw_bound(ax: Axes, at: pd.Series, bound: float, censored: str) -> None:
    """Draw an arrow from the bound to where the EC50 lies; it ends where the axis does."""
    start = float(np.clip(bound, at.min(), at.max())) if pd.notna(bound) else at.max()
    end = min(start, at.min()) / 1.7 if censored == "<" else max(start, at.max()) * 1.7
    arrow = {"arrowstyle": "-|>", "color": SERIES[0], "lw": 2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end, 0.06), (start, 0.06), xycoords=ax.get_xaxis_transform(), arrowprops=arrow, zorder=6)
    ax.plot(start, 0.06, "|", color=SERIES[0], ms=10, mew=2, transform=ax.get_xaxis_transform())


LONG = 40
"""Of a longer name the title of a figure leaves the end out."""


def _title(points: pd.DataFrame, curve: pd.Series | None) -> str:
    """Return the treatment, and the class and EC50 of its curve."""
    name = f"{drawn(points['treatment'].iloc[0], LONG)}, {drawn(points['experiment'].iloc[0], LONG)}"
    if curve is None:
        return name
    return f"{name}\n{str(curve['curve_class']).replace('_', ' ')}; {ec50_text(curve)}"


def plot_curves(wells: pd.DataFrame, curves: pd.DataFrame, *, ncols: int = 2) -> Figure:
    """Draw a grid of dose-response curves with one scale.

    Parameters
    ----------
    wells : DataFrame
        Scored wells.
    curves : DataFrame
        The rows of `dose_response.csv` to draw, in this order.
    ncols : int
        Curves side by side.

    Returns
    -------
    Figure
        A new one.
    """
    if curves.empty or "rescue" not in wells:
        return plot_missing(NO_CURVES).figure
    ncols = min(ncols, len(curves))
    nrows = -(-len(curves) // ncols)
    figure, axes = plt.subplots(
        nrows, ncols, figsize=(WIDTH, 2.45 * nrows + 0.5), sharey="all", layout="constrained", squeeze=False
    )
    limits = []
    for ax, (_, curve) in zip(axes.flat, curves.iterrows(), strict=False):
        points = wells_of_curve(wells, curve["experiment"], curve["treatment"])
        plot_curve(points, curve, ax=ax, title=_short_title(curve), legend=False, size=18)
        limits.append(ax.get_ylim())
        ax.set_ylabel("rescue" if ax.get_subplotspec().is_first_col() else "")
        ax.set_xlabel("dose (µM)" if ax.get_subplotspec().is_last_row() else "")
    axes.flat[0].set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    hide_spare(axes.flat[len(curves) :])
    return figure


def _short_title(curve: pd.Series) -> str:
    """Return the title of a small panel, in three lines that fit its width: compound; experiment and class; EC50."""
    name, klass = drawn(curve["treatment"], 30), str(curve["curve_class"]).replace("_", " ")
    return f"{name}\n{drawn(curve['experiment'], 20)}, {klass}\n{ec50_text(curve)}"
