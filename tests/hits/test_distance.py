"""Distance from the axis: what noise adds is taken off, and what it can reach is known."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.distance import Parts, group_sums, off_disease

N_FEATURES = 200


def made_up(shift: float, *, n_plates: int = 3, wells: int = 2, n_arms: int = 30, seed: int = 0):
    """Return rejections of arms of which the first is moved off the axis, and their annotation; noise 1 per feature."""
    rng = np.random.default_rng(seed)
    rows = []
    for plate in range(n_plates):
        rows += [(f"E_{plate}", None, np.nan)] * 60
        rows += [(f"E_{plate}", f"a{arm:02d}", 1.0) for arm in range(n_arms) for _ in range(wells)]
    obs = pd.DataFrame(rows, columns=["plate_id", "treatment", "dose_um"])
    obs = obs.assign(
        condition="infected", qc_flag="", row=np.arange(len(obs)) % 16, col=np.arange(len(obs)) // 16
    )
    away = rng.standard_normal((len(obs), N_FEATURES)).astype(np.float32)
    away[(obs["treatment"] == "a00").to_numpy(), 0] += shift
    return away, obs


def measured(*made, **how) -> pd.DataFrame:
    return off_disease(*made, **{"length": 1.0, "quantile": 0.999, "seed": 0, **how})


@pytest.mark.parametrize(("n_plates", "wells"), [(3, 2), (6, 1), (1, 8)])
def test_noise_is_taken_off_and_a_shift_comes_back(n_plates, wells):
    found = [
        measured(*made_up(5.0, n_plates=n_plates, wells=wells, seed=seed)).set_index("treatment")
        for seed in range(8)
    ]
    assert np.mean([table.loc["a00", "off_disease"] for table in found]) == pytest.approx(5, rel=0.15)
    others = pd.concat([table.drop(index="a00") for table in found])
    assert 0.35 < (others["off_disease"] == 0).mean() < 0.7, "half of the inert arms lie below zero"
    assert (others["off_disease"] > others["off_limit"]).mean() < 0.01


def test_a_distance_is_in_axis_lengths():
    made = made_up(5.0)
    one, two = measured(*made), measured(*made, length=2.0)
    for name, factor in (("off_disease", 2), ("off_limit", 2), ("off_square_sd", 4)):
        np.testing.assert_allclose(one[name], factor * two[name], rtol=1e-6)


def test_plates_that_lie_apart_as_a_whole_do_not_count():
    away, obs = made_up(0.0)
    moved = away + 50 * (obs["plate_id"] == "E_1").to_numpy()[:, None]
    np.testing.assert_allclose(
        measured(moved.astype(np.float32), obs)["off_disease"], measured(away, obs)["off_disease"], atol=0.05
    )


def test_the_order_of_the_wells_makes_no_difference():
    away, obs = made_up(3.0)
    order = np.random.default_rng(1).permutation(len(obs))
    pd.testing.assert_frame_equal(
        measured(away, obs), measured(away[order], obs.iloc[order]), check_exact=False
    )


def test_failed_wells_take_no_part_and_an_arm_of_them_has_no_row():
    away, obs = made_up(5.0)
    obs.loc[obs["treatment"] == "a00", "qc_flag"] = "failed"
    assert "a00" not in set(measured(away, obs)["treatment"])
    none = measured(away, obs.assign(treatment=None))
    assert none.empty
    assert set(none) == {"treatment", "dose_um", "off_disease", "off_limit", "off_square_sd"}


def test_sums_of_groups_are_those_of_their_rows():
    X = np.random.default_rng(0).standard_normal((20, 3))
    starts = np.array([0, 4, 5, 19])
    np.testing.assert_allclose(group_sums(X, starts), np.add.reduceat(X, starts))
    parts = Parts.of(X, starts)
    assert parts.sizes.tolist() == [4, 1, 14, 1]
    np.testing.assert_allclose(parts.squares, np.add.reduceat((X**2).sum(axis=1), starts))


@pytest.mark.parametrize("wells", [60, 90])
def test_an_arm_of_more_wells_than_controls_has_a_limit(wells):
    """60 controls a plate: an arm of as many wells or more takes the limit of smaller ones, and poison is seen."""
    few = measured(*made_up(3.0, wells=8, n_arms=3)).set_index("treatment")
    many = measured(*made_up(3.0, wells=wells, n_arms=3)).set_index("treatment")
    assert np.isfinite(many["off_limit"]).all()
    assert (many["off_limit"] <= few["off_limit"]).all()
    assert many.loc["a00", "off_disease"] > many.loc["a00", "off_limit"]
    assert (many["off_disease"] < many["off_limit"]).drop("a00").all()
