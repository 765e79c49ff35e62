"""Mechanism classes: how their members score beside all other compounds."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.figures.style import FAINT, INK, WIDTH, Mark, legend_below, legend_handles, plot_missing
from helpers.screens.order import natural_order
from helpers.text import drawn

CLASS_STYLE = {
    "higher": Mark("members score higher", "#00664F", "o"),
    "lower": Mark("members score lower", "#CF5A8C", "v"),
    "none": Mark("cannot be told from the rest", "#A6A6A6", "s"),
}
"""Verdicts on a class."""

NO_CLASS = "No class can be tested: there are no scores, or no class has three scored members."


def plot_classes(
    effects: pd.DataFrame,
    *,
    fdr: float = 0.05,
    n: int = 14,
    other: str = "",
    other_label: str = "",
) -> Figure:
    """Draw the AUC of classes with its interval, one panel per cell line.

    Parameters
    ----------
    effects : DataFrame
        cells, class, n_members, auc, auc_low, auc_high, p_value, q_value.
    fdr : float
        Classes with a q-value up to this have a colour.
    n : int
        Draw at most so many classes of a cell line: those of smallest p-value.
    other : str
        A column with a second AUC, drawn as a hollow diamond where it is known.
    other_label : str
        What the second one is.

    Returns
    -------
    Figure
        A new one.
    """
    tested = effects.dropna(subset=["p_value"]) if len(effects) else effects
    if tested.empty:
        return plot_missing(NO_CLASS).figure
    groups = [
        tested[tested["cells"] == cells].nsmallest(n, "p_value") for cells in natural_order(tested["cells"])
    ]
    heights = [len(group) + 1.6 for group in groups]
    figure, axes = plt.subplots(
        len(groups),
        1,
        figsize=(WIDTH, 0.27 * sum(heights) + 1.1),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
        sharex=True,
    )
    for ax, group in zip(axes.flat, groups, strict=True):
        _draw_forest(ax, group.sort_values("auc", ascending=False).reset_index(drop=True), fdr, other)
        ax.set_title(drawn(group["cells"].iloc[0]))
    axes[-1, 0].set_xlabel("AUC against all other compounds")
    shown = pd.concat(groups)
    handles = legend_handles(CLASS_STYLE, verdicts(shown, fdr))
    if other and shown[other].notna().any():
        look = {"ls": "", "marker": "D", "mfc": "none", "color": INK, "ms": 7}
        handles.append(Line2D([], [], label=other_label, **look))
    legend_below(axes[0, 0], handles, ncols=2)
    return figure


def verdicts(effects: pd.DataFrame, fdr: float) -> pd.Series:
    """Return ``higher``, ``lower`` or ``none`` for each class."""
    side = np.where(effects["auc"] > 0.5, "higher", "lower")
    return pd.Series(np.where(effects["q_value"] <= fdr, side, "none"), index=effects.index)


def _draw_forest(ax: Axes, group: pd.DataFrame, fdr: float, other: str) -> None:
    """Draw one row per class."""
    for (i, row), verdict in zip(group.iterrows(), verdicts(group, fdr), strict=True):
        mark = CLASS_STYLE[verdict]
        ax.plot([row["auc_low"], row["auc_high"]], [i, i], color=mark.color, lw=1.6)
        ax.plot(row["auc"], i, mark.marker, color=mark.color, ms=7, mec="white")
        if other and pd.notna(row[other]):
            ax.plot(row[other], i, "D", mfc="none", mec=INK, ms=8, zorder=3)
        ax.text(
            1.02, i, f"n = {row['n_members']}", transform=ax.get_yaxis_transform(), va="center", fontsize=9
        )
    ax.axvline(0.5, color=FAINT, lw=0.9, ls="--", zorder=0)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.set_yticks(range(len(group)), [drawn(name, 28) for name in group["class"]])
    ax.set_ylim(len(group) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
