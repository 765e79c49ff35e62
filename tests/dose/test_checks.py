"""A table read for the fit: complete responses in a fixed order, less their level, and slips refused."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers.dose import fit_curves
from helpers.dose.checks import Columns, check_columns, read_points
from helpers.dose.options import Fitting
from helpers.errors import DataError, UsageError

COLUMNS = Columns("curve", "dose", "response")
FREE = np.array([[-np.inf, np.inf]] * 2)
DOSES = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [(name, dose, 5 + np.log(dose)) for name in ("b", "a") for dose in DOSES]
    return pd.DataFrame(rows, columns=["curve", "dose", "response"])


def test_columns_must_be_there():
    frame = pd.DataFrame(columns=["curve", "dose"])
    with pytest.raises(UsageError, match="no column response in the table; it has curve, dose"):
        check_columns(frame, COLUMNS.names, Fitting())
    with pytest.raises(UsageError, match="min_doses=3 is fewer than the 4 parameters"):
        check_columns(frame, ["dose"], Fitting(min_doses=3))
    assert Columns("c", "d", "r", "w", "p", "f").names == ["c", "d", "r", "w", "p", "f"]
    assert Columns("c", "d", "r", front=0.0).names == ["c", "d", "r"]


def test_curves_are_sorted_by_name_and_keep_their_first_appearance(table):
    data = read_points(table, COLUMNS, FREE)
    assert data.names == ["a", "b"]
    assert data.appearance[[0, 1]].tolist() == [1, 0], "b came first"
    assert data.level.tolist() == pytest.approx([table["response"][:6].mean()] * 2)
    np.testing.assert_allclose(np.bincount(data.points.curve, data.points.response), 0, atol=1e-12)


def test_the_order_of_the_rows_makes_no_difference(table):
    noisy = table.assign(response=np.random.default_rng(0).random(len(table)))
    one = read_points(noisy, COLUMNS, FREE)
    two = read_points(noisy.sample(frac=1, random_state=1), COLUMNS, FREE)
    for name in ("curve", "dose", "response"):
        np.testing.assert_array_equal(getattr(one.points, name), getattr(two.points, name))


def test_incomplete_responses_are_left_out_and_counted(table):
    holes = table.assign(response=table["response"].where(table.index != 0), plate="p")
    holes["dose"] = [*holes["dose"][:7], "none", *holes["dose"][8:]]
    holes.loc[8, "plate"] = None
    data = read_points(holes, Columns("curve", "dose", "response", cluster="plate"), FREE)
    assert data.n_dropped.tolist() == [2, 1]
    assert len(data.points.curve) == 9


def test_doses_that_differ_by_rounding_are_one(table):
    rounded = table.assign(dose=table["dose"].replace(0.3, 3 * 0.1))
    both = pd.concat([table, rounded])
    assert len(np.unique(read_points(both, COLUMNS, FREE).points.dose)) == 6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dose": -1.0}, "has the dose -1; doses must be 0 or more"),
        ({"weight": 0.0}, "weights must be greater than 0"),
    ],
)
def test_what_cannot_be_is_refused(table, change, said):
    columns = Columns("curve", "dose", "response", "weight" if "weight" in change else None)
    with pytest.raises(DataError, match=said):
        read_points(table.assign(**change), columns, FREE)


def test_a_front_is_one_number_for_each_curve(table):
    fronts = table.assign(front=table["curve"].map({"a": 1.0, "b": 2.0}))
    given = Columns("curve", "dose", "response", front="front")
    data = read_points(fronts, given, FREE)
    limits = data.limits_of(np.array([0, 1]))
    np.testing.assert_allclose(limits.low[:, 0], [1, 2] - data.level)
    np.testing.assert_array_equal(limits.low[:, 0], limits.high[:, 0])
    assert np.isinf(limits.high[:, 1]).all()
    fronts.loc[0, "front"] = 7.0
    with pytest.raises(DataError, match="one number for curve b, its front; it holds several"):
        read_points(fronts, given, FREE)
    with pytest.raises(DataError, match="it holds none"):
        read_points(fronts.assign(front=None), given, FREE)


def test_curves_with_too_few_doses_or_without_variation_are_not_fitted(table):
    flat = table.assign(response=1.0)
    assert len(read_points(flat, COLUMNS, FREE).fittable(Fitting()).curve) == 0
    few = pd.concat([table[:6], table[6:9]])
    assert set(read_points(few, COLUMNS, FREE).fittable(Fitting()).curve) == {1}
    assert len(read_points(table, COLUMNS, FREE).fittable(Fitting(min_doses=7)).curve) == 0


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("0,3", "decimal=','"),
        ("1,000", "thousands=','"),
        ("0.3 uM", "plain numbers"),
        ("<0.1", "plain numbers"),
    ],
)
@pytest.mark.parametrize("column", ["dose", "response"])
def test_text_among_numbers_is_refused_with_its_row(column, text, hint):
    table = pd.DataFrame({"curve": "a", "dose": DOSES, "response": DOSES}).astype({column: object})
    table.loc[2, column] = text
    with pytest.raises(DataError, match=f"{column} '{re.escape(text)}' in row 2 of column {column}") as error:
        fit_curves(table)
    assert hint in str(error.value)


def test_numbers_as_text_are_numbers_and_empty_ones_are_missing():
    table = pd.DataFrame({"curve": "a", "dose": DOSES, "response": [0, 0.02, 0.2, 0.5, 0.9, 1.0]})
    table = pd.concat([table, table.assign(response=table["response"] + 0.01)], ignore_index=True)
    text = table.astype({"dose": str, "response": str})
    pd.testing.assert_frame_equal(fit_curves(text), fit_curves(table))
    text.loc[[0, 3], "response"] = ["", "NA"]
    found = fit_curves(text).iloc[0]
    assert found["n_dropped"] == 2


def test_doses_within_a_millionth_are_one_dose():
    table = pd.DataFrame({"curve": "a", "dose": [0.3, 0.1 * 3, 10, 9.999999, 1, 2], "response": range(6)})
    assert fit_curves(table, min_doses=4).loc[0, "n_doses"] == 4
    apart = table.assign(dose=[0.3, 0.3001, 10, 9.99, 1, 2])
    assert fit_curves(apart).loc[0, "n_doses"] == 6
