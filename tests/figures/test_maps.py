"""Maps of neighbours, a row per colouring."""

import numpy as np

from helpers.figures.maps import plot_maps


def test_neighbour_maps_have_a_row_per_colouring(wells):
    rng = np.random.default_rng(0)
    table = wells.assign(umap_1=rng.normal(size=len(wells)), umap_2=rng.normal(size=len(wells)))
    figure = plot_maps({"raw": table, "after": table}, ["condition", "plate"])
    titles = [ax.get_title() for part in figure.subfigs for ax in part.axes if ax.get_title()]
    assert titles == ["raw: condition", "after: condition", "raw: plate", "after: plate"]
    assert "too few" in plot_maps({"raw": wells}).axes[0].texts[0].get_text()
