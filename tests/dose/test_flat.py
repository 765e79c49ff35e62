import numpy as np
import pandas as pd
import pytest

from dose.simulated import simulate_curves
from helpers.dose import fit_curves
from helpers.dose.flat import FlatNull


def flat_curves(n, seed, **design):
    return simulate_curves(n, back=(0.0, 1e-12), seed=seed, **design)[0]


@pytest.mark.slow
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


def some_wells(table, design):
    """Leave each curve some of its wells (three plates, one well a dose), other ones in every curve."""
    rng = np.random.default_rng(8)
    order = table.assign(draw=rng.random(len(table))).sort_values(["curve", "dose", "draw"])
    place = order.groupby(["curve", "dose"]).cumcount()
    keep = {
        "one plate a dose": place < 1,
        "two plates a dose": place < 2,
        "lost wells": rng.random(len(table)) > 0.15,
    }
    return order[keep[design]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "loss"),
    [
        ("one plate a dose", "squares"),
        ("two plates a dose", "squares"),
        ("lost wells", "squares"),
        ("two plates a dose", "robust"),
    ],
)
def test_flat_curves_on_plates_that_differ_are_active_at_the_nominal_rate(design, loss):
    n, doses = (2000 if loss == "squares" else 600), tuple(np.geomspace(0.01, 10, 8))
    table = some_wells(flat_curves(n, 3, doses=doses, n_wells=1, shift_sd=0.2), design)
    found = fit_curves(table, cluster="plate", loss=loss)
    p = found["p_value"].dropna()
    assert 0.03 <= (p <= 0.05).mean() <= 0.075
    # the tail of the robust null is told by a thousand flat curves
    assert (p < 0.001).mean() < (0.006 if loss == "squares" else 0.012)
    assert (found["q_value"] <= 0.05).sum() <= 2


def test_a_curve_whose_doses_share_no_plate_is_inactive_and_harms_no_other():
    table = simulate_curves(30, seed=6)[0]
    alone = table[(table["curve"] == 0) & (table["plate"] == 0)].assign(curve="alone")
    alone["plate"] = alone["dose"].astype(str)
    found = fit_curves(pd.concat([table, alone]), cluster="plate").set_index("curve")
    assert found.loc["alone", ["curve_class", "p_value"]].tolist() == ["inactive", 1.0]
    np.testing.assert_allclose(found["p_value"].drop("alone"), fit_curves(table, cluster="plate")["p_value"])


@pytest.mark.slow
def test_few_points_that_fit_almost_exactly_are_no_discovery():
    for loss in ("squares", "robust"):
        table = flat_curves(1500, 9, n_plates=1, n_wells=1)
        found = fit_curves(table, loss=loss)
        assert (found["p_value"] < 0.001).mean() < 0.005
        assert (found["q_value"] <= 0.05).sum() <= 1


@pytest.mark.parametrize("plates", [1, 3])
def test_a_level_off_the_known_front_is_an_effect_below_the_doses(plates):
    table, _ = simulate_curves(40, ec50=(0.0002, 0.0004), hill=(2, 3), noise=0.03, n_plates=plates, seed=2)
    cluster = "plate" if plates > 1 else None
    found = fit_curves(table, front=0.0, cluster=cluster)
    assert (found["curve_class"] == "below_range").all()
    assert (found["ec50_censored"] == "<").all()
    np.testing.assert_allclose(found["activity_area"], found["back"], rtol=0.05)
    assert (fit_curves(table, cluster=cluster)["curve_class"] == "inactive").mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [None, "plate"])
def test_flat_curves_at_a_known_front_are_active_at_the_nominal_rate(cluster):
    table = flat_curves(3000, 3, shift_sd=0.2 if cluster else 0.0)
    p = fit_curves(table, cluster=cluster, front=0.0)["p_value"]
    assert 0.04 <= (p <= 0.05).mean() <= 0.06


@pytest.mark.slow
def test_robust_fits_of_flat_curves_are_active_at_the_nominal_rate():
    p = fit_curves(flat_curves(800, 5), loss="robust")["p_value"]
    assert 0.03 <= (p <= 0.05).mean() <= 0.07


def test_shuffled_doses_give_a_calibrated_p_value():
    p = fit_curves(flat_curves(600, 4, shift_sd=0.2), cluster="plate", permutations=99)["p_permutation"]
    assert 0.03 <= (p <= 0.05).mean() <= 0.075
    assert p.min() >= 0.01


@pytest.mark.slow
def test_shuffled_doses_give_a_calibrated_p_value_beside_robust_fits():
    table = flat_curves(600, 4, n_plates=1)
    p = fit_curves(table, loss="robust", permutations=99)["p_permutation"]
    assert 0.03 <= (p <= 0.05).mean() <= 0.075


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
