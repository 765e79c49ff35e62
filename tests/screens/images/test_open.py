"""Images come out alike from a folder, a zip, and a server, and what is wrong with them is said."""

import io
import os
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.errors import DataError, UsageError
from helpers.files import cache_dir
from helpers.screens import http
from helpers.screens.images.open import open_images

SITE, OTHER = "HRCE-1_25_AA02_1", "HRCE-1_25_AA02_2"


PATHS = [f"images/HRCE-1/Plate25/AA02_s1_w{channel}.png" for channel in range(1, 6)]


class Server(ThreadingHTTPServer):
    """A server on 127.0.0.1 that can be told to misbehave."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.sent = 0
        self.ranges = True
        self.etag = '"one"'
        self.status: list[int] = []  # of the next answers
        self.silent: list[float] = []  # seconds before the next answers
        self.cut: list[int] = []  # bytes that get through of the next answers
        self.drip = 0.0  # seconds between the quarters of an answer
        self.html = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.requests.append((self.path.lstrip("/"), wanted))
        if server.silent:
            time.sleep(server.silent.pop(0))
        if server.status:
            self.send_error(server.status.pop(0))
        elif self.path.lstrip("/") not in server.files:
            self.send_error(404)
        elif wanted and server.ranges:
            data = server.files[self.path.lstrip("/")]
            start, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
            last = min(last, len(data) - 1)
            self.answer(206, data[start : last + 1], f"bytes {start}-{last}/{len(data)}")
        else:
            self.answer(200, server.files[self.path.lstrip("/")])

    def answer(self, status: int, data: bytes, content_range: str = ""):
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if self.server.html else "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", self.server.etag)
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        data = data[: self.server.cut.pop(0)] if self.server.cut else data
        quarter = max(1, len(data) // 4)
        with suppress(BrokenPipeError, ConnectionResetError):
            for at in range(0, len(data), quarter):
                self.wfile.write(data[at : at + quarter])
                self.server.sent += len(data[at : at + quarter])
                time.sleep(self.server.drip)

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
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("helpers.screens.http.PAUSE", 0.001)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Five channels that differ everywhere; in blocks, so that their files are small but not trivial."""
    blocks = np.random.default_rng(0).integers(0, 256, (5, 64, 64), dtype=np.uint8)
    return blocks.repeat(16, axis=1).repeat(16, axis=2)


@pytest.fixture(scope="module")
def files(pixels) -> dict[str, bytes]:
    return {path: png(plane) for path, plane in zip(PATHS, pixels, strict=True)}


