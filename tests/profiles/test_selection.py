"""Kinds of wells, as figures and fits choose them."""

import numpy as np
import pandas as pd
import pytest

from helpers.profiles.selection import as_slice, controls, rows_by, scattered, treated, usable, well_kind


def test_treated_wells_are_a_kind_of_their_own():
    obs = pd.DataFrame(
        {"condition": ["mock", "infected", "infected", "blank"], "treatment": [None, None, "A", None]}
    )
    assert well_kind(obs).tolist() == ["mock", "infected", "treated", "blank"]


@pytest.fixture
def obs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "condition": ["mock", "mock", "infected", "infected", "infected", "blank", "mock"],
            "treatment": [None, None, None, "A", "A", None, "A"],
            "qc_flag": ["", "failed", "", "", "failed", "", ""],
        }
    )


def test_failed_and_blank_wells_and_treated_mock_wells_are_no_controls(obs):
    assert controls(obs, "mock").tolist() == [True, *[False] * 6]
    assert np.flatnonzero(controls(obs, "infected")).tolist() == [2]
    assert np.flatnonzero(usable(obs)).tolist() == [0, 2, 3, 6]
    assert np.flatnonzero(treated(obs)).tolist() == [3, 4], "failed ones included, mock wells not"
    assert np.flatnonzero(scattered(obs)).tolist() == [2, 3]


def test_rows_are_grouped_in_the_order_of_their_first():
    table = pd.DataFrame({"plate": ["b", "a", None, "b", "a"]})
    found = {name: rows.tolist() for name, rows in rows_by(table, "plate").items()}
    assert list(found.items()) == [("b", [0, 3]), ("a", [1, 4])]
    unused = pd.DataFrame({"plate": pd.Categorical(["x"], ["w", "x"])})
    assert list(rows_by(unused, "plate")) == ["x"]


@pytest.mark.parametrize("rows", [[3, 4, 5], [3, 5], [5, 4, 3], [4, 6, 5], []])
def test_a_slice_takes_the_same_rows(rows):
    numbers, rows = np.arange(10), np.array(rows, int)
    np.testing.assert_array_equal(numbers[as_slice(rows)], numbers[rows])
    assert isinstance(as_slice(rows), slice) == (rows.tolist() == [3, 4, 5])
