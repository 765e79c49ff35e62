"""Small examples: plates and points of the screen at hand where it has any, made-up ones where not."""

import numpy as np
import pandas as pd
import pytest

from helpers import study
from helpers.dose import fit_curves
from helpers.hits import score_wells
from helpers.profiles.selection import controls
from helpers.study.examples import (
    LEAST,
    example_plates,
    example_points,
    made_up_plates,
    made_up_points,
)


def test_plates_are_those_of_one_experiment_with_both_controls(normalized):
    example = example_plates(normalized)
    obs = example.obs
    assert example.uns["example"] == "screen"
    assert len(obs["experiment"].unique()) == 1
    assert obs["plate_id"].nunique() == 3
    for plate in obs["plate_id"].unique():
        mine = obs[(obs["plate_id"] == plate).to_numpy()]
        assert all(controls(mine, kind).sum() >= least for kind, least in LEAST.items())
    assert example.n_obs == normalized.obs["plate_id"].isin(obs["plate_id"].unique()).sum()
    np.testing.assert_array_equal(example.X, normalized[example.obs_names].X)
    assert "example" not in normalized.uns
    assert example_plates(normalized, 2).obs["plate_id"].nunique() == 2


def test_a_plate_without_controls_is_no_example(normalized):
    obs = normalized.obs
    gone = ((obs["plate_id"] == "HRCE-1_1") & (obs["condition"] == "mock")).to_numpy()
    example = example_plates(normalized[~gone].copy())
    assert "HRCE-1_1" not in set(example.obs["plate_id"])
    assert example.uns["example"] == "screen"


CUTS = {
    "no embeddings": lambda wells: wells[:, :0],
    "one plate": lambda wells: wells[(wells.obs["plate_id"] == "HRCE-1_1").to_numpy()],
    "no mock": lambda wells: wells[(wells.obs["condition"] != "mock").to_numpy()],
}


@pytest.mark.parametrize("name", list(CUTS))
def test_a_screen_without_such_plates_gets_made_up_ones(normalized, name):
    example = example_plates(CUTS[name](normalized).copy())
    assert example.uns["example"] == "made up"
    assert score_wells(example).obs["rescue"].notna().all()


def test_controls_that_do_not_separate_are_no_example(normalized):
    noise = normalized.copy()
    noise.X = np.random.default_rng(0).standard_normal(noise.shape).astype(np.float32)
    assert example_plates(noise).uns["example"] == "made up"


def test_made_up_plates_separate_and_depend_on_the_seed():
    wells = made_up_plates(4, seed=1)
    assert wells.obs["plate_id"].nunique() == 4
    scored = score_wells(wells).obs
    medians = scored.groupby(scored["condition"].astype(str))["rescue"].median()
    assert medians["mock"] == pytest.approx(1, abs=0.3)
    assert medians["infected"] == pytest.approx(0, abs=0.3)
    np.testing.assert_array_equal(wells.X, made_up_plates(4, seed=1).X)
    assert not np.array_equal(wells.X, made_up_plates(4, seed=2).X)


def test_points_are_those_that_were_fitted(scored):
    obs = scored.obs
    treatment = obs["treatment"].dropna().iloc[0]
    curve = pd.Series(
        {"experiment": "HRCE-1", "treatment": treatment, "curve_class": "active", "n_dropped_doses": 1}
    )
    points = example_points(obs, curve)
    mine = obs[
        (
            (obs["experiment"] == "HRCE-1") & (obs["treatment"] == treatment) & (obs["qc_flag"] == "")
        ).to_numpy()
    ]
    kept = np.sort(mine["dose_um"].unique())[:-1]
    assert points.attrs["example"] == "screen"
    assert sorted(points["dose_um"].unique()) == kept.tolist()
    assert len(points) == mine["dose_um"].isin(kept).sum()
    assert len(example_points(obs, curve.drop("n_dropped_doses"))) == len(mine)


@pytest.mark.parametrize("curve", [None, pd.Series({"curve_class": "inactive"})])
def test_without_a_curve_points_are_made_up(scored, curve):
    pd.testing.assert_frame_equal(example_points(scored.obs, curve), made_up_points())


def test_made_up_points_have_the_ec50_they_promise():
    points = made_up_points()
    assert points.attrs["example"] == "made up"
    found = fit_curves(points.assign(curve="x"), dose="dose_um", response="rescue").iloc[0]
    assert found["ec50_low"] < 0.2 < found["ec50_high"]


def test_both_are_steps_of_a_page():
    assert study.example_plates is example_plates
    assert study.example_points is example_points
