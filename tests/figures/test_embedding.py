"""Projections: what is fitted on what, and what is drawn."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.figures.embedding import plot_embedding, plot_embeddings, plot_projections
from helpers.profiles.projection import principal_components


@pytest.fixture
def embedded(wells):
    """Return wells whose first feature separates the experiments and whose flagged wells are far out on the last."""
    X = 0.1 * np.random.default_rng(1).standard_normal((len(wells), 5)).astype(np.float32)
    X[:, 0] += 3 * (wells["experiment"] == "VERO-1").to_numpy()
    X[:, 4] += 1000 * (wells["qc_flag"] != "").to_numpy()
    return ad.AnnData(X, obs=wells)


def test_components_are_as_many_as_there_are_features(wells):
    one = ad.AnnData(np.random.default_rng(0).standard_normal((len(wells), 1)).astype("f4"), obs=wells)
    table = principal_components(one, 4)
    assert [c for c in table if c.startswith("pc_")] == ["pc_1"]
    assert plot_embedding(table).get_ylabel() == "spread at random"


def test_design_without_embeddings_says_so(wells):
    table = principal_components(ad.AnnData(np.zeros((len(wells), 0), "f4"), obs=wells))
    assert "no embeddings" in plot_embedding(table).texts[0].get_text()
    assert "no embeddings" in plot_embeddings(table, ["condition"]).axes[0].texts[0].get_text()


def test_labels_give_the_share_of_variance(embedded):
    table = principal_components(embedded)
    share = table.attrs["explained"][0]
    assert plot_embedding(table).get_xlabel() == f"PC 1 ({share:.0%} of variance)".replace("%", " %")


def test_conditions_have_their_own_markers(embedded):
    ax = plot_embedding(principal_components(embedded))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["mock", "UV-inactivated", "infected, untreated", "infected, treated", "blank"]
    assert sum(len(points.get_offsets()) for points in ax.collections) == embedded.n_obs


def test_many_classes_become_a_scale(embedded):
    table = principal_components(embedded)
    figure = plot_embedding(table, "row").figure
    assert figure.axes[-1].get_xlabel() == "row"


def test_doses_are_coloured_on_a_logarithmic_scale(embedded):
    table = principal_components(embedded)
    ax = plot_embedding(table, "dose_um")
    assert len(ax.collections[-1].get_offsets()) == table["dose_um"].notna().sum()
    assert len(ax.collections[0].get_offsets()) == table["dose_um"].isna().sum()
    assert ax.figure.axes[-1].get_xscale() == "log"


def test_columns_with_one_value_get_no_panel(embedded):
    one = embedded[(embedded.obs["plate_id"] == "HRCE-1_1").to_numpy()].copy()
    figure = plot_embeddings(principal_components(one), ["condition", "experiment", "plate", "row"])
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes]
    assert [t for t in titles if t] == ["by condition", "by row"]


def test_far_wells_are_pulled_to_the_frame():
    table = pd.DataFrame(
        {"condition": "mock", "treatment": None, "pc_1": [*np.linspace(0, 1, 999), 1e6], "pc_2": 0.0}
    )
    assert plot_embedding(table).get_xlim()[1] < 3


class TestProjections:
    @pytest.fixture
    def points(self, wells):
        import anndata as ad

        X = np.random.default_rng(0).standard_normal((len(wells), 4)).astype(np.float32)
        table = principal_components(ad.AnnData(X, obs=wells), 2)
        return table.assign(umap_1=X[:, 2], umap_2=X[:, 3])

    def test_every_colouring_has_both_views_and_one_key(self, points):
        figure = plot_projections(points, ["condition", "plate", "dose_um", "cell_type"])
        titles = [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes]
        assert [t for t in titles if t] == [
            "by condition: components", "neighbours", "by plate: components", "neighbours", "by dose: components",
            "neighbours",
        ]  # fmt: skip
        parts = figure.subfigs
        assert [len(part.legends) for part in parts] == [1, 1, 0]
        scale = [ax for ax in figure.axes if ax.get_xlabel() == "dose (µM)"]
        assert [t.get_text() for t in scale[0].get_xticklabels()] == ["0.01", "0.1", "1"]

    def test_without_a_map_the_components_stand_alone(self, points):
        figure = plot_projections(points.drop(columns=["umap_1", "umap_2"]), ["condition", "row"])
        titles = [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes]
        assert [t for t in titles if t] == ["by condition", "by row"]
