import numpy as np

from dose.simulated import simulate_curves
from helpers.dose import fit_curves


def holds(found, truth):
    known = found["ec50_low"].notna()
    return ((found["ec50_low"] <= truth["ec50"]) & (truth["ec50"] <= found["ec50_high"]))[known].mean()


def test_clean_curves_are_fitted_alike_and_covered():
    table, truth = simulate_curves(600, seed=7, doses=tuple(np.geomspace(0.01, 10, 10)), n_plates=1)
    squares, robust = fit_curves(table), fit_curves(table, loss="robust")
    assert holds(robust, truth) > 0.91
    assert np.exp(np.log(robust["ec50"] / squares["ec50"]).abs().median()) < 1.1


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
