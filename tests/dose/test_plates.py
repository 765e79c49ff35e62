import numpy as np
import pandas as pd
import pytest

from dose.simulated import simulate_curves
from helpers.dose import fit_curves
from helpers.dose.coverage import ec50_coverage
from helpers.dose.design import Points, group_curves
from helpers.dose.fit import fit_group
from helpers.dose.grid import Penalty, make_grid
from helpers.dose.plates import PlateSpread, plate_spread

SHIFT, GAIN = 0.1, 0.2


@pytest.fixture(scope="module")
def shifted():
    """Return a thousand curves on three plates that shift and stretch them, and their truth."""
    return simulate_curves(1000, shift_sd=SHIFT, gain_sd=GAIN, seed=2)


@pytest.fixture(scope="module")
def covered(shifted):
    return ec50_coverage(*shifted).set_index("interval")


def as_groups(table):
    codes = np.unique(table["plate"].astype(str), return_inverse=True)[1]
    columns = (table[c].to_numpy() for c in ("dose", "response"))
    return group_curves(Points.sort(table["curve"].to_numpy(), codes, *columns, np.ones(len(table))))


def test_intervals_cover_with_shift_and_gain_on_three_plates(covered):
    assert 0.92 < covered.loc["plates", "coverage"] < 0.975
    assert covered.loc["plates", "n_curves"] > 950


@pytest.mark.parametrize(("potency_sd", "noise", "n_wells"), [(0.2, 0.1, 2), (0.4, 0.1, 2), (0.4, 0.05, 4)])
def test_intervals_cover_where_the_ec50_differs_between_plates(potency_sd, noise, n_wells):
    """Taking wells as independent, of the last the intervals hold the truth in half of the curves."""
    curves = simulate_curves(
        400, ec50=(0.1, 0.3), potency_sd=potency_sd, noise=noise, n_wells=n_wells, seed=3
    )
    covered = ec50_coverage(*curves).set_index("interval")["coverage"]
    assert 0.92 < covered["plates"] < 0.985
    if noise < 0.1:
        assert covered["wells as independent"] < 0.6


def test_variance_of_ec50_between_plates_is_recovered():
    for sd in (0.0, 0.3):
        table, _ = simulate_curves(600, ec50=(0.1, 0.3), potency_sd=sd, shift_sd=0.05, gain_sd=0.1, seed=4)
        groups = as_groups(table)
        fits = [fit_group(g.pooled(), make_grid(g.doses, (0.2, 20), 10)) for g in groups]
        spread = plate_spread(groups, fits, [np.ones(len(g.curves), bool) for g in groups])
        assert abs(np.sqrt(spread.potency) - sd) < 0.06


def test_taking_plates_into_account_narrows_what_shifts_had_widened(covered):
    assert covered.loc["plates", "fold"] < 0.5 * covered.loc["wells as independent", "fold"]


@pytest.mark.slow
def test_intervals_cover_where_plates_hold_different_doses(shifted):
    table, truth = shifted
    lost = np.random.default_rng(0).random((len(truth), 3, 6)) < 0.45
    column = np.searchsorted(np.unique(table["dose"]), table["dose"])
    some = table[~lost[table["curve"], table["plate"], column]]
    assert 0.91 < ec50_coverage(some, truth).loc[0, "coverage"] < 0.985


@pytest.fixture
def no_pooling(monkeypatch):
    """Leave every plate free, as for a table of few curves."""
    monkeypatch.setattr("helpers.dose.table.plate_spread", lambda *_, **__: PlateSpread(np.inf, np.inf))


@pytest.mark.slow
@pytest.mark.usefixtures("no_pooling")
def test_intervals_cover_with_free_plates(shifted):
    assert 0.92 < ec50_coverage(*shifted).loc[0, "coverage"] < 0.975


