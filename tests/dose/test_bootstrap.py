import numpy as np

from dose.simulated import simulate_curves
from helpers.dose import fit_curves
from helpers.dose.coverage import ec50_coverage


def test_resampled_plates_cover_on_three_plates():
    table, truth = simulate_curves(500, shift_sd=0.1, gain_sd=0.2, seed=3)
    assert 0.92 < ec50_coverage(table, truth, interval="bootstrap").loc[0, "coverage"] <= 0.995


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
