"""Ranks show every compound at its numbers, in the colour of its call."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.figures.ranking import plot_rank, plot_ranks, plot_top
from helpers.hits.deciding import best_arms, deciding_arms


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_rank_plot_draws_each_compound_at_its_rank(arms, hits):
    ranked = best_arms(hits, arms)
    one = ranked[ranked["experiment"] == "HRCE-1"]
    _, ax = plt.subplots()
    assert plot_rank(one, ax=ax) is ax
    drawn = np.vstack([c.get_offsets() for c in ax.collections[1:] if len(c.get_offsets())])
    assert len(drawn) == len(one)
    np.testing.assert_allclose(drawn[np.argsort(drawn[:, 0])][:, 1], one.sort_values("rank")["rescue_max"])


def test_rank_plot_draws_the_intervals(arms, hits):
    ranked = best_arms(hits, arms).query("experiment == 'HRCE-1'")
    segments = np.array(plot_rank(ranked).collections[0].get_segments())
    np.testing.assert_allclose(segments[:, :, 1], ranked[["rescue_low", "rescue_high"]])


def test_rank_plot_names_the_first(arms, hits):
    ranked = best_arms(hits, arms).query("experiment == 'HRCE-1'")
    assert set(texts(plot_rank(ranked, label=3))) == set(ranked.nsmallest(3, "rank")["treatment"])


def test_ranks_have_a_panel_per_experiment(arms, hits):
    figure = plot_ranks(deciding_arms(hits, arms))
    assert [ax.get_title() for ax in figure.axes] == ["HRCE-1", "VERO-1"]
    assert "rescue, off target" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_top_lists_names_and_doses(arms, hits):
    ax = plot_top(deciding_arms(hits, arms), n=4).axes[0]
    expected = hits[hits["experiment"] == "HRCE-1"].nsmallest(4, "rank")
    assert [label.get_text() for label in ax.get_yticklabels()] == expected["treatment"].tolist()
    assert texts(ax) == [f"{dose:g} µM" for dose in expected["dose_at_max_um"]]


@pytest.mark.parametrize("plot", [plot_ranks, plot_top])
def test_nothing_to_rank_is_said(plot, arms, hits):
    assert "No compound can be scored" in texts(plot(deciding_arms(hits.head(0), arms.head(0))).axes[0])[0]
