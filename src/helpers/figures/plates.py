"""Plate maps: what stands where, one map or several with one scale."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, NullLocator

from helpers.figures.coloring import Coloring, color_wells
from helpers.figures.style import (
    EMPTY,
    FAINT,
    INK,
    WIDTH,
    axes_or_new,
    format_um,
    hide_spare,
    of_plate,
    plates_in_order,
    plot_missing,
)
from helpers.screens.layout import row_label
from helpers.text import drawn

PLATE_SIZES = ((2, 3), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""Rows and columns of the plates in use, 6 to 1536 wells."""


def plate_shape(obs: pd.DataFrame) -> tuple[int, int]:
    """Return rows and columns of the smallest common plate that holds every well of `obs`.

    Raises
    ------
    ValueError
        If a well lies outside 1536 wells.
    """
    rows, cols = int(obs["row"].max()), int(obs["col"].max())
    for shape in PLATE_SIZES:
        if rows <= shape[0] and cols <= shape[1]:
            return shape
    raise ValueError(f"a well at row {rows}, column {cols} lies outside a 1536-well plate (32 x 48)")


def plate_grid(
    obs: pd.DataFrame, values: pd.Series | np.ndarray, shape: tuple[int, int] | None = None
) -> np.ndarray:
    """Lay the values of one plate's wells out as they stand on the plate.

    Parameters
    ----------
    obs : DataFrame
        Wells of one plate, with columns row and col counted from 1.
    values : array, shape (n_wells,)
        A number per well.
    shape : tuple, optional
        Rows and columns; by default the smallest common plate that fits.

    Returns
    -------
    array, shape (rows, columns)
        NaN where no well is.

    Raises
    ------
    ValueError
        If a well lies outside a 1536-well plate.

    Examples
    --------
    >>> obs = pd.DataFrame({"row": [1, 2], "col": [1, 3]})
    >>> plate_grid(obs, np.array([0.5, 1.0]))
    array([[0.5, nan, nan],
           [nan, nan, 1. ]])
    """
    grid = np.full(shape or plate_shape(obs), np.nan)
    grid[obs["row"].to_numpy(int) - 1, obs["col"].to_numpy(int) - 1] = np.asarray(values, float)
    return grid


def plot_plate(
    obs: pd.DataFrame,
    color_by: str = "condition",
    *,
    ax: Axes | None = None,
    title: str | None = None,
    coloring: Coloring | None = None,
    shape: tuple[int, int] | None = None,
    legend: bool = True,
    mark_flagged: bool = False,
) -> Axes:
    """Draw one plate as a map of its wells.

    Parameters
    ----------
    obs : DataFrame
        Wells of one plate: row, col and what `color_by` needs.
    color_by : str
        ``condition``, ``dose_um``, ``qc_flag``, ``rescue`` or any other column.
    ax : Axes, optional
        Where to draw; new axes by default.
    title : str, optional
        Above the map.
    coloring : Coloring, optional
        Colours shared by several plates (`color_wells` of all of them).
    shape : tuple, optional
        Rows and columns of the plate; by default the smallest common plate that fits.
    legend : bool
        Explain the colours below the map.
    mark_flagged : bool
        Put a cross on wells whose qc_flag is not empty.

    Returns
    -------
    Axes
        Those that were drawn on.

    Raises
    ------
    ValueError
        If there is no column `color_by`, or a well lies outside a 1536-well plate.
    """
    if obs.empty:
        return plot_missing("No wells to draw.", ax=ax)
    coloring = coloring or color_wells(obs, color_by)
    shape = shape or plate_shape(obs)
    ax = axes_or_new(ax, (WIDTH, 0.83 * WIDTH))
    ax.set_facecolor("white")
    _background(ax, obs, shape)
    grid = plate_grid(obs, coloring.values.loc[obs.index], shape)
    extent = (0.5, shape[1] + 0.5, shape[0] + 0.5, 0.5)
    picture = ax.imshow(grid, cmap=coloring.cmap, norm=coloring.norm, extent=extent, interpolation="nearest")
    _plate_axes(ax, shape)
    _stroke_hatched(ax, obs, coloring)
    if mark_flagged and "qc_flag" in obs:
        _cross_flagged(ax, obs, shape)
    ax.set_title(drawn(title or ""))
    if legend:
        flagged = mark_flagged and _has_flags(obs)
        _plate_legend(ax.figure, [ax], picture, coloring, flagged=flagged, gaps=_has_gaps(obs))
    return ax


