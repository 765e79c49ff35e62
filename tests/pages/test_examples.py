"""Small examples on a page: equal numbers are told from others, and made-up ones are called so."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.examples import MADE_UP, example_named, points_named, same_numbers
from helpers.study.examples import made_up_plates, made_up_points


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, 2.00001], [1.0, 2.0], True),
        ([1.0, 2.01], [1.0, 2.0], False),
        ([1e-9, 100.0], [0.0, 100.0], True),
        ([0.1, 100.0], [0.0, 100.0], False),
        ([np.nan, 1.0], [np.nan, 1.0], True),
        ([np.nan, 1.0], [0.0, 1.0], False),
        ([np.inf], [np.inf], True),
        ([np.nan], [np.nan], True),
        ([1.0], [1.0, 1.0], False),
        ([], [], True),
        (1.0, np.float32(1.0), True),
        (pd.Series([1, 2]), np.array([1, 2]), True),
    ],
)
def test_numbers_are_the_same_but_for_rounding(mine, theirs, same):
    assert same_numbers(mine, theirs) is same


def test_plates_of_the_screen_are_named_and_made_up_ones_called_so():
    example = made_up_plates()
    assert example_named(example) == MADE_UP
    example.uns["example"] = "screen"
    assert example_named(example) == "(The example is made of the plates made up_1, made up_2 and made up_3.)"


def test_points_that_were_made_up_are_called_so():
    points = made_up_points()
    assert points_named(points) == MADE_UP
    points.attrs["example"] = "screen"
    assert points_named(points) == ""
