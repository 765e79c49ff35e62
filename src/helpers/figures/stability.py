"""How firm ranks are: intervals of rank and the chance to be among the best."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.style import CALL_STYLE, FAINT, WIDTH, legend_handles, plot_missing
from helpers.screens.order import natural_order
from helpers.text import drawn

NO_RANKS = "How firm ranks are cannot be told here: that needs scores of compounds on several plates."


def plot_stability(hits: pd.DataFrame, *, n: int = 10) -> Figure:
    """Draw the interval of the rank of the first compounds, and their chance to be among the best.

    Parameters
    ----------
    hits : DataFrame
        `hits.csv` with experiment, treatment, call, rank, rank_low, rank_high, top_k_probability.
    n : int
        How many compounds per experiment.

    Returns
    -------
    Figure
        A new one.
    """
    known = hits.dropna(subset=["rank", "rank_low"]) if "rank_low" in hits else hits.head(0)
    if known.empty:
        return plot_missing(NO_RANKS).figure
    first = known.sort_values("rank").groupby("experiment", sort=False).head(n)
    groups = [first[first["experiment"] == e] for e in natural_order(first["experiment"])]
    heights = [len(g) + 1.6 for g in groups]
    figure, axes = plt.subplots(
        len(groups),
        2,
        figsize=(WIDTH, 0.27 * sum(heights) + 1.0),
        height_ratios=heights,
        width_ratios=(1.7, 1),
        layout="constrained",
        squeeze=False,
        sharex="col",
    )
    for (left, right), group in zip(axes, groups, strict=True):
        _draw_ranks(left, group.reset_index(drop=True))
        _draw_chances(right, group.reset_index(drop=True))
        left.set_title(drawn(group["experiment"].iloc[0]))
    axes[-1, 0].set_xlabel("rank, with its 95 % interval")
    axes[-1, 1].set_xlabel("chance to be\namong the best")
    figure.legend(
        handles=legend_handles(CALL_STYLE, first["call"].astype(str)), loc="outside lower center", ncols=5
    )
    return figure


def _draw_ranks(ax: Axes, group: pd.DataFrame) -> None:
    """Draw one row per compound, ranks on a logarithmic axis: the first ones matter most."""
    for i, row in group.iterrows():
        mark = CALL_STYLE.get(str(row["call"]), CALL_STYLE["inactive"])
        ax.plot([row["rank_low"], row["rank_high"]], [i, i], color=mark.color, lw=2, solid_capstyle="butt")
        ax.plot(
            row["rank"], i, mark.marker, color=mark.color, ms=11 if mark.marker == "." else 6.5, mec="white"
        )
    ax.set_xscale("log")
    ticks = [t for t in (1, 3, 10, 30, 100, 300, 1000) if t <= max(3, group["rank_high"].max())]
    ax.set_xticks(ticks, [str(t) for t in ticks], minor=False)
    ax.minorticks_off()
    ax.set_yticks(range(len(group)), [drawn(t, 24) for t in group["treatment"]])
    ax.set_ylim(len(group) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)


def _draw_chances(ax: Axes, group: pd.DataFrame) -> None:
    for i, row in group.iterrows():
        mark = CALL_STYLE.get(str(row["call"]), CALL_STYLE["inactive"])
        ax.barh(i, row["top_k_probability"], height=0.6, color=mark.color)
    ax.set_xlim(0, 1)
    ax.set_ylim(len(group) - 0.4, -0.6)
    ax.set_yticks([])
