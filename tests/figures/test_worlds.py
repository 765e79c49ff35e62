"""One panel per promise, one row per world, and the line that was promised."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from helpers.figures import plot_worlds
from helpers.figures.worlds import BROKEN, KEPT


def title_of(ax):
    """Return a title wherever the style in use sets it."""
    return "".join(ax.get_title(loc) for loc in ("left", "center", "right"))


LABELS = {"coverage": "intervals", "power_strong": "found", "regret": "regret"}


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({
        "world": ["calm", "rough"] * 2, "promise": ["coverage"] * 2 + ["power_strong"] * 2,
        "value": [0.95, 0.9, 1.0, 0.86], "se": [0.01, None, 0.0, 0.02],
        "low": [0.92, 0.92, 0.95, 0.85], "high": [0.98, 0.98, None, None], "kept": [True, False, True, True],
    })  # fmt: skip


def test_promises_that_were_counted_have_a_panel(table):
    figure = plot_worlds(table, LABELS)
    titles = [title_of(ax) for ax in figure.axes if ax.axison]
    assert titles == ["intervals", "found"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["calm", "rough"]
    plt.close(figure)


def test_what_is_broken_is_told_by_shape_and_not_by_colour_alone(table):
    figure = plot_worlds(table, LABELS)
    marks = [line.get_marker() for line in figure.axes[0].lines if line.get_marker() in (KEPT, BROKEN)]
    assert marks == [KEPT, BROKEN]
    plt.close(figure)


def test_errors_reach_two_standard_errors(table):
    figure = plot_worlds(table, LABELS)
    bar = figure.axes[0].containers[0].get_children()[-1].get_segments()[0]
    assert bar[:, 0].tolist() == pytest.approx([0.93, 0.97])
    plt.close(figure)


def test_without_a_count_a_sentence_stands_there(table):
    figure = plot_worlds(table.head(0), LABELS)
    assert "Nothing was counted" in "".join(text.get_text() for text in figure.axes[0].texts)
    plt.close(figure)
