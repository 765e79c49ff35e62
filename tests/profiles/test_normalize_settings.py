"""Settings of recipes: references, batches, pooling, position models, and screens that lack what a recipe needs."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.profiles import RECIPES, normalize
from helpers.profiles.components import Harmony
from helpers.profiles.selection import controls


def keep_reference(wells, n: int, plate: str | None = None):
    """Return the screen with only `n` infected untreated wells left on a plate (the first one)."""
    plate = plate or wells.obs["plate_id"].iloc[0]
    infected = controls(wells.obs, "infected") & (wells.obs["plate_id"] == plate).to_numpy()
    drop = np.flatnonzero(infected)[n:]
    return wells[np.setdiff1d(np.arange(wells.n_obs), drop)].copy(), plate


def positive(wells):
    """Return wells with positive features, for which percent of control asks."""
    shifted = wells.copy()
    shifted.X = np.asarray(wells.X) - np.asarray(wells.X).min() + 1
    return shifted


@pytest.mark.parametrize("recipe", ["plate_standard", "plate_robust", "sphering", "tvn"])
def test_three_reference_wells_are_no_spread(tiny_wells, recipe):
    lacking, plate = keep_reference(tiny_wells, 3)
    with pytest.raises(
        DataError, match=rf"plate {plate} has 3 infected untreated wells .* \(in Python: pooled=True\)"
    ):
        normalize(lacking, recipe, pooled=False)


@pytest.mark.parametrize("recipe", ["plate_center", "plate_standard", "plate_robust", "sphering", "tvn"])
def test_the_pooled_estimate_stands_in_and_is_written_down(tiny_wells, recipe):
    lacking, plate = keep_reference(tiny_wells, 2)
    out = normalize(lacking, recipe)
    steps = out.uns["normalization"]["steps"].values()
    record = next(step for step in steps if "pooled" in step)
    assert record["pooled"] == [plate]
    assert record["n"][plate] == 2
    assert np.isfinite(out.X).all()


def test_three_reference_wells_are_enough_for_a_centre(tiny_wells):
    lacking, plate = keep_reference(tiny_wells, 3)
    assert normalize(lacking, "plate_center").uns["normalization"]["steps"]["step 2"]["n"][plate] == 3
    with pytest.raises(DataError, match="centring needs 5"):
        normalize(lacking, "plate_center", min_reference=5, pooled=False)


def test_an_experiment_without_reference_wells_is_an_error_even_when_pooled(tiny_wells):
    infected = controls(tiny_wells.obs, "infected") & (tiny_wells.obs["experiment"] == "HRCE-2").to_numpy()
    lacking = tiny_wells[~infected].copy()
    with pytest.raises(DataError, match="its experiment 0"):
        normalize(lacking, "plate_standard", pooled=True)


def test_plates_can_be_centred_on_mock_wells(tiny_wells):
    out = normalize(tiny_wells, "plate_standard", reference="mock")
    for plate in out.obs["plate_id"].unique():
        mine = controls(out.obs, "mock") & (out.obs["plate_id"] == plate).to_numpy()
        np.testing.assert_allclose(out.X[mine].mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(out.X[mine].std(axis=0), 1, rtol=1e-3)
    step = out.uns["normalization"]["steps"]["step 1"]
    assert step["reference"] == "mock wells"
    assert "centers" not in step, "the null's wells were not moved to zero"


def test_experiments_can_be_the_batches(tiny_wells):
    out = normalize(tiny_wells, "plate_standard", batch="experiment")
    for experiment in ("HRCE-1", "HRCE-2"):
        mine = controls(out.obs, "infected") & (out.obs["experiment"] == experiment).to_numpy()
        np.testing.assert_allclose(out.X[mine].mean(axis=0), 0, atol=1e-3)


def test_a_row_that_stands_out_goes_with_row_and_column_effects_only(tiny_wells):
    striped = tiny_wells.copy()
    stripe = 2 * tiny_wells.X.std() * (striped.obs["row"] == 17).to_numpy(np.float32)
    striped.X = striped.X + stripe[:, None]
    left = {}
    for model in ("none", "trend", "row_column"):
        change = (
            normalize(striped, "position", position_model=model).X
            - normalize(tiny_wells, "position", position_model=model).X
        )
        left[model] = change[stripe > 0].mean() / stripe.max()
    assert left["none"] == pytest.approx(1, abs=1e-3)
    assert left["trend"] > 0.8
    assert left["row_column"] < 0.15


OTHER = {
    "reference": "mock",
    "batch": "experiment",
    "position_model": "none",
    "n_components": 3,
    "regulariser": 0.5,
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", list(RECIPES))
def test_a_recipe_takes_the_settings_that_it_says_it_takes(tiny_wells, recipe):
    few = positive(tiny_wells[:, :6]) if "percent" in recipe else tiny_wells[:, :6].copy()
    plain = normalize(few, recipe).X
    for setting, value in OTHER.items():
        other = normalize(few, recipe, **{setting: value}).X
        same = other.shape == plain.shape and np.array_equal(other, plain)
        assert same != (setting in RECIPES[recipe].takes), setting


def two_experiments(shift: float) -> tuple[np.ndarray, pd.DataFrame]:
    """Return wells of three kinds in two experiments of two plates each, the second experiment shifted."""
    rng = np.random.default_rng(0)
    kind, plate = rng.integers(3, size=1200), np.repeat([0, 1, 2, 3], 300)
    X = rng.normal(size=(1200, 6)) + 6 * np.eye(6)[kind]
    X[plate > 1, 5] += shift
    obs = pd.DataFrame({"plate_id": np.char.add("E_", plate.astype(str)), "qc_flag": ""})
    obs["condition"] = "infected"
    return X.astype(np.float32), obs.assign(experiment=np.where(plate > 1, "E-2", "E-1"), cell_type="HRCE")


def test_harmony_aligns_the_batches_it_is_given():
    """Experiments come together only if they are the batches, and two cell lines never do."""
    X, obs = two_experiments(shift=3.0)
    second = (obs["experiment"] == "E-2").to_numpy()
    left = {}
    for by in ("plate_id", "experiment"):
        step = Harmony(by=by).fit(X, obs)
        Z = step.transform(X, obs)
        left[by] = np.linalg.norm(Z[second].mean(axis=0) - Z[~second].mean(axis=0))
    assert left["experiment"] < 1 < 2.5 < left["plate_id"]
    assert step.record()["step"] == "harmony over experiments"
    assert step.record()["n"] == {"HRCE": 1200}
    lines = obs.assign(cell_type=obs["experiment"])
    step = Harmony(by="experiment").fit(X, lines)
    np.testing.assert_array_equal(step.transform(X, lines), X)
    assert step.record()["not_aligned"] == ["E-1", "E-2"]
    without = obs.drop(columns="cell_type")
    assert Harmony(by="experiment").fit(X, without).record()["n"] == {"all": 1200}


def test_harmony_refuses_other_batches(tiny_wells):
    with pytest.raises(UsageError, match="choose one of plate, experiment"):
        normalize(tiny_wells, "harmony", batch="well")


def test_every_recipe_works_in_two_dimensions(tiny_wells):
    flat = positive(tiny_wells[:, :2])
    for recipe in RECIPES:
        out = normalize(flat, recipe)
        assert out.shape == flat.shape, recipe
        assert np.isfinite(out.X).all(), recipe


def test_every_recipe_leaves_a_design_without_embeddings_alone(tiny_wells):
    design = tiny_wells[:, :0].copy()
    for recipe in RECIPES:
        assert normalize(design, recipe).shape == design.shape


@pytest.mark.slow
def test_every_recipe_repeats_itself(tiny_wells):
    for recipe in RECIPES:
        wells = positive(tiny_wells) if "percent" in recipe else tiny_wells
        np.testing.assert_array_equal(normalize(wells, recipe).X, normalize(wells, recipe).X)


@pytest.mark.parametrize(
    ("recipe", "settings", "said"),
    [
        ("plate_center", {"reference": "dmso"}, "choose one of infected, mock, uninfected, controls"),
        ("plate_standard", {"batch": "well"}, "choose one of plate, experiment"),
        ("plate_center", {"position_model": "loess"}, "choose one of trend, row_column, none"),
        ("raw", {"n_component": 3}, "choose among reference, batch"),
    ],
)
def test_settings_that_are_wrong_list_the_valid_ones(tiny_wells, recipe, settings, said):
    with pytest.raises(UsageError, match=said):
        normalize(tiny_wells, recipe, **settings)
