"""Weights of replicates (helpers.dose.weights) keep the test at its level, and narrow what they can."""

import numpy as np
import pandas as pd
import pytest

from helpers.dose import fit_curves, replicate_weights
from helpers.dose.coverage import CurveDesign, simulate_curves
from helpers.errors import UsageError


def noisy(sd_of, n_curves=600, n_wells=3, **settings):
    """Curves whose noise hangs on the dose or the response."""
    design = CurveDesign(n_plates=1, n_wells=n_wells)
    table, truth = simulate_curves(n_curves, design=design, well_sd=1e-9, seed=3, **settings)
    noise = np.random.default_rng(1).normal(0, 1, len(table)) * sd_of(table)
    return table.assign(response=table["response"] + noise), truth


def by_dose(table):
    return np.where(table["dose"] < 0.05, 0.03, 0.3)


def by_level(table):
    return 0.03 + 0.25 * table["response"].clip(0)


@pytest.mark.parametrize("n_wells", [2, 4])
def test_flat_curves_stay_flat_where_noise_hangs_on_the_dose(n_wells):
    table, _ = noisy(by_dose, 2000, n_wells, back=(0.0, 1e-9))
    weighted = fit_curves(table.assign(w=replicate_weights(table)), weight="w", alpha=1e-6)
    assert 0.035 <= (weighted["p_value"] < 0.05).mean() <= 0.065, "SE .005"
    assert (fit_curves(table, alpha=1e-6)["p_value"] < 0.05).mean() > 0.055, "without weights too many"


@pytest.mark.parametrize(("sd_of", "by"), [(by_dose, "dose"), (by_level, "level")])
def test_intervals_hold_the_truth_where_without_weights_they_do_so_less(sd_of, by):
    table, truth = noisy(sd_of)
    covers = {}
    for name, given in (("plain", {}), ("weighted", {"weight": "w"})):
        found = fit_curves(table.assign(w=replicate_weights(table, by=by)), **given)
        both = found.merge(truth, on="curve", suffixes=("", "_true")).dropna(subset=["ec50_low"])
        inside = both["ec50_true"].between(both["ec50_low"] * 0.999999, both["ec50_high"] * 1.000001)
        covers[name] = inside.mean()
    assert covers["weighted"] >= 0.93, covers
    assert covers["weighted"] > covers["plain"]


def test_equal_noise_gives_equal_weights():
    table, _ = noisy(lambda _: 0.1)
    assert replicate_weights(table).std() < 1e-12
    assert replicate_weights(table, by="level").std() < 1e-12


def test_plates_that_shift_are_no_noise():
    table, _ = simulate_curves(100, seed=2, well_sd=0.1)
    shifted = table.assign(response=table["response"] + np.where(table["dose"] > 1, table["plate"] * 5.0, 0))
    pd.testing.assert_series_equal(
        replicate_weights(shifted, cluster="plate"), replicate_weights(table, cluster="plate")
    )
    assert replicate_weights(shifted).std() > 0.01


def test_what_tells_nothing_is_refused():
    table, _ = simulate_curves(3, n_plates=1, n_wells=1)
    with pytest.raises(UsageError, match="no dose of any curve has replicates"):
        replicate_weights(table)
    with pytest.raises(UsageError, match="no column drug in the table"):
        replicate_weights(table, curve="drug")
    with pytest.raises(UsageError, match="by='mean' is unknown; choose dose or level"):
        replicate_weights(table, by="mean")


def test_order_of_rows_does_not_matter():
    table, _ = noisy(by_dose, 50)
    mixed = table.sample(frac=1, random_state=0)
    pd.testing.assert_series_equal(replicate_weights(mixed).sort_index(), replicate_weights(table))
