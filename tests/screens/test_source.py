"""A source in one vocabulary: labels, keys, and problems instead of exceptions."""

import contextlib

import anndata as ad
import numpy as np
import pandas as pd
import polars as pl
import pytest

from helpers.hits import score_wells
from helpers.profiles import to_wells
from helpers.screens.rules import typed
from helpers.screens.source import FILE, KEY, KEY_SEPARATOR, LATER, OBS, READ, RESERVED, WORKING, Source, key
from helpers.screens.tables import LINE


@pytest.fixture
def source(tmp_path) -> Source:
    return Source(tmp_path, "mine", labels={"well": "position"})


def test_columns_are_called_as_the_file_calls_them(source):
    assert source.label("well") == "position"
    assert source.label("plate") == "plate"


def test_extra_columns_get_a_free_name():
    assert Source.free_name("batch") == "batch"
    for name in RESERVED:
        assert Source.free_name(name) == f"{name}_file"


def test_rows_are_counted_in_lines_or_rows(source):
    assert source.unit == "line"
    source.metadata = pl.DataFrame({FILE: ["m.csv"]})
    assert source.unit == "line"
    source.metadata = pl.DataFrame({FILE: ["m.zip:m.parquet"]})
    assert source.unit == "row"


def test_a_broken_file_becomes_a_problem(source, tmp_path):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("a,b\n1\n")
    with contextlib.ExitStack() as stack:
        assert source.open(tmp_path / "a.csv", stack) == []
        tables = source.open(tmp_path / "b.csv", stack)
        assert source.text(tables) is None
        source.peek(tmp_path / "gone.csv")
    assert [path.name for path in source.files] == ["a.csv", "b.csv"]
    assert [str(problem).split(":")[0] for problem in source.problems] == [
        "a.csv",
        "b.csv, line 2",
        "gone.csv",
    ]
    assert {problem.level for problem in source.problems} == {"fatal"}


def test_tables_are_read_one_under_the_other(source, tmp_path):
    for name, text in (("a.csv", "x,y\n1,2\n"), ("b.csv", "y,z\n3,4\n")):
        (tmp_path / name).write_text(text)
    with contextlib.ExitStack() as stack:
        tables = [table for name in ("a.csv", "b.csv") for table in source.open(tmp_path / name, stack)]
        table = source.text(tables)
    assert table.select("x", "y", "z", FILE, LINE).rows() == [
        ("1", "2", None, "a.csv", 2),
        (None, "3", "4", "b.csv", 2),
    ]
    assert source.text([]) is None


def test_a_key_joins_columns_or_is_the_place_in_the_file():
    table = pl.DataFrame({LINE: [2, 3], "a": [" x ", None], "b": ["1", "2"]})
    assert table.select(key(("a", "b")))[KEY].to_list() == [f"x{KEY_SEPARATOR}1", f"{KEY_SEPARATOR}2"]
    assert table.select(key((), 3))[KEY].to_list() == ["3:2", "3:3"]


def test_extra_columns_of_our_names_are_kept_under_names_that_are_free():
    names = Source.free_names(["qc_flag", "rescue", "row", "row_file", "batch"])
    assert names == {
        "qc_flag": "qc_flag_file",
        "rescue": "rescue_file",
        "row": "row_file_file",
        "row_file": "row_file",
        "batch": "batch",
    }


def test_keys_of_two_tables_are_alike_however_they_write_numbers_and_wells():
    one = pl.DataFrame({"p": ["24.0", "007"], "w": ["a1", "B12"]})
    two = pl.DataFrame({"p": ["24", "007"], "w": ["A01", "B12"]})
    assert one.select(key(("p", "w"), wells=("w",))).equals(two.select(key(("p", "w"), wells=("w",))))


def test_the_reserved_names_are_those_that_wells_and_scores_get():
    rng = np.random.default_rng(0)
    rows = [(p, r, c) for p in ("E_1", "E_2") for r in range(1, 5) for c in range(1, 13)]
    obs = pd.DataFrame(rows, columns=["plate_id", "row", "col"]).assign(
        experiment="E", condition=["mock", "infected", "infected"] * 32, dose_um=1.0, site=1
    )
    obs["well_id"] = [f"{p}_{r}_{c}" for p, r, c in rows]
    obs["treatment"] = np.where(np.arange(96) % 3 == 2, "A", None)
    X = rng.standard_normal((96, 3)) + 5.0 * (obs["condition"] == "mock").to_numpy()[:, None]
    sites = ad.AnnData(X.astype(np.float32), obs=obs.set_index(obs["well_id"].rename(None)))
    scored = score_wells(to_wells(sites))
    assert set(scored.obs) - set(obs) == set(LATER)
    assert set(obs) <= set(OBS) <= RESERVED


def test_what_reading_adds_is_reserved(source):
    cells = {"experiment": "E", "plate": "1", "well": "B02", "site": "1", "disease_condition": "Mock"}
    source.metadata = pl.DataFrame({**cells, "treatment_conc": "1", LINE: [2], FILE: "m.csv", KEY: "k"})
    added = set(typed(source).columns) - set(source.metadata.columns)
    assert added <= {*READ, *OBS, "SMILES"} <= RESERVED
    assert not RESERVED & set(WORKING)
