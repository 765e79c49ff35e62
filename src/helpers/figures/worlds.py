"""What holds in which world: one row per world, one panel per promise, with what is promised as a line."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.figures.style import FAINT, INK, SERIES, WIDTH, plot_missing

KEPT, BROKEN = "o", "X"


def plot_worlds(table: pd.DataFrame, labels: dict[str, str], *, ncols: int = 2) -> Figure:
    """Draw what was counted in every world, with two standard errors over seeds, and the line that was promised.

    Parameters
    ----------
    table : DataFrame
        world, promise, value, se (missing for one seed), low and high (what is promised, missing where there is no such
        end), kept (whether it holds).
    labels : dict
        Promise -> title of its panel, in the order in which they are drawn.
    ncols : int
        Panels beside each other.

    Returns
    -------
    Figure
        A new one.
    """
    panels = [name for name in labels if (table["promise"] == name).any()] if len(table) else []
    if not panels:
        return plot_missing("Nothing was counted.").figure
    worlds = list(dict.fromkeys(table["world"]))
    nrows = -(-len(panels) // ncols)
    size = (WIDTH, nrows * (0.26 * len(worlds) + 0.9))
    figure, axes = plt.subplots(nrows, ncols, figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, name in zip(axes.flat, panels, strict=False):
        _draw(ax, table[table["promise"] == name].set_index("world"), worlds)
        ax.set_title(labels[name], fontsize=10)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    axes[0, 0].set_yticks(range(len(worlds)), worlds)
    axes[0, 0].set_ylim(len(worlds) - 0.5, -0.5)
    return figure


def _draw(ax: Axes, rows: pd.DataFrame, worlds: list[str]) -> None:
    """Draw one promise: filled circles where it is kept, hollow crosses where not."""
    for end in ("low", "high"):
        at = rows[end].dropna()
        for edge in at.unique():
            mine = [worlds.index(world) for world in at.index[at == edge]]
            ax.vlines(edge, min(mine) - 0.5, max(mine) + 0.5, color=INK, lw=1.0, ls="--")
    for world, row in rows.iterrows():
        y = worlds.index(str(world))
        error = 0.0 if pd.isna(row["se"]) else 2 * row["se"]
        ax.errorbar(
            row["value"], y, xerr=error, color=SERIES[0], marker=KEPT if row["kept"] else BROKEN,
            mfc=SERIES[0] if row["kept"] else "white", ms=6, lw=1.2,
        )  # fmt: skip
    error = 2 * rows["se"].astype(float).fillna(0.0)
    reach = [*(rows["value"] - error), *(rows["value"] + error)]
    ends = np.array([*reach, *rows["low"].dropna(), *rows["high"].dropna()], dtype=float)
    margin = 0.12 * max(np.ptp(ends), 0.02)
    ax.set_xlim(ends.min() - margin, ends.max() + margin)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)
    ax.tick_params(axis="y", length=0)
