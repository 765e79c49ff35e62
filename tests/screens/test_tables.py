"""Tables as they come: the same rows from CSV, gzip, zip and Parquet, and one clear word on what is broken."""

import gzip
import zipfile

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
    assert text["plate"].to_list() == ["25", None, "3000000000.0"]
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
