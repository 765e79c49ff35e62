import numpy as np
import pytest

from dose.simulated import simulate_curves
from helpers.dose import fit_curves, response_at
from helpers.dose.design import Points
from helpers.dose.robust import robust_weights


def holds(found, truth):
    known = found["ec50_low"].notna()
    return ((found["ec50_low"] <= truth["ec50"]) & (truth["ec50"] <= found["ec50_high"]))[known].mean()


@pytest.mark.slow
def test_clean_curves_are_fitted_alike_and_covered():
    table, truth = simulate_curves(600, seed=7, doses=tuple(np.geomspace(0.01, 10, 10)), n_plates=1)
    squares, robust = fit_curves(table), fit_curves(table, loss="robust")
    assert holds(robust, truth) > 0.91
    assert np.exp(np.log(robust["ec50"] / squares["ec50"]).abs().median()) < 1.1


@pytest.mark.slow
def test_failed_wells_cost_much_less_than_least_squares():
    table, truth = simulate_curves(400, seed=8, doses=tuple(np.geomspace(0.01, 10, 10)), n_plates=1)
    rng = np.random.default_rng(0)
    failed = rng.random(len(table)) < 0.04
    table.loc[failed, "response"] += rng.choice([-1.5, 1.5], failed.sum())
    squares, robust = fit_curves(table), fit_curves(table, loss="robust")
    assert holds(robust, truth) > 0.89
    error = [np.log(f["ec50_fit"] / truth["ec50"]).abs().quantile(0.9) for f in (robust, squares)]
    assert error[0] < 0.6 * error[1]
    fold = [(f["ec50_high"] / f["ec50_low"]).median() for f in (robust, squares)]
    assert fold[0] < 0.7 * fold[1]


def test_a_failed_response_loses_its_weight_and_the_others_keep_theirs():
    rng = np.random.default_rng(1)
    dose = np.repeat(np.geomspace(0.01, 10, 10), 3)
    response = response_at(dose, 0.0, 1.0, 0.3, 1.5) + 0.05 * rng.standard_normal(len(dose))
    response[14] += 3
    zero = np.zeros(len(dose), int)
    points = Points.sort(zero, zero, dose, response, np.ones(len(dose)))
    failed = points.response.argmax()
    weight, noise = robust_weights(points, hill_bounds=(0.2, 20.0), margin=10.0)
    assert weight[failed] < 1e-3
    others = np.delete(weight, failed)
    assert np.median(others) > 0.8
    assert np.sqrt(noise[0]) == pytest.approx(0.05, rel=0.5)
    halved = Points(points.curve, points.plate, points.dose, points.response, points.weight / 2)
    np.testing.assert_allclose(
        robust_weights(halved, hill_bounds=(0.2, 20.0), margin=10.0)[0], weight / 2, rtol=1e-6
    )
