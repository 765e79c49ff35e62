"""Estimates against the truth, where it is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from helpers.figures.style import (
    FAINT,
    INK,
    WIDTH,
    PlainLog,
    axes_or_new,
    format_um,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
    series_styles,
)
from helpers.screens.order import natural_order
from helpers.text import drawn


def plot_truth(
    table: pd.DataFrame,
    *,
    estimate: str = "rescue",
    truth: str = "rescue_true",
    label: str = "rescue",
    classes: str | None = None,
    log: bool = False,
    low: str | None = None,
    high: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates against the known truth of a twin, with the line where both agree.

    Parameters
    ----------
    table : DataFrame
        One row per arm or compound, with the columns named.
    estimate, truth : str
        The columns compared.
    label : str
        What they hold, with its unit.
    classes : str, optional
        A column whose values get their own marker.
    log : bool
        Both axes logarithmic, for EC50s.
    low, high : str, optional
        Columns of the interval.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    needed = [estimate, truth]
    table = table.dropna(subset=needed) if set(needed) <= set(table) else table.head(0)
    if table.empty:
        return plot_missing("No truth to compare with: this screen was measured, not simulated.", ax=ax)
    ax = axes_or_new(ax, (WIDTH * 0.8, WIDTH * 0.8))
    if low and high:
        ax.vlines(table[truth], table[low], table[high], color=FAINT, lw=0.7, alpha=0.3, zorder=1)
    kinds = table[classes].astype(str) if classes else pd.Series("compounds", index=table.index)
    styles = {
        k: replace(m, label=drawn(str(k).replace("_", " ")))
        for k, m in series_styles(natural_order(kinds)).items()
    }
    scatter_classes(ax, table[truth], table[estimate], kinds, styles, size=20)
    ends = np.nanpercentile(table[needed], [0, 100])
    ax.plot(ends, ends, color=INK, lw=1, ls="--", zorder=0)
    if log:
        ax.set_xscale("log")
        ax.set_yscale("log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: format_um(value)))
            axis.set_minor_formatter(PlainLog())
    ax.set_xlabel(f"true {label}")
    ax.set_ylabel(f"estimated {label}")
    if classes:
        legend_below(ax, legend_handles(styles, kinds), ncols=3)
    return ax
