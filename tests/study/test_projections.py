"""Wells in few dimensions: a sample, its components, its map, and what is kept of them."""

import numpy as np
import pandas as pd
import pytest

from helpers.profiles.projection import principal_components, sample_wells
from helpers.study.projections import KEPT, project_wells

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def projected(few):
    wells = few.copy()
    wells.obs["pc_1"] = "a column of the user's"
    return project_wells(wells, max_wells=300, center_by="experiment", seed=3)


def test_points_are_the_sample_with_components_and_a_map(few, projected):
    sample = sample_wells(few, 300, seed=3)
    assert projected.n_wells == few.n_obs
    points = projected.points
    assert points.index.tolist() == sample.obs_names.tolist()
    pd.testing.assert_frame_equal(points[list(sample.obs)], sample.obs)
    components = principal_components(sample, 50, center_by="experiment")
    for name in ("pc_1", "pc_2"):
        np.testing.assert_allclose(points[name], components[name], rtol=1e-4, atol=1e-4)
    assert points[["umap_1", "umap_2"]].notna().all(axis=None)
    assert f"pc_{KEPT}" in points
    assert f"pc_{KEPT + 1}" not in points


def test_the_shares_of_the_components_come_along(projected):
    explained = projected.points.attrs["explained"]
    assert len(explained) == KEPT
    assert explained == sorted(explained, reverse=True)
    assert 0 < sum(explained) <= 1


def test_neighbours_are_told_with_chance_beside(projected):
    assert {"column", "share", "chance"} <= set(projected.neighbors)
    assert projected.neighbors["share"].between(0, 1).all()


def test_a_design_has_points_without_places(few):
    bare = project_wells(few[:, :0].copy(), max_wells=100)
    assert len(bare.points) == 100
    assert not [name for name in bare.points if name.startswith(("pc_", "umap_"))]
    assert bare.neighbors.empty
