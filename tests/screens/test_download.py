"""A download from a server that lies: the right bytes, or one line that says so, and the next call is not hindered."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.screens import download, http
from helpers.screens import fetch as fetching
from screens.liar import (
    CHUNKED,
    ETAG,
    NAME,
    answer,
    chembl,
    complaint,
    fetch,
    fill,
    head,
    keep,
    lying,
    names,
    one_line,
    published,
    raw,
    serving,
    silent,
    small_zip,
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("helpers.screens.http.PAUSE", 0.001)


@pytest.fixture(scope="module")
def zipped() -> bytes:
    return small_zip()


@pytest.fixture
def impatient(monkeypatch):
    """Let every bound be reached soon."""
    monkeypatch.setitem(http.PATIENCE, "download", http.Patience(connect=1, silence=0.3, rate=2_000))
    monkeypatch.setitem(http.PATIENCE, "page", http.Patience(connect=1, silence=0.3, whole=2))


def test_only_what_is_missing_is_asked_for(zipped, tmp_path):
    to = keep(tmp_path / "to", zipped[:1000], total=len(zipped))
    with lying(serving(zipped)) as server:
        assert fetch(server, to).read_bytes() == zipped
        (asked,) = server.asked
    assert (asked["range"], asked["if-range"]) == ("bytes=1000-", ETAG)
    assert asked["accept-encoding"] == "identity"
    assert names(to) == [NAME, "SHA256SUMS.json"]


def wrong_part(data: bytes, start: int, **headers):
    """Answer 206 with right headers but for those that are given; None takes one away."""
    right = {
        "ETag": ETAG,
        "Content_Range": f"bytes 1000-{N_ZIPPED - 1}/{N_ZIPPED}",
        "Content_Length": len(data) - start,
    }
    said = {name: text for name, text in (right | headers).items() if text is not None}
    return raw(head("206 Partial", **said) + data[start:])


N_ZIPPED = 20_000 + 138  # the archive of `zipped`
OTHER = bytes(N_ZIPPED)
WRONG_PARTS = {
    "starts before": lambda z: wrong_part(z, 500, Content_Range=f"bytes 500-{N_ZIPPED - 1}/{N_ZIPPED}"),
    "starts before, with the right length": lambda z: wrong_part(
        z[:-500], 500, Content_Range=f"bytes 500-{N_ZIPPED - 501}/{N_ZIPPED}"
    ),
    "starts after": lambda z: wrong_part(z, 1001, Content_Range=f"bytes 1001-{N_ZIPPED - 1}/{N_ZIPPED}"),
    "ends before": lambda z: wrong_part(z[:5000], 1000, Content_Range=f"bytes 1000-4999/{N_ZIPPED}"),
    "another total": lambda z: wrong_part(
        z + b"x", 1000, Content_Range=f"bytes 1000-{N_ZIPPED}/{N_ZIPPED + 1}"
    ),
    "unknown total": lambda z: wrong_part(z, 1000, Content_Range=f"bytes 1000-{N_ZIPPED - 1}/*"),
    "no range": lambda z: wrong_part(z, 1000, Content_Range=None),
    "no sense": lambda z: wrong_part(z, 1000, Content_Range="bytes 1000-9999999999999999999999/x"),
    "another version": lambda _: wrong_part(OTHER, 1000, ETag='"two"'),
    "no version": lambda _: wrong_part(OTHER, 1000, ETag=None),
    "weak version": lambda _: wrong_part(OTHER, 1000, ETag="W/" + ETAG),
    "another length": lambda z: wrong_part(z, 1000, Content_Length=50),
    "longer than it says": lambda z: wrong_part(z + b"xyz", 1000, Content_Length=None),
    "too long": lambda _: answer(b"", "416 Range Not Satisfiable"),
}


@pytest.mark.parametrize("lie", WRONG_PARTS.values(), ids=WRONG_PARTS.keys())
def test_a_part_that_does_not_fit_is_not_appended(lie, zipped, tmp_path, impatient):
    assert len(zipped) == N_ZIPPED
    to = keep(tmp_path / "to", zipped[:1000], total=len(zipped))
    with lying(lie(zipped), serving(zipped)) as server:
        assert fetch(server, to).read_bytes() == zipped
        assert len(server.asked) == 2
    (to / NAME).unlink()
    keep(to, zipped[:1000], total=len(zipped))
    with lying(lie(zipped)) as server:
        said = complaint(server, to)
        assert "run the command again" in said or "in a browser" in said
        server.acts = [serving(zipped)]
        assert fetch(server, to).read_bytes() == zipped


def test_a_part_that_nobody_asked_for_is_no_success(zipped, tmp_path):
    with lying(wrong_part(zipped, 0, Content_Range=f"bytes 0-{N_ZIPPED - 1}/{N_ZIPPED}")) as server:
        assert "the server sends a part (206) where the whole was asked for" in complaint(server, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("date", [False, True])
def test_a_changed_file_begins_again(date, zipped, tmp_path):
    """Also where the server names versions by date only, and where it never heard of If-Range."""
    first, second = (
        ("Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT") if date else (ETAG, '"two"')
    )
    to = keep(tmp_path / "to", OTHER[:1000], tag=first, total=N_ZIPPED)
    version = {"ETag": None, "Last_Modified": second} if date else {"ETag": second}
    whole = answer(zipped, **{name: text for name, text in version.items() if text})
    with lying(wrong_part(zipped, 1000, **version), whole) as server:
        assert fetch(server, to).read_bytes() == zipped
        assert server.asked[0]["if-range"] == first


def test_what_came_is_kept_however_little(zipped, tmp_path):
    with lying(serving(zipped, cut=700)) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
        starts = [int(asked["range"][6:-1]) for asked in server.asked[1:]]
    assert starts == list(range(700, len(zipped), 700))


def test_a_few_bytes_wait_for_the_next_call(zipped, tmp_path):
    with lying(serving(zipped, cut=7), raw(b"")) as server:
        said = complaint(server, tmp_path)
    assert said.endswith(
        "the connection broke off, 4 times, given up; check the network and run the command again; 7 bytes are kept "
        "and it goes on from there"
    )
    assert (tmp_path / f"{NAME}.part").read_bytes() == zipped[:7]
    with lying(serving(zipped)) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
        assert server.asked[0]["range"] == "bytes=7-"


def test_nothing_is_promised_of_bytes_that_have_no_version(zipped, tmp_path):
    """The next call cannot know that they belong to the same file."""
    with lying(raw(head(Content_Length=len(zipped)) + zipped[:7000])) as server:
        assert "kept" not in complaint(server, tmp_path)
        server.acts = [answer(zipped)]
        assert fetch(server, tmp_path).read_bytes() == zipped
        assert "range" not in server.asked[-1]


def wrongly(handler):
    """Send a third of the file, whether from the beginning or not."""
    status = "206 Partial" if "Range" in handler.headers else "200 OK"
    raw(head(status, ETag=ETAG, Content_Length=9999) + b"x" * 3000)(handler)


STALLS = {
    "silent": (silent, "no answer within 0.3 s, 4 times"),
    "one byte for ever": (
        raw(head(Content_Length=9999), b"x", pause=0.05, forever=True),
        r"only \d bytes came in 0.3",
    ),
    "one byte of the head": (raw(b"H", b"", pause=9), "no answer within 0.3 s"),
    "a byte, then the end": (raw(head(Content_Length=9999) + b"x"), "the connection broke off"),
    "resumed wrongly, and cut": (wrongly, "another part than the one that is missing"),
    "no end": (raw(head(), b"x" * 999, forever=True), "the answer does not end after 10,000 bytes"),
    "no end of trailers": (raw(CHUNKED + b"0\r\n", b"A: b\r\n", forever=True), "does not end after"),
    "too much": (
        raw(head(Content_Length=10**15)),
        "1,000,000,000,000,000 bytes are announced; allowed are 10,000",
    ),
}


@pytest.mark.parametrize(("act", "said"), STALLS.values(), ids=STALLS.keys())
def test_a_download_that_gets_nowhere_is_given_up(act, said, zipped, tmp_path, impatient, monkeypatch):

    with monkeypatch.context() as patch, lying(act) as server:
        patch.setattr(download, "LARGEST", 10_000)
        assert re.search(said, complaint(server, tmp_path))
    with lying(serving(zipped)) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped


def test_a_byte_at_a_time_is_too_little(zipped, tmp_path):
    with lying(serving(zipped, cut=1)) as server:
        assert "given up; check the network" in complaint(server, tmp_path)
        assert len(server.asked) < 20


def folder_with_a_file(path: Path) -> None:
    path.mkdir()
    (path / "somebody's.txt").write_text("mine")


LEFTOVERS = {
    "the part is a folder": lambda part, _: folder_with_a_file(part),
    "the tag is a folder": lambda part, tag: (part.write_bytes(b"x"), folder_with_a_file(tag)),
    "the tag is no text": lambda part, tag: (part.write_bytes(b"x"), tag.write_bytes(b"\xff\x00\r\n5")),
    "the tag breaks lines": lambda part, tag: (part.write_bytes(b"x"), tag.write_text('"o\r\nCookie: x"\n5')),
    "the tag is Greek": lambda part, tag: (part.write_bytes(b"x"), tag.write_text("ετικέτα\n5", "utf-8")),
    "no tag": lambda part, _: part.write_bytes(b"x" * 50),
    "no part": lambda _, tag: tag.write_text(f"{ETAG}\n50"),
    "only the note of nothing": lambda _, tag: tag.write_text(f"{ETAG}\n0"),
    "rubbish that looks whole": lambda part, tag: (
        part.write_bytes(b"x" * 50),
        tag.write_text(f"{ETAG}\n50"),
    ),
    "a link to nowhere": lambda part, _: part.symlink_to(part.with_name("nowhere") / "below"),
    "the tag is unreadable": lambda part, tag: (part.write_bytes(b"x"), tag.write_text(ETAG), tag.chmod(0)),
}


@pytest.mark.parametrize("what", LEFTOVERS)
def test_leftovers_do_not_hinder(what, zipped, tmp_path):
    part = tmp_path / f"{NAME}.part"
    LEFTOVERS[what](part, part.with_name(f"{NAME}.part.tag"))
    with lying(serving(zipped, etag='"new"')) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
    moved = list(tmp_path.glob("*.aside-1/somebody's.txt"))
    assert len(moved) == ("folder" in what), "what is not ours is moved aside, not deleted"


def test_a_part_that_cannot_be_read_is_no_part(zipped, tmp_path, monkeypatch):
    keep(tmp_path, zipped[:1000], total=len(zipped))
    monkeypatch.setattr(os, "access", lambda path, _: not str(path).endswith(".part"))
    with lying(serving(zipped)) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
        assert "range" not in server.asked[0]


def test_parts_of_files_that_are_only_alike_are_not_joined(zipped, tmp_path):
    alike = raw(head(Content_Length=len(zipped), ETag='W/"one"') + zipped[:5000])
    with lying(alike, answer(zipped, ETag='W/"one"')) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
        assert ["range" in asked for asked in server.asked] == [False, False]


@pytest.mark.parametrize("is_known", [True, False], ids=["hash known", "first time"])
@pytest.mark.parametrize("n_kept", [5000, N_ZIPPED], ids=["a piece", "whole"])
def test_a_part_that_was_damaged_on_disk_is_fetched_anew(n_kept, is_known, zipped, tmp_path, capsys):
    """Its length and its version are right; only the bytes are not."""
    with lying(serving(zipped)) as server:
        if is_known:
            fetch(server, tmp_path).unlink()
        keep(tmp_path, (zipped[:3000] + b"?" + zipped[3001:])[:n_kept], total=len(zipped))
        assert fetch(server, tmp_path).read_bytes() == zipped
    assert "do not make a whole file; it is fetched again from its beginning" in capsys.readouterr().err
    assert names(tmp_path) == [NAME, "SHA256SUMS.json"]


def test_parts_that_never_fit_are_joined_twice_and_no_more(zipped, tmp_path):
    """A server may send rubbish under a right head for ever."""

    def rubbish(handler):
        start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        if start:
            wrong_part(
                zipped[:start] + bytes(N_ZIPPED - start),
                start,
                Content_Range=f"bytes {start}-{N_ZIPPED - 1}/{N_ZIPPED}",
                Content_Length=N_ZIPPED - start,
            )(handler)
        else:
            serving(zipped, cut=9000)(handler)

    with lying(rubbish) as server:
        assert "what came is no zip archive; open the address in a browser" in complaint(server, tmp_path)
        assert len(server.asked) == 4
        server.acts = [serving(zipped)]
        assert fetch(server, tmp_path).read_bytes() == zipped


def test_a_file_that_changed_meanwhile_is_told(zipped, tmp_path, capsys):
    keep(tmp_path, OTHER[:1000], tag='"old"', total=N_ZIPPED)
    with lying(serving(zipped)) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
    assert (
        f"{NAME}: the file has changed on the server; it is fetched from its beginning"
        in capsys.readouterr().err
    )


def test_a_damaged_file_that_was_brought_by_hand_is_not_taken(zipped, tmp_path):
    (tmp_path / NAME).write_bytes(zipped[:9000] + b"?" + zipped[9001:])
    with (
        lying(silent) as server,
        pytest.raises(DataError, match=r"member RxRx19a/metadata.csv is cut .*delete the"),
    ):
        fetch(server, tmp_path)
    assert names(tmp_path) == [NAME], "no hash of it is recorded"


def test_a_part_that_was_whole_when_the_process_died_is_taken(zipped, tmp_path):
    keep(tmp_path, zipped, total=len(zipped))
    with lying(answer(b"", "500 Down")) as server:
        assert fetch(server, tmp_path).read_bytes() == zipped
        assert server.asked == []


@pytest.mark.slow
def test_whoever_is_stopped_goes_on_later(zipped, tmp_path):
    """Three processes at once, since starting one takes most of the time."""
    # Whoever starts the tests in the background lets their children ignore Ctrl-C.
    call = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    call += "from helpers.screens import fetch_rxrx19a as f; f(*sys.argv[1:3], base_url=sys.argv[3])"
    half = raw(head(Content_Length=len(zipped), ETag=ETAG) + zipped[:700], b"", pause=30)
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    folders = [tmp_path / number.name for number in signals]
    with lying(half) as server:
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", call, "metadata", folder, server.url], stderr=subprocess.DEVNULL
            )
            for folder in folders
        ]
        for run, folder, number in zip(runs, folders, signals, strict=True):
            part, until = folder / f"{NAME}.part", time.monotonic() + 25
            while not (part.exists() and part.stat().st_size == 700):
                assert time.monotonic() < until
                assert run.poll() is None
                time.sleep(0.02)
            run.send_signal(number)
            assert run.wait(10) != 0
            assert not (folder / NAME).exists()
            assert part.read_bytes() == zipped[:700]
        server.asked.clear()
        server.acts = [serving(zipped)]
        for folder in folders:
            assert fetch(server, folder).read_bytes() == zipped
        assert [asked["range"] for asked in server.asked] == ["bytes=700-"] * len(folders)


def test_an_archive_with_a_wrong_bit_is_not_taken(zipped, tmp_path):
    bent = zipped[:9000] + bytes([zipped[9000] ^ 1]) + zipped[9001:]
    with lying(serving(bent)) as server:
        assert "member RxRx19a/metadata.csv is cut off or damaged (Bad CRC-32" in complaint(server, tmp_path)
        assert names(tmp_path) == []
        server.acts = [serving(zipped)]
        assert fetch(server, tmp_path).read_bytes() == zipped


def test_an_archive_that_would_fill_the_disk_is_not_taken(zipped, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "UNPACKED", 19_999)
    with lying(serving(zipped)) as server:
        assert "the archive has 20,000 bytes when unpacked; allowed are 19,999; run the" in complaint(
            server, tmp_path
        )


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / NAME).mkdir()
    with (
        lying(silent) as server,
        pytest.raises(DataError, match=r"cannot be read \(Is a directory\); remove it"),
    ):
        fetch(server, tmp_path)


@pytest.mark.parametrize("name", [NAME, "SHA256SUMS.json"])
def test_a_pipe_is_not_waited_for(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with (
        lying(silent) as server,
        pytest.raises(DataError, match=rf"{name}: cannot be read \(it is a pipe or a dev"),
    ):
        fetch(server, tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", "\x00", "[" * 100_000, '{"x": 5}', '{"x": "y"}'])
def test_recorded_hashes_that_are_none(text, tmp_path):
    (tmp_path / "SHA256SUMS.json").write_text(text)
    with lying(silent) as server:
        for what in (fetch, published):
            with pytest.raises(DataError, match="is not JSON of SHA-256 sums; delete it to record"):
                what(server, tmp_path)
        assert server.asked == []


@pytest.mark.parametrize(
    ("ending", "room"), [(".part", 0), (".part", 6000), (".tag", 0), (".tag", 3), ("SUMS.json", 5)]
)
def test_a_full_disk_is_named_and_what_came_is_kept(ending, room, zipped, tmp_path, monkeypatch):
    with lying(serving(zipped)) as server:
        with monkeypatch.context() as patch:
            fill(patch, ending, room)
            with pytest.raises(DataError) as raised:
                fetch(server, tmp_path)
        assert "the disk is full" in one_line(raised)
        assert str(tmp_path) in str(raised.value)
        assert "free space or choose another --dest, then run the command again" in str(raised.value)
        if ending == ".part":
            assert "the file has 20,138 bytes" in str(raised.value)
            assert (tmp_path / f"{NAME}.part").read_bytes() == zipped[:room]
        assert fetch(server, tmp_path).read_bytes() == zipped
        if room == 6000:
            assert server.asked[-1]["range"] == "bytes=6000-"
    assert names(tmp_path) == [NAME, "SHA256SUMS.json"]


@pytest.mark.parametrize("ending", [".part", ".json", ".csv"])
def test_a_folder_that_takes_nothing_is_named(ending, zipped, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    fill(monkeypatch, ending, code=errno.EACCES)
    monkeypatch.setattr(pd.DataFrame, "to_csv", refuse)
    what = fetch if ending == ".part" else published
    with lying(serving(zipped) if ending == ".part" else chembl()) as server:
        assert "the folder is read-only" in complaint(server, tmp_path, what)
