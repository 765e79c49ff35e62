"""Typed columns of a Parquet: text, numbers, vectors, and the truth about the others."""

import datetime
from decimal import Decimal

import polars as pl
import pytest

from helpers.screens.columns import as_number, as_text, spread_vectors
from helpers.screens.problems import BrokenFileError
from helpers.screens.tables import LINE, open_tables

BASE = {"P": ["a", "b"], "f": [1.5, 2.5]}
OTHERS = {
    "List": pl.Series([["a.tif"], ["b.tif", "c.tif"]]),
    "Array": pl.Series([["a", "b"], ["c", "d"]], dtype=pl.Array(pl.String, 2)),
    "Struct": pl.Series([{"x": 1}, {"x": 2}]),
    "Binary": pl.Series([b"\x00\xff", b"a"]),
    "Duration": pl.Series([datetime.timedelta(hours=24)] * 2),
}


def written(tmp_path, **more):
    path = tmp_path / "t.parquet"
    pl.DataFrame({**BASE, **more}, strict=False).write_parquet(path)
    return path


@pytest.mark.parametrize("kind", OTHERS)
def test_a_column_that_is_no_cell_hurts_only_where_it_is_used(tmp_path, kind):
    with open_tables(written(tmp_path, other=OTHERS[kind])) as (table,):
        assert table.readable == table.measured == ("P", "f")
        assert table.text(("P",))["P"].to_list() == ["a", "b"]
        (batch,) = table.batches(("P",), ("f",))
        assert batch.drop(LINE).rows() == [("a", 1.5), ("b", 2.5)]
        for read in (lambda: table.text(("other",)), lambda: list(table.batches((), ("other",)))):
            with pytest.raises(BrokenFileError, match=f"column 'other': holds {kind}"):
                read()


def test_a_row_that_is_empty_where_asked_is_kept_beside_lists(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"P": ["a", None, None], "e": [[1.0], [2.0], None]}).write_parquet(path)
    with open_tables(path) as (table,):
        assert table.text(("P",)).rows() == [(1, "a"), (2, None)]


def test_a_date_is_text_and_no_feature(tmp_path):
    with open_tables(written(tmp_path, day=[datetime.date(2020, 4, 1)] * 2)) as (table,):
        assert table.text(("day",))["day"].to_list() == ["2020-04-01"] * 2
        with pytest.raises(BrokenFileError, match="'day': holds Date; a feature is one number"):
            list(table.batches((), ("day",)))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pl.Series([110000294901.0, None]), ["110000294901", None]),
        (pl.Series([0.3, 24.0], dtype=pl.Float32), ["0.3", "24"]),
        (pl.Series([Decimal("110000294901.00"), Decimal("0.30")]), ["110000294901", "0.3"]),
        (pl.Series([2**62, 1]), [str(2**62), "1"]),
        (pl.Series(["x", "y"], dtype=pl.Categorical), ["x", "y"]),
    ],
)
def test_numbers_are_written_with_all_their_digits(values, text):
    assert pl.DataFrame({"x": values}).select(as_text("x", values.dtype))["x"].to_list() == text


def test_text_with_decimal_commas_is_read_where_they_are_announced():
    cells = pl.DataFrame({"x": ["1,5", "-0,25", "1,5e-3", "1.5", "2", "1,000,5", None]})
    found = cells.select(as_number("x", pl.String(), decimal_comma=True))["x"].to_list()
    assert found == pytest.approx([1.5, -0.25, 0.0015, None, 2.0, None, None])
    assert cells.select(as_number("x", pl.String()))["x"].to_list()[:1] == [None]


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Float32, 3), pl.List(pl.Int64)])
def test_a_vector_is_spread_over_its_places(tmp_path, dtype):
    path = written(tmp_path, e=pl.Series([[1, 2, 3], [4, None, 6]], dtype=dtype))
    with open_tables(path) as (table,):
        wide, names = table.spread(("f", "e"))
        assert names == ("f", "e_0", "e_1", "e_2")
        (batch,) = wide.batches(("P",), names)
        assert batch.rows() == [(1, "a", 1.5, 1, 2, 3), (2, "b", 2.5, 4, None, 6)]
        assert wide.cell(1, "e_1") in ("2", "2.0")
        assert wide.cell(2, "e_1") is None
        assert table.spread(("f",)) == (table, ("f",))


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ({"e": [[1.0], [4.0, 5.0], [1.0], None]}, "'e', row 2: 2 numbers where most rows hold 1;"),
        ({"e": [[], [], [], []]}, "'e': holds empty lists"),
        ({"e": [[1.0]] * 4, "e_0": [1, 2, 3, 4]}, "'e_0': has the name of a place in the lists of 'e'"),
    ],
)
def test_vectors_that_cannot_be_features_are_named(tmp_path, vectors, said):
    path = tmp_path / "t.parquet"
    pl.DataFrame(vectors, schema_overrides={"e": pl.List(pl.Float64)}).write_parquet(path)
    with pytest.raises(BrokenFileError, match=said):
        spread_vectors(path, "t.parquet", ("e",))
