from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from dose.simulated import simulate_curves
from helpers.dose import effective_dose, fit_curves, response_at
from helpers.dose.grid import Grid, Surface
from helpers.dose.profile import region

TEN_DOSES = {"doses": tuple(np.geomspace(0.01, 10, 10)), "n_plates": 1}


@pytest.fixture(scope="module")
def curves():
    """Return curves of ten doses in duplicate with 80 and 20 % effective doses, and their truth."""
    table, truth = simulate_curves(1500, seed=7, **TEN_DOSES)
    return table, truth, fit_curves(table, effective_doses=(20, 80))


def holds(found, name, true):
    known = found[f"{name}_low"].notna()
    return ((found[f"{name}_low"] <= true) & (true <= found[f"{name}_high"]))[known].mean()


def test_intervals_of_all_parameters_cover(curves):
    _, truth, found = curves
    assert 0.93 < holds(found, "ec50", truth["ec50"]) < 0.97
    assert 0.925 < holds(found, "hill", truth["hill"]) < 0.985
    assert 0.925 < holds(found, "back", truth["back"]) < 0.975
    for share in (0.2, 0.8):
        true = effective_dose(share, truth["ec50"], truth["hill"])
        assert 0.92 < holds(found, f"ed{100 * share:g}", true) < 0.98


@pytest.mark.parametrize("noise", [0.05, 0.15])
def test_intervals_cover_whatever_the_noise(noise):
    table, truth = simulate_curves(1500, noise=noise, seed=6)
    found = fit_curves(table)
    assert 0.93 < holds(found, "ec50", truth["ec50"]) < 0.97


def test_limits_are_those_of_a_direct_profile(curves):
    """Parity: at each limit the best fit with that EC50 has the sum of squares that defines it."""
    table, _, found = curves
    active = found[(found["curve_class"] == "active") & ~found["at_bound"]].head(6)
    for row in active.itertuples():
        points = table[table["curve"] == row.curve]
        dose, y = points["dose"].to_numpy(), points["response"].to_numpy()

        def rss(p, log_ec50, dose=dose, y=y):
            return ((y - response_at(dose, p[0], p[1], np.exp(log_ec50), np.exp(p[2]))) ** 2).sum()

        start = [row.front, row.back, np.log(row.hill)]
        bounds = [(None, None), (None, None), (np.log(0.2), np.log(20))]
        best = rss(start, np.log(row.ec50))
        limit = best * (1 + stats.f.ppf(0.95, 1, len(y) - 4) / (len(y) - 4))
        for end in (row.ec50_low, row.ec50_high):
            reached = min(
                minimize(rss, s, args=(np.log(end),), bounds=bounds, method="L-BFGS-B").fun
                for s in (start, [*start[:2], start[2] + 0.5], [*start[:2], start[2] - 0.5])
            )
            assert (reached - best) / (limit - best) == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_a_given_front_narrows_the_interval():
    table, truth = simulate_curves(400, seed=9)
    free, given = fit_curves(table), fit_curves(table, front=0.0)
    assert (given["front"] == 0).all()
    assert 0.91 < holds(given, "ec50", truth["ec50"]) < 0.98
    fold = [(f["ec50_high"] / f["ec50_low"]).median() for f in (given, free)]
    assert fold[0] < 0.9 * fold[1]
    column = fit_curves(table.assign(start=0.0), front="start")
    np.testing.assert_array_equal(column["ec50"], given["ec50"])


def test_a_region_holds_every_trial_value_within_the_limit_and_says_where_it_is_open():
    x = np.linspace(-3, 3, 61)
    over = np.vstack([(x - 1) ** 2, np.maximum(0.0, 1 - x) ** 2, x**2])
    grid = Grid(x, x, np.zeros((1, 1)))
    best = np.array([1.0, 3.0, 0.0])
    surface = Surface(np.zeros(3, int), over, over)
    fit = SimpleNamespace(log_ec50=best, log_hill=best)
    box = region(grid, surface, fit, np.full(3, 0.25))
    np.testing.assert_allclose(box.ec50_low, [0.4, 0.4, -0.6])
    np.testing.assert_allclose(box.ec50_high, [1.6, 3.0, 0.6])
    assert box.open_low.tolist() == [False, False, False]
    assert box.open_high.tolist() == [False, True, False]
    assert box.take(np.array([1])).open_high.tolist() == [True]
