"""Files: hashes, and names that are taken only by what is whole."""

import hashlib
import zlib

import pytest

from helpers.files import atomic_path, checksum, remove_leftovers, sha256


def test_a_hash_is_that_of_the_file_as_it_is_now(tmp_path):
    path = tmp_path / "a.csv"
    for content in (b"one", b"two"):  # of one length, within one tick of a file system's clock
        path.write_bytes(content)
        assert sha256(path) == hashlib.sha256(content).hexdigest()
        replaced = tmp_path / "b.csv"
        replaced.write_bytes(content[::-1])
        replaced.replace(path)
        assert sha256(path) == hashlib.sha256(content[::-1]).hexdigest()


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "sub" / "table.csv"

    def die_half_way():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        die_half_way()
    assert list(path.parent.iterdir()) == []
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["table.csv"]


def test_a_folder_takes_the_place_of_another_as_a_whole(tmp_path, monkeypatch):
    folder = tmp_path / "twin"

    def write(text: str) -> None:
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            (temporary / text).touch()

    folder.mkdir()  # an empty one is nothing
    for text in ("one", "two"):
        write(text)
        assert [path.name for path in folder.iterdir()] == [text]

    def fail(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(type(folder), "replace", fail)
    renames = []
    rename = type(folder).rename

    def fail_second(path, target):
        renames.append(target)
        return fail() if len(renames) == 2 else rename(path, target)

    monkeypatch.setattr(type(folder), "rename", fail_second)
    with pytest.raises(OSError, match="no"):
        write("three")
    assert [path.name for path in folder.iterdir()] == ["two"], "what stood there is back"
    assert [path.name for path in tmp_path.iterdir()] == ["twin"]


def test_leftovers_of_one_name_go(tmp_path):
    for name in (".twin.abcdefg1", ".twin.2.abcdefg1", ".twin.abc", ".other.abcdefg1"):
        (tmp_path / name).mkdir()
    (tmp_path / ".twin.abcdefg2").write_text("a file")
    remove_leftovers(tmp_path / "twin")
    left = {".twin.2.abcdefg1", ".twin.abc", ".other.abcdefg1", ".twin.abcdefg2"}
    assert {path.name for path in tmp_path.iterdir()} == left
    remove_leftovers(tmp_path / "nowhere" / "twin")


def test_a_checksum_is_that_of_the_file_as_it_is_now(tmp_path):
    path = tmp_path / "a.bin"
    for content in (b"", b"one", bytes(3_000_000)):
        path.write_bytes(content)
        assert checksum(path) == f"{zlib.crc32(content):08x}"
