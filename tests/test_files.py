"""Files that are whole or absent, and what is said of those that cannot be read or written."""

import errno
import hashlib
import os
import re
import zlib
from pathlib import Path

import pytest

from helpers.errors import NoRoomError, explain_system_error
from helpers.files import (
    UnreadableTextError,
    atomic_path,
    checksum,
    home_path,
    read_json_object,
    read_small_text,
    remove_leftovers,
    room_for,
    sha256,
)


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


class FullError(Exception):
    """What a writer of tables raises in its own words."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        FullError("write failed: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_told_with_its_path_and_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.csv"
    path.write_text("before")
    said = rf"{path} cannot be written: no room is left .* and run again"

    def write():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(NoRoomError, match=said):
        write()
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_other_errors_stay_themselves(tmp_path):
    with pytest.raises(FullError, match="ink"), room_for(tmp_path):
        raise FullError("no ink left")


def test_the_system_is_quoted_with_advice():
    for number in (errno.ENOSPC, errno.ENAMETOOLONG, errno.EROFS, errno.EMFILE, errno.EIO):
        said = explain_system_error(OSError(number, os.strerror(number), "a/b"))
        assert said.startswith("a/b: ")
        assert os.strerror(number) not in said
        assert len(said.split()) > 8
    assert "Errno" not in explain_system_error(OSError(errno.EXDEV, "Invalid cross-device link"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _: None, "cannot be read (No such file"),
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: os.mkfifo(path), "it is a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a pipe or a device"),
        (lambda path: path.write_bytes(b"a" * 1001), "has 1,001 bytes, at most 1,000 are read"),
        (lambda path: path.write_bytes(b"a\n\xff"), "is not UTF-8 text (line 2)"),
        (lambda path: path.write_bytes(b"a\n\n\0"), "holds a NUL in line 3"),
    ],
)
def test_what_is_no_small_text_is_refused_at_once(tmp_path, make, says):
    make(tmp_path / "a")
    with pytest.raises(UnreadableTextError, match=re.escape(says)):
        read_small_text(tmp_path / "a", most=1000)


def test_a_small_text_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes("\ufeffä\r\nb\rc".encode())
    assert read_small_text(tmp_path / "a", most=1000) == "ä\nb\nc"


@pytest.mark.parametrize("text", ["", "5", "[1]", "{", "[" * 100_000, '{"a": ' * 100_000, "\0"])
def test_what_is_no_json_object_is_empty(tmp_path, text):
    (tmp_path / "a").write_text(text)
    assert read_json_object(tmp_path / "a") == {}
    assert read_json_object(tmp_path / "none") == {}
    (tmp_path / "a").write_text('{"b": 1}')
    assert read_json_object(tmp_path / "a") == {"b": 1}


def test_a_home_that_nobody_has_is_a_name_like_others():
    assert home_path("~nobody-at-all/x") == Path("~nobody-at-all/x")
    assert home_path("~/x") == Path.home() / "x"
