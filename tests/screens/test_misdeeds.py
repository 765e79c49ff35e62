"""All that is fetched, against a table of misdeeds: the right bytes or one line, soon, and nothing stuck afterwards."""

import email.utils
import gzip
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers.errors import DataError
from helpers.screens import http
from helpers.screens.facts import IMAGE_SIZE
from helpers.screens.images.paths import site_paths
from helpers.screens.images.store import WebImages, WebZipImages
from screens.liar import (
    ETAG,
    Handler,
    Liar,
    chembl,
    expected_scores,
    fetch,
    head,
    lying,
    names,
    published,
    raw,
    silent,
    small_zip,
)

PICTURE = site_paths("HRCE-1_25_AA02_1")[0]
PIXELS = np.random.default_rng(5).integers(0, 256, (IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8) // 32 * 32
SOON = 20.0  # seconds, on a machine that has other work to do


@dataclass
class Reply:
    """What an honest server answers, to be spoilt."""

    status: str
    headers: dict[str, str]
    body: bytes

    def send(self, handler: Handler, **changes: str | None) -> None:
        """Send it with other headers; None takes one away."""
        said = {"Content_Length": str(len(self.body)), **self.headers, **changes}
        top = head(self.status, **{name: text for name, text in said.items() if text is not None})
        raw(top + self.body)(handler)


def picture() -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "PNG", compress_level=1)
    return out.getvalue()


def pictures() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(f"RxRx19a/{PICTURE}", picture())
    return out.getvalue()


FILES = {
    "RxRx19a-metadata.zip": small_zip(),
    "RxRx19a-DL-embeddings.zip": small_zip(),
    PICTURE: picture(),
    "RxRx19a-images.zip": pictures(),
}


def honestly(handler: Handler) -> Reply:
    """Return what an honest server answers to a request."""
    if "activity.json" in handler.path:
        kept = handler.wfile
        handler.wfile = io.BytesIO()
        chembl()(handler)
        body, handler.wfile = handler.wfile.getvalue().partition(b"\r\n\r\n")[2], kept
        return Reply("200 OK", {"Content_Type": "application/json"}, body)
    data = FILES.get(handler.path.lstrip("/"))
    if data is None:
        return Reply("404 Not Found", {}, b"")
    return _ranged(data, handler.headers.get("Range"), handler.headers.get("If-Range", ETAG))


def _ranged(data: bytes, wanted: str | None, version: str) -> Reply:
    look = {"ETag": ETAG, "Content_Type": "application/octet-stream"}
    if not wanted or version != ETAG:
        return Reply("200 OK", look, data)
    start, _, last = wanted.removeprefix("bytes=").partition("-")
    begin, end = int(start), min(int(last or len(data)) + 1, len(data))
    if begin >= len(data):
        return Reply("416 Range Not Satisfiable", {}, b"")
    look["Content_Range"] = f"bytes {begin}-{end - 1}/{len(data)}"
    return Reply("206 Partial Content", look, data[begin:end])


def honest(handler: Handler) -> None:
    honestly(handler).send(handler)


def like(change: Callable[[bytes], bytes], **headers: str | None) -> Callable[[Handler], None]:
    """Answer honestly but for the body and some headers; the length is that of the honest body if it is not given."""

    def act(handler: Handler) -> None:
        reply = honestly(handler)
        length = {"Content_Length": str(len(reply.body))}
        replace(reply, body=change(reply.body)).send(handler, **(length | headers))

    return act


def bent(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] if body else body


def same(body: bytes) -> bytes:
    return body


def instead(body: bytes, status: str = "200 OK", **headers: str) -> Callable[[Handler], None]:
    return lambda handler: Reply(status, headers, body).send(handler)


def away(to: str) -> Callable[[Handler], None]:
    return instead(b"x" * 99, "302 Found", Location=to)


def on_and_on(handler: Handler) -> None:
    """Lead from each address to a longer one."""
    away(handler.path + "/on")(handler)


def busy(wait: str) -> Callable[[Handler], None]:
    return instead(b"busy", "503 Service Unavailable", Retry_After=wait)


