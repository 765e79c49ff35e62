"""RxRx19a and the scores from a server that is honest, if sometimes busy or away."""

import json
import threading
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.files import sha256
from helpers.screens import fetch_published, fetch_rxrx19a, http
from screens.liar import ACTIVITIES, ETAG, expected_scores, fetch, one_line, published


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
