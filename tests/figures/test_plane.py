"""The plane of the two scores shows every arm, and shades what chance does."""

import numpy as np
import pytest

from helpers.figures.plane import plot_on_off
from helpers.hits.contours import chance_contours
from helpers.hits.deciding import with_calls


def test_plane_turns_rescue_into_on_disease(arms, hits):
    ax = plot_on_off(with_calls(arms, hits))
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    expected = np.column_stack([1 - arms["rescue"], arms["off_disease"]])
    distance = np.abs(drawn[:, None] - expected[None]).max(axis=-1)
    assert distance.min(axis=0).max() < 1e-9, "every arm stands at its scores"
    high = ax.get_ylim()[1]
    arrowheads = drawn[distance.min(axis=1) > 1e-9]
    assert len(arrowheads) == (arms["off_disease"] > high).sum()
    assert np.all(arrowheads[:, 1] == high)


def test_plane_of_one_feature_has_a_height(arms, hits):
    called = with_calls(arms.assign(off_disease=0.0), hits)
    assert plot_on_off(called).get_ylim() == pytest.approx((-0.002, 0.1))


def test_chance_alone_is_shaded_to_its_share(arms, hits):
    rng = np.random.default_rng(0)
    known = arms.assign(null_sd=0.1, off_square_sd=0.04)
    ax = plot_on_off(with_calls(known, hits), chance_contours(known))
    assert "chance alone: about 50, 95, 99.9 %" in [t.get_text() for t in ax.figure.legends[0].get_texts()]
    on = 1 + 0.1 * rng.standard_normal(20_000)
    off = np.sqrt(np.maximum(0.04 * rng.standard_normal(20_000), 0))
    inside = [p.get_path().contains_points(np.column_stack([on, off + 1e-6])) for p in ax.patches]
    assert [i.mean() for i in inside] == pytest.approx([0.5, 0.95, 0.999], abs=0.01)
    unknown = arms.drop(columns="off_square_sd", errors="ignore")
    assert not plot_on_off(with_calls(unknown, hits), chance_contours(unknown)).patches
    assert not plot_on_off(with_calls(unknown, hits)).patches


def test_no_arm_is_dropped_and_far_ones_are_arrowheads(arms, hits):
    far = arms.copy()
    far.loc[5, "rescue"] = 90.0
    ax = plot_on_off(with_calls(far, hits))
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets())])
    left, right = ax.get_xlim()
    assert right - left < 10
    assert np.sum((drawn[:, 0] > left) & (drawn[:, 0] < right)) >= len(arms) - 1
    assert np.sum(drawn[:, 0] == left) == 1
    assert "beyond the edge" in [t.get_text() for t in ax.figure.legends[0].get_texts()]


def test_nothing_to_place_is_said(arms, hits):
    written = plot_on_off(with_calls(arms.head(0), hits.head(0))).texts[0].get_text()
    assert "No compound can be scored" in written
