"""Effect against evidence, arm by arm."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.figures.plane import call_handles
from helpers.figures.points import draw_beyond, show_limits
from helpers.figures.style import (
    CALL_STYLE,
    FAINT,
    WIDTH,
    axes_or_new,
    legend_below,
    plot_missing,
    scatter_classes,
)

HIGHEST = 6
"""Volcanoes end here: smaller q-values are extrapolations, and would flatten the part that matters."""


def plot_volcano(
    called: pd.DataFrame,
    *,
    fdr: float = 0.05,
    min_rescue: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the effect of every arm against its q-value; q-values below 1e-6 are drawn there.

    Parameters
    ----------
    called : DataFrame
        From :func:`helpers.hits.deciding.with_calls`.
    fdr : float
        Where to draw the horizontal line.
    min_rescue : float
        Where to draw the vertical line: the rescue that the hypothesis allows.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if called.empty or called["q_value"].isna().all():
        return plot_missing("No arm has a q-value on this screen.", ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.2))
    height = -np.log10(called["q_value"].clip(lower=10.0**-HIGHEST))
    scatter_classes(ax, called["rescue"], height, called["call"], CALL_STYLE, size=16)
    ax.axhline(-np.log10(fdr), color=FAINT, lw=0.9, ls="--", zorder=0)
    ax.axvline(min_rescue, color=FAINT, lw=0.9, ls=":", zorder=0)
    ax.text(1.0, -np.log10(fdr), f" q = {fdr:g}", transform=ax.get_yaxis_transform(), va="center", fontsize=9)
    ax.set_xlim(*show_limits(called["rescue"], include=(0, 1)))
    beyond = draw_beyond(
        ax, called["rescue"], height, called["call"].map({k: m.color for k, m in CALL_STYLE.items()})
    )
    ax.set_xlabel("rescue of the arm (0 = as infected, 1 = as mock)")
    ax.set_ylabel(f"−log₁₀ q (cut at {HIGHEST})")
    legend_below(ax, call_handles(called["call"], beyond), ncols=3)
    return ax
