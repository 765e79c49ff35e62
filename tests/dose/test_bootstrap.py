import numpy as np
import pytest

from dose.simulated import simulate_curves
from helpers.dose import fit_curves, response_at
from helpers.dose.bootstrap import bootstrap_intervals
from helpers.dose.coverage import ec50_coverage
from helpers.dose.design import Points, indexed_groups
from helpers.dose.fit import fit_group, no_limits
from helpers.dose.grid import make_grid


@pytest.mark.slow
def test_resampled_plates_cover_on_three_plates():
    table, truth = simulate_curves(500, shift_sd=0.1, gain_sd=0.2, seed=3)
    assert 0.92 < ec50_coverage(table, truth, interval="bootstrap").loc[0, "coverage"] <= 0.995


@pytest.mark.slow
def test_resampled_residuals_cover_without_plates():
    table, truth = simulate_curves(100, seed=7, doses=tuple(np.geomspace(0.01, 10, 10)), n_plates=1)
    found = fit_curves(table, interval="bootstrap", bootstrap_draws=100)
    inside = (found["ec50_low"] <= truth["ec50"]) & (truth["ec50"] <= found["ec50_high"])
    assert 0.88 < inside.mean() < 0.99


def test_the_same_seed_gives_the_same_interval():
    table, _ = simulate_curves(5, shift_sd=0.1, seed=3)
    options = {"cluster": "plate", "interval": "bootstrap"}
    first, again, other = (fit_curves(table, seed=s, **options)["ec50_low"] for s in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def made_up(n_plates: int, noise: float = 0.05) -> tuple:
    """Return one curve on some plates, its fit and what the intervals need."""
    rng = np.random.default_rng(2)
    doses = np.geomspace(0.01, 10, 8)
    plate, dose = np.repeat(np.arange(n_plates), 16), np.tile(np.repeat(doses, 2), n_plates)
    response = response_at(dose, 0.0, 1.0, 0.3, 1.5) + noise * rng.standard_normal(len(dose))
    points = Points.sort(np.zeros(len(dose), int), plate, dose, response, np.ones(len(dose)))
    ((group, _, cell),) = indexed_groups(points)
    grid = make_grid(group.doses, (0.2, 20.0), 10.0)
    return group, fit_group(group.pooled(), grid), points, cell


def intervals(n_plates: int, draws: int = 100, level: float = 0.95, **how):
    group, fit, points, cell = made_up(n_plates, **how)
    return fit, bootstrap_intervals(
        group, fit, no_limits(1), points=None if n_plates > 1 else (points, cell), hill_bounds=(0.2, 20.0),
        margin=10.0, level=level, draws=draws, seed=0,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("n_plates", [1, 3])
def test_intervals_lie_around_the_estimate_and_grow_with_noise_and_level(n_plates):
    fit, found = intervals(n_plates)
    middle = (found.ec50_low + found.ec50_high) / 2
    np.testing.assert_allclose(middle, fit.log_ec50)
    width = (found.ec50_high - found.ec50_low)[0]
    wider = [intervals(n_plates, level=0.99)[1], intervals(n_plates, noise=0.1)[1]]
    assert all((other.ec50_high - other.ec50_low)[0] > 1.2 * width for other in wider)
    assert found.hill_low[0] < fit.log_hill[0] < found.hill_high[0]
    assert found.back_low[0] < fit.back[0] < found.back_high[0]


def test_plates_that_are_alike_to_the_last_digit_leave_no_doubt():
    _, found = intervals(3, noise=0.0)
    np.testing.assert_allclose(found.ec50_low, found.ec50_high, atol=1e-6)
