"""Windows of plates: their own where controls tell them, drawn towards the experiment's where not."""

import numpy as np
import pytest

from helpers.hits.windows import between_variance, shrink_windows


def test_windows_told_exactly_are_kept_and_unknown_ones_take_the_middle():
    windows = shrink_windows({"a": (1.0, 1e-8), "b": (10.0, 1e-8), "c": (np.nan, np.nan)}, 3.0)
    assert windows.lengths["a"] == pytest.approx(1.0, rel=1e-3)
    assert windows.lengths["b"] == pytest.approx(10.0, rel=1e-3)
    assert windows.lengths["c"] == pytest.approx(np.sqrt(10), rel=0.01)
    assert windows.leaning["a"] < 0.01
    assert windows.leaning["c"] == 1.0
    assert windows.variances["c"] > 100 * windows.variances["a"]


def test_windows_that_differ_by_noise_alone_are_one():
    rng = np.random.default_rng(0)
    gaps = {str(i): (float(g), 0.04) for i, g in enumerate(rng.normal(2, 0.2, 12))}
    windows = shrink_windows(gaps, 2.0)
    assert np.ptp(list(windows.lengths.values())) < 0.5 * np.ptp([g for g, _ in gaps.values()])


def test_a_window_that_no_plate_tells_is_that_of_the_axis():
    windows = shrink_windows({"a": (0.1, 1.0), "b": (-0.2, 1.0)}, 5.0)
    assert windows.lengths == {"a": 5.0, "b": 5.0}


def test_the_truth_is_recovered_on_average():
    """Windows that scatter by 0.2 on the log scale: shrunk ones are nearer to the truth than measured ones."""
    rng = np.random.default_rng(1)
    shrunk, plain = [], []
    for _ in range(200):
        true = np.exp(rng.normal(0, 0.2, 8))
        seen = true + rng.normal(0, 0.2, 8)
        windows = shrink_windows({str(i): (float(g), 0.04) for i, g in enumerate(seen)}, 1.0)
        found = np.array(list(windows.lengths.values()))
        told = seen > 0.4  # two standard errors
        shrunk.append(np.mean(np.log(found / true)[told] ** 2))
        plain.append(np.mean(np.log(seen[told] / true[told]) ** 2))
    assert np.mean(shrunk) < 0.9 * np.mean(plain)


def test_variance_between_values_is_that_of_dersimonian_and_laird():
    """Against the formula written out, on three studies."""
    y, v = np.array([0.1, 0.5, 0.9]), np.array([0.01, 0.02, 0.04])
    w = 1 / v
    mean = (w * y).sum() / w.sum()
    q = (w * (y - mean) ** 2).sum()
    expected = (q - 2) / (w.sum() - (w**2).sum() / w.sum())
    assert between_variance(y, v) == pytest.approx(expected)
    assert between_variance(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0
