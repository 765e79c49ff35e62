"""The published scores: by rank with their noise, in two cell lines, and beside a screen's own."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from helpers.figures.points import beyond_handle, draw_beyond, name_points, show_limits
from helpers.figures.style import (
    FAINT,
    WIDTH,
    Mark,
    axes_or_new,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
)
from helpers.text import drawn

HIT_STYLE = {
    "hit": Mark("published hit", "#00664F", "o"),
    "other": Mark("no hit", "#A6A6A6", "s"),
}
"""Published hits and all other compounds."""

STEP = 0.052
"""Height of a line of names, as a share of the axes."""

NO_SCORES = "The published scores are not here, so there is nothing to draw."


def plot_published(
    compounds: pd.DataFrame,
    *,
    threshold: float = 0.6,
    noise: float = np.nan,
    label: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Draw published scores by rank, with the band that noise alone gives a score.

    Parameters
    ----------
    compounds : DataFrame
        name, score, of one cell line.
    threshold : float
        Scores above it are hits.
    noise : float
        Standard deviation of one score; the band reaches two of them to both sides of the median.
    label : int
        Name at most so many hits, from the top.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if compounds.empty:
        return plot_missing(NO_SCORES, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.6))
    table = compounds.sort_values(["score", "name"], ascending=[False, True], ignore_index=True)
    table["rank"] = np.arange(1, len(table) + 1)
    kinds = pd.Series(np.where(table["score"] > threshold, "hit", "other"))
    handles = legend_handles(HIT_STYLE, kinds)
    if np.isfinite(noise):
        middle = table["score"].median()
        ax.axhspan(middle - 2 * noise, middle + 2 * noise, color="#E4E2DA", lw=0, zorder=0)
        handles.append(Line2D([], [], color="#E4E2DA", lw=8, label="median ± 2 SD of noise"))
    for kind, mark in HIT_STYLE.items():
        rows = table[kinds == kind]
        # Without rims: those of a thousand points side by side would hide the points.
        ax.plot(rows["rank"], rows["score"], mark.marker, color=mark.color, ms=6 if kind == "hit" else 2.5)
    _threshold(ax.axhline, threshold)
    n = len(table)
    ax.set_xlim(-0.03 * n, 1.02 * n)
    low, high = show_limits(table["score"], include=(0, 1))
    named = table[kinds == "hit"].head(label)
    # The names get a place of their own above the scores.
    ax.set_ylim(low, high + (high - low) * STEP * len(named))
    ax.set_yticks([tick for tick in (-1, -0.5, 0, 0.5, 1) if low <= tick <= high])
    ax.set_xlabel("rank of the compound")
    ax.set_ylabel("published score")
    legend_below(ax, handles, ncols=3)
    _name_column(ax, named)
    return ax


def _threshold(line, at: float) -> None:
    line(at, color=FAINT, lw=0.9, ls="--", zorder=0)


def _name_column(ax: Axes, top: pd.DataFrame) -> None:
    """Name the first ones in a column with a thin line to each: side by side their names would overlap."""
    for i, row in enumerate(top.itertuples()):
        ax.annotate(
            f"{drawn(row.name, 24)}  {row.score:.2f}",
            (row.rank, row.score),
            xytext=(0.2, 0.98 - STEP * i),
            textcoords=ax.transAxes,
            fontsize=9,
            va="center",
            bbox={"fc": "white", "ec": "none", "pad": 0.8},
            arrowprops={
                "arrowstyle": "-",
                "color": FAINT,
                "lw": 0.6,
                "shrinkA": 0,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )


def plot_two_cells(
    table: pd.DataFrame, *, threshold: float = 0.6, label: int = 8, ax: Axes | None = None
) -> Axes:
    """Draw the published scores of two cell lines against each other.

    Parameters
    ----------
    table : DataFrame
        name, HRCE, VERO, one row per compound scored in both.
    threshold : float
        Scores above it are hits.
    label : int
        Name at most so many: those of the highest score in either.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if table.empty:
        return plot_missing(NO_SCORES, ax=ax)
    ax = axes_or_new(ax, (WIDTH * 0.85, WIDTH * 0.85))
    hit = (table[["HRCE", "VERO"]] > threshold).any(axis=1)
    kinds = pd.Series(np.where(hit, "hit", "other"), index=table.index)
    scatter_classes(ax, table["HRCE"], table["VERO"], kinds, HIT_STYLE, size=20)
    limits = show_limits(table[["HRCE", "VERO"]].to_numpy().ravel(), include=(0, 1), room=0.08)
    ax.set(xlim=limits, ylim=limits, xlabel="published score in HRCE", ylabel="published score in VERO")
    ax.plot(limits, limits, color=FAINT, lw=0.8, ls=":", zorder=0)
    _threshold(ax.axhline, threshold)
    _threshold(ax.axvline, threshold)
    legend_below(ax, legend_handles(HIT_STYLE, kinds), ncols=2)
    first = table.loc[table[["HRCE", "VERO"]].max(axis=1).sort_values(ascending=False, kind="stable").index]
    points = table[["HRCE", "VERO"]]
    name_points(
        ax, first.loc[first.index[:label], ["HRCE", "VERO"]], first["name"][:label], others=points, most=label
    )
    return ax


