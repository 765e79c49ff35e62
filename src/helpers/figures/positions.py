"""Position effects: how a value varies over the rows and columns of plates."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.coloring import VALUE_LABELS
from helpers.figures.style import FAINT, WIDTH, plot_missing, series_styles
from helpers.screens.layout import row_label


def plot_position_profiles(
    profiles: Mapping[str, pd.DataFrame] | pd.DataFrame, value: str = "rescue"
) -> Figure:
    """Draw the median of a value along rows and along columns, for one table or for several to compare.

    Parameters
    ----------
    profiles : DataFrame or dict of them
        From :func:`helpers.profiles.positions.position_profiles`; a dict's keys name what is compared, such as recipes.
    value : str
        What was profiled.

    Returns
    -------
    Figure
        A new one.
    """
    tables = {"": profiles} if isinstance(profiles, pd.DataFrame) else dict(profiles)
    tables = {name: table for name, table in tables.items() if len(table)}
    if not tables:
        return plot_missing("Without scores there are no profiles over rows and columns.").figure
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.3), sharey=True, layout="constrained")
    styles = series_styles(list(tables))
    for ax, by in zip(axes, ("row", "col"), strict=True):
        for name, profile in tables.items():
            table = profile[(profile["by"] == by).to_numpy()]
            look = {"color": styles[name].color, "marker": styles[name].marker, "ms": 3.5, "lw": 1.2}
            ax.plot(table["position"], table["median"], label=name, **look)
            ax.fill_between(
                table["position"], table["low"], table["high"], color=look["color"], alpha=0.15, lw=0
            )
        ax.axhline(0, color=FAINT, lw=0.8, ls="--", zorder=0)
        ax.set_xlabel("row" if by == "row" else "column")
    _letter_rows(axes[0])
    axes[0].set_ylabel(f"{VALUE_LABELS.get(value, value).split(' (')[0]}, relative to the plate")
    if len(tables) > 1:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)))
    return figure


def _letter_rows(ax: Axes) -> None:
    """Label the ticks of a row axis with row letters."""
    low, high = ax.get_xlim()
    step = max(int((high - low) // 6), 1)
    ticks = [r for r in range(step, 33, step) if low <= r <= high]
    ax.set_xticks(ticks, [row_label(r) for r in ticks])
