"""The same compounds asked in other ways: other recipes and axes, another experiment."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.style import (
    FAINT,
    SERIES,
    WIDTH,
    hide_spare,
    legend_handles,
    plot_missing,
    series_styles,
)
from helpers.screens.order import natural_order
from helpers.text import drawn

NOT_COMPARED = "No other ranking could be made of this screen."
NOT_SHARED = "No two experiments of this screen share compounds at the same doses."


def plot_sensitivity(table: pd.DataFrame) -> Figure:
    """Draw how alike other recipes and axes rank the compounds: rank correlation, and how many of the best stay.

    Parameters
    ----------
    table : DataFrame
        recipe, axis, experiment, spearman, top_k_overlap, top_k_expected.

    Returns
    -------
    Figure
        A new one.
    """
    known = table.dropna(subset=["spearman"]) if len(table) else table
    if known.empty:
        return plot_missing(NOT_COMPARED).figure
    names = known["recipe"].astype(str) + "\n" + known["axis"].astype(str).str.replace("_", " ")
    rows = {name: i for i, name in enumerate(dict.fromkeys(names))}
    experiments = natural_order(known["experiment"].astype(str))
    styles = series_styles(experiments)
    figure, axes = plt.subplots(
        1, 2, figsize=(WIDTH, 0.5 * len(rows) + 1.5), sharey=True, layout="constrained"
    )
    for number, experiment in enumerate(experiments):
        mine = (known["experiment"].astype(str) == experiment).to_numpy()
        at = names[mine].map(rows) + 0.14 * (number - (len(experiments) - 1) / 2)
        mark = styles[experiment]
        for ax, column in zip(axes, ("spearman", "top_k_overlap"), strict=True):
            ax.plot(known.loc[mine, column], at, mark.marker, color=mark.color, ms=7, mec="white", mew=0.5)
    for experiment in experiments:  # the fewer compounds, the more of the best stay by chance
        mine = known[known["experiment"].astype(str) == experiment]
        axes[1].axvline(float(mine["top_k_expected"].mean()), color=styles[experiment].color, lw=0.9, ls="--")
    for ax, label in zip(
        axes, ("rank correlation\nof the scores", "share of the best\nthat stays"), strict=True
    ):
        ax.set_xlim(min(-0.03, float(known["spearman"].min()) - 0.03), 1.03)
        ax.set_xlabel(label)
        ax.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(rows)), list(rows))
    axes[0].set_ylim(len(rows) - 0.4, -0.9)
    figure.legend(handles=legend_handles(styles, experiments), loc="outside lower center", ncols=4)
    return figure


def plot_experiments(shared: pd.DataFrame, *, ncols: int = 2) -> Figure:
    """Draw the rescue of arms that two experiments share, a panel per pair of experiments, with their errors.

    Parameters
    ----------
    shared : DataFrame
        experiment_a, experiment_b, treatment, rescue_a, rescue_b and their rescue_low and rescue_high.
    ncols : int
        Panels side by side.

    Returns
    -------
    Figure
        A new one.
    """
    if shared.empty:
        return plot_missing(NOT_SHARED).figure
    pairs = list(shared.groupby(["experiment_a", "experiment_b"], sort=True))
    ncols = min(ncols, len(pairs))
    nrows = -(-len(pairs) // ncols)
    size = WIDTH / max(ncols, 2)
    figure, axes = plt.subplots(
        nrows,
        ncols,
        figsize=(size * ncols, size * nrows),
        layout="constrained",
        squeeze=False,
    )
    low, high = np.percentile(shared[["rescue_a", "rescue_b"]], [0.3, 99.7])
    room = 0.08 * (max(high, 1) - min(low, 0))
    limits = (min(low, 0) - room, max(high, 1) + room)
    for ax, (names, table) in zip(axes.flat, pairs, strict=False):
        _draw_pair(ax, table, *names)
        ax.set(xlim=limits, ylim=limits, aspect="equal")
    hide_spare(axes.flat[len(pairs) :])
    return figure


def _draw_pair(ax: Axes, table: pd.DataFrame, one: str, two: str) -> None:
    x, y = (table[f"rescue_{side}"].to_numpy() for side in "ab")
    errors = [
        np.abs([value - table[f"rescue_low_{side}"], table[f"rescue_high_{side}"] - value])
        for side, value in (("a", x), ("b", y))
    ]
    ax.errorbar(x, y, errors[1], errors[0], fmt="none", ecolor=FAINT, elinewidth=0.5, alpha=0.35, zorder=1)
    ax.scatter(x, y, s=14, c=SERIES[0], edgecolors="white", linewidths=0.3, zorder=2)
    ax.axline((0, 0), slope=1, color=FAINT, lw=0.9, ls="--", zorder=0)
    ax.set_xlabel(f"rescue in {drawn(one)}")
    ax.set_ylabel(f"rescue in {drawn(two)}")
