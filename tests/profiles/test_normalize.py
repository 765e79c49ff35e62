import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.profiles.normalize import RECIPES, normalize
from helpers.profiles.selection import controls
from helpers.profiles.steps import Center
from helpers.profiles.trend import PositionTrend


@pytest.mark.slow
@pytest.mark.parametrize("recipe", list(RECIPES))
def test_order_of_wells_does_not_matter(tiny_wells, recipe):
    order = np.random.default_rng(1).permutation(tiny_wells.n_obs)
    straight = normalize(tiny_wells, recipe).X
    shuffled = normalize(tiny_wells[order].copy(), recipe).X
    np.testing.assert_allclose(shuffled, straight[order], atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", list(RECIPES))
def test_names_of_treatments_are_never_used(tiny_wells, recipe):
    renamed = tiny_wells.copy()
    treated = renamed.obs["treatment"].notna().to_numpy()
    names = renamed.obs["treatment"].astype(object).to_numpy(copy=True)
    names[treated] = np.random.default_rng(2).permutation(names[treated])
    renamed.obs["treatment"] = names
    np.testing.assert_array_equal(normalize(renamed, recipe).X, normalize(tiny_wells, recipe).X)


def test_plate_shifts_vanish_exactly(tiny_wells):
    moved = tiny_wells.copy()
    codes = moved.obs["plate_id"].cat.codes.to_numpy()
    shifts = np.random.default_rng(0).normal(0, 50, (codes.max() + 1, moved.n_vars)).astype(np.float32)
    moved.X = moved.X + shifts[codes]
    np.testing.assert_allclose(
        normalize(moved, "plate_center").X, normalize(tiny_wells, "plate_center").X, atol=2e-3
    )


def test_each_plates_infected_median_is_zero(tiny_wells):
    out = normalize(tiny_wells, "plate_center")
    for plate in out.obs["plate_id"].unique():
        mine = controls(out.obs, "infected") & (out.obs["plate_id"] == plate).to_numpy()
        np.testing.assert_allclose(np.median(out.X[mine], axis=0), 0, atol=1e-4)


def test_a_trend_over_rows_and_columns_is_recovered(tiny_wells):
    """A gradient that is added comes off again, to within what its estimate on 1,230 noisy wells allows."""
    tilted = tiny_wells.copy()
    row, col = tilted.obs["row"].to_numpy(float) / 16 - 1, tilted.obs["col"].to_numpy(float) / 24 - 1
    size = 0.5 * tiny_wells.X.std()
    tilt = size * (row + 0.5 * col**2)
    tilted.X = tilted.X + tilt[:, None].astype(np.float32)
    difference = normalize(tilted, "plate_center").X - normalize(tiny_wells, "plate_center").X
    assert np.abs(difference).max() < 0.06 * np.ptp(tilt)


def test_no_trend_is_taken_where_there_is_none():
    import pandas as pd

    rng = np.random.default_rng(0)
    n = 600
    obs = pd.DataFrame(
        {
            "plate_id": "P", "experiment": "E", "condition": "infected", "treatment": None, "qc_flag": "",
            "row": rng.integers(2, 32, n), "col": rng.integers(2, 48, n),
        }
    )  # fmt: skip
    X = rng.normal(size=(n, 200)).astype(np.float32)
    step = PositionTrend().fit(X, obs)
    assert step.shrinkage_["P"] < 0.1
    assert np.abs(step.transform(X, obs) - X).max() < 0.05


def test_failed_wells_are_no_reference(tiny_wells):
    spoiled = tiny_wells.copy()
    flagged = np.flatnonzero(controls(spoiled.obs, "infected"))[:20]
    spoiled.obs.loc[spoiled.obs_names[flagged], "qc_flag"] = "failed"
    X = np.array(spoiled.X)
    X[flagged] = 1e4
    before = normalize(spoiled, "plate_center").X
    spoiled.X = X
    others = np.setdiff1d(np.arange(len(X)), flagged)
    np.testing.assert_array_equal(normalize(spoiled, "plate_center").X[others], before[others])


def test_reference_wells_are_written_down(tiny_wells):
    record = normalize(tiny_wells, "plate_center").uns["normalization"]
    n = record["steps"]["step 2"]["n"]
    plate = tiny_wells.obs["plate_id"].iloc[0]
    assert n[plate] == (controls(tiny_wells.obs, "infected") & (tiny_wells.obs["plate_id"] == plate)).sum()
    assert record["recipe"] == "plate_center"


def test_normalised_wells_can_be_saved_as_h5ad(tiny_wells, tmp_path):
    import anndata

    out = normalize(tiny_wells, "plate_center")
    out.write_h5ad(tmp_path / "wells.h5ad")
    back = anndata.read_h5ad(tmp_path / "wells.h5ad")
    np.testing.assert_array_equal(back.X, out.X)
    assert back.uns["normalization"]["recipe"] == "plate_center"


def test_too_few_reference_wells_are_named(tiny_wells):
    plate = tiny_wells.obs["plate_id"].iloc[0]
    infected = controls(tiny_wells.obs, "infected") & (tiny_wells.obs["plate_id"] == plate).to_numpy()
    drop = np.flatnonzero(infected)[2:]
    lacking = tiny_wells[np.setdiff1d(np.arange(tiny_wells.n_obs), drop)].copy()
    with pytest.raises(DataError, match=f"plate {plate} has 2 infected untreated wells"):
        Center(by="plate_id").fit(lacking.X, lacking.obs)


def test_unknown_recipe_lists_the_valid_ones(tiny_wells):
    with pytest.raises(UsageError, match="raw, experiment_center, plate_center"):
        normalize(tiny_wells, "plate_centre")


@pytest.mark.parametrize("model", ["trend", "row_column"])
def test_collinear_positions_make_no_trend_of_rounding(model):
    """Two rows: the square of the row is a constant but for rounding, which must not be blown up."""
    rng = np.random.default_rng(3)
    place = np.arange(75)
    obs = pd.DataFrame({"row": place // 48, "col": place % 48, "plate_id": "P", "condition": "infected"})
    obs["treatment"], obs["qc_flag"] = [None] * 10 + ["A"] * 65, ""
    for _ in range(20):
        X = rng.normal(1, 0.1, (75, 2)).astype(np.float32)
        assert np.abs(PositionTrend(model=model).fit(X, obs).transform(X, obs) - X).max() < 0.3
