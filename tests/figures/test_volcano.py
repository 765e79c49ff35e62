"""Effect against evidence: every arm at its numbers, cut where numbers are extrapolated."""

import numpy as np

from helpers.figures.volcano import plot_volcano
from helpers.hits.deciding import with_calls


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_volcano_marks_the_rate_and_the_hypothesis(arms, hits):
    ax = plot_volcano(with_calls(arms, hits), fdr=0.1, min_rescue=0.2)
    levels = [line.get_ydata()[0] for line in ax.lines if line.get_ydata()[0] == line.get_ydata()[1]]
    assert 1.0 in levels
    assert 0.2 in [line.get_xdata()[0] for line in ax.lines]
    assert texts(ax) == [" q = 0.1"]


def test_volcano_is_cut(arms, hits):
    ax = plot_volcano(with_calls(arms.assign(q_value=1e-80), hits))
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    assert np.all(drawn[:, 1] == 6)


def test_no_arm_is_dropped_and_far_ones_are_arrowheads(arms, hits):
    far = arms.copy()
    far.loc[5, "rescue"] = 90.0
    ax = plot_volcano(with_calls(far, hits))
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    left, right = ax.get_xlim()
    assert right - left < 10
    assert np.sum((drawn[:, 0] > left) & (drawn[:, 0] < right)) >= len(arms) - 1
    assert np.sum(drawn[:, 0] == right) == 1
    assert "beyond the edge" in [t.get_text() for t in ax.figure.legends[0].get_texts()]


def test_arms_without_evidence_are_said(arms, hits):
    none = with_calls(arms.assign(q_value=np.nan), hits)
    assert "No arm has a q-value" in plot_volcano(none).texts[0].get_text()