def in_chunks(*, whole: bool) -> Callable[[Handler], None]:
    def act(handler: Handler) -> None:
        reply = honestly(handler)
        body = b"%x\r\n%s\r\n" % (len(reply.body), reply.body) + b"0\r\n\r\n"
        sent = body if whole else body[: len(body) // 2]
        replace(reply, body=sent).send(handler, Content_Length=None, Transfer_Encoding="chunked")

    return act


def as_a_part(handler: Handler) -> None:
    """Answer 206 to everything, also where no part was asked for."""
    reply = honestly(handler)
    length = len(reply.body)
    look = {"Content_Range": f"bytes 0-{length - 1}/{length}"} | reply.headers
    replace(reply, status="206 Partial Content", headers=look).send(handler)


def as_a_whole(handler: Handler) -> None:
    """Answer with the whole file whatever part is asked for."""
    del handler.headers["Range"]
    honest(handler)


def shifted(handler: Handler) -> None:
    """Send a part that begins a byte too late, and say so."""
    reply = honestly(handler)
    if "Content_Range" in reply.headers:
        first, rest = re.fullmatch(r"bytes (\d+)(-.*)", reply.headers["Content_Range"]).groups()
        reply = replace(reply, headers=reply.headers | {"Content_Range": f"bytes {int(first) + 1}{rest}"})
    replace(reply, body=reply.body[1:]).send(handler)


def changing(handler: Handler) -> None:
    """Give each answer another version, and break it off."""
    reply = honestly(handler)
    tag = f'"{len(handler.server.asked)}"'
    cut = replace(reply, body=reply.body[: len(reply.body) // 2])
    cut.send(handler, ETag=tag, Content_Length=str(len(reply.body)))


def dripping(handler: Handler) -> None:
    raw(head(Content_Length=9999), b"x", pause=0.02, forever=True)(handler)


HTML = b"<!DOCTYPE html><html><body>Sign in to this network</body></html>"
BOMB = gzip.compress(bytes(30 << 20))
QUICK = {
    "hangs up": raw(b""),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "half a head": raw(head(Server="liar")[:-4]),
    "breaks off": like(lambda body: body[: len(body) // 2]),
    "breaks off early": like(lambda body: body[:7]),
    "breaks off in chunks": in_chunks(whole=False),
    "chunks": in_chunks(whole=True),
    "a length that is too small": like(same, Content_Length="5"),
    "a length of terabytes": like(same, Content_Length=str(10**13)),
    "a length of no sense": like(same, Content_Length="-7"),
    "nothing": like(lambda _: b"", Content_Length="0"),
    "a web page": instead(HTML, Content_Type="text/html"),
    "a web page that does not say so": instead(HTML),
    "packed": like(gzip.compress, Content_Encoding="gzip", Content_Length=None),
    "a packed bomb": instead(BOMB, Content_Encoding="gzip"),
    "never asked for a part": as_a_part,
    "never gives a part": as_a_whole,
    "a part that begins elsewhere": shifted,
    "another version each time": changing,
    "a circle": away("/"),
    "a circle of itself": lambda handler: away(handler.path)(handler),
    "on and on": on_and_on,
    "led to a file": away("file:///etc/passwd"),
    "led to another scheme": away("gopher://127.0.0.1/x"),
    "led to no address": away("http://[::bad"),
    "500": instead(b"", "500 Internal Server Error"),
    "404": instead(b"", "404 Not Found"),
    "416": instead(b"", "416 Range Not Satisfiable"),
    "600": instead(b"", "600 What"),
    "wait for ever": busy("99999999999999999999"),
    "wait till 2099": busy("Fri, 02 Jan 2099 00:00:00 GMT"),
    "wait less than nothing": busy("-5"),
    "wait till yesterday": busy(email.utils.formatdate(time.time() - 86_400, usegmt=True)),
    "wait, but nobody knows how long": busy("a little while"),
}
SLOW = {
    "silent": silent,
    "drips": dripping,
    "drips a head": raw(*(bytes([letter]) for letter in head() * 9), pause=0.02),
    "does not end": raw(head(), b"x" * 9999, forever=True),
    "does not end in chunks": raw(head(Transfer_Encoding="chunked"), b"3e8\r\n" + b"x" * 1000 + b"\r\n", forever=True),
    "a redirect without end": raw(head("302 Found", Location="/x"), b"x" * 9999, forever=True),
}  # fmt: skip
# What nobody can see in a page of scores, which has neither checksum nor length inside.
BENT = {
    "a wrong bit": like(lambda body: bent(body, len(body) // 2)),
    "cut, and the length agrees": like(lambda body: body[: len(body) // 2], Content_Length=None),
}


def plane(store: WebImages | WebZipImages) -> bool:
    return np.array_equal(store._plane(PICTURE), PIXELS)


# Each fetches into a folder and tells if what came is right.
CALLS: dict[str, Callable[[Liar, Path], bool]] = {
    "archive": lambda server, folder: fetch(server, folder).read_bytes() == FILES["RxRx19a-metadata.zip"],
    "scores": lambda server, folder: expected_scores().equals(
        pd.read_csv(published(server, folder))[["assay", "name", "score"]]
    ),
    "picture": lambda server, _: plane(WebImages(server.url)),
    "member": lambda server, _: plane(WebZipImages(server.url + "RxRx19a-images.zip")),
}


@pytest.fixture(autouse=True)
def bounds(monkeypatch, tmp_path):
    monkeypatch.setattr(http, "PAUSE", 0.001)
    monkeypatch.setattr("helpers.screens.download.LARGEST", 10**6)
    monkeypatch.setattr("helpers.screens.chembl.PAGE_BYTES", 10**6)
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))


def be_impatient(patch: pytest.MonkeyPatch) -> None:
    """Let every bound in time be reached soon; only for servers that are slow, or a busy machine would reach them."""
    for kind, whole, rate in (("page", 0.4, 0), ("piece", 0.4, 0), ("download", float("inf"), 2_000)):
        patch.setitem(http.PATIENCE, kind, http.Patience(connect=1, silence=0.1, whole=whole, rate=rate))


def tried(call: Callable[[Liar, Path], bool], server: Liar, folder: Path) -> str:
    """Return the line of a failure, "" if the right thing came; neither may take long."""
    start, said = time.monotonic(), ""
    try:
        assert call(server, folder), "what came is wrong"
    except DataError as error:
        said = str(error)
    assert time.monotonic() - start < SOON
    return said


def is_one_clear_line(said: str) -> bool:
    """Tell if a line says where and what to do next."""
    where = re.match(r"(http://127\.0\.0\.1:\d+)?/\S*: \S", said)
    what = re.search(
        "run the command|in a browser|try again|check the|get the|give the address|open it again", said
    )
    return said.isprintable() and len(said) < 400 and bool(where and what)


MISDEEDS = [
    pytest.param(act, name in SLOW, CALLS[call], id=f"{call}: {name}")
    for call in CALLS
    for name, act in (QUICK | SLOW | ({} if call == "scores" else BENT)).items()
]


@pytest.mark.parametrize(("act", "is_slow", "call"), MISDEEDS)
def test_a_misdeed_gives_the_right_bytes_or_one_line_and_leaves_nothing_stuck(
    act, is_slow, call, tmp_path, capsys
):
    with lying(act) as server:
        tracemalloc.start()
        with pytest.MonkeyPatch.context() as patch:
            if is_slow:
                be_impatient(patch)
            said = tried(call, server, tmp_path / "to")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not said or is_one_clear_line(said), said
        assert most < 25 << 20
        server.acts = [honest]
        assert tried(call, server, tmp_path / "to") == ""
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def one_server() -> Iterator[Liar]:
    with lying(honest) as server:
        yield server


ANY = st.sampled_from(sorted(QUICK | BENT | {"honest": honest}))


@given(st.sampled_from(sorted(CALLS)), st.lists(ANY, max_size=9))
@settings(max_examples=40, deadline=None)
def test_whatever_comes_before_an_honest_answer_does_no_harm(one_server, name, misdeeds):
    """Calls are made until the misdeeds are over; the one after them succeeds, whatever the others have left."""
    acts = [(QUICK | BENT | {"honest": honest})[misdeed] for misdeed in misdeeds]
    if name == "scores":
        acts = [act for act in acts if act not in BENT.values()]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", folder + "/cache")
        one_server.acts = [*acts, honest]
        for _ in range(len(acts) + 1):
            said = tried(CALLS[name], one_server, Path(folder) / "to")
            assert not said or is_one_clear_line(said), said
            if len(one_server.acts) == 1:
                break
        assert tried(CALLS[name], one_server, Path(folder) / "to") == ""
        if name in ("archive", "scores"):
            assert len(names(Path(folder) / "to")) == 2, "nothing is left over but the file and its hash"


def slowly(handler: Handler) -> None:
    """Answer honestly, in pieces that take half a second together."""
    reply = honestly(handler)
    top = head(reply.status, Content_Length=len(reply.body), **reply.headers)
    step = len(reply.body) // 20 + 1
    raw(top, *(reply.body[at : at + step] for at in range(0, len(reply.body), step)), pause=0.02)(handler)


COMMAND = """
import sys
from helpers.cli import main
from helpers.screens import fetch
fetch.fetch_rxrx19a.__kwdefaults__["base_url"] = sys.argv[1]
fetch.fetch_published.__kwdefaults__["base_url"] = sys.argv[1] + "data"
sys.exit(main(["data", "fetch", "rxrx19a", "--dest", sys.argv[2]]))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_whoever_is_killed_at_any_moment_ends_with_the_same_files(tmp_path):
    """Each some moments after its first request; the next goes on with what was left, and the last one ends."""
    with lying(honest) as server:
        start = [sys.executable, "-c", COMMAND, server.url]
        for what in ("metadata", "embeddings"):
            fetch(server, tmp_path / "whole", what)
        published(server, tmp_path / "whole")
        server.acts = [slowly]
        moments = np.random.default_rng(int.from_bytes(os.urandom(4))).uniform(0, 2, size=2)
        print("killed after", moments)  # shown if it fails
        for moment in sorted(moments):
            server.asked.clear()
            run = subprocess.Popen(
                [*start, tmp_path / "to"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
            while not server.asked and run.poll() is None:
                time.sleep(0.005)
            time.sleep(moment)
            run.send_signal(signal.SIGKILL)
            run.wait(10)
        server.acts = [honest]
        last = subprocess.run(
            [*start, tmp_path / "to"], capture_output=True, text=True, timeout=60, check=False
        )
        assert last.returncode == 0, last.stderr
    assert contents(tmp_path / "to") == contents(tmp_path / "whole")
    assert sorted(contents(tmp_path / "to")) == sorted(
        ["RxRx19a-DL-embeddings.zip", "RxRx19a-metadata.zip", "SHA256SUMS.json", "published.csv"]
    )
