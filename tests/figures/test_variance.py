"""Shares of variance add up, and can be told apart in grey."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import plot_variance
from helpers.figures.variance import LOOKS


def words(figure) -> str:
    """Return the text of a figure that draws a sentence."""
    return " ".join(text.get_text().replace("\n", " ") for ax in figure.axes for text in ax.texts)


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
