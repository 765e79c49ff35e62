"""No point vanishes, and no name covers another."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from helpers.figures.points import draw_beyond, name_points, show_limits


def test_limits_hold_everything_that_is_alike():
    low, high = show_limits(np.linspace(-2, 3, 500), include=(0, 1))
    assert low == pytest.approx(-2.3)
    assert high == pytest.approx(3.3)


def test_limits_leave_out_what_would_squash_the_rest():
    values = [*np.linspace(0, 1, 2000), 50.0, np.nan]
    low, high = show_limits(values, include=(-0.5,))
    assert low < -0.5
    assert 1 < high < 2


def test_equal_values_have_room():
    low, high = show_limits([1.0, 1.0])
    assert low < 1 < high


@pytest.mark.parametrize(
    ("x", "y", "at"), [(-5, 0.5, (0, 0.5)), (9, 0.5, (1, 0.5)), (0.5, 7, (0.5, 1)), (-5, 7, (0, 1))]
)
def test_a_point_beyond_stands_at_the_nearest_edge(x, y, at):
    _, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    assert draw_beyond(ax, pd.Series([0.5, x]), pd.Series([0.5, y]), ["red", "blue"]) == 1
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [at])


def test_points_inside_and_missing_ones_are_not_beyond():
    _, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    assert draw_beyond(ax, pd.Series([0.0, np.nan]), pd.Series([1.0, 3.0]), ["red", "blue"]) == 0
    assert not ax.collections


@pytest.mark.slow
def test_names_do_not_overlap_and_the_first_come_first():
    _, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    points = pd.DataFrame({"x": [0.5] * 60, "y": np.linspace(0.5, 0.55, 60)})
    written = name_points(ax, points, [f"compound {i}" for i in range(60)], most=60)
    assert written[0] == "compound 0"
    assert 4 <= len(written) < 60
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == len(written)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    pixels = ax.transData.transform(points.to_numpy())
    assert not any(box.contains(*pixel) for box in boxes for pixel in pixels)


def test_names_stay_inside_the_axes():
    _, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    name_points(ax, pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]}), ["lower left", "upper right"])
    inside = ax.get_window_extent()
    for box in map(Text.get_window_extent, ax.texts):
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
