"""All curves at once: each at its numbers, in the marker of its class."""

import numpy as np
import pandas as pd

from helpers.figures.relevance import plot_coverage, plot_relevance, plot_two_experiments


def test_curves_stand_at_effect_and_relevance_in_the_order_of_their_class():
    curves = pd.DataFrame(
        {
            "treatment": ["A", "B", "C", "D"],
            "curve_class": ["active", "inactive", "worsening", "not_fitted"],
            "effect": [0.8, 0.1, -0.5, np.nan],
            "relevance": [4.0, 0.2, 2.0, np.nan],
        }
    )
    ax = plot_relevance(curves, 0.05)
    drawn = {c.get_label(): c.get_offsets().tolist() for c in ax.collections if len(c.get_offsets())}
    assert drawn["active"] == [[0.8, 4.0]]
    assert drawn["worsening"] == [[-0.5, 2.0]]
    assert "not fitted" not in drawn
    assert [t.get_text() for t in ax.texts] == ["A"]
    assert any(np.allclose(line.get_ydata(), -np.log10(0.05)) for line in ax.lines)
    assert "No curve" in plot_relevance(curves.assign(relevance=np.nan), 0.05).texts[0].get_text()


def test_two_experiments_share_one_scale_and_show_both_intervals():
    numbers = {
        f"{n}_{s}": v
        for s in "ab"
        for n, v in (("ec50_um", 1.0), ("ec50_low_um", 0.5), ("ec50_high_um", 3.0))
    }
    shared = pd.DataFrame(
        [{"experiment_a": "E-1", "experiment_b": e, "treatment": "A", **numbers} for e in ("E-2", "E-3")]
    )
    figure = plot_two_experiments(shared)
    assert [ax.get_ylabel() for ax in figure.axes] == ["EC50 in E-2 (µM)", "EC50 in E-3 (µM)"]
    assert len({ax.get_xlim() for ax in figure.axes} | {ax.get_ylim() for ax in figure.axes}) == 1
    bars = [segment for c in figure.axes[0].collections[:2] for segment in c.get_segments()]
    assert sorted(np.ptp(bar, axis=0).tolist() for bar in bars) == [[0.0, 2.5], [2.5, 0.0]]
    assert plot_two_experiments(shared.head(0)).axes[0].texts


def test_coverage_stands_on_its_row_beside_what_was_promised():
    table = pd.DataFrame(
        {"noise": ["alike", "plates"], "interval": "wells", "coverage": [0.95, 0.6], "n_curves": 400}
    )
    ax = plot_coverage(table)
    points = next(line for line in ax.lines if line.get_marker() == "o")
    assert points.get_xydata().tolist() == [[0.95, 0.0], [0.6, 1.0]]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["alike", "plates"]
