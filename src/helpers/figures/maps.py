"""Maps of neighbours (UMAP) of the same wells before and after normalisation."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.figures.embedding import _draw_points, _explain, _in_frame, _label_axes, _useful, _with_plate
from helpers.figures.style import WIDTH, plot_missing
from helpers.text import drawn


def plot_maps(tables: Mapping[str, pd.DataFrame], color_by: Sequence[str] = ("condition", "plate")) -> Figure:
    """Draw maps of neighbours side by side, a row per colouring.

    Parameters
    ----------
    tables : dict
        Title, such as a recipe -> wells with umap_1 and umap_2.
    color_by : sequence of str
        Columns, as in `plot_embedding`; those with a single value are left out.

    Returns
    -------
    Figure
        A new one.
    """
    if not tables or any("umap_1" not in table for table in tables.values()):
        return plot_missing(
            "For a map of neighbours this screen has too few features or too few wells."
        ).figure
    useful = _useful(next(iter(tables.values())), color_by)
    figure = plt.figure(figsize=(WIDTH, 3.25 * len(useful)), dpi=130, layout="constrained")
    rows = np.atleast_1d(figure.subfigures(len(useful), 1))
    for part, column in zip(rows, useful, strict=True):
        axes = np.atleast_1d(part.subplots(1, len(tables)))
        for ax, (title, table) in zip(axes, tables.items(), strict=True):
            points = _with_plate(_in_frame(table, "umap_1", "umap_2"), column)
            _label_axes(ax, table, "umap_1", "umap_2")
            key = _draw_points(ax, points, column, "umap_1", "umap_2", 8)
            ax.set_title(f"{drawn(title)}: {drawn(column)}")
        _explain(part, list(axes), key)
    return figure