def _background(ax: Axes, obs: pd.DataFrame, shape: tuple[int, int]) -> None:
    """Draw every well of the plate that is in the table as an empty cell."""
    there = plate_grid(obs, np.zeros(len(obs)), shape)
    extent = (0.5, shape[1] + 0.5, shape[0] + 0.5, 0.5)
    ax.imshow(there, cmap=ListedColormap([EMPTY]), extent=extent, interpolation="nearest")


def _stroke_hatched(ax: Axes, obs: pd.DataFrame, coloring: Coloring) -> None:
    """Draw a diagonal into the wells of hatched classes, as their legend entry has them."""
    wells = obs[coloring.values.loc[obs.index].isin(coloring.hatched).to_numpy()]
    if wells.empty:
        return
    x, y, half = wells["col"].to_numpy(float), wells["row"].to_numpy(float), 0.42
    strokes = np.stack([np.stack([x - half, y + half], -1), np.stack([x + half, y - half], -1)], 1)
    ax.add_collection(LineCollection(strokes, colors=INK, linewidths=0.7, zorder=2))


def _plate_axes(ax: Axes, shape: tuple[int, int]) -> None:
    """Label rows with letters and columns with numbers, white lines between the wells."""
    rows, cols = shape
    room = ax.get_window_extent().height / ax.figure.dpi if ax.figure else 4.0
    step_row = next(s for s in (1, 2, 4, 8, 16) if rows / s <= max(room / 0.2, 2))
    step_col = 1 if cols <= 12 else cols // 6
    ax.set_yticks(
        range(step_row, rows + 1, step_row), [row_label(r) for r in range(step_row, rows + 1, step_row)]
    )
    ax.set_xticks(range(step_col, cols + 1, step_col))
    if rows * cols <= 384 or room > 2.5:
        ax.set_xticks(np.arange(0.5, cols + 1), minor=True)
        ax.set_yticks(np.arange(0.5, rows + 1), minor=True)
        ax.grid(which="minor", color="white", lw=0.5)
    ax.tick_params(which="both", length=0)
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set(visible=True, color=FAINT, lw=0.6)


def _cross_flagged(ax: Axes, obs: pd.DataFrame, shape: tuple[int, int]) -> None:
    """Put a cross on the wells with a qc_flag."""
    flagged = obs[obs["qc_flag"].astype(str) != ""]
    size = 26 if ax.get_window_extent().height / ax.figure.dpi > 2.5 else 9
    size *= 32 / shape[0]
    for color, width in (("white", 2.4), (INK, 1.1)):
        ax.scatter(flagged["col"], flagged["row"], marker="x", s=size, c=color, linewidths=width, zorder=3)


def _has_flags(obs: pd.DataFrame) -> bool:
    """Return whether any well has a qc_flag."""
    return "qc_flag" in obs and bool((obs["qc_flag"].astype(str) != "").any())


def _has_gaps(obs: pd.DataFrame) -> bool:
    """Return whether a place among the wells of a plate holds no well: the ring around them needs no legend."""
    rows, cols = obs["row"].astype(int), obs["col"].astype(int)
    places = (rows.max() - rows.min() + 1) * (cols.max() - cols.min() + 1)
    plates = obs.groupby(["experiment", "plate"], observed=True) if "plate" in obs else [("", obs)]
    return any(len(one) < places for _, one in plates)


