"""Files: hashes, and names that are taken only by what is whole."""

import hashlib

import pytest

from helpers.files import atomic_path, sha256


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
