"""Tables as they come: the same rows from CSV, gzip, zip and Parquet, and one clear word on what is broken."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from helpers.screens.problems import BrokenFileError
from helpers.screens.tables import LINE, open_tables, read_header

TEXT = "id, x ,y\na,1.5,\n\nb,,2\nc,-3e2,nothing\n"


def write(folder, name: str, text: str = TEXT):
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside/t.csv", text)
            archive.writestr("__MACOSX/t.csv", "x")
            archive.writestr("read.me", "x")
    elif name.endswith(".parquet"):
        pl.DataFrame(
            {"id": ["a", None, "b", "c"], "x": ["1.5", None, None, "-3e2"], "y": [None, None, "2", "nothing"]}
        ).write_parquet(path)
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip", "t.parquet"])
def test_all_formats_give_the_same_rows(tmp_path, name):
    with open_tables(write(tmp_path, name)) as (table,):
        assert table.columns == ("id", "x", "y")
        text = table.text()
        assert text.drop(LINE).rows() == [("a", "1.5", None), ("b", None, "2"), ("c", "-3e2", "nothing")]
        assert text[LINE].to_list() == ([2, 4, 5] if table.is_csv else [1, 3, 4])
        (batch,) = table.batches(("id",), ("x", "y"))
        np.testing.assert_array_equal(batch["x"].to_numpy(), np.array([1.5, np.nan, -300], np.float32))
        assert batch["y"].to_list() == [None, 2.0, None], "what is no number is missing"
        assert batch["x"].dtype == pl.Float32
        assert table.cell(text[LINE][2], "y") == "nothing"
        assert table.text(("y",)).columns == [LINE, "y"]
        plain = table.path
    assert plain.exists() == (name in ("t.csv", "t.parquet")), "what was unpacked is removed"


def test_every_table_of_a_zip_is_opened_under_its_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("b.csv", "a\n1\n")
        archive.writestr("a/a.CSV", "a\n2\n")
    with open_tables(tmp_path / "t.zip") as tables:
        assert [table.label for table in tables] == ["t.zip:a/a.CSV", "t.zip:b.csv"]
        assert [table.text()["a"][0] for table in tables] == ["2", "1"]


def test_whole_floats_of_a_parquet_are_written_as_whole_numbers(tmp_path):
    table = pd.DataFrame({"plate": [25.0, np.nan, 3e9], "dose": [0.1, 10.0, np.inf], "n": [1, 2, 3]})
    table.to_parquet(tmp_path / "t.parquet")
    with open_tables(tmp_path / "t.parquet") as (opened,):
        text = opened.text()
    assert text["plate"].to_list() == ["25", None, "3000000000"]
    assert text["dose"].to_list() == ["0.1", "10", "inf"]
    assert text["n"].to_list() == ["1", "2", "3"]


def test_the_index_that_pandas_keeps_is_no_column(tmp_path):
    pd.DataFrame({"a": [1, 2, 3]}).iloc[[2, 0]].to_parquet(tmp_path / "t.parquet")
    assert read_header(tmp_path / "t.parquet", "t", ",").columns == ("a",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;b\n1;2\n", "line 1: cells are separated by semicolons; write the file with commas"),
        ("a,b,a\n1,2,3\n", "line 1: column 'a' is there twice"),
        ("a,,c\n1,2,3\n", "line 1: column 2 has no name"),
        ("a,b\n", "has a header but no rows"),
        ("a,b\n1\n", "line 2: 1 cells where the header has 2"),
        ("a,b\n1,2\n\x00,3\n", "line 3: holds a NUL"),
    ],
)
def test_a_broken_csv_is_named_with_its_line(tmp_path, text, said):
    path = write(tmp_path, "t.csv", text)
    with pytest.raises(BrokenFileError, match=f"t.csv.*{said}"), open_tables(path) as (table,):
        table.text()


def test_files_that_were_cut_off_are_named(tmp_path):
    for name in ("t.csv.gz", "t.zip", "t.parquet"):
        path = write(tmp_path, name, TEXT * 500)
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(BrokenFileError, match=f"{name}: is .*cut off or damaged"), open_tables(path):
            pass


def test_a_zip_without_a_table_and_an_encrypted_one_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("read.me", "x")
    with pytest.raises(BrokenFileError, match=r"holds no \.csv or \.parquet member, only 'read.me'"):  # noqa: SIM117
        with open_tables(tmp_path / "t.zip"):
            pass


def test_a_nul_in_a_cell_of_a_parquet_is_named_by_row(tmp_path):
    pl.DataFrame({"a": ["x", "y\0z"]}).write_parquet(tmp_path / "t.parquet")
    with (
        open_tables(tmp_path / "t.parquet") as (table,),
        pytest.raises(BrokenFileError, match="row 2: column 'a' holds a NUL"),
    ):
        table.text()


@pytest.mark.parametrize(
    "name", ["run[12]", "run*", "what?", "~", "a%20b", "a#b", "-x", "e\u0301", "\u00e9 [!a]"]
)
@pytest.mark.parametrize("kind", ["csv", "parquet", "zip"])
def test_a_path_is_a_path_and_no_pattern(tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    for folder, value in (("run1", "other"), (name, "mine")):
        (tmp_path / folder).mkdir()
        if kind == "parquet":
            pl.DataFrame({"id": [value], "x": [1.0]}).write_parquet(
                (tmp_path / folder / "t.parquet").open("wb")
            )
        else:
            write(tmp_path / folder, f"t.{kind}", f"id,x\n{value},1\n")
    for path in (tmp_path / name / f"t.{kind}", Path(name) / f"t.{kind}"):
        with open_tables(path) as (table,):
            assert table.text()["id"].to_list() == ["mine"]
            assert next(table.batches(("id",), ("x",)))["x"].to_list() == [1.0]
            assert table.cell(2 if table.is_csv else 1, "id") == "mine"


ODD = {
    "list": pl.Series([[1.0], [2.0]]),
    "struct": pl.Series([{"a": 1}, {"a": 2}]),
    "binary": pl.Series([b"\xff", b"a"]),
    "array": pl.Series([[1.0], [2.0]], dtype=pl.Array(pl.Float32, 1)),
    "duration": pl.Series([1, 2], dtype=pl.Duration("us")),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_column_of_no_single_values_matters_only_where_it_is_asked_for(tmp_path, kind):
    pl.DataFrame({"id": ["a", "b"], "odd": ODD[kind], "x": [1, 2]}).write_parquet(tmp_path / "t.parquet")
    with open_tables(tmp_path / "t.parquet") as (table,):
        assert table.text(("id",))["id"].to_list() == ["a", "b"]
        assert next(table.batches(("id",), ("x",))).height == 2
        with pytest.raises(BrokenFileError, match=r"column 'odd': holds .*; a cell of a table is one number"):
            table.text()
        with pytest.raises(BrokenFileError, match="column 'odd'"):
            list(table.batches(("id",), ("odd",)))


def test_other_types_are_written_as_they_look(tmp_path):
    table = {
        "decimal": pl.Series(["24.00", "1.50", "100"]).cast(pl.Decimal(10, 2)),
        "category": pl.Series(["a", "b", None], dtype=pl.Categorical),
        "null": pl.Series([None] * 3, dtype=pl.Null),
        "barcode": [110000294901.0, 2.0**53, None],
    }
    pl.DataFrame(table).write_parquet(tmp_path / "t.parquet")
    with open_tables(tmp_path / "t.parquet") as (opened,):
        text = opened.text()
    assert text["decimal"].to_list() == ["24", "1.5", "100"]
    assert text["category"].to_list() == ["a", "b", None]
    assert text["null"].to_list() == [None] * 3
    assert text["barcode"][0] == "110000294901"


@pytest.mark.parametrize("name", ["__file__", "__line__", "__key__"])
def test_names_of_working_columns_are_refused(tmp_path, name):
    (tmp_path / "t.csv").write_text(f"id,{name}\na,1\n")
    with (
        pytest.raises(BrokenFileError, match=f"column '{name}': is a name that reading a screen needs"),
        open_tables(tmp_path / "t.csv"),
    ):
        pass


def test_more_columns_than_any_screen_has_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(100_001)) + "\n1\n")
    with (
        pytest.raises(BrokenFileError, match="has 100,001 columns; allowed are 100,000"),
        open_tables(tmp_path / "t.csv"),
    ):
        pass
