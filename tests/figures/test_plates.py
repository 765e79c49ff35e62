"""Plate maps show each well where it stands."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb

from helpers.figures import CONDITION_STYLE, plate_grid, plot_plate, plot_plates
from helpers.figures.plates import plate_shape
from helpers.screens.layout import control_conditions


@pytest.fixture
def plate(wells):
    return wells[wells["plate_id"] == "HRCE-1_1"]


def drawn_color(ax, row, col):
    """Return the colour that the map shows at a position."""
    picture = ax.images[-1]
    value = picture.get_array()[row - 1, col - 1]
    return to_hex(picture.cmap(picture.norm(value)))


@pytest.mark.parametrize(
    ("row", "col", "shape"), [(32, 48, (32, 48)), (16, 24, (16, 24)), (8, 12, (8, 12)), (9, 12, (16, 24))]
)
def test_plate_is_the_smallest_that_fits(row, col, shape):
    assert plate_shape(pd.DataFrame({"row": [1, row], "col": [1, col]})) == shape


def test_wells_beyond_1536_are_refused():
    with pytest.raises(ValueError, match="1536"):
        plate_shape(pd.DataFrame({"row": [33], "col": [1]}))


def test_grid_puts_values_at_row_and_column():
    obs = pd.DataFrame({"row": [1, 2], "col": [12, 1]})
    grid = plate_grid(obs, [5.0, 7.0], (8, 12))
    assert grid[0, 11] == 5
    assert grid[1, 0] == 7
    assert np.isnan(grid).sum() == 94


def test_controls_are_drawn_where_the_layout_puts_them(plate):
    ax = plot_plate(plate, "condition")
    rows, cols = plate["row"].to_numpy(), plate["col"].to_numpy()
    for row, col, condition in zip(rows, cols, control_conditions(rows, cols), strict=True):
        if condition == "blank":
            assert drawn_color(ax, row, col) == "#ffffff"
        elif condition:
            assert drawn_color(ax, row, col) == to_hex(CONDITION_STYLE[condition].color), (row, col)


def test_blank_wells_are_hatched_and_no_others(plate):
    strokes = plot_plate(plate, "condition").collections[0].get_segments()
    blank = plate[plate["condition"] == "blank"]
    assert len(blank) == 30
    np.testing.assert_allclose([s.mean(axis=0) for s in strokes], blank[["col", "row"]])
    assert not plot_plate(plate, "rescue").collections


def test_unused_ring_stays_empty(plate):
    grid = np.ma.filled(plot_plate(plate, "condition").images[-1].get_array(), np.nan)
    assert np.isfinite(grid).sum() == len(plate)
    assert np.isnan(grid[[0, -1]]).all()
    assert np.isnan(grid[:, [0, -1]]).all()


def test_axes_are_labelled_like_the_plate(plate):
    ax = plot_plate(plate, title="plate 1")
    assert ax.get_title() == "plate 1"
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[-1] == "AF"
    assert "B" in labels
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "row A is on top"


def test_axes_passed_in_come_back(plate):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert plot_plate(plate, ax=ax) is ax


def test_flagged_wells_are_crossed(plate):
    ax = plot_plate(plate, mark_flagged=True)
    flagged = plate[plate["qc_flag"] != ""]
    assert len(flagged) > 5
    np.testing.assert_array_equal(ax.collections[-1].get_offsets(), flagged[["col", "row"]])


def test_legend_names_what_occurs(plate):
    only = plate[plate["condition"].isin(["mock", "uv"])]
    figure = plot_plate(only).figure
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "mock",
        "UV-inactivated",
        "white: no well",
    ]


def test_dose_scale_is_logarithmic_with_units(plate):
    figure = plot_plate(plate, "dose_um").figure
    bar = figure.axes[-1]
    assert bar.get_xlabel() == "dose (µM)"
    assert [label.get_text() for label in bar.get_xticklabels()] == ["0.01", "0.03", "0.1", "0.3", "1", "3"]


def test_plates_share_one_scale(wells):
    figure = plot_plates(wells, "rescue")
    maps = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in maps] == [
        "HRCE-1_1",
        "HRCE-1_2",
        "VERO-1_1",
        "VERO-1_2",
    ]
    assert len({ax.images[-1].get_clim() for ax in maps}) == 1


def test_more_plates_than_shown_are_counted(wells):
    figure = plot_plates(wells, max_plates=3)
    assert figure.get_suptitle() == "3 of 4 plates"


def test_plates_that_matter_come_first(wells):
    figure = plot_plates(wells, max_plates=3, first=["VERO-1_2", "HRCE-1_2"])
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles == ["VERO-1_2", "HRCE-1_2", "HRCE-1_1"]


def test_maps_that_are_no_plates_of_the_screen_are_named_in_words(plate):
    figure = plot_plates(plate.assign(experiment="raw:", plate_id="raw_HRCE-1_1"))
    assert figure.axes[0].get_title() == "raw: plate 1"


def test_white_places_are_explained_where_there_are_any(plate):
    texts = [text.get_text() for text in plot_plate(plate, mark_flagged=True).figure.legends[0].get_texts()]
    assert texts[-2:] == ["failed", "white: no well"]  # rows I-L and U-X of the control columns
    full = plate[plate["col"].between(9, 15).to_numpy()]
    texts = [text.get_text() for text in plot_plate(full).figure.legends[0].get_texts()]
    assert "white: no well" not in texts


def test_scores_that_are_missing_are_named(wells):
    figure = plot_plates(wells.assign(rescue=np.nan), "rescue")
    assert "No well of this screen has a rescue" in figure.axes[0].texts[0].get_text().replace("\n", " ")


def test_other_plate_sizes():
    obs = pd.DataFrame({"row": [1, 8], "col": [1, 12], "condition": ["mock", "infected"], "treatment": None})
    ax = plot_plate(obs.astype({"treatment": object}))
    assert ax.images[-1].get_array().shape == (8, 12)
    assert to_rgb(drawn_color(ax, 8, 12)) == to_rgb(to_hex(CONDITION_STYLE["infected"].color))
