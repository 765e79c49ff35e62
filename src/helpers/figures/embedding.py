"""Embeddings at a glance: wells in two dimensions, coloured by what might explain where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from helpers.figures.style import (
    CONDITION_STYLE,
    WIDTH,
    axes_or_new,
    format_um,
    hide_spare,
    legend_handles,
    plate_label,
    plot_missing,
    scatter_classes,
    series_styles,
)
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order
from helpers.text import drawn

MOST_CLASSES = 8
"""More classes than this are drawn as a scale: nobody tells nine markers apart."""

REST = "#DDDAD2"
"""Wells that have no place on the scale, such as those without a dose."""


def plot_embedding(
    components: pd.DataFrame,
    color_by: str = "condition",
    *,
    x: str = "pc_1",
    y: str = "pc_2",
    ax: Axes | None = None,
    size: float = 14,
    clip: float = 99.5,
) -> Axes:
    """Scatter wells in two dimensions of their embedding, coloured by a column.

    Parameters
    ----------
    components : DataFrame
        From `principal_components`, or any table with two coordinates and the columns of wells.
    color_by : str
        ``condition`` (each with its own marker), ``dose_um``, or any column. Columns with more than eight
        classes become a colour scale in their natural order.
    x, y : str
        Columns of the coordinates. Without a second one the points stand on a line.
    ax : Axes, optional
        Where to draw; new axes by default.
    size : float
        Area of a point in square points.
    clip : float
        Percent of the wells that the axes are made for; wells beyond are drawn on the frame's edge.

    Returns
    -------
    Axes
        Those that were drawn on.

    Examples
    --------
    >>> wells = pd.DataFrame({
    ...     "pc_1": [0.0, 0.1, 4.0, 4.1], "pc_2": [0.0, 1.0, 0.0, 1.0],
    ...     "condition": ["mock", "mock", "infected", "infected"], "treatment": None,
    ... })
    >>> ax = plot_embedding(wells)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('PC 1', 'PC 2')
    >>> plt.close(ax.figure)
    """
    if x not in components:
        return plot_missing("This screen has no embeddings, so there is nothing to project.", ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.8))
    table = components if y in components else _spread_at_random(components, y)
    table = _with_plate(_in_frame(table, x, y, clip), color_by)
    _label_axes(ax, components, x, y)
    ax.set_title(f"by {_words(color_by)}")
    _explain(ax.figure, [ax], _draw_points(ax, table, color_by, x, y, size))
    return ax


def _words(column: str) -> str:
    return drawn(column.replace("_um", "").replace("_", " "))


def _with_plate(table: pd.DataFrame, color_by: str) -> pd.DataFrame:
    """Name plates together with their experiment where they are the classes."""
    return table.assign(plate=plate_label(table)) if color_by == "plate" else table


def _label_axes(ax: Axes, components: pd.DataFrame, x: str, y: str) -> None:
    """Name the axes; their numbers say nothing."""
    for axis, name in (("x", x), ("y", y)):
        label = _component_label(name, components.attrs.get("explained", []))
        getattr(ax, f"set_{axis}label")(label if name in components else "spread at random")
        getattr(ax, f"set_{axis}ticks")([])


def _in_frame(table: pd.DataFrame, x: str, y: str, clip: float = 99.5) -> pd.DataFrame:
    return table.assign(**{name: _to_frame(table[name], clip) for name in (x, y)})


def _spread_at_random(components: pd.DataFrame, y: str) -> pd.DataFrame:
    """Return the table with a second coordinate that means nothing, so that points do not hide each other."""
    return components.assign(**{y: np.random.default_rng(0).uniform(-1, 1, len(components))})


def _to_frame(values: pd.Series, percent: float) -> pd.Series:
    """Pull values outside the middle `percent` of the wells back to a margin around it."""
    low, high = np.nanpercentile(values, [100 - percent, percent])
    room = 0.25 * (high - low)
    return values.clip(low - room, high + room)


def _component_label(name: str, explained: Sequence[float]) -> str:
    """Return ``PC 1 (34 % of variance)``."""
    if not name.startswith("pc_"):
        return name.replace("_", " ").replace("umap", "UMAP")
    number = int(name[3:])
    share = f" ({explained[number - 1]:.0%} of variance)" if number <= len(explained) else ""
    return f"PC {number}{share}".replace("%", " %")


@dataclass(frozen=True)
class Key:
    """What explains the colours of a panel: a legend's entries, or a scale."""

    handles: list[Line2D]
    mappable: object = None
    label: str = ""


