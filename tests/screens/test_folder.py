"""A folder in the release's layout: which files are read, and what is said of the others."""

import numpy as np
import polars as pl
import pytest

from helpers.errors import UsageError
from helpers.screens import open_screen
from helpers.screens.folder import open_source
from screens.broken import FEATURES, write_screen


def problems(folder, **how) -> list[str]:
    with open_source(folder, **how) as source:
        return [f"{problem.level} {problem}" for problem in source.problems]


def test_metadata_and_features_are_found(tmp_path):
    with open_source(write_screen(tmp_path / "s")) as source:
        assert (source.kind, source.name, source.mapped) == ("user", "s", False)
        assert source.features == tuple(FEATURES), "feature_10 after feature_2"
        assert source.ids == ("site_id",)
        assert source.metadata.height == 64
        assert [path.name for path in source.files] == ["metadata.csv", "embeddings.csv"]
        assert source.problems == []


def test_the_embeddings_can_be_left_closed(tmp_path):
    folder = write_screen(tmp_path / "s")
    with open_source(folder, embeddings=False) as source:
        assert source.tables == []
        assert source.metadata.height == 64
    (folder / "embeddings.csv").write_text("<html>")
    assert "is a web page" in problems(folder, embeddings=False)[0]


def test_what_is_read_and_what_is_ignored_is_said(tmp_path):
    folder = write_screen(tmp_path / "s")
    (folder / "metadata.csv.gz").write_bytes(b"not even read")
    assert problems(folder) == ["note metadata.csv: is read; 'metadata.csv.gz' beside it is ignored"]


def test_without_embeddings_it_is_a_design_unless_they_have_another_name(tmp_path):
    folder = write_screen(tmp_path / "s")
    (folder / "embeddings.csv").rename(folder / "Embeddings.npy")
    (problem,) = problems(folder)
    assert problem.startswith(
        "fatal Embeddings.npy: is not read; allowed are embeddings.parquet, embeddings.csv"
    )
    (folder / "Embeddings.npy").unlink()
    assert problems(folder) == ["note s: no embeddings file: a design only, without measurements"]


def test_a_folder_without_metadata_says_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (first, *_) = problems(tmp_path)
    assert "no metadata file; expected is one of metadata.parquet" in first
    assert "the folder holds 'notes.txt'" in first


@pytest.mark.parametrize(("name", "said"), [("none", "is not there"), ("file", "is a file, not a folder")])
def test_what_is_no_folder_is_refused(tmp_path, name, said):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=said), open_source(tmp_path / name):
        pass


def test_a_missing_column_is_guessed(tmp_path):
    folder = write_screen(tmp_path / "s")
    text = (folder / "metadata.csv").read_text()
    (folder / "metadata.csv").write_text(text.replace("disease_condition", "disease_conditions", 1))
    (problem,) = problems(folder)
    assert "no column 'disease_condition'; is 'disease_conditions' meant as 'disease_condition'?" in problem


def test_an_embedding_in_one_column_of_lists_is_read(tmp_path):
    folder = write_screen(tmp_path / "s")
    plain = open_screen(folder)
    table, metadata = (pl.read_csv(folder / f"{part}.csv") for part in ("embeddings", "metadata"))
    names = pl.Series("files", [["a.tif", "b.tif"]] * table.height)
    lists = table.select("site_id", pl.concat_list(FEATURES).alias("e"), names)
    lists.write_parquet(folder / "embeddings.parquet")
    metadata.with_columns(names).write_parquet(folder / "metadata.parquet")
    for part in ("embeddings", "metadata"):
        (folder / f"{part}.csv").unlink()
    assert problems(folder) == [
        "note metadata.parquet: column 'files' holds lists or bytes, not text or numbers, and is ignored",
        "note embeddings.parquet: column 'files' holds no numbers, and is ignored",
    ]
    sites = open_screen(folder)
    assert list(sites.var_names) == [f"e_{place}" for place in range(len(FEATURES))]
    np.testing.assert_array_equal(sites.X, plain.X)
