"""Who rescues, and how sure is it: all compounds by rank, and the first ones by name."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.points import draw_beyond, show_limits
from helpers.figures.style import (
    CALL_STYLE,
    CONDITION_STYLE,
    FAINT,
    WIDTH,
    axes_or_new,
    format_um,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
)
from helpers.screens.order import natural_order
from helpers.text import drawn

FEW = 12
"""So few compounds can be named beside their points."""

NOTHING_TO_RANK = "No compound can be scored: this screen lacks embeddings, controls or treatments."


def plot_rank(ranked: pd.DataFrame, *, ax: Axes | None = None, label: int = 5, title: str = "") -> Axes:
    """Draw every compound of one experiment by rank, with intervals, coloured by call.

    Parameters
    ----------
    ranked : DataFrame
        From `deciding_arms`, one experiment.
    ax : Axes, optional
        Where to draw; new axes by default.
    label : int
        Name so many compounds from the top.
    title : str
        Above the axes.

    Returns
    -------
    Axes
        Those that were drawn on.

    Examples
    --------
    >>> ranked = pd.DataFrame({
    ...     "treatment": ["one", "two"], "call": ["rescue", "inactive"], "rank": [1, 2], "rescue_max": [0.8, 0.1],
    ...     "rescue_low": [0.7, 0.0], "rescue_high": [0.9, 0.2], "score": [0.8, 0.1],
    ... })
    >>> ax = plot_rank(ranked, label=1)
    >>> [text.get_text() for text in ax.texts]
    ['one']
    >>> plt.close(ax.figure)
    """
    if ranked.empty:
        return plot_missing(NOTHING_TO_RANK, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 3.6))
    table = ranked.sort_values("rank")
    colors = table["call"].astype(str).map({k: m.color for k, m in CALL_STYLE.items()})
    ax.vlines(
        table["rank"], table["rescue_low"], table["rescue_high"], colors=colors, lw=0.9, alpha=0.55, zorder=1
    )
    scatter_classes(ax, table["rank"], table["rescue_max"], table["call"], CALL_STYLE, size=20)
    _reference_lines(ax)
    _name_top(ax, table.head(label), beside=len(table) <= FEW)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlim(1 - 0.02 * len(table) - 0.5, len(table) * 1.02 + 0.5)
    shown = table[["rescue_max", "rescue_low", "rescue_high"]].to_numpy(float).ravel()
    low, high = show_limits(shown, include=(-0.1, 1.0))
    # Names in a column need the room above the points.
    ax.set_ylim(low, high if len(table) <= FEW else high + 0.4 * (high - low))
    draw_beyond(ax, table["rank"], table["rescue_max"], colors)
    ax.set_xlabel("rank of the compound")
    ax.set_ylabel("rescue at its\ndeciding dose")
    ax.set_title(title)
    return ax


def _reference_lines(ax: Axes) -> None:
    """Draw where infected (0) and mock (1) lie on a rescue axis."""
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axhline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)


def _name_top(ax: Axes, table: pd.DataFrame, *, beside: bool) -> None:
    """Name compounds beside their points where there is room, else in a column with a thin line to each."""
    top = table.dropna(subset=["rescue_max"]).sort_values("rescue_max", ascending=False)
    if top.empty:
        return
    if beside:
        for row in top.itertuples():
            look = {"xytext": (8, 0), "textcoords": "offset points", "fontsize": 9, "va": "center"}
            ax.annotate(drawn(row.treatment, 26), (row.rank, row.rescue_max), **look)
        return
    start, step = 0.97, 0.068
    for i, row in enumerate(top.itertuples()):
        ax.annotate(
            drawn(row.treatment, 26),
            (row.rank, row.rescue_max),
            xytext=(0.36, start - i * step),
            textcoords=ax.transAxes,
            fontsize=9,
            va="center",
            arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkB": 3, "relpos": (0, 0.5)},
        )


def plot_ranks(ranked: pd.DataFrame, *, label: int = 5) -> Figure:
    """Draw `plot_rank` for every experiment, one below the other.

    Parameters
    ----------
    ranked : DataFrame
        From :func:`helpers.hits.deciding.deciding_arms`.
    label : int
        Name so many compounds per experiment.

    Returns
    -------
    Figure
        A new one.
    """
    if ranked.empty:
        return plot_missing(NOTHING_TO_RANK).figure
    experiments = natural_order(ranked["experiment"])
    figure, axes = plt.subplots(
        len(experiments),
        1,
        figsize=(WIDTH, 3.2 * len(experiments) + 0.6),
        layout="constrained",
        squeeze=False,
    )
    for ax, name in zip(axes.flat, experiments, strict=True):
        plot_rank(ranked[ranked["experiment"] == name], ax=ax, label=label, title=drawn(name))
    legend_below(axes[0, 0], legend_handles(CALL_STYLE, ranked["call"].astype(str)), ncols=5)
    return figure


def plot_top(ranked: pd.DataFrame, *, n: int = 15) -> Figure:
    """Draw the compounds of highest rank by name, with interval, dose and call.

    Parameters
    ----------
    ranked : DataFrame
        From :func:`helpers.hits.deciding.deciding_arms`.
    n : int
        How many compounds per experiment.

    Returns
    -------
    Figure
        A new one.
    """
    if ranked.empty:
        return plot_missing(NOTHING_TO_RANK).figure
    ranked = ranked.groupby("experiment", sort=False).head(n)
    groups = [ranked[ranked["experiment"] == e] for e in natural_order(ranked["experiment"])]
    heights = [len(g) + 1.6 for g in groups]
    figure, axes = plt.subplots(
        len(groups),
        1,
        figsize=(WIDTH, 0.25 * sum(heights) + 0.9),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
        sharex=True,
    )
    for ax, group in zip(axes.flat, groups, strict=True):
        _draw_forest(ax, group.reset_index(drop=True))
        ax.set_title(drawn(group["experiment"].iloc[0]))
    axes[-1, 0].set_xlabel("rescue at its deciding dose (0 = as infected, 1 = as mock)")
    legend_below(axes[0, 0], legend_handles(CALL_STYLE, ranked["call"].astype(str)), ncols=5)
    return figure


def _draw_forest(ax: Axes, group: pd.DataFrame) -> None:
    """Draw one row per compound."""
    for i, row in group.iterrows():
        mark = CALL_STYLE.get(str(row["call"]), CALL_STYLE["inactive"])
        ax.plot([row["rescue_low"], row["rescue_high"]], [i, i], color=mark.color, lw=1.6)
        ax.plot(
            row["rescue_max"],
            i,
            mark.marker,
            color=mark.color,
            ms=11 if mark.marker == "." else 6.5,
            mec="white",
        )
        dose = row["dose_at_max_um"]
        text = f"{format_um(dose)} µM" if pd.notna(dose) else "–"
        ax.text(1.02, i, text, transform=ax.get_yaxis_transform(), va="center", fontsize=9)
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axvline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    ax.set_yticks(range(len(group)), [drawn(t, 24) for t in group["treatment"]])
    ax.set_ylim(len(group) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
