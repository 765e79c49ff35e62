"""Ranks, planes and volcanoes show every compound at its numbers, in the colour of its call."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.figures import best_arms, plot_on_off, plot_rank, plot_ranks, plot_top, plot_truth, plot_volcano
from helpers.hits.deciding import deciding_arms


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_best_arm_brings_its_interval(arms, hits):
    table = best_arms(hits, arms)
    assert len(table) == len(hits)
    np.testing.assert_allclose(table["rescue_low"], table["rescue_max"] - 0.1)
    np.testing.assert_allclose(table["rescue_high"], table["rescue_max"] + 0.1)


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
    figure = plot_ranks(hits, arms)
    assert [ax.get_title() for ax in figure.axes] == ["HRCE-1", "VERO-1"]
    assert "rescue, off target" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_top_lists_names_and_doses(arms, hits):
    ax = plot_top(hits, arms, n=4).axes[0]
    expected = hits[hits["experiment"] == "HRCE-1"].nsmallest(4, "rank")
    assert [label.get_text() for label in ax.get_yticklabels()] == expected["treatment"].tolist()
    assert texts(ax) == [f"{dose:g} µM" for dose in expected["dose_at_max_um"]]


def test_plane_turns_rescue_into_on_disease(arms, hits):
    ax = plot_on_off(arms, hits)
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    expected = np.column_stack([1 - arms["rescue"], arms["off_disease"]])
    distance = np.abs(drawn[:, None] - expected[None]).max(axis=-1)
    assert distance.min(axis=0).max() < 1e-9, "every arm stands at its scores"
    high = ax.get_ylim()[1]
    arrowheads = drawn[distance.min(axis=1) > 1e-9]
    assert len(arrowheads) == (arms["off_disease"] > high).sum()
    assert np.all(arrowheads[:, 1] == high)


def test_plane_of_one_feature_has_a_height(arms, hits):
    assert plot_on_off(arms.assign(off_disease=0.0), hits).get_ylim() == pytest.approx((-0.002, 0.1))


def test_chance_alone_is_shaded_to_its_share(arms, hits):
    rng = np.random.default_rng(0)
    known = arms.assign(null_sd=0.1, off_limit=np.sqrt(0.04 * stats.norm.isf(0.001)))
    ax = plot_on_off(known, hits)
    assert "chance alone: about 50, 95, 99.9 %" in [t.get_text() for t in ax.figure.legends[0].get_texts()]
    on = 1 + 0.1 * rng.standard_normal(20_000)
    off = np.sqrt(np.maximum(0.04 * rng.standard_normal(20_000), 0))
    inside = [p.get_path().contains_points(np.column_stack([on, off + 1e-6])) for p in ax.patches]
    assert [i.mean() for i in inside] == pytest.approx([0.5, 0.95, 0.999], abs=0.01)
    assert not plot_on_off(arms.drop(columns="off_limit", errors="ignore"), hits).patches


@pytest.mark.parametrize(("plot", "place"), [(plot_on_off, (1 - 90.0, 0)), (plot_volcano, (90.0, 0))])
def test_no_arm_is_dropped_and_far_ones_are_arrowheads(arms, hits, plot, place):
    far = arms.copy()
    far.loc[5, "rescue"] = 90.0
    ax = plot(far, hits)
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    left, right = ax.get_xlim()
    assert right - left < 10
    edge = left if place[0] < 0 else right
    assert edge in drawn[:, 0]
    assert np.sum((drawn[:, 0] > left) & (drawn[:, 0] < right)) >= len(arms) - 1
    assert np.sum(drawn[:, 0] == edge) == 1
    assert "beyond the edge" in [t.get_text() for t in ax.figure.legends[0].get_texts()]


def test_compounds_that_worsen_are_drawn_where_they_do(arms, hits):
    table = deciding_arms(hits, arms).set_index(["experiment", "treatment"])
    best = best_arms(hits, arms).set_index(["experiment", "treatment"])
    worst = (
        arms.astype({"experiment": str, "treatment": str})
        .groupby(["experiment", "treatment"])["rescue"]
        .min()
    )
    harm = table["call"] == "worsens"
    assert harm.sum() > 5
    np.testing.assert_allclose(table.loc[harm, "rescue_max"], worst[table.index[harm]])
    np.testing.assert_allclose(table.loc[harm, "rescue_low"], table.loc[harm, "rescue_max"] - 0.1)
    pd.testing.assert_frame_equal(table[~harm], best[~harm])
    assert (best.loc[harm, "rescue_max"] > table.loc[harm, "rescue_max"]).all()


def test_volcano_marks_the_rate_and_the_hypothesis(arms, hits):
    ax = plot_volcano(arms, hits, fdr=0.1, min_rescue=0.2)
    levels = [line.get_ydata()[0] for line in ax.lines if line.get_ydata()[0] == line.get_ydata()[1]]
    assert 1.0 in levels
    assert 0.2 in [line.get_xdata()[0] for line in ax.lines]
    assert texts(ax) == [" q = 0.1"]


def test_volcano_is_cut(arms, hits):
    ax = plot_volcano(arms.assign(q_value=1e-80), hits)
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    assert np.all(drawn[:, 1] == 10)


@pytest.mark.parametrize("plot", [plot_ranks, plot_top])
def test_nothing_to_rank_is_said(plot, arms, hits):
    assert "No compound can be scored" in texts(plot(hits.head(0), arms.head(0)).axes[0])[0]


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
