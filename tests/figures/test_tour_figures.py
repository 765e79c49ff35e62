"""Figures of the dataset tour: the gate, failures, landing places, variance, structures and projections."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import (
    plot_failures,
    plot_gate,
    plot_landing,
    plot_projections,
    plot_stains,
    plot_structures,
    plot_variance,
    principal_components,
)
from helpers.figures.compounds import structure_picture
from helpers.figures.failures import MOST_PLATES
from helpers.figures.variance import LOOKS


def words(figure) -> str:
    """Return the text of a figure that draws a sentence."""
    return " ".join(text.get_text().replace("\n", " ") for ax in figure.axes for text in ax.texts)


class TestGate:
    def test_the_line_stands_at_the_gate_and_failing_plates_are_hollow(self, quality):
        figure = plot_gate(quality.assign(passes=[False, True, True, True]), 0.35)
        solid = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
        assert [line.get_xdata()[0] for line in solid] == [0.35]
        robust = figure.axes[0].collections[1]
        np.testing.assert_allclose(robust.get_offsets()[:, 0], quality["z_prime_robust"])
        assert [tuple(face[:3]) == (1, 1, 1) for face in robust.get_facecolors()] == [
            True,
            False,
            False,
            False,
        ]
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert "the gate: robust Z′ of 0.35" in labels

    def test_four_measures_have_their_axes(self, quality):
        labels = [ax.get_xlabel().split("\n")[0] for ax in plot_gate(quality).axes]
        assert labels == ["Z′", "SSMD", "AUROC"]
        assert "(no unit)" in plot_gate(quality).axes[1].get_xlabel()

    def test_a_hopeless_plate_stands_on_the_edge(self, quality):
        ax = plot_gate(quality.assign(z_prime_robust=[-50.0, 0.1, 0.2, 0.3])).axes[0]
        assert ax.get_xlim()[0] > -4
        assert ax.collections[1].get_offsets()[0, 0] == -3

    def test_without_quality_a_sentence_stands_there(self, quality):
        assert "cannot be measured" in words(plot_gate(quality.head(0)))


class TestFailures:
    def test_bars_and_map_count_the_failed_wells(self, wells):
        figure = plot_failures(wells)
        bars, chart = figure.axes[:2]
        failed = wells[wells["qc_flag"] != ""]
        assert sum(bar.get_width() for bar in bars.patches) == len(failed)
        shown = chart.images[0].get_array()
        assert np.nansum(shown) == len(failed)
        row, col = failed[["row", "col"]].iloc[0]
        same = ((failed["row"] == row) & (failed["col"] == col)).sum()
        assert shown[row - 1, col - 1] == same
        assert figure.axes[-1].get_xlabel() == "plates on which the well failed"

    def test_of_many_plates_the_worst_are_drawn(self, wells):
        many = [
            wells[wells["plate_id"] == "HRCE-1_1"].assign(plate_id=f"E_{i}").head(20 + i) for i in range(30)
        ]
        table = pd.concat(many).assign(qc_flag="failed")
        bars = plot_failures(table).axes[0]
        names = [text.get_text() for text in bars.get_yticklabels()]
        assert len(names) == MOST_PLATES
        assert set(names) == {f"E_{i}" for i in range(10, 30)}
        assert "the worst 20 of 30" in (bars.get_title(loc="left") or bars.get_title())

    def test_without_failures_a_sentence_stands_there(self, wells):
        assert "No well" in words(plot_failures(wells.assign(qc_flag="")))


class TestLanding:
    def test_every_kind_has_a_row_and_its_median(self, wells):
        figure = plot_landing(wells)
        labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert labels == [
            "mock", "UV-inactivated", "infected, untreated", "infected, treated", "blank", "failed, any kind",
        ]  # fmt: skip
        fine = wells[(wells["qc_flag"] == "") & (wells["condition"] == "mock")]
        medians = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linewidth() == 2]
        assert medians[0] == pytest.approx(fine["on_disease"].median())

    def test_units_are_on_the_axes(self, wells):
        labels = [ax.get_xlabel() for ax in plot_landing(wells).axes]
        assert labels == ["on-disease\n(0 = mock, 1 = infected)", "off-disease\n(axis lengths)"]

    def test_without_scores_a_sentence_stands_there(self, wells):
        assert "nothing can be scored" in words(plot_landing(wells.assign(on_disease=np.nan)))


class TestVariance:
    SHARES = pd.DataFrame(
        {
            "recipe": ["raw"] * 3 + ["plate_center"] * 2,
            "factor": ["experiment", "plate", "well", "plate", "well"],
            "share": [0.6, 0.15, 0.25, 0.02, 0.98],
        }
    )

    def test_parts_add_up_and_large_ones_are_labelled(self):
        ax = plot_variance(self.SHARES)
        widths = {(p.get_y(), round(p.get_x(), 6)): p.get_width() for p in ax.patches}
        assert sum(w for (y, _), w in widths.items() if y < 0.5) == pytest.approx(100)
        assert sorted(text.get_text() for text in ax.texts) == ["15", "25", "60", "98"]
        assert [t.get_text() for t in ax.get_yticklabels()] == ["raw", "plate_center"]

    def test_parts_can_be_told_apart_in_grey(self):
        from matplotlib.colors import to_rgb

        grey = {name: np.dot(to_rgb(color), (0.299, 0.587, 0.114)) for name, (_, color, _) in LOOKS.items()}
        hatch = {name: look[2] for name, look in LOOKS.items()}
        names = list(LOOKS)
        for a, b in [(a, b) for i, a in enumerate(names) for b in names[:i]]:
            assert abs(grey[a] - grey[b]) > 0.12 or hatch[a] != hatch[b], (a, b)

    def test_without_embeddings_a_sentence_stands_there(self):
        assert "no variance" in words(plot_variance(self.SHARES.head(0)).figure)


class TestStructures:
    def test_each_compound_has_its_panel(self):
        table = pd.DataFrame({"treatment": ["a", "b" * 40], "smiles": ["CCO", None]})
        figure = plot_structures(table)
        assert [ax.get_title() for ax in figure.axes] == ["a", "b" * 23 + "…"]
        assert len(figure.axes[0].images) == 1
        assert "no structure" in words(figure)

    def test_different_structures_are_different_pictures_in_grey(self):
        ethanol, benzene = structure_picture("CCO"), structure_picture("c1ccccc1")
        assert ethanol.shape == benzene.shape
        assert (ethanol != benzene).any()
        assert np.ptp(ethanol.astype(int), axis=2).max() == 0  # no colour
        assert structure_picture("not a structure") is None
        assert structure_picture(float("nan")) is None

    @pytest.mark.parametrize("smiles", [[], [None]])
    def test_without_structures_a_sentence_stands_there(self, smiles):
        table = pd.DataFrame({"treatment": ["a"] * len(smiles), "smiles": smiles}, dtype=object)
        assert "structures" in words(plot_structures(table))


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


def test_without_an_image_a_sentence_stands_there():
    assert "No images" in words(plot_stains(None))
