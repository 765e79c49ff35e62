"""Coordinates of wells: what they are fitted on, and what neighbours have in common."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.profiles.projection import map_neighbors, neighbor_shares, principal_components, sample_wells
from made_up import made_up_wells


@pytest.fixture(scope="module")
def islands():
    """Return wells whose experiments lie far apart on one feature, and whose plates do on another."""
    wells = made_up_wells()
    X = np.random.default_rng(2).standard_normal((len(wells), 8)).astype(np.float32)
    X[:, 0] += 100 * (wells["experiment"] == "VERO-1").to_numpy()
    X[:, 1] += 20 * (wells["plate"] == 2).to_numpy()
    return ad.AnnData(X, obs=wells.assign(qc_flag=""))


def test_centring_by_experiment_takes_the_islands_away(islands):
    raw = principal_components(islands, 3)
    within = principal_components(islands, 3, center_by="experiment")
    assert raw.attrs["explained"][0] > 0.9
    means = within.groupby("experiment", observed=True)["pc_1"].mean()
    assert abs(means.diff().iloc[-1]) < 1e-3
    plates = within.groupby("plate", observed=True)["pc_1"].mean()
    assert abs(plates.diff().iloc[-1]) == pytest.approx(20, rel=0.05)


def test_components_are_those_of_scikit_learn(islands):
    from sklearn.decomposition import PCA

    mine = principal_components(islands, 3)
    model = PCA(3).fit(islands.X)
    assert mine.attrs["explained"] == pytest.approx(model.explained_variance_ratio_, rel=1e-4)
    theirs = model.transform(islands.X)
    for i in range(3):
        assert abs(np.corrcoef(mine[f"pc_{i + 1}"], theirs[:, i])[0, 1]) > 0.9999


def test_samples_keep_the_order_and_depend_on_the_seed(islands):
    some = sample_wells(islands, 500, seed=1)
    assert some.n_obs == 500
    assert np.all(np.diff(islands.obs.index.get_indexer(some.obs.index)) > 0)
    assert list(some.obs.index) == list(sample_wells(islands, 500, seed=1).obs.index)
    assert list(some.obs.index) != list(sample_wells(islands, 500, seed=2).obs.index)
    assert sample_wells(islands, 10**6) is islands


def test_shares_of_neighbours_are_counted():
    table = pd.DataFrame({"experiment": ["a", "a", "b", "b"], "plate_id": ["a1", "a2", "b1", "b1"]})
    table = table.assign(condition="mock", treatment=None)
    neighbors = np.array([[1, 2], [0, 2], [3, 0], [2, 0]])
    shares = neighbor_shares(table, neighbors).set_index("column")
    assert list(shares.index) == ["experiment", "plate"]  # one condition tells nothing
    assert shares.loc["experiment"].tolist() == [0.5, 0.5]
    assert shares.loc["plate"].tolist() == [0.25, pytest.approx(6 / 16)]


@pytest.mark.slow
def test_a_map_of_neighbours_keeps_groups_together_without_a_word(islands, capfd, recwarn):
    some = sample_wells(islands, 400)
    components = principal_components(some, 8)
    points, neighbors = map_neighbors(components, seed=3)
    shares = neighbors.set_index("column")["share"]
    assert shares["experiment"] == 1
    assert shares["plate"] > 0.99
    experiment = (components["experiment"] == "VERO-1").to_numpy()
    centres = [points[experiment].mean(), points[~experiment].mean()]
    near = np.linalg.norm(points - centres[0], axis=1) < np.linalg.norm(points - centres[1], axis=1)
    assert (near == experiment).mean() > 0.9
    again, _ = map_neighbors(components, seed=3)
    pd.testing.assert_frame_equal(points, again)
    assert capfd.readouterr() == ("", "")
    assert not [w for w in recwarn if "umap" in str(w.filename)]


def test_few_features_or_wells_make_no_map(islands):
    for wells, n in ((islands, 2), (islands[:20], 8)):
        points, neighbors = map_neighbors(principal_components(wells, n))
        assert points.shape[1] == 0
        assert neighbors.empty


@pytest.fixture
def embedded():
    """Return wells whose first feature separates the experiments and whose flagged wells are far out on the last."""
    wells = made_up_wells()
    X = 0.1 * np.random.default_rng(1).standard_normal((len(wells), 5)).astype(np.float32)
    X[:, 0] += 3 * (wells["experiment"] == "VERO-1").to_numpy()
    X[:, 4] += 1000 * (wells["qc_flag"] != "").to_numpy()
    return ad.AnnData(X, obs=wells)


def test_failed_wells_do_not_steer_the_components(embedded):
    table = principal_components(embedded)
    by_experiment = table.groupby("experiment", observed=True)["pc_1"].mean()
    assert abs(by_experiment.diff().iloc[-1]) == pytest.approx(3, rel=0.02)
    assert table.attrs["explained"][0] > 0.9
    assert len(table) == embedded.n_obs
