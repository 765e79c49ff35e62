"""Cross-checks show every ranking and every shared arm at its numbers; calibration every promise."""

import numpy as np
import pandas as pd

from helpers.figures.calibration import plot_p_values, plot_promises
from helpers.figures.crosschecks import plot_experiments, plot_sensitivity
from helpers.figures.stability import plot_stability


def test_each_ranking_has_a_row_and_each_experiment_a_marker():
    rows = [
        {
            "recipe": r,
            "axis": a,
            "experiment": e,
            "spearman": 0.8,
            "top_k_overlap": 0.7,
            "top_k_expected": 0.1,
        }
        for r in ("plate_center", "pca")
        for a in ("mean_difference", "discriminant")
        for e in ("E-1", "E-2")
    ]
    left, right = plot_sensitivity(pd.DataFrame(rows)).axes
    assert [t.get_text() for t in left.get_yticklabels()][1] == "plate_center\ndiscriminant"
    drawn = np.concatenate([line.get_xdata() for line in left.lines])
    assert drawn.tolist() == [0.8] * 8
    chance = [line.get_xdata()[0] for line in right.lines if line.get_linestyle() == "--"]
    assert chance == [0.1, 0.1]
    assert len(plot_sensitivity(pd.DataFrame(rows).assign(spearman=np.nan)).axes[0].texts) == 1  # a sentence


def test_shared_arms_stand_at_their_rescue_in_both():
    numbers = {f"{n}_{s}": [0.1, 0.5] for n in ("rescue", "rescue_low", "rescue_high") for s in "ab"}
    table = pd.DataFrame({"experiment_a": "E-1", "experiment_b": ["E-2", "E-3"], "treatment": "A", **numbers})
    axes = plot_experiments(table).axes
    assert [ax.get_ylabel() for ax in axes] == ["rescue in E-2", "rescue in E-3"]
    assert axes[1].collections[-1].get_offsets().tolist() == [[0.5, 0.5]]
    assert plot_experiments(table.head(0)).axes[0].texts


def test_ranks_and_chances_have_a_row_per_compound():
    hits = pd.DataFrame(
        {
            "experiment": "E",
            "treatment": ["A", "B", "C"],
            "call": "rescue",
            "rank": [1, 2, 3],
            "rank_low": [1, 1, np.nan],
        }
        | {"rank_high": [2, 5, np.nan], "top_k_probability": [1.0, 0.4, np.nan]}
    )
    left, right = plot_stability(hits).axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["A", "B"]
    assert [p.get_width() for p in right.patches] == [1.0, 0.4]
    assert plot_stability(hits.drop(columns="rank_low")).axes[0].texts


def test_shares_of_small_p_values_stand_beside_the_diagonal_of_an_exact_test():
    table = pd.DataFrame(
        {"level": "arms", "p": [0.01, 0.1, 1.0], "share": [0.02, 0.1, 1.0], "share_se": 0.001}
    )
    ax = plot_p_values(table)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    exact, seen = (line.get_xydata() for line in ax.lines)
    assert (exact[:, 0] == exact[:, 1]).all()
    assert seen.tolist() == [[0.01, 0.02], [0.1, 0.1], [1.0, 1.0]]


def test_rates_stand_beside_the_line_and_coverage_on_its_range():
    rates = pd.DataFrame({"fdr": [0.05, 0.2], "fdp": [0.01, 0.15], "fdp_se": [0.01, np.nan]})
    ranges = pd.DataFrame({"rescue": ["none", "above 0.5"], "coverage": [0.94, 0.96], "coverage_se": 0.01})
    left, right = plot_promises(rates, ranges).axes
    points = next(line for line in left.lines if line.get_marker() == "o")
    assert points.get_xydata().tolist() == [[0.05, 0.01], [0.2, 0.15]]
    assert [t.get_text() for t in right.get_xticklabels()] == ["none", "above 0.5"]
