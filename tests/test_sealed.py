"""Sealed folders: any damage is seen, what is damaged is made anew, and nobody loses what is in use."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from helpers import sealed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "entry"


def write(folder: Path) -> None:
    (folder / "sub").mkdir(parents=True)
    (folder / "a.csv").write_text("a,b\n1,2\n")
    (folder / "sub" / "b.npy").write_bytes(bytes(range(64)))


def read(folder: Path) -> tuple[str, bytes]:
    return (folder / "a.csv").read_text(), (folder / "sub" / "b.npy").read_bytes()


WHOLE = ("a,b\n1,2\n", bytes(range(64)))


def never(_: Path) -> None:
    pytest.fail("made twice")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_whole_is_made_once(folder, capsys):
    assert sealed.keep(folder, write, read) == WHOLE
    assert sealed.keep(folder, never, read) == WHOLE
    (folder / ".DS_Store").write_text("a file manager was here")
    assert sealed.keep(folder, never, read) == WHOLE
    assert capsys.readouterr().err == ""


def test_every_byte_counts(folder):
    sealed.keep(folder, write, read)
    for path in files(folder):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
            assert sealed.find_flaw(folder), (path, at)
            path.write_bytes(whole[:at])
            assert sealed.find_flaw(folder), (path, at)
        path.write_bytes(whole)
    assert sealed.find_flaw(folder) == ""


def in_place_of(path: Path, make) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)


DAMAGE = {
    "a file is gone": lambda at: (at / "a.csv").unlink(),
    "a folder is gone": lambda at: shutil.rmtree(at / "sub"),
    "the seal is gone": lambda at: (at / sealed.SEAL).unlink(),
    "one file more": lambda at: (at / "c.csv").write_text("x"),
    "an empty file": lambda at: (at / "a.csv").write_text(""),
    "an empty seal": lambda at: (at / sealed.SEAL).write_text(""),
    "a folder in place of a file": lambda at: in_place_of(at / "a.csv", Path.mkdir),
    "a folder in place of the seal": lambda at: in_place_of(at / sealed.SEAL, Path.mkdir),
    "a file in place of a folder": lambda at: in_place_of(at / "sub", Path.touch),
    "a link in place of a file": lambda at: in_place_of(
        at / "a.csv", lambda path: path.symlink_to("/etc/hostname")
    ),
    "a file in place of it all": lambda at: in_place_of(at, Path.touch),
    "a link in place of it all": lambda at: in_place_of(at, lambda path: path.symlink_to(path.parent.parent)),
    "a folder in place of the lock": lambda at: in_place_of(sealed.lock_of(at), Path.mkdir),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_told_in_one_line_and_mended(damage, folder, capsys):
    sealed.keep(folder, write, read)
    before = files(folder)
    other = folder.parent.parent / "mine.txt"
    other.write_text("mine")
    sealed.lock_of(folder).touch()
    damage(folder)
    assert sealed.keep(folder, write, read) == WHOLE
    assert files(folder) == before
    assert other.read_text() == "mine", "what lies outside is nobody's business"
    told = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"rxrx19: {folder} ") and "made again" in line for line in told)
    assert len(told) == (damage is not DAMAGE["a folder in place of the lock"])
    assert not list(folder.parent.glob(".old-*"))


def test_an_entry_under_another_name_is_none(folder):
    sealed.keep(folder, write, read)
    folder.rename(folder.with_name("other"))
    assert sealed.find_flaw(folder.with_name("other")) == "was made as entry"


def test_what_cannot_be_read_is_made_again_once(folder):
    sealed.keep(folder, write, read)
    calls = []

    def fail_first(folder: Path) -> str:
        calls.append(folder)
        if len(calls) == 1:
            raise TypeError("a class that is gone")
        return "read"

    assert sealed.keep(folder, write, fail_first) == "read"
    with pytest.raises(ZeroDivisionError):
        sealed.keep(folder, write, lambda _: 1 // 0)


def test_a_reader_keeps_what_it_has_mapped(folder):
    def save(folder: Path) -> None:
        folder.mkdir()
        np.save(folder / "x.npy", np.arange(100_000))

    mapped = sealed.keep(folder, save, lambda folder: np.load(folder / "x.npy", mmap_mode="r"))
    (folder / "y").touch()
    sealed.keep(folder, save, lambda _: None)
    assert mapped.sum() == np.arange(100_000).sum()


def test_what_is_held_or_claimed_is_not_removed(folder):
    sealed.keep(folder, write, read)
    with sealed.held(folder):
        assert not sealed.remove(folder)
    code = (
        "import sys; from pathlib import Path; from helpers import sealed\n"
        "sealed.claim(Path(sys.argv[1])); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "1\n"
        assert not sealed.remove(folder)
        other.kill()
    assert sealed.remove(folder)
    assert list(folder.parent.iterdir()) == []


def test_what_was_used_last_stays(tmp_path):
    for day, name in enumerate(("old", "middle", "new"), start=1):
        sealed.keep(tmp_path / name, write, read)
        os.utime(tmp_path / name, (day, day))
    sealed.claim(tmp_path / "middle")  # counts as used now
    size = sealed.size_of(tmp_path / "new")
    everything = [tmp_path / name for name in ("old", "middle", "new", "gone")]
    sealed.bound(everything, 2 * size + 10, keep=tmp_path / "new")
    assert [path.exists() for path in everything] == [False, True, True, False]
    sealed.bound(everything, 0)
    assert [path.exists() for path in everything] == [False, True, False, False], "one is claimed"


def test_of_several_at_once_one_makes_it(folder):
    made = []

    def slowly(folder: Path) -> None:
        made.append(1)
        write(folder)

    threads = [threading.Thread(target=sealed.keep, args=(folder, slowly, read)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_packed_bytes_tell_damage():
    packed = sealed.pack(b"score,1.5\n")
    assert sealed.unpack(packed) == b"score,1.5\n"
    assert sealed.unpack(sealed.pack(b"")) == b""
    for at in range(len(packed)):
        for damaged in (packed[:at], packed[:at] + bytes([packed[at] ^ 4]) + packed[at + 1 :]):
            with pytest.raises(ValueError, match="checksum"):
                sealed.unpack(damaged)


def test_notices_keep_out_of_pages(tmp_path, monkeypatch, capsys):
    sealed.notice("one\n line")
    assert capsys.readouterr().err == "rxrx19: one line\n"
    monkeypatch.setenv(sealed.NOTICES, str(tmp_path / "notices.txt"))
    sealed.notice("two")
    assert capsys.readouterr().err == ""
    assert (tmp_path / "notices.txt").read_text() == "rxrx19: two\n"
