"""Curves of one design: some of them, without their top doses, and those that turn back."""

import numpy as np
import pytest

from helpers.dose.bells import find_bells
from helpers.dose.curves import response_at
from helpers.dose.design import Points, indexed_groups
from helpers.dose.engine import Curves, describe, seen_start
from helpers.dose.fit import no_limits
from helpers.dose.grid import make_grid
from helpers.dose.options import Fitting

DOSES = np.geomspace(0.01, 10, 8)
BELL = np.array([0, 0, 0.1, 0.5, 0.9, 1.0, 0.5, 0.3])


def curves(*levels: np.ndarray, noise: float = 0.02, repeats: int = 4) -> Curves:
    """Return curves with given levels at the eight doses."""
    rng = np.random.default_rng(0)
    n = len(levels)
    curve, dose = np.repeat(np.arange(n), len(DOSES) * repeats), np.tile(np.repeat(DOSES, repeats), n)
    response = np.repeat(np.concatenate(levels), repeats) + noise * rng.standard_normal(len(curve))
    points = Points.sort(curve, np.zeros(len(curve), int), dose, response, np.ones(len(curve)))
    ((group, chosen, cell),) = indexed_groups(points)
    grid = make_grid(group.doses, (0.2, 20.0), 10.0)
    return Curves.fitted(group, grid, no_limits(n), np.full(n, np.nan), points.take(chosen), cell)


def rising(ec50: float) -> np.ndarray:
    return response_at(DOSES, 0.0, 1.0, ec50, 1.5)


def test_curves_are_fitted_to_their_parameters():
    fit = curves(rising(0.1), rising(1.0), noise=1e-6).fit
    np.testing.assert_allclose(fit.ec50, [0.1, 1.0], rtol=1e-3)
    np.testing.assert_allclose(fit.hill, 1.5, rtol=1e-3)
    assert fit.converged.all()


def test_some_of_the_curves_are_fitted_as_among_the_others():
    every = curves(rising(0.1), rising(0.5), BELL)
    some = every.take(np.array([0, 2]))
    alone = Curves.fitted(some.group, some.grid, some.limits, some.noise, some.points, some.cell)
    for one in (some, alone):
        np.testing.assert_allclose(one.fit.log_ec50, every.fit.log_ec50[[0, 2]])
    assert len(some.points.curve) == len(some.cell) == 64
    assert every.take(np.array([], int)).fit.log_ec50.shape == (0,)


def test_a_curve_that_turns_back_is_found_and_one_that_stays_up_is_not():
    both = curves(rising(0.1), BELL)
    keep = find_bells(both, Fitting())
    assert keep[0].all()
    assert keep[1].tolist() == [True] * 6 + [False] * 2
    without = both.without_tops(keep)
    assert without.group.used[1].tolist() == keep[1].tolist()
    assert without.fit.back[1] == pytest.approx(1, abs=0.1)
    assert without.fit.rss[1] < 0.05 * both.fit.rss[1]
    np.testing.assert_allclose(without.fit.log_ec50[0], both.fit.log_ec50[0], rtol=1e-6)


def test_an_effect_counts_from_what_was_seen():
    potent = curves(response_at(DOSES, 0.0, 1.0, 0.003, 1.0), noise=0.01)
    start = seen_start(potent.group, potent.fit, Fitting())
    assert start[0] == pytest.approx(response_at(DOSES[0], 0.0, 1.0, 0.003, 1.0), abs=0.03)
    given = seen_start(potent.group, potent.fit, Fitting(known_front=True))
    np.testing.assert_array_equal(given, potent.fit.front)


def test_a_curve_is_described_with_limits_on_both_sides_of_its_ec50():
    made = curves(rising(0.1), rising(0.5), noise=0.05)
    out = describe(made, np.zeros(2, bool), None, Fitting(effective_doses=(50,), standard_errors=True))
    assert (out["curve_class"] == "active").all()
    assert ((out["ec50_low"] < out["ec50"]) & (out["ec50"] < out["ec50_high"])).all()
    wide = describe(made, np.zeros(2, bool), None, Fitting(level=0.999))
    assert ((wide["ec50_low"] < [0.1, 0.5]) & (wide["ec50_high"] > [0.1, 0.5])).all()
    np.testing.assert_allclose(out["ed50"], out["ec50"])
    np.testing.assert_allclose(out["ed50_low"], out["ec50_low"], rtol=1e-6)
    wald = np.exp(1.96 * out["ec50_se"] / out["ec50"])
    np.testing.assert_allclose(wald, np.sqrt(out["ec50_high"] / out["ec50_low"]), rtol=0.2)
    narrow = describe(made, np.zeros(2, bool), None, Fitting(level=0.5))
    assert (narrow["ec50_low"] > out["ec50_low"]).all()