def plot_agreement(
    joined: pd.DataFrame, *, threshold: float = 0.6, label: int = 8, ax: Axes | None = None
) -> Axes:
    """Draw a screen's own scores against the published ones, and name where the two disagree most.

    Parameters
    ----------
    joined : DataFrame
        cells, name, score, published, one row per compound and cell line of the screen; the line with most compounds is
        drawn.
    threshold : float
        Published scores above it are hits.
    label : int
        Name at most so many: those whose ranks differ most, hits first.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    table = joined.dropna(subset=["score", "published"]) if len(joined) else joined
    if table.empty:
        return plot_missing("Nothing to compare: the text above says why.", ax=ax)
    cells = table.groupby("cells").size().sort_values(ascending=False, kind="stable").index[0]
    table = table[table["cells"] == cells].reset_index(drop=True)
    ax = axes_or_new(ax, (WIDTH * 0.9, WIDTH * 0.8))
    kinds = pd.Series(np.where(table["published"] > threshold, "hit", "other"))
    scatter_classes(ax, table["published"], table["score"], kinds, HIT_STYLE, size=18)
    ax.set_xlim(*show_limits(table["published"], include=(0, 1)))
    ax.set_ylim(*show_limits(table["score"], include=(0, 1)))
    _threshold(ax.axvline, threshold)
    handles = legend_handles(HIT_STYLE, kinds)
    colors = kinds.map({kind: mark.color for kind, mark in HIT_STYLE.items()})
    if draw_beyond(ax, table["published"], table["score"], colors):
        handles.append(beyond_handle())
    ax.set(xlabel="published score", ylabel="score of this screen", title=drawn(cells))
    legend_below(ax, handles, ncols=3)
    named = table.loc[disagreements(table, threshold).index[:label]]
    columns = ["published", "score"]
    name_points(ax, named[columns], named["name"], others=table[columns], most=label)
    return ax


def disagreements(table: pd.DataFrame, threshold: float = 0.6) -> pd.DataFrame:
    """Return the compounds in the order of how far their two ranks differ, published hits first.

    Parameters
    ----------
    table : DataFrame
        name, score, published, of one cell line.
    threshold : float
        Published scores above it are hits.

    Returns
    -------
    DataFrame
        The table with gap: share of compounds by which the rank here exceeds the published one, -1 to 1.
    """
    ranks = table[["score", "published"]].rank() / max(len(table), 1)
    known = table.assign(gap=ranks["score"] - ranks["published"], _hit=table["published"] > threshold)
    order = known.assign(_size=known["gap"].abs())
    order = order.sort_values(["_hit", "_size", "name"], ascending=[False, False, True], kind="stable")
    return order.drop(columns=["_hit", "_size"])
