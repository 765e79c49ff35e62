"""All curves of a screen at once: effect against evidence, one experiment against another, coverage of intervals."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from helpers.dose import LOCATED
from helpers.figures.points import beyond_handle, draw_beyond, name_points, show_limits
from helpers.figures.style import (
    CONDITION_STYLE,
    CURVE_STYLE,
    FAINT,
    SERIES,
    WIDTH,
    axes_or_new,
    format_um,
    hide_spare,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
)
from helpers.text import drawn

NO_CURVES = "No curve could be fitted in this screen."
NOT_TWICE = "No compound has an EC50 with limits in two experiments of this screen."


def plot_relevance(curves: pd.DataFrame, fdr: float, *, label: int = 4, ax: Axes | None = None) -> Axes:
    """Draw the size of the effect against its relevance, every fitted curve a point.

    Parameters
    ----------
    curves : DataFrame
        `dose_response.csv` with `effect`, the change over the tested doses: relevance, curve_class, treatment.
    fdr : float
        The rate at which curves are told from a flat line; its -log10 is drawn.
    label : int
        Name so many rising curves of highest relevance.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    table = curves[curves["relevance"].notna() & curves["effect"].notna()] if len(curves) else curves
    if table.empty:
        return plot_missing(NO_CURVES, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.6))
    effect, kinds = table["effect"], table["curve_class"].astype(str)
    scatter_classes(ax, effect, table["relevance"], kinds, CURVE_STYLE, size=18)
    ax.axhline(-np.log10(fdr), color=FAINT, lw=0.9, ls="--", zorder=0)
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axvline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    ax.set_xlim(*show_limits(effect, include=(0, 1)))
    ax.set_ylim(-0.02 * table["relevance"].max(), 1.08 * max(table["relevance"].max(), 2))
    colors = kinds.map({name: mark.color for name, mark in CURVE_STYLE.items()})
    beyond = draw_beyond(ax, effect, table["relevance"], colors)
    ax.set_xlabel("effect: change of rescue over the fitted doses")
    ax.set_ylabel("relevance")
    legend_below(ax, legend_handles(CURVE_STYLE, kinds) + ([beyond_handle()] if beyond else []), ncols=4)
    rising = table[kinds.isin(LOCATED) & (effect > 0)]
    best = rising.sort_values("relevance", ascending=False).drop_duplicates("treatment")
    places = ["effect", "relevance"]
    name_points(ax, best[places], best["treatment"], others=table[places], most=label)
    return ax


def plot_two_experiments(shared: pd.DataFrame, *, ncols: int = 2) -> Figure:
    """Draw the EC50s of compounds in two experiments against each other, with their intervals.

    Parameters
    ----------
    shared : DataFrame
        experiment_a, experiment_b and, with `_a` or `_b` behind, ec50_um, ec50_low_um, ec50_high_um.
    ncols : int
        Panels side by side.

    Returns
    -------
    Figure
        A new one.
    """
    if shared.empty:
        return plot_missing(NOT_TWICE).figure
    pairs = list(shared.groupby(["experiment_a", "experiment_b"], sort=False))
    ncols = min(ncols, len(pairs))
    nrows = -(-len(pairs) // ncols)
    size = WIDTH / max(ncols, 2)
    figure, axes = plt.subplots(
        nrows, ncols, figsize=(size * ncols, size * nrows), layout="constrained", squeeze=False
    )
    ends = shared[["ec50_um_a", "ec50_um_b"]].to_numpy()
    limits = (ends.min() / 4, ends.max() * 4)
    for ax, (names, table) in zip(axes.flat, pairs, strict=False):
        _draw_pair(ax, table, *names, limits)
    hide_spare(axes.flat[len(pairs) :])
    return figure


def _draw_pair(ax: Axes, table: pd.DataFrame, one: str, two: str, limits: tuple[float, float]) -> None:
    x, y = (table[f"ec50_um_{side}"].to_numpy() for side in "ab")
    errors = [
        np.maximum([value - table[f"ec50_low_um_{side}"], table[f"ec50_high_um_{side}"] - value], 0)
        for side, value in (("a", x), ("b", y))
    ]
    ax.errorbar(x, y, errors[1], errors[0], fmt="none", ecolor=FAINT, elinewidth=0.7, alpha=0.6, zorder=1)
    ax.scatter(x, y, s=20, c=SERIES[0], edgecolors="white", linewidths=0.3, zorder=2)
    ax.plot(limits, limits, color=FAINT, lw=0.9, ls="--", zorder=0)
    ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: format_um(value)))
        axis.set_minor_locator(NullLocator())
    ax.set_xlabel(f"EC50 in {drawn(one)} (µM)")
    ax.set_ylabel(f"EC50 in {drawn(two)} (µM)")


def plot_coverage(coverage: pd.DataFrame, level: float = 0.95, *, ax: Axes | None = None) -> Axes:
    """Draw in what share of simulated curves the intervals of EC50 hold the truth.

    Parameters
    ----------
    coverage : DataFrame
        noise (in words), interval (in words), coverage, n_curves.
    level : float
        What the intervals promise.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if coverage.empty:
        return plot_missing("The coverage was not studied.", ax=ax)
    ax = axes_or_new(ax, (WIDTH, 2.9))
    kinds, rows = list(dict.fromkeys(coverage["interval"])), list(dict.fromkeys(coverage["noise"]))
    ax.axvline(level, color=FAINT, lw=0.9, ls="--", zorder=0)
    for number, kind in enumerate(kinds):
        mine = coverage[coverage["interval"] == kind]
        at = mine["noise"].map({row: i for i, row in enumerate(rows)}) + 0.16 * (
            number - (len(kinds) - 1) / 2
        )
        error = 1.96 * np.sqrt(mine["coverage"] * (1 - mine["coverage"]) / mine["n_curves"])
        color, marker = SERIES[number], "os^"[number % 3]
        ax.errorbar(mine["coverage"], at, xerr=error, fmt=marker, color=color, ms=7, capsize=3, label=kind)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(min(0.7, float(coverage["coverage"].min()) - 0.05), 1.005)
    ax.set_xlabel("share of the intervals that hold the true EC50")
    legend_below(ax, ax.get_legend_handles_labels()[0], ncols=2)
    return ax
