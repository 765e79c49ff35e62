"""The disk that things are fetched to: what is in the way or cannot be written, and one fetch at a time."""

import errno
import os
import shutil
import threading
import zipfile
from collections import namedtuple

import pytest
from filelock import FileLock

from helpers.errors import DataError
from helpers.screens import disk
from helpers.screens.disk import LOCK, check_room, free, in_turn, writing
from helpers.screens.problems import BrokenFileError
from helpers.screens.tables import open_tables
from screens.liar import ETAG, answer, complaint, fetch, lying, names, small_zip

Usage = namedtuple("Usage", "total used free")
FILE = "RxRx19a-metadata.zip"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "the disk is full, the file has 1,234 bytes; make room"),
        (errno.EDQUOT, "the disk is full, the file has 1,234 bytes; make room"),
        (errno.EROFS, "the folder is read-only (Read-only file system); make room"),
        (errno.EIO, "cannot be written (Input/output error); make room"),
    ],
)
def test_what_cannot_be_written_says_why_and_what_to_do(code, said, tmp_path):
    with pytest.raises(DataError) as raised, writing(tmp_path / "x", "make room", 1234):
        raise OSError(code, os.strerror(code))
    assert str(raised.value) == f"{tmp_path / 'x'}: {said}"


def test_a_name_is_freed_and_nothing_of_others_lost(tmp_path):
    for number in (1, 2):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "mine").write_text(str(number))
        free(tmp_path / "x")
    assert [(tmp_path / f"x.aside-{number}" / "mine").read_text() for number in (1, 2)] == ["1", "2"]
    (tmp_path / "x").symlink_to(tmp_path / "x.aside-1")
    free(tmp_path / "x")
    free(tmp_path / "x")
    assert names(tmp_path) == ["x.aside-1", "x.aside-2"]


@pytest.mark.parametrize(("room", "fits"), [(99, False), (100, True), (0, True)])
def test_room_is_looked_for_beforehand(room, fits, tmp_path, monkeypatch):
    """A disk that does not say how much room it has is tried."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1000, 1000 - room, room))
    if fits:
        return check_room(tmp_path, 100)
    with pytest.raises(OSError, match="100 bytes are needed, 99 are free") as raised:
        check_room(tmp_path, 100)
    assert raised.value.errno == errno.ENOSPC


def test_a_download_that_does_not_fit_is_not_begun(tmp_path, monkeypatch):
    data = small_zip()
    with lying(answer(data, ETag=ETAG)) as server:
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda _: Usage(50_000, 40_000, 10_000))
            said = complaint(server, tmp_path)
        assert said == (
            f"{tmp_path / FILE}.part: the disk is full (20,138 bytes are needed, 10,000 are free); free space "
            "or choose another --dest, then run the command again"
        )
        assert (tmp_path / f"{FILE}.part").exists() is False
        assert fetch(server, tmp_path).read_bytes() == data


def test_the_second_waits_says_so_and_finds_the_file(tmp_path, capsys):
    data, opened, go_on = small_zip(), threading.Event(), threading.Event()

    def slow(handler):
        opened.set()
        go_on.wait(10)
        answer(data)(handler)

    done = []
    with lying(slow) as server:
        calls = [threading.Thread(target=lambda: done.append(fetch(server, tmp_path))) for _ in range(2)]
        calls[0].start()
        assert opened.wait(10)
        calls[1].start()
        while "another fetch is writing here; waiting until it has ended" not in capsys.readouterr().err:
            assert calls[1].is_alive()
        go_on.set()
        for call in calls:
            call.join(10)
        assert [path.read_bytes() for path in done] == [data, data]
        assert len(server.asked) == 1
    assert names(tmp_path) == [FILE, "SHA256SUMS.json"]


def test_whoever_waits_too_long_gives_up_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "LONGEST_TURN", 0.1)
    with in_turn(tmp_path, "x"), lying(answer(small_zip())) as server:
        said = complaint(server, tmp_path)
        assert "another fetch has been writing here for 0 s; wait until it has ended, then run the" in said
        assert server.asked == []
    with in_turn(tmp_path, "x"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_lock_that_was_left_over_holds_nobody(kind, tmp_path):
    lock = tmp_path / LOCK
    {"file": lock.touch, "folder": lock.mkdir, "link": lambda: lock.symlink_to(tmp_path / "nowhere")}[kind]()
    with in_turn(tmp_path, "x"):
        assert lock.exists()
    assert not lock.exists()


@pytest.mark.parametrize("error", [NotImplementedError("no flock"), OSError(errno.ENOLCK, "No locks")])
def test_a_disk_that_knows_no_locks_is_used_all_the_same(error, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with lying(answer(small_zip())) as server:
        assert fetch(server, tmp_path).read_bytes() == small_zip()


def test_a_folder_that_takes_no_lock_is_named(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with lying(answer(small_zip())) as server:
        assert f"{LOCK}: the folder is read-only (Read-only file system); free" in complaint(server, tmp_path)


def test_a_file_that_is_there_and_known_needs_no_lock(tmp_path):
    """It may lie on a disk that nobody can write."""
    with lying(answer(small_zip())) as server:
        path = fetch(server, tmp_path)
        with in_turn(tmp_path, "x"):
            assert fetch(server, tmp_path) == path


def test_a_zip_of_tables_that_does_not_fit_is_not_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n2\n")
        archive.writestr("notes.txt", "left where it is")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 93, 7))
    said = r"t.zip: cannot be unpacked into \S+ \(8 bytes are needed, 7 are free\); set TMPDIR to a folder with room"
    with pytest.raises(BrokenFileError, match=said), open_tables(tmp_path / "t.zip"):
        pass
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 92, 8))
    with open_tables(tmp_path / "t.zip") as tables:
        assert len(tables) == 2


def test_what_was_made_of_the_error_of_a_full_disk_is_one(tmp_path):
    made = OSError("the writer of tables failed")
    made.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(DataError, match="x: the disk is full; make room"),
        writing(tmp_path / "x", "make room"),
    ):
        raise made
