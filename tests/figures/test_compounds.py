"""Structures are drawn, or a sentence says that there are none."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import plot_structures
from helpers.figures.compounds import structure_picture


def words(figure) -> str:
    """Return the text of a figure that draws a sentence."""
    return " ".join(text.get_text().replace("\n", " ") for ax in figure.axes for text in ax.texts)


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
