"""What estimates are likely to be in truth, given all of them."""

import numpy as np
import pytest

from helpers.hits.shrinkage import fit_prior


@pytest.fixture(scope="module")
def screen():
    rng = np.random.default_rng(1)
    truth = np.where(rng.random(3000) < 0.1, rng.normal(0, 0.6, 3000), 0.0)
    errors = rng.uniform(0.05, 0.3, 3000)
    return truth, truth + errors * rng.standard_normal(3000), errors


def test_the_largest_estimates_are_corrected_for_their_luck(screen):
    truth, seen, errors = screen
    draws = fit_prior(seen, errors).draw(seen, errors, 400, np.random.default_rng(2))
    best = np.argsort(-seen)[:100]
    bias = [float((values[best] - truth[best]).mean()) for values in (seen, draws.mean(axis=0))]
    assert bias[0] > 0.08
    assert abs(bias[1]) < 0.04


def test_intervals_of_the_draws_hold_the_truth_of_the_selected(screen):
    truth, seen, errors = screen
    draws = fit_prior(seen, errors).draw(seen, errors, 800, np.random.default_rng(3))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    best = np.argsort(-seen)[:150]
    held = ((low <= truth) & (truth <= high))[best].mean()
    plain = (np.abs(seen - truth) <= 1.96 * errors)[best].mean()
    assert held >= 0.9 > plain


def test_where_nothing_is_there_nothing_is_drawn():
    rng = np.random.default_rng(4)
    errors = np.full(1000, 0.1)
    seen = errors * rng.standard_normal(1000)
    draws = fit_prior(seen, errors).draw(seen, errors, 50, rng)
    assert np.abs(draws).mean() < 0.02


def test_an_effect_beside_which_its_error_is_small_is_left_as_it_is():
    rng = np.random.default_rng(5)
    seen, errors = np.r_[rng.normal(0, 0.01, 200), 1.0, -0.7], np.full(202, 0.01)
    draws = fit_prior(seen, errors).draw(seen, errors, 500, rng)
    assert draws[:, -2:].mean(axis=0) == pytest.approx([1.0, -0.7], abs=0.01)
    assert draws[:, -2:].std(axis=0) == pytest.approx([0.01, 0.01], rel=0.2)
