"""Stains of a drawn site lie where they should: DNA in nuclei, the others around them."""

import numpy as np
import pytest

from helpers.screens.images.cells import place_cells, share_out
from helpers.screens.images.stains import SHAPE, Scene, soft_step


def scene(infection: float = 0.0) -> Scene:
    rng = np.random.default_rng(5)
    cells = place_cells(80, infection, 0.0, rng)
    return Scene(cells, share_out(cells, rng), np.random.default_rng(6))


@pytest.fixture(scope="module")
def healthy() -> Scene:
    return scene()


def test_a_soft_step_goes_from_0_to_1():
    values = soft_step(np.array([-100.0, -1.0, 0.0, 1.0, 100.0]), 1.0)
    assert values[[0, 2, 4]].tolist() == pytest.approx([0, 0.5, 1], abs=1e-6)
    assert np.all(np.diff(values) > 0)


@pytest.mark.parametrize("stain", ["nuclei", "reticulum", "actin", "rna", "golgi"])
def test_a_stain_is_a_picture_of_its_own_and_finite(healthy, stain):
    picture = getattr(healthy, stain)()
    assert picture.shape == SHAPE
    assert np.isfinite(picture).all()
    assert picture[healthy.body > 0.9].mean() > 4 * picture[healthy.body < 0.1].mean()


def test_dna_is_in_the_nucleus_and_the_reticulum_is_not(healthy):
    nucleus = healthy.nucleus > 0.9
    body = (healthy.body > 0.9) & (healthy.nucleus < 0.1)
    dna, reticulum = healthy.nuclei(), healthy.reticulum()
    assert dna[nucleus].mean() > 10 * dna[body].mean()
    assert reticulum[nucleus].mean() < reticulum[body & (healthy.beyond < 20)].mean()


@pytest.mark.slow
def test_infection_dims_dna():
    ill, fine = scene(1.0), scene(0.0)
    assert ill.nuclei()[ill.nucleus > 0.9].mean() < 0.8 * fine.nuclei()[fine.nucleus > 0.9].mean()


def test_values_of_cells_are_spread_over_their_pixels(healthy):
    numbers = np.arange(len(healthy.cells))
    np.testing.assert_array_equal(healthy.spread(numbers), healthy.land.owner)
