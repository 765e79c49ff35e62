"""Estimates against the truth, where there is one."""

import numpy as np
import pandas as pd

from helpers.figures.truth import plot_truth


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_truth_has_the_line_of_agreement():
    table = pd.DataFrame(
        {"rescue": [0.1, 0.9], "rescue_true": [0.0, 1.0], "kind": ["inert", "rescuing_toxic"]}
    )
    ax = plot_truth(table, classes="kind")
    line = ax.lines[0]
    np.testing.assert_allclose(line.get_xdata(), line.get_ydata())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true rescue", "estimated rescue")
    assert [t.get_text() for t in ax.figure.legends[0].get_texts()] == ["inert", "rescuing toxic"]


def test_measured_screens_have_no_truth(arms):
    assert "No truth" in texts(plot_truth(arms.head(0)))[0]