def test_a_curve_alone_leaves_its_plates_free(shifted, request):
    table = shifted[0]
    alone = [fit_curves(table[table["curve"] == curve], cluster="plate") for curve in range(4)]
    request.getfixturevalue("no_pooling")
    together = fit_curves(table[table["curve"] < 4], cluster="plate")
    columns = ["ec50", "ec50_low", "ec50_high"]
    np.testing.assert_allclose(pd.concat(alone)[columns], together[columns], rtol=1e-6)


def test_the_spread_of_plates_is_recovered(shifted):
    groups = as_groups(shifted[0])
    fits = [fit_group(g, make_grid(g.doses, (0.2, 20), 10)) for g in groups]
    spread = plate_spread(groups, fits, [np.ones(len(g.curves), dtype=bool) for g in groups])
    assert spread.gain == pytest.approx(GAIN, rel=0.3)
    assert spread.shift == pytest.approx((SHIFT / 0.1) ** 2, rel=0.3)  # the noise of a response is 0.1


@pytest.mark.slow
def test_plates_that_do_not_differ_cost_nothing():
    table, truth = simulate_curves(600, seed=5)
    coverage = ec50_coverage(table, truth)
    assert 0.93 < coverage.loc[0, "coverage"] < 0.985
    pooled = fit_curves(table)
    by_plate = fit_curves(table, cluster="plate")
    ratio = (by_plate["ec50"] / pooled["ec50"]).dropna()
    assert np.exp(np.log(ratio).abs().median()) < 1.05


def test_few_curves_are_not_enough_to_estimate_from():
    groups = as_groups(simulate_curves(5, shift_sd=SHIFT, seed=1)[0])
    fits = [fit_group(g, make_grid(g.doses, (0.2, 20), 10)) for g in groups]
    spread = plate_spread(groups, fits, [np.ones(len(g.curves), dtype=bool) for g in groups])
    assert np.isinf([spread.shift, spread.gain]).all()


def test_free_plates_give_the_fit_with_plateaus_of_its_own_for_each():
    """Parity with scipy: six plateaus, one EC50 and one Hill slope for three plates."""
    from scipy.optimize import least_squares

    table, _ = simulate_curves(8, shift_sd=0.3, gain_sd=0.4, noise=0.05, seed=3)
    (group,) = as_groups(table)
    tiny = np.full(len(group.curves), 1e-6)
    fit = fit_group(group, make_grid(group.doses, (0.2, 20), 10), penalty=Penalty(tiny, tiny))
    for row, (_, points) in enumerate(table.groupby("curve")):
        dose, y, plate = (points[c].to_numpy() for c in ("dose", "response", "plate"))

        def residual(p, dose=dose, y=y, plate=plate):
            share = 1 / (1 + (np.exp(p[6]) / dose) ** np.exp(p[7]))
            return y - p[plate] - (p[3 + plate] - p[plate]) * share

        start = np.r_[[0] * 3, [1] * 3, fit.log_ec50[row] + 0.1, fit.log_hill[row] - 0.1]
        best = least_squares(residual, start, xtol=1e-12, ftol=1e-12)
        assert fit.rss[row] == pytest.approx(2 * best.cost, rel=1e-4)
        assert fit.log_ec50[row] == pytest.approx(best.x[6], abs=2e-3)


@pytest.mark.slow
def test_names_and_order_of_plates_do_not_matter():
    table, _ = simulate_curves(30, shift_sd=SHIFT, gain_sd=GAIN, seed=4)
    mixed = table.assign(plate=table["plate"].map({0: "z", 1: "b", 2: "k"}))
    mixed = mixed.sample(frac=1, random_state=0)
    first = fit_curves(table, cluster="plate").sort_values("curve", ignore_index=True)
    second = fit_curves(mixed, cluster="plate").sort_values("curve", ignore_index=True)
    same = fit_curves(table.sample(frac=1, random_state=1), cluster="plate").sort_values(
        "curve", ignore_index=True
    )
    pd.testing.assert_frame_equal(first, same, check_exact=True)
    np.testing.assert_allclose(first["ec50_low"], second["ec50_low"], rtol=1e-6)
