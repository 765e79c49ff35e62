import numpy as np
import pytest

from helpers.dose import fit_curves
from helpers.dose.coverage import simulate_curves
from helpers.dose.flat import FlatNull


def flat_curves(n, seed, **design):
    return simulate_curves(n, back=(0.0, 1e-12), seed=seed, **design)[0]


@pytest.mark.parametrize(
    "design",
    [
        {},
        {"shift_sd": 0.2},
        {"shift_sd": 0.2, "n_wells": 1},
        {"n_plates": 1, "n_wells": 1, "doses": tuple(np.geomspace(0.01, 10, 10))},
    ],
    ids=["no shifts", "plates shift", "one well", "ten doses once"],
)
def test_flat_curves_are_active_at_the_nominal_rate(design):
    p = fit_curves(flat_curves(4000, 3, **design), cluster="plate")["p_value"]
    assert 0.04 <= (p <= 0.05).mean() <= 0.06
    assert 0.004 <= (p <= 0.01).mean() <= 0.016


def test_robust_fits_of_flat_curves_are_active_at_the_nominal_rate():
    p = fit_curves(flat_curves(800, 5), loss="robust")["p_value"]
    assert 0.03 <= (p <= 0.05).mean() <= 0.07


def test_shuffled_doses_give_a_calibrated_p_value():
    p = fit_curves(flat_curves(600, 4, shift_sd=0.2), cluster="plate", permutations=99)["p_permutation"]
    assert 0.03 <= (p <= 0.05).mean() <= 0.075
    assert p.min() >= 0.01


def test_shuffles_find_what_the_f_test_finds():
    acting, _ = simulate_curves(20, seed=6, shift_sd=0.3)
    found = fit_curves(acting, cluster="plate", permutations=99)
    assert (found["p_permutation"] == 0.01).mean() > 0.9


def test_plates_with_levels_of_their_own_do_not_hide_an_effect():
    table, _ = simulate_curves(200, back=(0.2, 0.3), shift_sd=0.5, noise=0.1, seed=7)
    by_plate, thrown_together = fit_curves(table, cluster="plate"), fit_curves(table)
    assert (by_plate["p_value"] <= 0.01).mean() > 0.9
    assert (thrown_together["p_value"] <= 0.01).mean() < 0.2


def test_a_curve_with_more_points_has_more_degrees_of_freedom():
    null = FlatNull(2.5, 30.0, 36)
    assert null.degrees(40) == 34
    assert null.p_value(4.0, 40) < null.p_value(4.0, 36)
