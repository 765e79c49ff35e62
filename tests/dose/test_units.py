"""Percent and fraction are noticed, and only where they are sure."""

import warnings

import numpy as np
import pandas as pd
import pytest

from helpers.dose import fit_curves
from helpers.dose.coverage import simulate_curves
from helpers.dose.options import CurveOptions
from helpers.dose.units import given_numbers, response_unit, unit_notes


@pytest.mark.parametrize(
    ("response", "unit"),
    [
        ([0.0, 0.5, 1.1], "fraction"),
        ([-3.0, 55.0, 104.0], "percent"),
        ([-100.0, 0.0], "percent"),
        ([4000.0, 120.0], ""),
        ([0.001, 0.002], ""),
        ([], ""),
        ([np.nan, 99.0], "percent"),
    ],
)
def test_units_are_told_from_the_largest_responses(response, unit):
    assert response_unit(np.array(response)) == unit


def test_every_number_in_the_unit_of_the_response_is_looked_at():
    options = CurveOptions(min_effect=0.2, plateaus=(0.0, 1.0), back_limits=(0.5, np.inf))
    given = given_numbers(0.0, "column", options)
    notes = unit_notes(np.zeros(2), np.array([3.0, 98.0]), given)
    assert [note.split("=")[0] for note in notes] == ["min_effect", "plateaus[1]", "back_limits[0]"]
    assert unit_notes(np.zeros(2), np.array([0.03, 0.98]), given) == []
    assert "percent" in unit_notes(np.zeros(2), np.array([0.03, 0.98]), {"back": 100.0})[0]


def test_a_table_of_both_units_is_noticed_and_one_with_weak_curves_is_not():
    curve = np.repeat(np.arange(20), 4)
    shape = np.tile([0.0, 0.3, 0.7, 1.0], 20)
    mixed = shape * np.where(curve < 10, 1.0, 100.0)
    assert "10 curves look like fractions (such as 0)" in unit_notes(curve, mixed, {})[0]
    effects = shape * np.linspace(1, 100, 20)[curve]
    assert unit_notes(curve, effects, {}) == [], "weak and strong curves in percent"


def test_the_fit_says_so_and_stays_the_same():
    table, _ = simulate_curves(3, seed=1)
    percent = table.assign(response=100 * table["response"])
    with pytest.warns(UserWarning, match="min_effect=0.1 looks like a fraction"):
        noticed = fit_curves(percent, min_effect=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = fit_curves(percent, min_effect=10.0)
    pd.testing.assert_series_equal(noticed["ec50"], plain["ec50"])
