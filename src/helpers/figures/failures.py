"""Where wells failed, and where each kind of well lands on and off the disease axis."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.figures.plates import plate_grid, plate_shape
from helpers.figures.style import CONDITION_STYLE, EMPTY, FAINT, INK, WIDTH, plot_missing
from helpers.profiles.selection import well_kind
from helpers.screens.layout import row_label
from helpers.screens.order import natural_order

MOST_PLATES = 20
"""Plates drawn as bars; of more, those with most failed wells."""

FEWEST_FOR_BOX = 3
"""Of no more wells than this a box would say nothing."""

MOST_POINTS = 400
"""Points drawn per kind of well: the box shows the rest."""


def plot_failures(wells: pd.DataFrame) -> Figure:
    """Draw failed wells by plate, and where on the plates they stand.

    Parameters
    ----------
    wells : DataFrame
        One row per well: plate_id, row, col, condition, treatment, qc_flag.

    Returns
    -------
    Figure
        A new one.
    """
    failed = wells[(wells["qc_flag"].astype(str) != "").to_numpy()]
    if failed.empty:
        return plot_missing("No well of this screen failed quality control.").figure
    counts = _counts_by_plate(failed, natural_order(wells["plate_id"].astype(str)))
    rows, cols = plate_shape(wells)
    chart_height = 0.85 * WIDTH * rows / cols + 1.2
    height = 0.26 * len(counts) + chart_height + 1.9
    ratios = (0.26 * len(counts) + 0.5, chart_height)
    layout = {"layout": "constrained", "gridspec_kw": {"height_ratios": ratios}}
    figure, (bars, chart) = plt.subplots(2, 1, figsize=(WIDTH, height), **layout)
    _draw_bars(bars, counts)
    shown = len(counts)
    n_plates = failed["plate_id"].nunique()
    bars.set_title(
        "failed wells by plate" + (f", the worst {shown} of {n_plates}" if n_plates > shown else "")
    )
    _draw_chart(chart, failed, wells, (rows, cols))
    return figure


def _counts_by_plate(failed: pd.DataFrame, plates: list[str]) -> pd.DataFrame:
    """Return failed wells by plate and kind: plates in natural order, at most `MOST_PLATES`."""
    table = pd.crosstab(failed["plate_id"].astype(str), well_kind(failed).astype(str))
    worst = table.sum(axis=1).sort_values(ascending=False, kind="stable").index[:MOST_PLATES]
    return table.loc[[plate for plate in plates if plate in set(worst)]]


def _draw_bars(ax: Axes, counts: pd.DataFrame) -> None:
    left = np.zeros(len(counts))
    for kind, mark in CONDITION_STYLE.items():
        if kind not in counts:
            continue
        width = counts[kind].to_numpy()
        ax.barh(range(len(counts)), width, left=left, color=mark.color, ec="white", lw=0.6, label=mark.label)
        left += width
    ax.set_yticks(range(len(counts)), counts.index)
    ax.set_ylim(len(counts) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("failed wells")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.62 / (0.26 * len(counts) + 0.2)), ncols=3)


def _draw_chart(ax: Axes, failed: pd.DataFrame, wells: pd.DataFrame, shape: tuple[int, int]) -> None:
    """Draw a plate on which the darkness of a position says on how many plates the well there failed."""
    positions = wells[["row", "col"]].drop_duplicates()
    often = failed.groupby(["row", "col"]).size().rename("n").reset_index()
    n_plates = wells["plate_id"].nunique()
    table = positions.merge(often, how="left", on=["row", "col"]).fillna({"n": 0})
    extent = (0.5, shape[1] + 0.5, shape[0] + 0.5, 0.5)
    most = int(often["n"].max())
    colors = ListedColormap([EMPTY, *plt.get_cmap("Greys")(np.linspace(0.4, 1.0, most))])
    look = {"cmap": colors, "norm": BoundaryNorm(np.arange(-0.5, most + 1), most + 1), "extent": extent}
    picture = ax.imshow(plate_grid(table, table["n"], shape), interpolation="nearest", **look)
    every = max(shape[0] // 8, 1)
    ax.set_yticks(
        range(every, shape[0] + 1, every), [row_label(r) for r in range(every, shape[0] + 1, every)]
    )
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    ax.set_title("where they stand, all plates on one another" if n_plates > 1 else "where they stand")
    ticks = np.unique(np.linspace(0, most, min(most + 1, 6)).astype(int))
    label = "plates on which the well failed" if n_plates > 1 else "failed (1 = yes)"
    bar = ax.figure.colorbar(
        picture, ax=ax, location="bottom", label=label, ticks=ticks, shrink=0.6, aspect=40
    )
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(length=0)


def plot_landing(scored: pd.DataFrame) -> Figure:
    """Draw where every kind of well lands along the disease axis and away from it.

    Wells that failed have a row of their own. Boxes hold the middle half, with a line at the median.

    Parameters
    ----------
    scored : DataFrame
        One row per well: condition, treatment, qc_flag, on_disease, off_disease.

    Returns
    -------
    Figure
        A new one.
    """
    if "on_disease" not in scored or scored["on_disease"].notna().sum() == 0:
        return plot_missing("Without embeddings, or without both controls, nothing can be scored.").figure
    failed = (scored["qc_flag"].astype(str) != "").to_numpy()
    kinds = well_kind(scored).astype(object).where(~failed, "failed")
    order = [k for k in (*CONDITION_STYLE, "failed") if (kinds == k).any()]
    size = (WIDTH, 0.52 * len(order) + 1.3)
    figure, axes = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")
    for ax, column in zip(axes, ("on_disease", "off_disease"), strict=True):
        _draw_boxes(ax, pd.DataFrame({"value": scored[column].astype(float), "kind": kinds}).dropna(), order)
    for at in (0, 1):
        axes[0].axvline(at, color=FAINT, lw=0.8, zorder=0)
    labels = {k: mark.label for k, mark in CONDITION_STYLE.items()} | {"failed": "failed, any kind"}
    axes[0].set_yticks(range(len(order)), [labels[k] for k in order])
    axes[0].set_ylim(len(order) - 0.4, -0.6)
    axes[0].set_xlabel("on-disease\n(0 = mock, 1 = infected)")
    axes[1].set_xlabel("off-disease\n(axis lengths)")
    return figure


def _draw_boxes(ax: Axes, table: pd.DataFrame, order: list[str]) -> None:
    """Draw the values of each kind as a strip of points under a box; values far out stand at the edge."""
    rng = np.random.default_rng(0)
    low, high = np.percentile(table["value"], [0.5, 99.5])
    room = 0.1 * (high - low) or 1.0
    table = table.assign(value=table["value"].clip(low - room, high + room))
    # seaborn's own strips are scattered anew at every call
    for y, kind in enumerate(order):
        x = table.loc[table["kind"] == kind, "value"].to_numpy()
        some = rng.choice(x, min(len(x), MOST_POINTS), replace=False)
        height = y + rng.uniform(-0.28, 0.28, len(some))
        mark = CONDITION_STYLE.get(kind)
        ax.scatter(some, height, s=7, c=mark.color if mark else FAINT, linewidths=0, alpha=0.7, zorder=1)
    many = [kind for kind in order if (table["kind"] == kind).sum() > FEWEST_FOR_BOX]
    sns.boxplot(
        table[table["kind"].isin(many)],
        x="value",
        y="kind",
        order=order,
        width=0.5,
        whis=0,
        fill=False,
        color=INK,
        linewidth=1.1,
        showfliers=False,
        showcaps=False,
        medianprops={"linewidth": 2},
        zorder=3,
        ax=ax,
    )
    ax.set_xlim(low - 1.2 * room, high + 1.2 * room)
    ax.set_ylabel("")
    ax.tick_params(axis="y", length=0)
