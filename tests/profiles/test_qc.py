import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.profiles import flag_wells, to_wells
from helpers.screens import make_twin, open_screen, simulate_twin, twin_failures

pytestmark = pytest.mark.slow


def test_real_failures_are_found_and_good_wells_kept(plate25):
    """Three of six mock wells of the published plate failed: the mock cloud alone could not tell."""
    flagged = set(plate25.obs.loc[plate25.obs["qc_flag"] != "", "well"])
    assert {"E08", "E40", "F08", "AA08", "F19", "G07", "H10"} <= flagged
    assert not flagged & {"E16", "E24", "E32", "L30", "J29"}


@pytest.fixture(scope="module", params=[1, 2])
def twin(request, tmp_path_factory):
    folder = make_twin(tmp_path_factory.mktemp("twin") / "t", scale="tiny", seed=request.param)
    wells = to_wells(open_screen(folder))
    truth = pd.read_csv(folder / "failed_wells.csv").set_index("well_id")["reason"]
    return wells, truth.reindex(wells.obs_names), pd.read_csv(folder / "truth.csv")


def test_dim_wells_are_found(twin):
    wells, reason, _ = twin
    assert (wells.obs["qc_flag"] != "")[reason == "dim"].mean() > 0.95


def test_wells_that_did_not_fail_are_kept(twin):
    wells, reason, _ = twin
    untouched = reason.isna() & (wells.obs["condition"] != "blank")
    for condition in ("mock", "uv", "infected"):
        assert (wells.obs["qc_flag"] != "")[untouched & (wells.obs["condition"] == condition)].mean() < 0.005


def test_a_toxic_compound_is_no_failed_well(twin):
    wells, reason, truth = twin
    toxic = truth.loc[truth["toxicity"] > 1, ["experiment", "treatment", "dose_um"]].astype(
        {"experiment": str}
    )
    keys = pd.MultiIndex.from_frame(
        wells.obs[["experiment", "treatment", "dose_um"]].astype({"experiment": str})
    )
    mine = keys.isin(pd.MultiIndex.from_frame(toxic)) & reason.isna().to_numpy()
    assert mine.sum() > 30
    assert (wells.obs["qc_flag"] != "")[mine].mean() < 0.05


def test_order_does_not_matter(tiny_screen, tiny_wells):
    sites = tiny_screen[0]
    shuffled = to_wells(sites[np.random.default_rng(0).permutation(sites.n_obs)])
    pd.testing.assert_series_equal(
        shuffled.obs["qc_flag"].loc[tiny_wells.obs_names], tiny_wells.obs["qc_flag"]
    )


def test_half_the_mock_wells_bad(tiny_wells):
    """Pushing half of a plate's mock wells far out must not turn the other half into the failures."""
    wells = tiny_wells[tiny_wells.obs["plate_id"] == tiny_wells.obs["plate_id"].iloc[0]].copy()
    good = (wells.obs["qc_flag"] == "").to_numpy() & (wells.obs["condition"] == "mock").to_numpy()
    chosen = np.flatnonzero(good)[::2]
    X = np.array(wells.X)
    X[chosen] += 5 * np.linalg.norm(X.std(axis=0)) * np.eye(X.shape[1], dtype=np.float32)[0]
    wells.X = X
    failed = flag_wells(wells) != ""
    assert failed[chosen].all()
    assert failed[np.setdiff1d(np.flatnonzero(good), chosen)].mean() < 0.1


def test_the_names_of_the_controls_do_not_matter(tiny_wells):
    swapped = tiny_wells.copy()
    roles = {"mock": "infected", "infected": "mock"}
    untreated = swapped.obs["treatment"].isna()
    condition = swapped.obs["condition"].astype(str)
    swapped.obs["condition"] = condition.where(~untreated, condition.map(roles).fillna(condition))
    np.testing.assert_array_equal(flag_wells(swapped), flag_wells(tiny_wells))


