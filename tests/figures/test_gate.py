"""The gate: where its line stands, and which plates fail."""

import numpy as np

from helpers.figures.gate import plot_gate


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
