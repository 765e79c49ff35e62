import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.files import sha256
from helpers.screens import download, fetch_published, fetch_rxrx19a, http
from helpers.screens import fetch as fetching
from helpers.sealed import pack
from screens.test_http import CHUNKED, answer, head, lying, raw, silent

ETAG = '"one"'


class Server(ThreadingHTTPServer):
    """A server on 127.0.0.1 that can be told to misbehave."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.etag = ETAG
        self.ranges = True
        self.cut_after: int | None = None  # bytes of each answer that get through
        self.status: list[int] = []  # of the next answers
        self.html = False
        self.page = 1000  # rows of a page of activities
        self.fail_at_offset: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        if self.server.status:
            self.send_error(self.server.status.pop(0))
        elif self.server.html:
            self.answer(b"<html>Sign in</html>", content_type="text/html; charset=utf-8")
        elif self.path.startswith("/data/activity.json"):
            self.activities()
        elif self.path.lstrip("/") in self.server.files:
            self.file(self.server.files[self.path.lstrip("/")])
        else:
            self.send_error(404)

    def file(self, data: bytes):
        wanted = self.headers.get("Range")
        fresh = self.headers.get("If-Range") == self.server.etag
        if wanted and fresh and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_error(416)
            else:
                self.answer(data[start:], status=206, part=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.answer(data)

    def answer(
        self, data: bytes, *, status: int = 200, content_type: str = "application/zip", part: str = ""
    ):
        self.send_response(status)
        if part:
            self.send_header("Content-Range", part)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", self.server.etag)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data[: self.server.cut_after])

    def activities(self):
        query = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
        assay, offset = query["assay_chembl_id"], int(query.get("offset", 0))
        if offset == self.server.fail_at_offset:
            self.send_error(400)
            return
        rows = ACTIVITIES[assay][offset : offset + self.server.page]
        following = offset + self.server.page
        more = f"/data/activity.json?assay_chembl_id={assay}&limit=1000&offset={following}"
        meta = {
            "next": more if following < len(ACTIVITIES[assay]) else None,
            "total_count": len(ACTIVITIES[assay]),
        }
        self.answer(
            json.dumps({"activities": rows, "page_meta": meta}).encode(), content_type="application/json"
        )

    def log_message(self, *args):
        pass


def activity(assay: str, number: int) -> dict:
    return {
        "activity_id": number,
        "assay_chembl_id": assay,
        "molecule_chembl_id": f"CHEMBL{number}",
        "molecule_pref_name": f"MOLECULE {number}",
        "canonical_smiles": "C" * (number % 7 + 1),
        "standard_type": "Hit score",
        "standard_value": str(number / 1000),
        "activity_comment": None,
        "record_id": number + 5,
    }


ACTIVITIES = {
    "CHEMBL4303810": [activity("CHEMBL4303810", i) for i in range(1, 26)],
    "CHEMBL4303811": [activity("CHEMBL4303811", i) for i in range(101, 105)],
}


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("helpers.screens.http.PAUSE", 0.001)


@pytest.fixture
def archive(tmp_path, server) -> bytes:
    """Put a zip of 3 MB of noise on the server and return its bytes."""
    noise = np.random.default_rng(0).bytes(3_000_000)
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("RxRx19a/metadata.csv", noise)
    server.files = dict.fromkeys(("RxRx19a-metadata.zip", "RxRx19a-DL-embeddings.zip"), path.read_bytes())
    return path.read_bytes()


def fetch(server, dest, what="metadata"):
    return fetch_rxrx19a(what, dest, base_url=server.url, progress=False)


@pytest.mark.parametrize("what", ["metadata", "embeddings"])
def test_a_download_is_whole_and_its_hash_recorded(what, server, archive, tmp_path):
    path = fetch(server, tmp_path / "to", what)
    assert path.read_bytes() == archive
    assert json.loads((path.parent / "SHA256SUMS.json").read_text()) == {path.name: sha256(path)}
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, "SHA256SUMS.json"])
    assert fetch(server, tmp_path / "to", what) == path
    assert len(server.requests) == 1


def test_the_default_place_is_the_one_that_is_read(server, archive, tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    assert fetch(server, None) == tmp_path / "cache" / "rxrx19a" / "RxRx19a-metadata.zip"


def test_a_link_that_breaks_is_resumed(server, archive, tmp_path):
    server.cut_after = 1_200_000
    path = fetch(server, tmp_path / "to")
    assert path.read_bytes() == archive
    ranges = [wanted for _, wanted in server.requests]
    assert ranges[0] is None
    assert all(wanted.startswith("bytes=") for wanted in ranges[1:])
    assert len(ranges) >= 3


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server, archive, tmp_path):
    server.cut_after = 1_200_000
    server.ranges = False
    with pytest.raises(
        DataError, match=r"given up; check the network and run the command again; 1,.* bytes are kept"
    ):
        fetch(server, tmp_path / "to")
    assert not (tmp_path / "to" / "RxRx19a-metadata.zip").exists()
    server.cut_after, server.ranges, server.requests = None, True, []
    assert fetch(server, tmp_path / "to").read_bytes() == archive
    assert server.requests[0][1].startswith("bytes=1")


def test_a_file_that_changed_meanwhile_comes_whole(server, archive, tmp_path):
    server.cut_after, server.ranges = 1_200_000, False
    with pytest.raises(DataError):
        fetch(server, tmp_path / "to")
    server.cut_after, server.ranges, server.etag = None, True, '"two"'
    assert fetch(server, tmp_path / "to").read_bytes() == archive


def test_a_part_longer_than_the_file_is_thrown_away(server, archive, tmp_path):
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "RxRx19a-metadata.zip.part").write_bytes(b"x" * (len(archive) + 5))
    (tmp_path / "to" / "RxRx19a-metadata.zip.part.tag").write_text(ETAG)
    assert fetch(server, tmp_path / "to").read_bytes() == archive


def test_a_server_that_is_busy_is_asked_again(server, archive, tmp_path):
    server.status = [503, 429, 500]
    assert fetch(server, tmp_path / "to").read_bytes() == archive


def one_line(raised) -> str:
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_the_server_can_say_instead(server, archive, tmp_path):
    server.status = [503] * 9
    with pytest.raises(
        DataError, match=r"503 Service Unavailable, 4 times; run the command again later"
    ) as raised:
        fetch(server, tmp_path / "to")
    assert one_line(raised).startswith(server.url + "RxRx19a-metadata.zip: ")
    server.status, server.files = [], {}
    with pytest.raises(DataError, match=r"RxRx19a-metadata.zip: the server answers 404 .*check the address"):
        fetch(server, tmp_path / "to")
    server.html = True
    with pytest.raises(DataError, match="a web page came instead of the file"):
        fetch(server, tmp_path / "to")
    server.html, server.files = False, {"RxRx19a-metadata.zip": b"<html>no type given</html>"}
    with pytest.raises(DataError, match="no zip archive; open the address in a browser"):
        fetch(server, tmp_path / "to")
    assert not (tmp_path / "to" / "RxRx19a-metadata.zip").exists()


def test_no_network(tmp_path):
    server = Server()
    url = server.url
    server.server_close()
    with pytest.raises(
        DataError, match=r"127.0.0.1:\d+/RxRx19a-metadata.zip: no connection .*check the network"
    ) as raised:
        fetch_rxrx19a("metadata", tmp_path, base_url=url, progress=False)
    one_line(raised)
    with pytest.raises(
        DataError, match=r"activity.json.*no connection \(refused\), 4 times; check the"
    ) as raised:
        fetch_published(tmp_path, base_url=url, progress=False)
    one_line(raised)


def test_a_silent_server(server, archive, tmp_path, monkeypatch):
    monkeypatch.setitem(http.PATIENCE, "download", http.Patience(1, 0.05, rate=2_000))
    stop = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda _: stop.wait(5))
    with pytest.raises(DataError, match="given up; check the network"):
        fetch(server, tmp_path / "to")
    stop.set()


def test_a_changed_file_is_noticed(server, archive, tmp_path):
    path = fetch(server, tmp_path / "to")
    path.write_bytes(archive + b" ")
    with pytest.raises(
        DataError, match=r"not that of the first download .*delete the file and run the command again"
    ):
        fetch(server, tmp_path / "to")
    path.unlink()
    assert fetch(server, tmp_path / "to").read_bytes() == archive


def test_another_file_than_the_first_time_is_noticed(server, archive, tmp_path):
    path = fetch(server, tmp_path / "to")
    path.unlink()
    server.files[path.name] = archive[:1000] + b"another" + archive[1007:]
    with pytest.raises(DataError, match=r"differs from the first download .*remove its entry") as raised:
        fetch(server, tmp_path / "to")
    one_line(raised)
    assert not path.exists()


def test_a_file_brought_by_hand_is_taken_and_recorded(server, archive, tmp_path):
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "RxRx19a-metadata.zip").write_bytes(archive)
    path = fetch(server, tmp_path / "to")
    assert server.requests == []
    assert path.name in json.loads((path.parent / "SHA256SUMS.json").read_text())


def test_wrong_calls(tmp_path):
    with pytest.raises(UsageError, match="'images': allowed are metadata, embeddings, published"):
        fetch_rxrx19a("images", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another folder with --dest"):
        fetch_rxrx19a("metadata", tmp_path / "file" / "below")


def published(server, dest):
    return fetch_published(dest, base_url=server.url + "data", progress=False)


def expected_scores() -> pd.DataFrame:
    rows = [row for rows in ACTIVITIES.values() for row in rows]
    return pd.DataFrame(
        {
            "assay": [row["assay_chembl_id"] for row in rows],
            "name": [row["molecule_pref_name"] for row in rows],
            "score": [row["activity_id"] / 1000 for row in rows],
        }
    )


@pytest.mark.parametrize("page", [1000, 10, 7, 25])
def test_published_scores_come_in_pages(page, server, tmp_path):
    server.page = page
    path = published(server, tmp_path)
    pd.testing.assert_frame_equal(pd.read_csv(path)[["assay", "name", "score"]], expected_scores())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["SHA256SUMS.json", "published.csv"]


def test_complete_pages_are_kept_when_one_fails(server, tmp_path):
    server.page, server.fail_at_offset = 10, 20
    with pytest.raises(DataError, match="offset=20: the server answers 400") as raised:
        published(server, tmp_path)
    one_line(raised)
    assert not (tmp_path / "published.csv").exists()
    server.fail_at_offset, server.requests = None, []
    pd.testing.assert_frame_equal(
        pd.read_csv(published(server, tmp_path))[["assay", "name", "score"]], expected_scores()
    )
    assert len(server.requests) == 2  # the third page of the first assay, and the second assay


def test_published_scores_survive_a_busy_server(server, tmp_path):
    server.status = [503, 500]
    assert len(pd.read_csv(published(server, tmp_path))) == 29


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ({"html": True}, "a web page came instead of the file"),
        ({"cut_after": 50}, "broke off|not ChEMBL's JSON"),
    ],
)
def test_answers_that_are_no_page(trouble, says, server, tmp_path):
    for name, value in trouble.items():
        setattr(server, name, value)
    with pytest.raises(DataError, match=says) as raised:
        published(server, tmp_path)
    assert "run the command again" in one_line(raised)
    for name in trouble:
        setattr(server, name, None)
    assert len(pd.read_csv(published(server, tmp_path))) == 29


# From here on the server lies. What comes is right, or one line that says so; and the next call is not hindered.

NAME = "RxRx19a-metadata.zip"


@pytest.fixture(scope="module")
def zipped() -> bytes:
    """Return a small archive that a flipped bit shows in."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("RxRx19a/metadata.csv", np.random.default_rng(1).bytes(20_000))
    return file.getvalue()