def unpacked(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def packed(path: Path, files: dict[str, bytes], prefix: str = "RxRx19a/") -> Path:
    """Return a zip of the files, of others with similar names, and of members packed in both ways."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/RxRx19a/images/HRCE-1/Plate25/._AA02_s1_w1.png", b"not this one")
        archive.writestr("RxRx19a/images/XHRCE-1/Plate25/AA02_s1_w1.png", b"nor this one")
        for number, (name, data) in enumerate(files.items()):
            method = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            archive.writestr(prefix + name, data, compress_type=method)
    return path


@pytest.mark.parametrize("site_id", ["HRCE-1_25_AA02", "AA02", "", "HRCE-1_25_AA02_x"])
def test_a_site_id_has_four_parts(site_id, tmp_path):
    with pytest.raises(UsageError, match="like HRCE-1_25_AA02_1"):
        open_images(tmp_path).site(site_id)


def sources(tmp_path: Path, server: Server, files: dict[str, bytes]) -> dict[str, str]:
    server.files = {f"release/{path}": data for path, data in files.items()}
    archive = packed(tmp_path / "images.zip", files)
    server.files["images.zip"] = archive.read_bytes()
    return {
        "folder": str(unpacked(tmp_path / "release", files)),
        "its folder images": str(tmp_path / "release" / "images"),
        "zip": str(archive),
        "single files": server.url + "release",
        "zip on a server": server.url + "images.zip",
    }


def test_all_ways_give_the_same_pixels(tmp_path, server, files, pixels):
    for way, where in sources(tmp_path, server, files).items():
        store = open_images(where)
        image = store.site(SITE)
        assert image.dtype == np.uint8, way
        np.testing.assert_array_equal(image, pixels, err_msg=way)
        assert store.has(SITE), way
        assert not store.has(OTHER), way
        assert not store.is_drawing, way
        with pytest.raises(DataError, match="AA02_s2_w1"):
            store.site(OTHER)


def test_a_release_on_disk_is_preferred(tmp_path, files, pixels):
    assert open_images("rxrx19a").name == "https://storage.googleapis.com/rxrx/RxRx19a/"
    (cache_dir() / "rxrx19a").mkdir()
    packed(cache_dir() / "rxrx19a" / "RxRx19a-images.zip", files)
    np.testing.assert_array_equal(open_images("rxrx19a").site(SITE), pixels)
    unpacked(cache_dir() / "rxrx19a", files)
    assert Path(open_images("rxrx19a").name).is_dir()


def test_a_source_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder or file; allowed are twin, rxrx19a"):
        open_images(tmp_path / "absent")


@pytest.mark.parametrize("way", ["single files", "zip on a server"])
def test_what_was_fetched_once_is_not_fetched_again(way, tmp_path, server, files, pixels):
    where = sources(tmp_path, server, files)[way]
    open_images(where).site(SITE)
    asked = len(server.requests)
    again = open_images(where)
    np.testing.assert_array_equal(again.site(SITE), pixels)
    assert again.has(SITE)
    assert len(server.requests) == asked
    kept = sorted(path.name for path in cache_dir().rglob("AA02*"))
    assert kept == [Path(path).name for path in PATHS]
    assert np.array_equal(open_images(again.folder).site(SITE), pixels), "the cache is itself in the layout"


def test_a_cached_file_that_broke_is_fetched_anew(tmp_path, server, files, pixels):
    store = open_images(sources(tmp_path, server, files)["single files"])
    store.site(SITE)
    (store.folder / PATHS[2]).write_bytes(files[PATHS[2]][:5000])
    np.testing.assert_array_equal(store.site(SITE), pixels)
    assert (store.folder / PATHS[2]).read_bytes() == files[PATHS[2]]


def test_a_passing_error_of_the_server_is_survived(tmp_path, server, files, pixels):
    store = open_images(sources(tmp_path, server, files)["single files"])
    server.status = [500, 503, 429]
    np.testing.assert_array_equal(store.site(SITE), pixels)


def test_a_lasting_error_is_told_with_a_way_out(tmp_path, server, files):
    store = open_images(sources(tmp_path, server, files)["single files"])
    server.status = [500] * 40
    with pytest.raises(DataError, match=r"500 .* 4 times; .*local folder or zip.*open_images") as raised:
        store.site(SITE)
    assert "\n" not in str(raised.value)
    server.status = [500] * 40
    with pytest.raises(DataError, match="500"):
        store.has(SITE)


def test_a_broken_transfer_is_tried_again_and_never_kept(tmp_path, server, files, pixels):
    store = open_images(sources(tmp_path, server, files)["single files"])
    server.cut = [100, 0, 2000]
    np.testing.assert_array_equal(store.site(SITE), pixels)
    server.cut = [100] * 40
    with pytest.raises(DataError, match=r"broke off|bytes came"):
        open_images(server.url + "release/.").site(SITE)
    assert len(list(cache_dir().rglob("AA02*"))) == len(PATHS)


@pytest.mark.slow
def test_a_silent_link_is_given_up_and_a_slow_one_is_not(tmp_path, server, files, pixels, monkeypatch):
    monkeypatch.setitem(http.PATIENCE, "piece", http.Patience(2, 0.4, whole=60))
    store = open_images(sources(tmp_path, server, files)["single files"])
    server.silent = [1.0] * 40
    with pytest.raises(DataError, match=r"no answer within 0\.4 s, 4 times"):
        store.site(SITE)
    server.silent = [1.0]
    np.testing.assert_array_equal(store.site(SITE), pixels)
    server.drip = 0.15  # longer than the timeout in all, never silent for as long
    image = open_images(server.url + "images.zip").site(SITE)
    np.testing.assert_array_equal(image, pixels)


def test_no_network_names_the_local_way():
    with pytest.raises(
        DataError, match=r"no connection \(refused\), 4 times; check the network, or give a local folder"
    ):
        open_images("http://127.0.0.1:9/").site(SITE)


def test_a_login_page_is_not_taken_for_an_image(tmp_path, server, files):
    store = open_images(sources(tmp_path, server, files)["single files"])
    server.html = True
    with pytest.raises(DataError, match="a web page came"):
        store.site(SITE)


def test_a_zip_on_a_server_without_ranges_is_not_downloaded(tmp_path, server, files):
    store = open_images(sources(tmp_path, server, files)["zip on a server"])
    server.files["images.zip"] += b"\0" * 30_000_000
    server.ranges = False
    with pytest.raises(DataError, match="no ranges; give the address of single files"):
        store.site(SITE)
    assert server.sent < 20_000_000
    single = open_images(server.url + "release")
    assert single.has(SITE)


def test_only_what_is_needed_of_a_zip_is_fetched(tmp_path, server, files, pixels):
    big = dict(files)
    for number in range(40):
        big[f"images/HRCE-1/Plate26/B{number + 2:02d}_s1_w1.png"] = os.urandom(200_000)
    server.files["big.zip"] = packed(tmp_path / "big.zip", big).read_bytes()
    np.testing.assert_array_equal(open_images(server.url + "big.zip").site(SITE), pixels)
    assert server.sent < 0.1 * len(server.files["big.zip"])
    assert len(server.requests) <= 5 + len(PATHS)


def test_a_zip_that_changes_meanwhile_is_noticed(tmp_path, server, files):
    store = open_images(sources(tmp_path, server, files)["zip on a server"])
    assert store.has(SITE)
    server.etag = '"two"'
    with pytest.raises(DataError, match="changed on the server"):
        store.site(SITE)


def large(side: int = 2048, dtype: str = "uint8") -> bytes:
    return png(np.zeros((side, side), dtype))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[: len(data) // 2], "broken PNG"),
        (lambda data: data[:2000] + bytes(200) + data[2200:], "broken PNG"),
        (lambda data: b"GIF89a" + data, "no PNG"),
        (lambda _: b"", "no PNG"),
        (lambda _: large(), "2048 x 2048 pixels of grey, 8 bit; allowed are 1024 x 1024"),
        (lambda _: large(1024, "uint16"), "pixels of grey, 16 bit; allowed are"),
        (lambda _: png(np.zeros((1024, 1024, 3), np.uint8)), "pixels of colour, 8 bit"),
    ],
)
def test_an_image_that_is_wrong_is_named(spoil, said, tmp_path, server, files):
    bad = files | {PATHS[3]: spoil(files[PATHS[3]])}
    for way, where in sources(tmp_path, server, bad).items():
        with pytest.raises(DataError, match=said) as raised:
            open_images(where).site(SITE)
        assert "AA02_s1_w4.png" in str(raised.value), way
    assert not list(cache_dir().rglob("AA02_s1_w4.png"))
