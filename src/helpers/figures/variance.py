"""How much of the variance between wells goes with what, before and after normalisation."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from helpers.figures.style import INK, WIDTH, axes_or_new, legend_below, plot_missing

LOOKS = {
    "experiment": ("experiment", "#0B2A5E", ""),
    "plate": ("plate", "#46689F", "///"),
    "condition": ("condition", "#C8501E", ""),
    "position": ("position on the plate", "#5B2A86", "xxx"),
    "arm": ("arm (treatment and dose)", "#E9A23B", "..."),
    "well": ("rest: single wells", "#E6E3DC", ""),
}
"""Name, colour and hatching of each factor: technical ones in blue and violet, what was done to the cells in orange."""

SMALLEST = 0.045
"""A part that is smaller than this share is not labelled inside the bar."""


def plot_variance(shares: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the shares of variance as one stacked bar per normalisation.

    Parameters
    ----------
    shares : DataFrame
        recipe, factor (see `LOOKS`), share: the rows of :func:`helpers.profiles.variance.decompose_variance`, a
        recipe at a time, in the order in which they are drawn.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if shares.empty:
        return plot_missing("Without embeddings there is no variance to share out.", ax=ax)
    recipes = list(dict.fromkeys(shares["recipe"]))
    ax = axes_or_new(ax, (WIDTH, 0.75 * len(recipes) + 1.9))
    present = [name for name in LOOKS if name in set(shares["factor"])]
    for y, recipe in enumerate(recipes):
        part = shares[shares["recipe"] == recipe].set_index("factor")["share"]
        left = 0.0
        for name in present:
            _draw_part(ax, y, left, 100 * float(part.get(name, 0.0)), name)
            left += 100 * float(part.get(name, 0.0))
    ax.set_yticks(range(len(recipes)), recipes)
    ax.set_ylim(len(recipes) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    ax.set_xlabel("share of the variance between wells (%)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    legend_below(ax, [_patch(name) for name in present], ncols=2)
    return ax


def _draw_part(ax: Axes, y: float, left: float, width: float, name: str) -> None:
    """Draw one part of a bar, with its percentage where it fits."""
    _, color, hatch = LOOKS[name]
    ax.barh(y, width, left=left, height=0.62, color=color, hatch=hatch, ec="white", lw=0.6)
    if width < 100 * SMALLEST:
        return
    light = name in {"well", "arm"}
    box = {"facecolor": color, "edgecolor": "none", "pad": 1.2} if hatch else None
    ax.text(
        left + width / 2,
        y,
        f"{width:.0f}",
        ha="center",
        va="center",
        fontsize=9,
        color=INK if light else "white",
        bbox=box,
    )


def _patch(name: str) -> Patch:
    label, color, hatch = LOOKS[name]
    return Patch(facecolor=color, hatch=hatch, edgecolor="white", label=label)
