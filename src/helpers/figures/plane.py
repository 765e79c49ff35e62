"""Arms in the plane of the two scores: along the disease axis, and away from it."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch

from helpers.figures.points import beyond_handle, draw_beyond, show_limits
from helpers.figures.ranking import NOTHING_TO_RANK
from helpers.figures.style import (
    CALL_STYLE,
    CONDITION_STYLE,
    WIDTH,
    axes_or_new,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
)


def plot_on_off(
    called: pd.DataFrame, contours: pd.DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw arms in the plane of on-disease and off-disease scores.

    A compound that only undoes the disease moves to the left; one that does something else as well moves up. Points far
    beyond all others are arrowheads at the edge.

    Parameters
    ----------
    called : DataFrame
        From :func:`helpers.hits.deciding.with_calls`: on_disease, off_disease, call.
    contours : DataFrame, optional
        From :func:`helpers.hits.contours.chance_contours`: where arms without any effect lie, shaded.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if called.empty or "off_disease" not in called:
        return plot_missing(NOTHING_TO_RANK, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.4))
    scatter_classes(ax, called["on_disease"], called["off_disease"], called["call"], CALL_STYLE, size=16)
    for at, style in ((1, "infected"), (0, "mock")):
        ax.axvline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    ax.set_xlim(*show_limits(called["on_disease"], include=(0, 1)))
    top = max(show_limits(called["off_disease"], include=(0,))[1], 0.1)
    ax.set_ylim(-0.02 * top, top)
    colors = called["call"].map({k: m.color for k, m in CALL_STYLE.items()})
    beyond = draw_beyond(ax, called["on_disease"], called["off_disease"], colors)
    ax.set_xlabel("on-disease (0 = mock, 1 = infected, untreated)")
    ax.set_ylabel("off-disease (axis lengths)")
    chance = [] if contours is None or contours.empty else _draw_chance(ax, contours)
    legend_below(ax, [*call_handles(called["call"], beyond), *chance], ncols=3)
    return ax


def _draw_chance(ax: Axes, contours: pd.DataFrame) -> list[Patch]:
    """Shade where chance alone puts arms, and return the legend of it."""
    color = CONDITION_STYLE["infected"].color
    for _, outline in contours.groupby("share"):
        ax.fill(outline["on_disease"], outline["off_disease"], color=color, alpha=0.12, lw=0, zorder=0.5)
        ax.plot(outline["on_disease"], outline["off_disease"], color=color, lw=1.1, zorder=4)
    label = f"chance alone: about {', '.join(f'{100 * share:g}' for share in contours['share'].unique())} %"
    return [Patch(fc=to_rgba(color, 0.2), ec=color, lw=1.1, label=label)]


def call_handles(calls: pd.Series, beyond: int) -> list:
    """Return the legend of calls, with the arrowheads of points beyond the edge where there are any."""
    return legend_handles(CALL_STYLE, calls) + ([beyond_handle()] if beyond else [])
