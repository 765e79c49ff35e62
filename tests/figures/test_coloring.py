"""Colours of wells: one scale for all plates, and a word where there is no such column."""

import numpy as np
import pytest

from helpers.figures.coloring import RESCUE_MAP, color_wells


@pytest.fixture
def plate(wells):
    return wells[wells["plate_id"] == "HRCE-1_1"]


def test_unknown_column_is_named(plate):
    with pytest.raises(ValueError, match="no column 'nonsense'"):
        color_wells(plate, "nonsense")


def test_the_scale_of_rescue_is_centred_on_one_half(wells):
    coloring = color_wells(wells, "rescue")
    assert coloring.cmap is RESCUE_MAP
    assert (coloring.norm.vmin + coloring.norm.vmax) / 2 == pytest.approx(0.5)
    assert coloring.norm.vmin == pytest.approx(np.percentile(wells["rescue"], 2)), "the far end is in it"
    turned = color_wells(wells, "on_disease")
    assert turned.norm.vmin == pytest.approx(coloring.norm.vmin, abs=1e-6)
    assert turned.cmap(0.0) == RESCUE_MAP(1.0)


def test_one_colouring_gives_wells_of_all_plates_the_same_numbers(wells, plate):
    everywhere, here = color_wells(wells, "dose_um"), color_wells(plate, "dose_um")
    mine = (wells["plate_id"] == "HRCE-1_1").to_numpy()
    np.testing.assert_array_equal(np.asarray(everywhere.values, float)[mine], np.asarray(here.values, float))
