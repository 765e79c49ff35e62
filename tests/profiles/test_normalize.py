import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.profiles.normalize import RECIPES, normalize
from helpers.profiles.selection import controls
from helpers.profiles.steps import Center
from helpers.profiles.trend import PositionTrend


def fit_for(wells, recipe):
    """Return wells whose features the recipe can take: percent of control asks for positive ones."""
    if "percent" not in recipe:
        return wells
    positive = wells.copy()
    positive.X = np.asarray(wells.X) - np.asarray(wells.X).min(axis=0) + 5
    return positive


@pytest.mark.slow
@pytest.mark.parametrize("recipe", list(RECIPES))
def test_order_of_wells_does_not_matter(tiny_wells, recipe):
    tiny_wells = fit_for(tiny_wells, recipe)
    order = np.random.default_rng(1).permutation(tiny_wells.n_obs)
    straight = normalize(tiny_wells, recipe).X
    shuffled = normalize(tiny_wells[order].copy(), recipe).X
    np.testing.assert_allclose(shuffled, straight[order], atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", list(RECIPES))
def test_names_of_treatments_are_never_used(tiny_wells, recipe):
    tiny_wells = fit_for(tiny_wells, recipe)
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


def counted(rng, levels, n=20):
    """Return plates of positive features: 6 infected and `n` treated wells each, plate p at `levels[p]`."""
    tables, parts = [], []
    for number, level in enumerate(levels):
        tables.append(
            pd.DataFrame({
                "experiment": "E", "plate_id": f"P{number}", "condition": "infected",
                "treatment": [None] * 6 + [f"c{i}" for i in range(n)], "qc_flag": "", "row": 1,
                "col": np.arange(6 + n) + 1,
            })
        )  # fmt: skip
        parts.append(level * np.exp(rng.normal(0, 0.05, (6 + n, 2))))
    obs = pd.concat(tables, ignore_index=True)
    return ad.AnnData(np.concatenate(parts).astype(np.float32), obs=obs.set_index(obs.index.astype(str)))


@pytest.mark.parametrize("recipe", ["percent_of_control", "log_percent_of_control"])
def test_percent_of_control_is_one_in_untreated_wells_whatever_the_plate_was_seeded_with(recipe):
    wells = counted(np.random.default_rng(0), (100.0, 2400.0))
    out = normalize(wells, recipe)
    values = np.exp(out.X) if recipe.startswith("log") else out.X
    for plate in ("P0", "P1"):
        mine = (wells.obs["plate_id"] == plate).to_numpy()
        reference = mine & wells.obs["treatment"].isna().to_numpy()
        np.testing.assert_allclose(np.median(values[reference], axis=0), 1, rtol=0.01)
        np.testing.assert_allclose(
            values[mine], wells.X[mine] / np.median(wells.X[reference], axis=0), rtol=0.01
        )


def test_percent_of_control_of_a_plate_without_reference_takes_the_others_put_right_by_its_bulk():
    wells = counted(np.random.default_rng(1), (100.0, 100.0, 800.0))
    lacking = wells[~((wells.obs["plate_id"] == "P2") & wells.obs["treatment"].isna()).to_numpy()].copy()
    out = normalize(lacking, "percent_of_control")
    bare = (lacking.obs["plate_id"] == "P2").to_numpy()
    np.testing.assert_allclose(np.median(out.X[bare], axis=0), 1, rtol=0.05)


def test_percent_of_control_names_a_feature_that_is_not_positive():
    wells = counted(np.random.default_rng(2), (100.0, 100.0))
    wells.X[:, 1] -= 100
    with pytest.raises(DataError, match="needs positive features; number 2 of 2 is"):
        normalize(wells, "percent_of_control")


def test_a_plate_without_reference_wells_is_centred_on_what_does_nothing(tiny_wells):
    """Most treated wells do nothing: their median, less what it differs from reference wells by elsewhere."""
    ids = tiny_wells.obs["plate_id"].astype(str)
    plate = ids.iloc[0]
    infected = controls(tiny_wells.obs, "infected")
    lacking = tiny_wells[~(infected & (ids == plate).to_numpy())].copy()
    mine = (lacking.obs["plate_id"].astype(str) == plate).to_numpy()
    there = (ids == plate).to_numpy() & ~infected
    whole, out = normalize(tiny_wells, "plate_center"), normalize(lacking, "plate_center")
    off = np.linalg.norm((out.X[mine] - whole.X[there]).mean(axis=0))
    # by the plates' own shifts, which raw wells keep, it would be many times as much
    raw = np.linalg.norm(
        tiny_wells.X[there].mean(axis=0) - tiny_wells.X[(ids != plate).to_numpy()].mean(axis=0)
    )
    assert off < 0.1 * raw
