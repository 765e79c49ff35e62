"""Geometry of one experiment: tilted directions, bent displacements, and the curve that a bent rescue shows."""

import numpy as np
import pandas as pd
import pytest

from helpers.screens.twin.experiment import bend, random_directions, seen_curve, tilt


@pytest.fixture
def directions() -> np.ndarray:
    return random_directions(np.random.default_rng(0), 50, 20)


def test_directions_are_unit_vectors_without_preference(directions):
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-5)
    assert np.linalg.norm(directions.mean(axis=0)) < 0.3


@pytest.mark.parametrize("cosine", [-1.0, -0.3, 0.0, 0.8])
def test_a_tilted_direction_has_its_cosine_to_the_axis(directions, cosine):
    axis = directions[0]
    turned = tilt(directions[1:], axis, cosine)
    np.testing.assert_allclose(turned @ axis, cosine, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, rtol=1e-5)


def test_a_bent_displacement_keeps_its_way_and_has_an_end(directions):
    far, near = bend(100 * directions, 1.5), bend(0.01 * directions, 1.5)
    np.testing.assert_allclose(np.linalg.norm(far, axis=1), 1.5, rtol=1e-4)
    np.testing.assert_allclose(near, 0.01 * directions, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(far / 1.5, directions, atol=1e-4)


def test_the_seen_curve_is_half_way_where_half_is_seen():
    curve = pd.DataFrame({"emax": [1.0, 0.5], "ec50_um": [0.3, 0.3], "hill": [1.5, 1.0]})
    saturation = 1.5
    seen = seen_curve(curve, saturation)
    one = saturation * np.tanh(1 / saturation)

    def shown(dose, row):
        rescue = curve["emax"][row] / (1 + (curve["ec50_um"][row] / dose) ** curve["hill"][row])
        return 1 - saturation * np.tanh((1 - rescue) / saturation) / one

    for row in (0, 1):
        assert seen["emax"][row] == pytest.approx(shown(1e9, row))
        assert shown(seen["ec50_um"][row], row) == pytest.approx(seen["emax"][row] / 2)
    assert seen["hill"].tolist() == curve["hill"].tolist()