@pytest.fixture
def impatient(monkeypatch):
    """Let every bound be reached soon."""
    monkeypatch.setitem(http.PATIENCE, "download", http.Patience(connect=1, silence=0.3, rate=2_000))
    monkeypatch.setitem(http.PATIENCE, "page", http.Patience(connect=1, silence=0.3, whole=2))


def serving(data: bytes, *, cut: int | None = None, etag: str = ETAG):
    """Send a file or what is missing of it, of each answer only so many bytes."""

    def act(handler):
        asked = handler.headers
        if asked.get("If-Range") == etag and "Range" in asked:
            start = int(asked["Range"].removeprefix("bytes=").rstrip("-"))
            status, part = "206 Partial", {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        else:
            start, status, part = 0, "200 OK", {}
        top = head(status, Content_Length=len(data) - start, ETag=etag, **part)
        raw(top + data[start : len(data) if cut is None else start + cut])(handler)

    return act


def keep(folder: Path, data: bytes, tag: str = ETAG, total: int | str = "") -> Path:
    """Leave what an earlier call has left."""
    folder.mkdir(exist_ok=True)
    (folder / f"{NAME}.part.tag").write_text(f"{tag}\n{total}")
    (folder / f"{NAME}.part").write_bytes(data)
    return folder


def complaint(server, dest, what=fetch) -> str:
    """Return the line of a failure that has to come soon."""
    start = time.monotonic()
    with pytest.raises(DataError) as raised:
        what(server, dest)
    assert time.monotonic() - start < 10
    assert not (Path(dest) / NAME).exists()
    return one_line(raised)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
        assert "the archive that came is damaged (RxRx19a/metadata.csv); run the command" in complaint(
            server, tmp_path
        )
        assert names(tmp_path) == []
        server.acts = [serving(zipped)]
        assert fetch(server, tmp_path).read_bytes() == zipped


def test_an_archive_that_would_fill_the_disk_is_not_taken(zipped, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "UNPACKED", 19_999)
    with lying(serving(zipped)) as server:
        assert "damaged (20,000 bytes when unpacked)" in complaint(server, tmp_path)


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / NAME).mkdir()
    with (
        lying(silent) as server,
        pytest.raises(DataError, match=r"cannot be read \(Is a directory\); remove it"),
    ):
        fetch(server, tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", "\x00", "[" * 100_000])
def test_recorded_hashes_that_are_none(text, tmp_path):
    (tmp_path / "SHA256SUMS.json").write_text(text)
    with lying(silent) as server:
        for what in (fetch, published):
            with pytest.raises(DataError, match="is not JSON; delete it to record the hashes again"):
                what(server, tmp_path)
        assert server.asked == []


class FullDisk:
    """A file on a disk that takes so many bytes and no more."""

    def __init__(self, file, room: int, code: int):
        self.file, self.room, self.code = file, room, code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.file.write(data[: self.room])
        self.file.flush()
        if len(data) > self.room:
            raise OSError(self.code, os.strerror(self.code))
        self.room -= len(data)


def fill(patch, ending: str, room: int = 0, code: int = errno.ENOSPC) -> None:
    """Let the disk be full when files of this name are written."""
    plain = Path.open

    def open_(path, mode="r", *args, **settings):
        file = plain(path, mode, *args, **settings)
        return FullDisk(file, room, code) if path.name.endswith(ending) and mode[0] in "wax" else file

    patch.setattr(Path, "open", open_)


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


def chembl(tamper=lambda page, **_: page, rows=10):
    """Answer as ChEMBL does, but for what `tamper` makes of a page."""

    def act(handler):
        query = {name: value[0] for name, value in parse_qs(urlsplit(handler.path).query).items()}
        assay, offset = query["assay_chembl_id"], int(query["offset"])
        every = ACTIVITIES[assay]
        more = f"/data/activity.json?assay_chembl_id={assay}&offset={offset + rows}"
        meta = {"next": more if offset + rows < len(every) else None, "total_count": len(every)}
        page = tamper(
            {"activities": every[offset : offset + rows], "page_meta": meta}, assay=assay, offset=offset
        )
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        answer(body, Content_Type="application/json")(handler)

    return act


def of_meta(**changes):
    return lambda page, **_: {**page, "page_meta": page["page_meta"] | changes}


def first_page(page, *, assay, **_):
    """Give the first page whatever is asked for, and say that the next is where this one was."""
    return {
        "activities": ACTIVITIES[assay][:10],
        "page_meta": {"next": "/data/activity.json", "total_count": None},
    }


def in_turn(page, *, assay, offset):
    """Lead from the first page to the second and from there back."""
    return {
        **page,
        "activities": ACTIVITIES[assay][offset % 20 : offset % 20 + 10],
        "page_meta": {"next": "/"},
    }


def endless(page, *, assay, offset):
    return {"activities": [activity(assay, 1000 + offset)], "page_meta": {"next": "/on"}}


def growing(page, *, offset, **_):
    return {**page, "page_meta": page["page_meta"] | {"total_count": 25 + offset}}


def empty_in_the_middle(page, *, offset, **_):
    return {**page, "activities": []} if offset == 10 else page


def of_rows(change):
    return lambda page, **_: {**page, "activities": [change(row) for row in page["activities"]]}


PAGES = {
    "points at itself": (first_page, "after 10 scores of CHEMBL4303810 the same come again"),
    "a circle": (in_turn, "after 20 scores of CHEMBL4303810 the same come again"),
    "no end": (endless, "the scores of CHEMBL4303810 do not end after 50 pages"),
    "a growing total": (growing, "now 35 scores of CHEMBL4303810 are announced, before it were 25"),
    "too large a total": (of_meta(total_count=10**9), r"cannot be \(1000000000\)"),
    "a total that is none": (of_meta(total_count="many"), r"cannot be \(many\)"),
    "a negative total": (of_meta(total_count=-1), r"cannot be \(-1\)"),
    "too small a total": (of_meta(total_count=13), "20 of 13 scores of CHEMBL4303810 came"),
    "more than there are": (of_meta(total_count=40), "25 of 40 scores of CHEMBL4303810 came"),
    "an early end": (of_meta(next=None), "10 of 25 scores of CHEMBL4303810 came"),
    "an empty page": (empty_in_the_middle, "an empty page in the middle, after 10 scores"),
    "nothing at all": (
        lambda _, **__: {"activities": [], "page_meta": {"total_count": 0}},
        "0 of 0 scores",
    ),
    "no page": (lambda _, **__: [], "is not ChEMBL's JSON"),
    "no rows": (lambda _, **__: {"page_meta": {}}, "is not ChEMBL's JSON"),
    "rows of another kind": (of_rows(str), "rows that are no scores of CHEMBL4303810"),
    "rows in rows": (of_rows(lambda row: row | {"standard_value": {}}), "rows that are no scores"),
    "rows without a number": (of_rows(lambda row: row | {"activity_id": None}), "rows that are no scores"),
    "another assay": (of_rows(lambda row: row | {"assay_chembl_id": "CHEMBL1"}), "rows that are no scores"),
    "too deep": (lambda _, **__: b"[" * 40_000, "is not ChEMBL's JSON"),
    "half": (lambda page, **_: json.dumps(page).encode()[:-9], "is not ChEMBL's JSON"),
    "no text": (lambda _, **__: b"\xff\xfe\x00", "is not ChEMBL's JSON"),
    "too large": (lambda _, **__: b" " * 60_000, "more bytes come than the 50,000"),
}


@pytest.mark.parametrize(("tamper", "said"), PAGES.values(), ids=PAGES.keys())
def test_pages_that_are_no_way_through(tamper, said, tmp_path, monkeypatch):

    monkeypatch.setattr(fetching, "MAX_PAGES", 50)
    monkeypatch.setattr(fetching, "PAGE_BYTES", 50_000)
    with lying(chembl(tamper)) as server:
        text = complaint(server, tmp_path, published)
        assert re.search(said, text)
        assert "run the command again" in text
        assert len(server.asked) <= 50
        assert not (tmp_path / "published.csv").exists()
        server.acts = [chembl()]
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(tmp_path) == ["SHA256SUMS.json", "published.csv"]


def test_pages_without_a_total_end_with_the_last(tmp_path):
    with lying(chembl(of_meta(total_count=None))) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29


def test_half_a_letter_does_not_stop_the_table(tmp_path):
    with lying(chembl(of_rows(lambda row: row | {"molecule_pref_name": "\ud800"}))) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29


def old_page(**changes) -> bytes:
    """Return a page of another day, when there were fewer scores."""
    rows = [activity("CHEMBL4303810", number) for number in range(1, 11)]
    return json.dumps({"activities": rows, "page_meta": {"next": "/", "total_count": 11}} | changes).encode()


KEPT = {
    "no JSON": b"{",
    "no text": b"\xff\x00",
    "nothing": b"",
    "no page": b"[]",
    "too deep": b"[" * 100_000,
    "empty in the middle": old_page(activities=[]),
    "another day": old_page(),
    "another assay": old_page(activities=[activity("CHEMBL4303811", 1)]),
    "a folder": None,
}


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT.keys())
def test_kept_pages_that_are_of_no_use_are_fetched_again(data, tmp_path):
    page = tmp_path / ".published_pages" / "CHEMBL4303810-10.json"
    page.parent.mkdir()
    page.mkdir() if data is None else page.write_bytes(pack(data))
    with lying(chembl()) as server:
        table = pd.read_csv(published(server, tmp_path))
    pd.testing.assert_frame_equal(table[["assay", "name", "score"]], expected_scores())


def test_a_kept_page_in_which_a_byte_changed_is_fetched_again(server, tmp_path):
    server.page, server.fail_at_offset = 10, 20
    with pytest.raises(DataError, match="offset=20"):
        published(server, tmp_path)
    kept = sorted((tmp_path / ".published_pages").glob("*.json"))
    for path in kept:
        data = bytearray(path.read_bytes())
        at = data.index(b"standard_value") + 18  # within a score
        assert chr(data[at]).isdigit()
        data[at] ^= 1
        path.write_bytes(data)
    assert kept
    server.fail_at_offset = None
    pd.testing.assert_frame_equal(
        pd.read_csv(published(server, tmp_path))[["assay", "name", "score"]], expected_scores()
    )


def test_foreign_files_among_the_kept_pages_are_left_alone(tmp_path):
    pages = tmp_path / ".published_pages"
    half = pages / ".CHEMBL4303810-0.json.x7"  # what a killed writer leaves
    half.mkdir(parents=True)
    (half / "CHEMBL4303810-0.json").write_text("{")
    (pages / "notes.txt").write_text("mine")
    with lying(chembl()) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(pages) == ["notes.txt"]


def test_a_file_in_the_place_of_the_kept_pages(tmp_path):
    (tmp_path / ".published_pages").write_text("x")
    with lying(chembl()) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29


@pytest.mark.parametrize("ending", ["0.json", "SUMS.json", "published.csv"])
def test_a_full_disk_while_scores_come(ending, tmp_path, monkeypatch):
    def to_csv(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with lying(chembl()) as server:
        with monkeypatch.context() as patch:
            fill(patch, ending)
            if ending == "published.csv":
                patch.setattr(pd.DataFrame, "to_csv", to_csv)
            with pytest.raises(
                DataError, match="the disk is full; free space or choose another --dest"
            ) as raised:
                published(server, tmp_path)
            assert ending in one_line(raised)
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(tmp_path) == ["SHA256SUMS.json", "published.csv"]
