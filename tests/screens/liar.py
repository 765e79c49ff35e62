"""Servers that do as they are told, right or wrong, a disk that is full, and the fetches that meet them."""

import contextlib
import errno
import io
import itertools
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.screens import fetch_published, fetch_rxrx19a

BODY = b"0123456789" * 50
ETAG = '"one"'
NAME = "RxRx19a-metadata.zip"
Act = Callable[[BaseHTTPRequestHandler], None]


class Liar(ThreadingHTTPServer):
    """A server on 127.0.0.1 that does with each request what the next of its acts says, the last one for ever."""

    daemon_threads = True

    def __init__(self, *acts: Act):
        super().__init__(("127.0.0.1", 0), Handler)
        self.acts = list(acts)
        self.asked: list[dict[str, str]] = []
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Liar

    def do_GET(self):
        self.server.asked.append(
            {"path": self.path, **{name.lower(): text for name, text in self.headers.items()}}
        )
        act = self.server.acts.pop(0) if len(self.server.acts) > 1 else self.server.acts[0]
        with contextlib.suppress(OSError):
            act(self)
        self.close_connection = True

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def lying(*acts: Act) -> Iterator[Liar]:
    server = Liar(*acts)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()


def raw(*pieces: bytes, pause: float = 0.0, forever: bool = False) -> Act:
    """Send bytes as they are; `forever` repeats the last piece."""

    def act(handler: Handler) -> None:
        for piece in itertools.chain(pieces, itertools.repeat(pieces[-1]) if forever else ()):
            handler.wfile.write(piece)
            if handler.server.stopped.wait(pause) if pause else handler.server.stopped.is_set():
                return

    return act


def head(status: str = "200 OK", **headers: object) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(body: bytes = BODY, status: str = "200 OK", **headers: object) -> Act:
    return raw(head(status, Content_Length=len(body), **headers) + body)


def silent(handler: Handler) -> None:
    handler.server.stopped.wait(20)


CHUNKED = head(Transfer_Encoding="chunked")
GOOD = answer()


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


def fetch(server, dest, what="metadata"):
    return fetch_rxrx19a(what, dest, base_url=server.url, progress=False)


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


def one_line(raised) -> str:
    assert "\n" not in str(raised.value)
    return str(raised.value)


def small_zip() -> bytes:
    """Return a small archive that a flipped bit shows in."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("RxRx19a/metadata.csv", np.random.default_rng(1).bytes(20_000))
    return file.getvalue()


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