def _draw_points(ax: Axes, table: pd.DataFrame, color_by: str, x: str, y: str, size: float) -> Key | None:
    """Draw the points and return what explains them."""
    if color_by == "condition":
        kind = well_kind(table)
        order = {k: CONDITION_STYLE[k] for k in ("mock", "uv", "infected", "blank", "treated")}
        scatter_classes(ax, table[x], table[y], kind, order, size=size)
        return Key(legend_handles(CONDITION_STYLE, kind.dropna().unique()))
    classes = natural_order(table[color_by])
    if color_by != "dose_um" and len(classes) <= MOST_CLASSES:
        styles = series_styles(classes)
        shuffled = table.sample(frac=1, random_state=0)
        scatter_classes(ax, shuffled[x], shuffled[y], shuffled[color_by], styles, size=size * 0.7)
        return Key(legend_handles(styles, classes))
    return _draw_scale(ax, table, color_by, classes, x, y, size)


def _draw_scale(
    ax: Axes, table: pd.DataFrame, color_by: str, classes: list, x: str, y: str, size: float
) -> Key | None:
    """Draw points on a colour scale: numbers as they are, classes by their place in natural order."""
    if pd.api.types.is_numeric_dtype(table[color_by]):
        number = table[color_by].astype(float)
        label = "dose (µM)" if color_by == "dose_um" else color_by.replace("_", " ")
    else:
        number = table[color_by].map({value: i + 1.0 for i, value in enumerate(classes)}).astype(float)
        label = f"{color_by} (in order)"
    norm = LogNorm() if color_by == "dose_um" else None
    points = table[(number > 0).to_numpy() if norm else number.notna().to_numpy()]
    if points.empty:
        plot_missing(f"No well has a {label}.", ax=ax)
        return None
    look = {"s": size * 0.6, "linewidths": 0, "rasterized": len(points) > 2000}
    if len(points) < len(table):
        rest = table.drop(points.index)
        ax.scatter(rest[x], rest[y], c=REST, **look)
    # In random order: else the last plate would hide all others.
    points = points.sample(frac=1, random_state=0)
    drawn = ax.scatter(points[x], points[y], c=number[points.index], cmap="viridis_r", norm=norm, **look)
    return Key([], drawn, label)


def _explain(figure: Figure | SubFigure, axes: list[Axes], key: Key | None) -> None:
    """Put the legend, in as many columns as the width allows, or the scale under some panels."""
    if key is None:
        return
    if key.mappable is not None:
        bar = figure.colorbar(
            key.mappable, ax=axes, location="bottom", label=key.label, shrink=0.8, aspect=40, pad=0.02
        )
        bar.outline.set_linewidth(0.4)
        if isinstance(key.mappable.norm, LogNorm):
            _plain_ticks(bar, key.mappable.norm)
        return
    if not key.handles:
        return
    width = sum(ax.get_window_extent().width for ax in axes) / axes[0].figure.dpi
    longest = max(len(handle.get_label()) for handle in key.handles)
    columns = max(1, min(len(key.handles), int(width / (0.08 * longest + 0.4))))
    if len(axes) == 1:
        axes[0].legend(handles=key.handles, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=columns)
    else:
        figure.legend(handles=key.handles, loc="outside lower center", ncols=columns)


