"""Points that would be lost: those beyond the axes, and those whose names would cover one another."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from helpers.figures.style import INK
from helpers.text import drawn

ARROWHEADS = {
    "left": ((-1, 0), (0.4, 0.8), (0.4, -0.8), (-1, 0)),
    "right": ((1, 0), (-0.4, 0.8), (-0.4, -0.8), (1, 0)),
    "down": ((0, -1), (0.8, 0.4), (-0.8, 0.4), (0, -1)),
    "up": ((0, 1), (0.8, -0.4), (-0.8, -0.4), (0, 1)),
}
"""Markers of points beyond an edge; their tips stand a little outside the axes."""


def show_limits(
    values: Iterable[float], *, include: Sequence[float] = (), room: float = 0.06
) -> tuple[float, float]:
    """Return the limits of an axis that shows all values, or all but a few that would squash the rest.

    Values are left to `draw_beyond` only if the full range is more than 1.6 times that of the middle 99.6 %.

    Parameters
    ----------
    values : iterable of float
        What is drawn.
    include : sequence of float
        Values that must be inside, such as 0 and 1.
    room : float
        Margin on both sides, as a share of the range.
    """
    finite = np.asarray(list(values), float)
    finite = np.append(finite[np.isfinite(finite)], include)
    low, high = finite.min(), finite.max()
    inner = np.percentile(finite, [0.2, 99.8])
    if high - low > 1.6 * np.ptp(inner) > 0:
        low, high = min([inner[0], *include]), max([inner[1], *include])
    margin = room * (high - low) or room
    return float(low - margin), float(high + margin)


def draw_beyond(ax: Axes, x: pd.Series, y: pd.Series, colors: Sequence[str] | pd.Series) -> int:
    """Draw the points outside the limits of `ax` as arrowheads at its edge, and return how many there are.

    Nothing may vanish in silence: an arrowhead points to where its point lies.

    Parameters
    ----------
    ax : Axes
        With its limits set.
    x, y : Series
        Of the points, in data coordinates; missing ones are passed over.
    colors : sequence of str
        One for each point.

    Returns
    -------
    int
        How many there are.
    """
    table = pd.DataFrame(
        {"x": np.asarray(x, float), "y": np.asarray(y, float), "color": list(colors)}
    ).dropna()
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    sides = {
        "left": table["x"] < left,
        "right": table["x"] > right,
        "down": (table["y"] < low) & table["x"].between(left, right),
        "up": (table["y"] > high) & table["x"].between(left, right),
    }
    for side, chosen in sides.items():
        rows = table[chosen]
        if len(rows):
            at = rows["x"].clip(left, right), rows["y"].clip(low, high)
            look = {"marker": ARROWHEADS[side], "edgecolors": INK, "linewidths": 0.8, "clip_on": False}
            ax.scatter(*at, s=80, c=rows["color"].tolist(), zorder=6, **look)
    return int(sum(chosen.sum() for chosen in sides.values()))


def beyond_handle() -> Line2D:
    """Return the legend entry for what `draw_beyond` draws."""
    return Line2D(
        [], [], ls="", marker=ARROWHEADS["right"], color="white", mec=INK, ms=8, label="beyond the edge"
    )


def name_points(
    ax: Axes,
    points: pd.DataFrame,
    names: Iterable[object],
    *,
    others: pd.DataFrame | None = None,
    most: int = 5,
) -> list[str]:
    """Write names beside points, in the order given, passing over those that would cover something or leave the axes.

    Call it last: the places depend on the size the axes have in the finished figure.

    Parameters
    ----------
    ax : Axes
        Where the points are drawn.
    points : DataFrame
        Two columns, x and y, of the points to name, the most important first.
    names : iterable
        One per point; cut to 30 letters.
    others : DataFrame, optional
        Two columns, x and y, of all points that a name must not cover; the named ones by default.
    most : int
        How many names to write.

    Returns
    -------
    list of str
        The names written.
    """
    ax.figure.draw_without_rendering()
    taken: list[Bbox] = []
    obstacles = ax.transData.transform((points if others is None else others).to_numpy(float))
    written = []
    for name, at in zip(names, points.to_numpy(float), strict=True):
        if len(written) == most:
            break
        line = {"arrowstyle": "-", "color": INK, "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
        text = ax.annotate(
            drawn(name, 30), at, (0, 0), textcoords="offset points", fontsize=9, arrowprops=line
        )
        if _place(text, ax.get_window_extent(), obstacles, taken):
            written.append(str(name))
        else:
            text.remove()
    return written


PLACES = tuple(
    ((side * x, y), "left" if side > 0 else "right")
    for x, up in ((9, 8), (16, 20), (26, 34), (40, 48))
    for side in (1, -1)
    for y in (up, -up - 7)
)
"""Offsets of a name from its point, in points, and its alignment; the first that is free is taken."""


def _place(text: Annotation, inside: Bbox, obstacles: np.ndarray, taken: list[Bbox]) -> bool:
    """Move a name to the first free place beside its point, and return whether there was one."""
    for offset, side in PLACES:
        text.set(position=offset, ha=side)
        text.get_window_extent()  # moves the text to its new place
        box = Text.get_window_extent(text)  # of the letters, without the line to the point
        fits = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
        x, y = obstacles.T
        covers = (box.x0 - 5 < x) & (x < box.x1 + 5) & (box.y0 - 5 < y) & (y < box.y1 + 5)
        if fits and not covers.any() and not any(box.overlaps(other) for other in taken):
            taken.append(box)
            return True
    return False
