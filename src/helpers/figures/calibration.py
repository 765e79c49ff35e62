"""Do p-values, rates and intervals hold what they say: the answer on screens whose truth is known."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.style import FAINT, SERIES, WIDTH, PlainLog, axes_or_new, legend_below, plot_missing

LEVELS = {"arms": (SERIES[0], "-"), "compounds": (SERIES[1], "--")}
NOT_STUDIED = "The calibration was not studied."


def plot_p_values(p_values: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how often p-values are at most p where nothing works, on logarithmic axes: on the line, or below it.

    Parameters
    ----------
    p_values : DataFrame
        level (`arms`, `compounds`), p, share (at most p), share_se.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if p_values.empty:
        return plot_missing(NOT_STUDIED, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.0))
    least = float(p_values["p"].min())
    ends = [least, 1.0]
    ax.plot(ends, ends, color=FAINT, lw=0.9, ls=":", label="exact")
    for level, table in p_values.groupby("level", sort=False):
        color, dash = LEVELS.get(level, (SERIES[2], ":"))
        seen = table[table["share"] > 0]
        error = 2 * seen["share_se"].fillna(0)
        low, high = (seen["share"] - error).clip(lower=least / 10), seen["share"] + error
        ax.fill_between(seen["p"], low, high, color=color, alpha=0.18, lw=0)
        ax.plot(seen["p"], seen["share"], color=color, ls=dash, lw=1.8, label=f"p-values of {level}")
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PlainLog())
        axis.set_minor_formatter(PlainLog())
    ax.set_xlim(least, 1)
    ax.set_ylim(least, 1.5)
    ax.set_xlabel("p")
    ax.set_ylabel("share of p-values up to p")
    legend_below(ax, ax.get_legend_handles_labels()[0], ncols=3)
    return ax


def plot_promises(discoveries: pd.DataFrame, coverage: pd.DataFrame) -> Figure:
    """Draw false discoveries against the rate that was accepted, and how many intervals hold the truth.

    Parameters
    ----------
    discoveries : DataFrame
        fdr, fdp (mean false discovery proportion), fdp_se.
    coverage : DataFrame
        rescue (range of the true rescue, in words), n, coverage, coverage_se.

    Returns
    -------
    Figure
        A new one.
    """
    if discoveries.empty or coverage.empty:
        return plot_missing(NOT_STUDIED).figure
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.5), layout="constrained")
    _draw_rates(left, discoveries)
    _draw_coverage(right, coverage)
    return figure


def _draw_rates(ax: Axes, table: pd.DataFrame) -> None:
    top = 1.15 * max(table["fdr"].max(), (table["fdp"] + 2 * table["fdp_se"].fillna(0)).max())
    ax.plot([0, top], [0, top], color=FAINT, lw=0.9, ls="--")
    ax.text(0.02 * top, 0.97 * top, "dashed: as many as accepted", va="top", color=FAINT, fontsize=9)
    error = 2 * table["fdp_se"].fillna(0)
    low = np.minimum(error, table["fdp"])
    ax.errorbar(table["fdr"], table["fdp"], (low, error), fmt="o", color=SERIES[0], ms=6, capsize=3)
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ax.set_xticks(table["fdr"], [f"{rate:g}" for rate in table["fdr"]])
    ax.set_xlabel("rate that was accepted")
    ax.set_ylabel("false share of the calls")


def _draw_coverage(ax: Axes, table: pd.DataFrame) -> None:
    at = np.arange(len(table))
    ax.axhline(0.95, color=FAINT, lw=0.9, ls="--")
    ax.errorbar(
        at, table["coverage"], 2 * table["coverage_se"].fillna(0), fmt="s", color=SERIES[1], ms=6, capsize=3
    )
    ax.set_xticks(at, table["rescue"], rotation=40, ha="right")
    low = float((table["coverage"] - 2 * table["coverage_se"].fillna(0)).min())
    ax.set_ylim(min(0.85, low - 0.02), 1.005)
    ax.set_xlim(-0.5, len(table) - 0.5)
    ax.set_xlabel("true rescue of the arm")
    ax.set_ylabel("coverage of the intervals")
