"""Profiles over rows and columns are drawn at their numbers."""

import numpy as np

from helpers.figures.positions import plot_position_profiles
from helpers.profiles.positions import position_profiles


def test_profiles_are_compared(wells):
    figure = plot_position_profiles(
        {"raw": position_profiles(wells), "plate_center": position_profiles(wells.assign(rescue=0.0))}
    )
    rows, cols = figure.axes
    assert (rows.get_xlabel(), cols.get_xlabel()) == ("row", "column")
    flat = next(line for line in rows.lines if line.get_label() == "plate_center")
    assert not np.any(flat.get_ydata())


def test_a_line_stands_at_its_medians(wells):
    table = position_profiles(wells)
    rows, cols = plot_position_profiles(table).axes
    for ax, by in ((rows, "row"), (cols, "col")):
        mine = table[table["by"] == by]
        np.testing.assert_allclose(ax.lines[0].get_xdata(), mine["position"].astype(float))
        np.testing.assert_allclose(ax.lines[0].get_ydata(), mine["median"].astype(float))


def test_profiles_without_scores_are_said(wells):
    figure = plot_position_profiles(position_profiles(wells.assign(rescue=np.nan)))
    assert "Without scores" in figure.axes[0].texts[0].get_text()
