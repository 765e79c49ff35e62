"""Means that a single failed well cannot carry."""

import numpy as np
import pytest

from helpers.hits.robust import REACH, draw_in, draw_in_arms


@pytest.mark.parametrize("n_wells", [2, 3, 4, 6])
def test_one_failed_well_moves_the_mean_by_a_bounded_step(n_wells):
    good = np.linspace(-0.1, 0.1, n_wells)
    means = []
    for far in (1.0, 10.0, 1000.0):
        wells = good.copy()
        wells[-1] = far
        means.append(draw_in(wells[None], 0.1).mean())
    assert means[0] == pytest.approx(means[2])
    assert means[2] <= 0.1 + REACH * np.sqrt(2) * 0.1 / n_wells + 1e-9


def test_of_two_wells_that_disagree_the_one_that_shows_nothing_is_believed():
    assert abs(draw_in(np.array([[0.0, 1.0]]), 0.1).mean()) < 0.2
    assert abs(draw_in(np.array([[0.0, -1.0]]), 0.1).mean()) < 0.2
    # two that agree are averaged
    assert draw_in(np.array([[0.9, 1.1]]), 0.1).mean() == pytest.approx(1.0)


def test_wells_of_gaussian_arms_are_hardly_touched():
    wells = np.random.default_rng(0).normal(0.5, 0.1, (5000, 6))
    drawn = draw_in(wells, 0.1)
    assert (np.sort(wells, axis=1) != drawn).mean() < 0.01
    assert drawn.mean(axis=1).std() == pytest.approx(0.1 / np.sqrt(6), rel=0.03)


def test_arms_of_any_size_come_back_in_the_order_they_were_given():
    rng = np.random.default_rng(1)
    arm = rng.integers(0, 40, 300)
    values = rng.standard_t(2, 300)
    spread = np.ones(300)
    out = draw_in_arms(values, spread, arm)
    for number in np.unique(arm):
        mine = np.flatnonzero(arm == number)
        order = np.argsort(values[mine])
        np.testing.assert_allclose(out[mine][order], draw_in(values[mine][None], 1.0)[0])
