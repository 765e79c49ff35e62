"""Projections of a screen, put into words."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.pages.tour import projections
from helpers.study.projections import Projection, project_wells
from pages.tour.tour import screen


@pytest.fixture(scope="module")
def wells() -> ad.AnnData:
    """Return 430 wells of four features: the first tells experiments apart, the second conditions."""
    table = pd.concat([screen()] * 10)
    table.index = [f"{name}_{i}" for i, name in enumerate(table.index)]
    X = np.random.default_rng(0).standard_normal((len(table), 4)).astype(np.float32)
    X[:, 0] += 100 * (table["experiment"] == "E-2").to_numpy()
    X[:, 1] += 10 * (table["condition"] == "infected").to_numpy()
    return ad.AnnData(X, obs=table)


@pytest.fixture(scope="module")
def whole(wells) -> Projection:
    return project_wells(wells, max_wells=10**4)


@pytest.mark.slow
def test_what_explains_a_component_is_found(whole):
    table = projections.explained_by(whole.points)
    assert table.loc["PC 1", "experiment"] > 0.99
    assert table.loc["PC 2", "condition"] > 0.9
    assert table.loc["PC 2", "experiment"] < 0.1
    text = projections.components_found(whole)
    assert text.startswith("All 430 wells are shown.")
    assert "What the eye sees first is mostly experiment." in text
    assert 5 < float(projections.experiments_apart(whole).split("lie ")[1].split(" ")[0]) < 20
    shown = projections.explained_table(whole.points, ("row", "dose_um"))
    assert list(shown) == [
        "component",
        "share of variance (%)",
        "explained by row (%)",
        "explained by dose (%)",
    ]


def test_explained_share_is_one_way_r_squared():
    wells = screen()
    components = wells.assign(pc_1=wells["plate"].astype(float), pc_2=np.arange(len(wells)) % 2)
    components.attrs["explained"] = [0.75, 0.25]
    table = projections.explained_by(components)
    assert table.loc["PC 1", "plate"] == pytest.approx(1)
    fine = components[components["qc_flag"] == ""]
    means = fine.groupby("experiment", observed=True)["pc_2"].transform("mean")
    assert table.loc["PC 2", "experiment"] == pytest.approx(means.var() / fine["pc_2"].var())
    text = projections.components_found(Projection(components, pd.DataFrame(), len(components)))
    assert "PC 1 holds 75 % and PC 2 holds 25 %" in text
    assert "a plate belongs to one experiment, so plates explain at least as much" in text
    assert "mostly experiment." in text, "the coarser of two that explain alike"


@pytest.mark.slow
def test_neighbours_are_told_with_chance_beside(whole):
    text = projections.neighbors_found(whole)
    assert "100 % share its experiment (chance: 56 %)" in text
    assert text.endswith("beyond chance they go by experiment first of all.")


@pytest.mark.slow
def test_a_sample_is_called_one(wells):
    some = project_wells(wells, max_wells=100)
    assert len(some.points) == 100
    assert projections.drawn_wells(some) == "Of 430 wells, 100 drawn at random are shown."


def test_without_embeddings_everything_says_so(wells):
    bare = ad.AnnData(np.zeros((wells.n_obs, 0), np.float32), obs=wells.obs)
    nothing = project_wells(bare, max_wells=100)
    assert "no embeddings" in projections.components_found(nothing)
    assert "no embeddings" in projections.neighbors_found(nothing)
    assert projections.experiments_apart(nothing) == ""
    assert "no embeddings" in projections.variance_found(pd.DataFrame())


def test_one_feature_has_no_map(wells):
    one = project_wells(wells[:, :1], max_wells=10**4)
    assert "umap_1" not in one.points
    assert "too few features" in projections.neighbors_found(one)


def test_variance_is_told_as_where_and_when_against_what_was_done():
    rows = [
        ("raw", "experiment", 0.6), ("raw", "plate", 0.2), ("raw", "condition", 0.04), ("raw", "arm", 0.04),
        ("raw", "well", 0.12), ("plate_center", "plate", 0.1), ("plate_center", "condition", 0.1),
        ("plate_center", "arm", 0.1), ("plate_center", "well", 0.7),
    ]  # fmt: skip
    text = projections.variance_found(pd.DataFrame(rows, columns=["recipe", "factor", "share"]))
    assert "with `raw`, 60 % experiment and 20 % plate (where and when), 8 % condition and arm" in text
    assert text.endswith("The ratio of what was done to where and when goes from 0.1 to 2.")