def _plain_ticks(bar: Colorbar, norm: LogNorm) -> None:
    """Write decades of a dose as plain numbers."""
    low, high = np.floor(np.log10([norm.vmin, norm.vmax]) + 1e-9)
    decades = [10.0**k for k in np.arange(low, high + 1) if norm.vmin * 0.999 <= 10.0**k <= norm.vmax * 1.001]
    if decades:
        bar.set_ticks(decades, labels=[format_um(dose) for dose in decades])
        bar.ax.xaxis.set_minor_locator(NullLocator())


def plot_embeddings(
    components: pd.DataFrame, color_by: Sequence[str], *, ncols: int = 2, x: str = "pc_1", y: str = "pc_2"
) -> Figure:
    """Draw the same projection once per colouring, side by side.

    Columns with one value only are left out: they explain nothing.

    Parameters
    ----------
    components : DataFrame
        From `principal_components`.
    color_by : sequence of str
        Columns, as in `plot_embedding`.
    ncols : int
        Panels side by side.
    x, y : str
        Columns of the coordinates.

    Returns
    -------
    Figure
        A new one.

    Examples
    --------
    >>> wells = pd.DataFrame({
    ...     "pc_1": [0.0, 0.1, 4.0, 4.1], "pc_2": [0.0, 1.0, 0.0, 1.0],
    ...     "condition": ["mock", "mock", "infected", "infected"], "treatment": None,
    ... })
    >>> figure = plot_embeddings(wells, ["condition", "pc_1"])
    >>> [ax.get_title() for ax in figure.axes][:2]
    ['by condition', 'by pc 1']
    >>> plt.close(figure)
    """
    useful = _useful(components, color_by)
    if not useful or x not in components:
        reason = (
            "no embeddings, so there is nothing to project" if x == "pc_1" else "too few features for this"
        )
        return plot_missing(f"This screen has {reason}.").figure
    ncols = min(ncols, len(useful))
    nrows = -(-len(useful) // ncols)
    height = 4.4 if ncols == 1 else 3.8
    figure, axes = plt.subplots(
        nrows, ncols, figsize=(WIDTH, nrows * height), layout="constrained", squeeze=False
    )
    for ax, column in zip(axes.flat, useful, strict=False):
        plot_embedding(components, column, x=x, y=y, ax=ax, size=10)
    hide_spare(axes.flat[len(useful) :])
    return figure


def plot_projections(table: pd.DataFrame, color_by: Sequence[str]) -> Figure:
    """Draw wells by principal components and by neighbourhood (UMAP) side by side, a row per colouring.

    Parameters
    ----------
    table : DataFrame
        Columns of wells with pc_1, pc_2 and umap_1, umap_2; without the latter the components alone are drawn.
    color_by : sequence of str
        Columns, as in `plot_embedding`; those with a single value are left out.

    Returns
    -------
    Figure
        A new one.
    """
    useful = _useful(table, color_by)
    if not useful or "umap_1" not in table:
        return plot_embeddings(table, color_by)
    # Clouds of points need fewer dots per inch than letters, and are the heaviest pictures of a page.
    figure = plt.figure(figsize=(WIDTH, 3.25 * len(useful)), dpi=130, layout="constrained")
    rows = np.atleast_1d(figure.subfigures(len(useful), 1))
    for part, column in zip(rows, useful, strict=True):
        axes = part.subplots(1, 2)
        for ax, (x, y) in zip(axes, (("pc_1", "pc_2"), ("umap_1", "umap_2")), strict=True):
            points = _in_frame(table, x, y)
            _label_axes(ax, table, x, y)
            key = _draw_points(ax, _with_plate(points, column), column, x, y, 10 if len(points) < 5000 else 6)
        axes[0].set_title(f"by {_words(column)}: components")
        axes[1].set_title("neighbours")
        _explain(part, list(axes), key)
    return figure


def _useful(table: pd.DataFrame, color_by: Sequence[str]) -> list[str]:
    """Return the columns that tell wells apart."""
    return [c for c in color_by if c == "condition" or (c in table and len(table[c].dropna().unique()) > 1)]
