"""The first bytes of a file tell if it is what its name says."""

import os

import pytest

from helpers.screens.heads import check_head
from helpers.screens.problems import BrokenFileError


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"\xef\xbb\xbfa,b\n"),
        ("a.CSV", b"a"),
        ("a.zip", b"PK\x03\x04rest"),
        ("a.csv.gz", b"\x1f\x8brest"),
        ("a.parquet", b"PAR1rest"),
        ("a.csv", b"a\0b"),
    ],
)
def test_what_may_be_is_accepted(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    check_head(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "a.csv: is empty"),
        ("a.csv", b" \n", "a.csv: is empty"),
        ("a.csv", b"<!DOCTYPE html>", "is a web page, not data"),
        ("a.zip", b"\n <html>", "is a web page, not data"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("a.parquet", b"../.git/annex/objects/x", "git annex get"),
        ("a.csv", "a,b".encode("utf-16"), "is UTF-16 text"),
        ("a.csv", b"PK\x03\x04", "is not CSV text but a zip archive"),
        ("a.csv", b"PAR1", "is not CSV text but Parquet data"),
        ("a.zip", b"a,b\n", "is not a zip archive but something else"),
        ("a.csv.gz", b"a,b\n", "is not gzip data but something else"),
        ("a.parquet", b"\x89HDF", "is not Parquet data but HDF5 data"),
    ],
)
def test_what_is_something_else_is_named(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BrokenFileError, match=said):
        check_head(tmp_path / name)


def test_folders_pipes_and_dead_links_are_not_read(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    for name, said in (
        ("folder.csv", "it is a folder"),
        ("pipe.csv", "it is a pipe or a device"),
        ("link.csv", "is a link to .*gone.csv, which is missing"),
    ):
        with pytest.raises(BrokenFileError, match=said):
            check_head(tmp_path / name)


def test_a_label_stands_for_the_name(tmp_path):
    (tmp_path / "tmp123").write_bytes(b"")
    with pytest.raises(BrokenFileError, match=r"^a\.zip:b\.csv: is empty"):
        check_head(tmp_path / "tmp123", label="a.zip:b.csv")
