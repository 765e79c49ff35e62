import numpy as np
import pandas as pd
import pytest

from helpers.profiles import to_wells
from helpers.screens import make_twin, open_screen

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
    from helpers.profiles.qc import find_failed

    wells = tiny_wells[tiny_wells.obs["plate_id"] == tiny_wells.obs["plate_id"].iloc[0]]
    good = (wells.obs["qc_flag"] == "").to_numpy() & (wells.obs["condition"] == "mock").to_numpy()
    chosen = np.flatnonzero(good)[::2]
    X = np.array(wells.X)
    X[chosen] += 5 * np.linalg.norm(X.std(axis=0)) * np.eye(X.shape[1], dtype=np.float32)[0]
    failed = find_failed(X, wells.obs)
    assert failed[chosen].all()
    assert failed[np.setdiff1d(np.flatnonzero(good), chosen)].mean() < 0.1
