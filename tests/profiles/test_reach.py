"""How far wells that did not fail reach, told by the bulk of distances of which a third may be failures."""

import numpy as np
import pytest
from scipy import stats

from helpers.profiles.reach import effective_dimensions, fit_reach


@pytest.mark.parametrize("share", [0.0, 0.2, 0.3])
def test_the_limit_of_gaussian_wells_hardly_moves_with_failures_among_them(share):
    rng = np.random.default_rng(0)
    squares = rng.chisquare(20, 3000)
    squares[: int(share * len(squares))] += 2000
    limit = fit_reach(squares, 20).limit(1e-4)
    assert stats.chi2.isf(1e-4, 20) * 0.8 < limit < stats.chi2.isf(1e-4, 20) * 3.0


def test_heavy_tails_move_it_outwards():
    rng = np.random.default_rng(1)
    gaussian = rng.chisquare(10, 4000)
    heavy = gaussian / (rng.chisquare(4, 4000) / 4)
    limits = [fit_reach(squares, 10).limit(1e-4) for squares in (gaussian, heavy)]
    assert limits[1] > 5 * limits[0]
    assert (heavy > limits[1]).mean() < 1e-3


def test_few_distances_say_nothing():
    assert fit_reach(np.ones(5), 3).limit(1e-4) == np.inf


def test_directions_that_hardly_vary_do_not_count():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(2000, 30)) * np.r_[np.ones(5), np.full(25, 0.01)]
    assert effective_dimensions(noise) == pytest.approx(5, rel=0.1)
    # more features than wells: the other Gram matrix has the same trace
    assert effective_dimensions(noise[:20]) == pytest.approx(
        np.trace(noise[:18].T @ noise[:18]) ** 2 / np.sum((noise[:18].T @ noise[:18]) ** 2), rel=0.4
    )
