"""Whitening, components and alignment: what they do to made-up wells whose noise is known."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.profiles import normalize
from helpers.profiles.selection import controls
from helpers.profiles.spectrum import within_residuals
from helpers.profiles.whitening import CrossWhitening, deal_plates


def disease_wells(n_features=40, n_plates=4, n_each=60, seed=0) -> ad.AnnData:
    """Return mock, UV and infected untreated wells: disease along feature 0, loud noise from feature 0 to 1."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(["mock", "uv", "infected"], n_each)
    obs = pd.DataFrame(
        {
            "plate_id": pd.Categorical(np.repeat([f"E_{p + 1}" for p in range(n_plates)], len(kinds))),
            "experiment": pd.Categorical(["E"] * (len(kinds) * n_plates)),
            "condition": pd.Categorical(np.tile(kinds, n_plates), ["mock", "uv", "infected", "blank"]),
            "treatment": pd.Categorical([None] * (len(kinds) * n_plates)),
            "qc_flag": "",
            "row": np.tile(np.arange(len(kinds)) // 12 + 1, n_plates),
            "col": np.tile(np.arange(len(kinds)) % 12 + 1, n_plates),
        }
    )
    obs.index = [f"w{i:04d}" for i in range(len(obs))]
    X = 0.3 * rng.normal(size=(len(obs), n_features))
    loud = rng.normal(size=len(obs))
    X[:, 0] += loud
    X[:, 1] += loud
    X[:, 0] += 5.0 * (obs["condition"] == "infected").to_numpy()
    return ad.AnnData(X.astype(np.float32), obs=obs)


def noise_per_length(X: np.ndarray, obs: pd.DataFrame) -> float:
    """Return noise along the axis between the conditions over its length."""
    mock, infected = X[controls(obs, "mock")], X[controls(obs, "infected")]
    axis = infected.mean(axis=0) - mock.mean(axis=0)
    return float(np.std(infected @ axis) / (axis @ axis))


def test_whitening_makes_the_axis_quieter_and_keeps_it():
    """Noise that two features share is told from the second; at best .42 (0.3 x sqrt 2) of 1.04 is left."""
    wells = disease_wells()
    before = noise_per_length(wells.X, wells.obs)
    assert before == pytest.approx(1.04 / 5, rel=0.1)
    assert noise_per_length(normalize(wells, "recommended").X, wells.obs) < 0.6 * before


def test_a_plate_is_whitened_by_other_plates_only():
    """Loud noise of one plate changes the map of every plate but its own."""
    wells = disease_wells()
    first = (wells.obs["plate_id"] == "E_1").to_numpy()
    loud = np.array(wells.X)
    loud[first, 2] *= 20
    a, b = (CrossWhitening(regulariser=0.3).fit(X, wells.obs).maps_ for X in (wells.X, loud))
    np.testing.assert_array_equal(a["E_1"].gains, b["E_1"].gains)
    probe = np.eye(40, dtype=np.float32)
    for plate in ("E_2", "E_3", "E_4"):
        assert b[plate].apply(probe)[2, 2] < 0.5 * a[plate].apply(probe)[2, 2]


def test_the_null_wells_are_in_no_whitening():
    """Whatever infected wells do, the map stays: only then may they be the null."""
    wells = disease_wells()
    infected = controls(wells.obs, "infected")
    moved = np.array(wells.X)
    moved[infected] *= np.random.default_rng(1).uniform(0.5, 2, (infected.sum(), 1)).astype(np.float32)
    a, b = (CrossWhitening(regulariser=0.3).fit(X, wells.obs).maps_ for X in (wells.X, moved))
    for plate in a:
        np.testing.assert_array_equal(a[plate].gains, b[plate].gains)


def test_disease_is_not_whitened_away():
    """With residuals within condition, the length of the axis relative to quiet features stays."""
    wells = disease_wells()
    out = normalize(wells, "sphering", reference="controls", regulariser=0.1)
    gaps = out.X[controls(wells.obs, "infected")].mean(axis=0) - out.X[controls(wells.obs, "mock")].mean(
        axis=0
    )
    assert np.linalg.norm(gaps) > 5


def test_full_weight_on_the_identity_changes_nothing():
    wells = disease_wells()
    centred = normalize(wells, "plate_center").X
    np.testing.assert_allclose(normalize(wells, "recommended", regulariser=1.0).X, centred, atol=1e-5)


def test_one_plate_is_not_whitened_and_the_record_says_so():
    one = disease_wells(n_plates=1)
    out = normalize(one, "recommended")
    np.testing.assert_array_equal(out.X, normalize(one, "plate_center").X)
    assert out.uns["normalization"]["steps"]["step 3"]["not_whitened"] == ["E_1"]


def test_too_few_uninfected_wells_leave_plates_as_they_are():
    few = disease_wells(n_plates=2)
    drop = np.flatnonzero(few.obs["condition"].isin(["mock", "uv"]) & (few.obs["col"] > 2))
    few = few[np.setdiff1d(np.arange(few.n_obs), drop)].copy()
    few.obs["qc_flag"] = np.where(few.obs["condition"] == "uv", "failed", "")
    record = normalize(few, "recommended").uns["normalization"]["steps"]["step 3"]
    assert record["not_whitened"] == ["E_1", "E_2"]


def test_residuals_have_no_group_means():
    X = np.random.default_rng(0).normal(3, 1, (20, 4)).astype(np.float32)
    groups = np.repeat([0, 1], 10)
    residuals, degrees = within_residuals(X, groups)
    assert degrees == 18
    np.testing.assert_allclose(residuals[:10].mean(axis=0), 0, atol=1e-6)


def test_plates_are_dealt_in_the_order_people_count():
    fold = deal_plates(pd.Series(["E_10", "E_2", "E_1", "E_9", "E_3", "E_4", "E_5"]))
    assert [fold[f"E_{i}"] for i in (1, 2, 3, 4, 5, 9, 10)] == [0, 1, 2, 3, 4, 0, 1]


@pytest.mark.parametrize("regulariser", ["oracle", -0.1, 1.5])
def test_unknown_regularisers_are_refused(regulariser):
    for recipe in ("sphering", "recommended"):
        with pytest.raises(UsageError, match="number from 0 to 1"):
            normalize(disease_wells(), recipe, regulariser=regulariser)


def test_wells_that_do_not_differ_cannot_be_whitened():
    flat = disease_wells()
    flat.X[:] = 1
    with pytest.raises(DataError, match="do not differ"):
        normalize(flat, "sphering")


def test_components_keep_distances(tiny_wells):
    """All components together are a rotation; the leading ones keep the variance that the record states."""
    full = normalize(tiny_wells, "pca", n_components=tiny_wells.n_vars)
    centred = normalize(tiny_wells, "plate_center").X
    np.testing.assert_allclose(
        np.linalg.norm(full.X[:50] - full.X[50:100], axis=1), np.linalg.norm(centred[:50] - centred[50:100], axis=1),
        rtol=1e-3,
    )  # fmt: skip
    part = normalize(tiny_wells, "pca", n_components=5)
    assert part.X.shape == (tiny_wells.n_obs, 5)
    assert list(part.var_names) == ["PC1", "PC2", "PC3", "PC4", "PC5"]
    share = part.uns["normalization"]["steps"]["step 3"]["variance_share"]
    fine = (part.obs["qc_flag"] == "").to_numpy() & (part.obs["condition"] != "blank").to_numpy()
    assert share == pytest.approx(part.X[fine].var(axis=0).sum() / full.X[fine].var(axis=0).sum(), abs=1e-3)


def test_harmony_brings_plates_together(tiny_wells):
    """Plates of an experiment lie apart; afterwards less than a third of that is left."""
    mine = (tiny_wells.obs["experiment"] == "HRCE-1").to_numpy()
    plates = tiny_wells.obs["plate_id"].astype(str).to_numpy()[mine]

    def spread(X):
        return float(pd.DataFrame(np.asarray(X)[mine]).groupby(plates).mean().var(ddof=0).sum())

    assert spread(normalize(tiny_wells, "harmony", n_components=20).X) < spread(tiny_wells.X) / 3
