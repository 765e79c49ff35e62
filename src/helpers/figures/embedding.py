"""Embeddings at a glance: principal components of wells, coloured by what might explain them."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.figures.style import (
    CONDITION_STYLE,
    WIDTH,
    axes_or_new,
    hide_spare,
    legend_handles,
    natural_order,
    plate_label,
    plot_missing,
    scatter_classes,
    series_styles,
    well_kind,
)

MOST_CLASSES = 8
"""More classes than this are drawn as a scale: nobody tells nine markers apart."""


def principal_components(wells: AnnData, n_components: int = 2, *, seed: int = 0) -> pd.DataFrame:
    """Project wells on the first principal components of the wells that passed quality control.

    Flagged wells are projected, but take no part in the fit: a few percent of failed wells would otherwise
    be the first component.

    Parameters
    ----------
    wells : AnnData
        One row per well; `X` holds the embedding, obs may hold qc_flag.
    n_components : int
        How many components; fewer are returned where there are fewer features or wells.
    seed : int
        Seed of the randomized solver that large matrices take.

    Returns
    -------
    DataFrame
        `wells.obs` with columns pc_1, pc_2, ... in the embedding's units. ``attrs["explained"]`` lists the
        share of variance of each.
    """
    from sklearn.decomposition import PCA

    table = wells.obs.copy()
    n_components = min(n_components, wells.n_vars, max(wells.n_obs - 1, 0))
    table.attrs["explained"] = []
    if n_components < 1:
        return table
    embedding = np.asarray(wells.X, np.float32)
    fine = (
        (table["qc_flag"].astype(str) == "").to_numpy() if "qc_flag" in table else np.ones(len(table), bool)
    )
    if fine.sum() <= n_components:
        fine[:] = True
    model = PCA(n_components, random_state=seed).fit(embedding[fine])
    for i, column in enumerate(model.transform(embedding).T, start=1):
        table[f"pc_{i}"] = column
    table.attrs["explained"] = [float(share) for share in model.explained_variance_ratio_]
    return table


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
    """
    if x not in components:
        return plot_missing("This screen has no embeddings, so there is nothing to project.", ax=ax)
    ax = axes_or_new(ax, (WIDTH, 4.8))
    table = components if y in components else _spread_at_random(components, y)
    if color_by == "plate":
        table = table.assign(plate=plate_label(table))
    for axis, name in (("x", x), ("y", y)):
        table = table.assign(**{name: _to_frame(table[name], clip)})
        label = _component_label(name, components.attrs.get("explained", []))
        getattr(ax, f"set_{axis}label")(label if name in components else "spread at random")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(f"by {color_by.replace('_um', '').replace('_', ' ')}")
    _draw_classes(ax, table, color_by, x, y, size)
    return ax


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
        return name.replace("_", " ")
    number = int(name[3:])
    share = f" ({explained[number - 1]:.0%} of variance)" if number <= len(explained) else ""
    return f"PC {number}{share}".replace("%", " %")


def _draw_classes(ax: Axes, table: pd.DataFrame, color_by: str, x: str, y: str, size: float) -> None:
    """Draw the points and the legend or scale that explains them."""
    if color_by == "condition":
        kind = well_kind(table)
        order = {k: CONDITION_STYLE[k] for k in ("mock", "uv", "infected", "blank", "treated")}
        scatter_classes(ax, table[x], table[y], kind, order, size=size)
        _legend(ax, legend_handles(CONDITION_STYLE, kind.dropna().unique()))
        return
    classes = natural_order(table[color_by])
    if color_by != "dose_um" and len(classes) <= MOST_CLASSES:
        styles = series_styles(classes)
        shuffled = table.sample(frac=1, random_state=0)
        scatter_classes(ax, shuffled[x], shuffled[y], shuffled[color_by], styles, size=size * 0.7)
        _legend(ax, legend_handles(styles, classes))
        return
    _draw_scale(ax, table, color_by, classes, x, y, size)


def _draw_scale(
    ax: Axes, table: pd.DataFrame, color_by: str, classes: list, x: str, y: str, size: float
) -> None:
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
        return
    rasterized = len(points) > 2000
    drawn = ax.scatter(
        points[x],
        points[y],
        s=size * 0.6,
        c=number[points.index],
        cmap="viridis_r",
        norm=norm,
        rasterized=rasterized,
    )
    ax.figure.colorbar(drawn, ax=ax, location="bottom", label=label, shrink=0.8, aspect=30, pad=0.02)


def _legend(ax: Axes, handles: list[Line2D]) -> None:
    """Put a legend under one panel, in as many columns as its width allows."""
    if not handles:
        return
    width = ax.get_window_extent().width / ax.figure.dpi
    longest = max(len(handle.get_label()) for handle in handles)
    columns = max(1, min(len(handles), int(width / (0.08 * longest + 0.4))))
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=columns)


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
    """
    useful = [
        c
        for c in color_by
        if c == "condition" or (c in components and len(components[c].dropna().unique()) > 1)
    ]
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
