"""A screen that counts: positive numbers whose spread grows with their mean, and cells that infection kills."""

import numpy as np
import pytest

from helpers.screens.twin.counts import N_FEATURES, CountDraw
from helpers.screens.twin.design import SCALES, design_wells
from helpers.screens.twin.worlds import find_world


@pytest.fixture(scope="module")
def drawn():
    """Return the wells of one plate and the features of their four sites."""
    wells = design_wells(SCALES["tiny"], seed=0)
    draw = CountDraw(wells, find_world("counts").model(), seed=0)
    plate = wells[(wells["experiment"] == "HRCE-1") & (wells["plate"] == "1")].reset_index(drop=True)
    well = np.repeat(np.arange(len(plate)), 4)
    X = draw.plate(plate, well, np.tile([1, 2, 3, 4], len(plate)))
    return draw, wells, plate, X.reshape(len(plate), 4, N_FEATURES)


def test_features_are_few_and_positive(drawn):
    _, _, plate, X = drawn
    assert X.shape == (len(plate), 4, N_FEATURES)
    assert X.dtype == np.float32
    assert (X >= 0).all()
    assert (X[..., 0] % 4 == 0).all(), "cells are counted on a quarter of a well"


def test_infection_kills_cells_and_a_mean_has_its_spread(drawn):
    _, _, plate, X = drawn
    cells = X[..., 0].mean(axis=1)
    mock = cells[(plate["condition"] == "mock").to_numpy()]
    infected = cells[((plate["condition"] == "infected") & (plate["compound"] < 0)).to_numpy()]
    assert np.median(infected) < 0.6 * np.median(mock)
    assert np.std(infected) < np.std(mock)


def test_a_plate_is_the_same_whenever_it_is_drawn(drawn):
    draw, wells, plate, X = drawn
    again = CountDraw(wells, draw.model, seed=0)
    well = np.repeat(np.arange(len(plate)), 4)
    np.testing.assert_array_equal(
        again.plate(plate, well, np.tile([1, 2, 3, 4], len(plate))).reshape(X.shape), X
    )


def test_true_rescue_is_that_of_cells(drawn):
    draw, wells, _, _ = drawn
    truth = draw.truth(wells)
    assert truth["rescue"].max() <= 1
    inert = truth[truth["kind"] == "inert"]
    assert (inert["rescue"].abs() < 0.05).all()
    toxic = truth[(truth["toxicity"] > 1) & (truth["kind"] == "toxic")]
    assert (toxic["rescue"] < 0).all(), "dead cells are no rescue"