def _plate_legend(
    figure: Figure, axes: list[Axes], picture, coloring: Coloring, *, flagged: bool, gaps: bool
) -> None:
    """Add the legend of classes, or the scale of numbers."""
    if coloring.label:
        tall = {"shrink": 0.6, "aspect": 40, "pad": 0.02}
        bar = figure.colorbar(picture, ax=axes, location="bottom", label=coloring.label, **tall)
        if coloring.ticks:
            bar.set_ticks(coloring.ticks, labels=[format_um(t) for t in coloring.ticks])
            bar.ax.xaxis.set_minor_locator(NullLocator())
            bar.ax.xaxis.set_minor_formatter(NullFormatter())
        bar.outline.set_linewidth(0.4)
        return
    handles = list(coloring.handles)
    if flagged:
        handles.append(plt.Line2D([], [], ls="", marker="x", color=INK, label="failed"))
    if gaps and handles:
        handles.append(Patch(facecolor="white", edgecolor=FAINT, lw=0.4, label="white: no well"))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)))


def plot_plates(
    obs: pd.DataFrame,
    color_by: str = "condition",
    *,
    max_plates: int = 8,
    ncols: int = 2,
    mark_flagged: bool = False,
    first: Sequence[str] = (),
) -> Figure:
    """Draw several plates as small maps with one scale and one legend.

    Parameters
    ----------
    obs : DataFrame
        Wells of one or several plates.
    color_by : str
        As in `plot_plate`.
    max_plates : int
        Draw so many plates only; the figure's title then says how many there are.
    ncols : int
        Maps side by side.
    mark_flagged : bool
        As in `plot_plate`.
    first : sequence of str
        Ids of plates to draw before the others, in this order.

    Returns
    -------
    Figure
        A new one.

    Raises
    ------
    ValueError
        If there is no column `color_by`, or a well lies outside a 1536-well plate.
    """
    if obs.empty or (color_by in obs and obs[color_by].isna().all()):
        return plot_missing(f"No well of this screen has a {color_by.replace('_um', '')} to draw.").figure
    pairs = _with_first(obs, first)
    shown = pairs[:max_plates]
    ncols = min(ncols, len(shown))
    nrows = -(-len(shown) // ncols)
    panel = WIDTH / ncols
    figure, axes = plt.subplots(
        nrows,
        ncols,
        figsize=(WIDTH, nrows * (panel * 0.68 + 0.28) + 0.8),
        layout="constrained",
        squeeze=False,
    )
    chosen = pd.concat([of_plate(obs, pair) for pair in shown])
    coloring, shape = color_wells(chosen, color_by), plate_shape(chosen)
    for ax, pair in zip(axes.flat, shown, strict=False):
        plot_plate(
            of_plate(obs, pair),
            color_by,
            ax=ax,
            title=_short_title(of_plate(obs, pair), pair),
            coloring=coloring,
            shape=shape,
            legend=False,
            mark_flagged=mark_flagged,
        )
    hide_spare(axes.flat[len(shown) :])
    flagged, gaps = mark_flagged and _has_flags(chosen), _has_gaps(chosen)
    _plate_legend(figure, list(axes.flat), axes[0, 0].images[-1], coloring, flagged=flagged, gaps=gaps)
    if len(shown) < len(pairs):
        figure.suptitle(f"{len(shown)} of {len(pairs)} plates", x=0.01, ha="left", fontsize=11)
    return figure


def _with_first(obs: pd.DataFrame, first: Sequence[str]) -> list[tuple]:
    """Return the (experiment, plate) pairs in natural order, those of the ids in `first` before the others."""
    pairs = plates_in_order(obs)
    if not first:
        return pairs
    rank = {name: i for i, name in enumerate(first)}
    names = {pair: str(of_plate(obs, pair)["plate_id"].iloc[0]) for pair in pairs}
    return sorted(pairs, key=lambda pair: rank.get(names[pair], len(rank)))


def _short_title(plate: pd.DataFrame, pair: tuple) -> str:
    """Return the id of a plate; in words where a table tells its plates apart otherwise, such as by recipe."""
    name = f"{pair[0]}_{pair[1]}"
    is_id = "plate_id" not in plate or str(plate["plate_id"].iloc[0]) == name
    return name if is_id else f"{pair[0]} plate {pair[1]}"