def test_the_search_can_be_switched_off_and_made_stricter(tiny_screen, tiny_wells):
    sites = tiny_screen[0]
    off = to_wells(sites, qc=False).obs["qc_flag"]
    assert (off == "").all()
    strict, usual, loose = (
        (to_wells(sites, qc_rate=rate).obs["qc_flag"] != "").sum() for rate in (1e-6, 1e-4, 5e-3)
    )
    assert strict <= usual <= loose
    assert strict < loose
    with pytest.raises(UsageError, match=r"qc_rate=0.1 is not allowed"):
        to_wells(sites, qc_rate=0.1)


@pytest.mark.parametrize("world", ["rough", "counts", "small_plates"])
def test_failed_wells_of_other_worlds(world):
    """Dim wells nearly all, most wells with few cells, hardly a good one; more is counted by `make worlds`."""
    sites, truth = simulate_twin("tiny", 3, world=world)
    wells = to_wells(sites)
    reason = twin_failures("tiny", 3, world=world).set_index("well_id")["reason"].reindex(wells.obs_names)
    flagged = (wells.obs["qc_flag"] != "").to_numpy()
    assert flagged[(reason == "dim").to_numpy()].mean() > (0.85 if world == "counts" else 0.95)
    assert flagged[reason.isna().to_numpy()].mean() < 0.006
    strong = truth[(truth["rescue"] > 0.5) | (truth["toxicity"] > 1)]
    keys = pd.MultiIndex.from_frame(strong[["experiment", "treatment", "dose_um"]])
    mine = pd.MultiIndex.from_frame(
        wells.obs[["experiment", "treatment", "dose_um"]].astype({"experiment": str, "treatment": object})
    ).isin(keys)
    assert flagged[mine & reason.isna().to_numpy()].mean() < 0.02


def test_the_compounds_of_a_real_cell_painting_screen_keep_their_wells(real_data):
    """Strong compounds and strong positive controls are no failures, whichever control is called mock."""
    wells = to_wells(open_screen(real_data / "screens" / "dahlin_u2os"))
    flagged = wells.obs["qc_flag"].astype(str) != ""
    treated = wells.obs["treatment"].notna()
    share = flagged[treated].groupby(wells.obs["treatment"][treated].astype(str)).mean()
    assert share.max() < 1
    for name in ("AZD 1152-HQPA", "dasatinib"):
        mine = share[share.index.str.contains(name, case=False, regex=False)]
        assert len(mine)
        assert mine.max() == 0
    control = ~treated & (wells.obs["condition"].astype(str) == "mock")
    assert flagged[control].sum() <= 3


def test_counts_that_come_back_did_not_fail(real_data):
    """A virus that kills nine cells of ten, counted: wells that come back are far from the bulk, and none failed."""
    folder = real_data.parent / "cases" / "counts-few-survive"
    if not folder.is_dir():
        pytest.skip(f"no case at {folder}")
    wells = to_wells(open_screen(folder))
    assert not (wells.obs["qc_flag"].astype(str) != "")[wells.obs["treatment"].notna()].any()
    assert (wells.obs["qc_flag"].astype(str) != "").mean() < 0.02


def test_many_features_make_no_good_well_look_far():
    """With as many features as differences between replicates, those that taught the noise look too quiet."""
    rng = np.random.default_rng(0)
    tables = []
    for plate in ("P1", "P2", "P3"):
        place = rng.permutation(384)
        tables.append(
            pd.DataFrame({
                "experiment": "E", "plate_id": plate, "condition": ["mock"] * 20 + ["infected"] * 364,
                "treatment": [None] * 84 + [f"c{i}" for i in range(300)], "dose_um": 1.0,
                "row": place // 24 + 1, "col": place % 24 + 1,
            })
        )  # fmt: skip
    obs = pd.concat(tables)
    obs.index = [f"w{i}" for i in range(len(obs))]
    X = rng.normal(size=(len(obs), 600)) @ np.diag(np.linspace(0.2, 3, 600))
    X[(obs["condition"] == "mock").to_numpy(), :5] += 8
    wells = ad.AnnData(X.astype(np.float32), obs=obs)
    failed = rng.choice(len(obs), 30, replace=False)
    wells.X[failed] += 100 * rng.normal(size=(30, 600)).astype(np.float32) / np.sqrt(600) * 3
    flagged = flag_wells(wells) != ""
    assert flagged[failed].mean() > 0.9
    assert np.delete(flagged, failed).mean() < 0.005
