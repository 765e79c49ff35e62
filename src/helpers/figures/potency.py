"""Potency against effect: every curve of a screen that has an EC50, in one picture."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from helpers.figures.points import beyond_handle, draw_beyond, name_points
from helpers.figures.style import (
    CONDITION_STYLE,
    CURVE_STYLE,
    FAINT,
    INK,
    WIDTH,
    Mark,
    axes_or_new,
    format_um,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
)

LOWEST = -1.0
"""Fitted rescue at high dose below which `plot_potency` draws arrowheads: further than mock is on the other side."""


def plot_potency(curves: pd.DataFrame, *, label: int = 4, ax: Axes | None = None) -> Axes:
    """Draw EC50 against the response at high dose for all curves that have an EC50.

    Censored ones stand at their bound with an arrow. Fitted plateaus are extrapolations: those below `LOWEST` are
    arrowheads at that edge, and a dark rim marks fits of which a parameter stands at its bound.

    Parameters
    ----------
    curves : DataFrame
        `dose_response.csv`.
    label : int
        Name so many compounds, the most potent of those that reach half of the way to mock.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    # of a plateau that was not seen, the fit at the highest dose
    reached = curves["front"] + curves["effect"] if "effect" in curves else np.nan
    table = curves.assign(back=curves["back"].fillna(reached))
    table = table[table["ec50_um"].notna() & table["back"].notna()]
    if table.empty:
        return plot_missing("No curve of this screen has an EC50.", ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.8))
    left, right = table["ec50_um"].min() / 3, table["ec50_um"].max() * 3
    _potency_axes(ax, left, right)
    ax.set_ylim(min(max(table["back"].min(), LOWEST), -0.1) - 0.08, max(table["back"].max(), 1.0) + 0.12)
    seen = table[table["back"].between(*ax.get_ylim())]
    low, high = seen["ec50_low_um"].clip(lower=left), seen["ec50_high_um"].clip(upper=right)
    sure = (seen["ec50_censored"] == "").to_numpy()
    ax.hlines(seen["back"][sure], low[sure], high[sure], color=FAINT, lw=0.9, alpha=0.5, zorder=1)
    styles = CURVE_STYLE
    scatter_classes(ax, seen["ec50_um"], seen["back"], seen["curve_class"].astype(str), styles, size=32)
    _censoring_arrows(ax, seen)
    handles = legend_handles(styles, seen["curve_class"].astype(str)) + _rim_bounds(ax, seen, styles)
    colors = table["curve_class"].astype(str).map({k: m.color for k, m in styles.items()})
    handles += [beyond_handle()] if draw_beyond(ax, table["ec50_um"], table["back"], colors) else []
    legend_below(ax, handles, ncols=3)
    _name_potent(ax, seen, label)
    return ax


def _name_potent(ax: Axes, table: pd.DataFrame, most: int) -> None:
    """Name the most potent curves that reach half of the way to mock, each compound once.

    Fits at a bound crowd on one line, where no name could say which point it belongs to.
    """
    sure = table[(table["ec50_censored"] == "") & (table["back"] >= 0.5)]
    sure = sure[~sure["at_bound"].astype(bool)] if "at_bound" in sure else sure
    potent = sure.sort_values("ec50_um").drop_duplicates("treatment")
    places = ["ec50_um", "back"]
    name_points(ax, potent[places], potent["treatment"], others=table[places], most=most)


def _rim_bounds(ax: Axes, table: pd.DataFrame, styles: dict[str, Mark]) -> list[Line2D]:
    """Put a dark rim on fits of which a parameter stands at its bound, and return its legend entry."""
    if "at_bound" not in table or not table["at_bound"].astype(bool).any():
        return []
    bound = table[table["at_bound"].astype(bool)]
    for name, rows in bound.groupby(bound["curve_class"].astype(str)):
        look = {"facecolors": "none", "edgecolors": INK, "linewidths": 1.1, "zorder": 4}
        ax.scatter(rows["ec50_um"], rows["back"], s=60, marker=styles[name].marker, **look)
    return [Line2D([], [], ls="", marker="o", color="white", mec=INK, ms=7, label="at a bound of the fit")]


def _potency_axes(ax: Axes, left: float, right: float) -> None:
    """Label the axes of `plot_potency`, with lines at both controls."""
    ax.set_xscale("log")
    ax.set_xlim(left, right)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_um(value)))
    ax.xaxis.set_minor_locator(NullLocator())
    if right / left < 300:
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axhline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    ax.set_xlabel("EC50 (µM)")
    ax.set_ylabel("fitted rescue at high dose")


def _censoring_arrows(ax: Axes, table: pd.DataFrame) -> None:
    """Point from censored EC50s to where the true one lies."""
    for sign, factor in (("<", 1 / 1.6), (">", 1.6)):
        for row in table[table["ec50_censored"] == sign].itertuples():
            arrow = {"arrowstyle": "-|>", "color": FAINT, "lw": 1.2}
            start = (row.ec50_um, row.back)
            ax.annotate("", (row.ec50_um * factor, row.back), start, arrowprops=arrow, zorder=2)
