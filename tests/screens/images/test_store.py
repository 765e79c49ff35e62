"""Stores of images: what a PNG must be, and where a folder and an archive look for it."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers.errors import DataError, UsageError
from helpers.screens.facts import IMAGE_SIZE
from helpers.screens.images.paths import site_paths
from helpers.screens.images.store import CachedImages, FolderImages, ImageStore, decode_png, open_zip

SITE = "HRCE-1_25_AA02_1"


def png(level: int = 7, size: int = IMAGE_SIZE, mode: str = "L", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (size, size), level).save(out, kind)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def headed(
    width: int = IMAGE_SIZE, height: int = IMAGE_SIZE, bits: int = 8, kind: int = 0, again: bytes = b""
) -> bytes:
    """Return a PNG of a few rows whose head says something of its own; a second one after it if `again` is given."""
    top = chunk(b"IHDR", struct.pack(">2I5B", width, height, bits, kind, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(5 * 1025)))
    return b"\x89PNG\r\n\x1a\n" + top + again[8:33] + rows + chunk(b"IEND", b"")


def test_a_grey_png_of_the_right_size_is_read():
    plane = decode_png(png(9), "x")
    assert plane.dtype == np.uint8
    assert plane.shape == (IMAGE_SIZE, IMAGE_SIZE)
    assert (plane == 9).all()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            png(size=512),
            "x has 512 x 512 pixels of grey, 8 bit; allowed are 1024 x 1024 pixels of grey, 8 bit",
        ),
        (png(mode="RGB"), "1024 x 1024 pixels of colour, 8 bit"),
        (png(mode="P"), "pixels of a palette"),
        (png(mode="I;16"), "pixels of grey, 16 bit"),
        (headed(bits=4), "pixels of grey, 4 bit"),
        (headed(100_000, 100_000), "x has 100000 x 100000 pixels"),
        (headed(2**31 - 1, 2**31 - 1), "x has 2147483647 x 2147483647 pixels"),
        (headed(0, 0), "x has 0 x 0 pixels"),
        (headed(kind=7), "pixels of no known colour"),
        (headed(again=headed(50_000, 50_000)), "x is a broken PNG"),
        (headed(again=headed(2000, 2000)), r"x is a broken PNG \(it has several heads\)"),
        (headed(), r"x is a broken PNG \(rows are missing\)"),
        (b"<html>Sign in</html>" * 9, "x is no PNG image"),
        (png(kind="TIFF"), "x is no PNG image"),
        (b"", "x is no PNG image"),
        (png()[:200], "x is a broken PNG"),
    ],
)
def test_what_is_no_such_image_is_refused(data, said):
    with pytest.raises(DataError, match=said):
        decode_png(data, "x")


@pytest.mark.parametrize("below", ["", "RxRx19a"])
def test_a_folder_is_looked_through_in_the_release_and_below_it(tmp_path, below):
    for level, path in enumerate(site_paths(SITE)):
        file = tmp_path / below / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(level))
    store = FolderImages(tmp_path)
    assert store.has(SITE)
    assert store.site(SITE)[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    (tmp_path / below / site_paths(SITE)[4]).unlink()
    assert not store.has(SITE), "four channels are no site"
    with pytest.raises(DataError, match=r"holds no images/HRCE-1/Plate25/AA02_s1_w5.png"):
        store.site(SITE)


def test_an_archive_may_call_its_folder_otherwise(tmp_path):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for level, path in enumerate(site_paths(SITE)):
            archive.writestr(path.replace("images/", "RxRx19a/pictures/"), png(level))
    store = open_zip(tmp_path / "some.zip")
    assert store.has(SITE)
    assert not store.has("HRCE-1_25_AA02_2")
    assert store.site(SITE)[:, 5, 5].tolist() == [0, 1, 2, 3, 4]


def test_an_id_that_is_none_is_refused_by_every_store(tmp_path):
    with pytest.raises(UsageError, match="like HRCE-1_25_AA02_1"):
        FolderImages(tmp_path).has("AA02")
    assert not ImageStore.is_drawing
    assert repr(FolderImages(tmp_path)) == f"FolderImages('{tmp_path}')"


def test_a_png_in_which_a_byte_changed_is_refused():
    """Pillow alone gives other pixels for most of them, without a word."""
    rng = np.random.default_rng(0)
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)).save(out, "PNG")
    data = out.getvalue()
    decode_png(data, "whole")
    for at in (*rng.integers(0, len(data), 20), len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(DataError, match="get the file again"):
            decode_png(bytes(changed), "changed")
    for end in (len(data) - 1, len(data) - 13, len(data) // 2, 40, 0):
        with pytest.raises(DataError, match="get the file again"):
            decode_png(data[:end], "cut")


def test_a_kept_image_that_broke_is_fetched_again(tmp_path, monkeypatch, capsys):
    class Far(CachedImages):
        asked = 0

        def _read(self, path: str) -> bytes:
            self.asked += path == site_paths(SITE)[0]
            return png(9)

    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))
    far, path = Far("https://example.org/"), site_paths(SITE)[0]
    kept = far.folder / path
    whole = bytearray(png(9))
    whole[60] ^= 1
    for number, damage in enumerate((bytes(whole), b"", None), start=1):
        assert (far._plane(path) == 9).all()
        assert (far._plane(path) == 9).all()
        assert far.asked == number
        kept.unlink()
        kept.mkdir() if damage is None else kept.write_bytes(damage)
    assert (far._plane(path) == 9).all()
    told = capsys.readouterr().err.splitlines()
    assert told == 3 * [f"rxrx19: {kept} is damaged: it is dropped and fetched again"]


@pytest.fixture(scope="module")
def noisy() -> tuple[np.ndarray, bytes]:
    pixels = np.random.default_rng(3).integers(0, 256, (IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return pixels, out.getvalue()


def test_the_pixels_may_come_in_any_order_and_in_any_pieces(noisy):
    """Pictures that other programs write: several chunks of pixels, other chunks between, and rows in turns."""
    pixels, data = noisy
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels), 1)
    pieces = b"".join(chunk(b"IDAT", packed[at : at + 10_000]) for at in range(0, len(packed), 10_000))
    assert (
        decode_png(data[:33] + chunk(b"tEXt", b"a\0b") + pieces + chunk(b"IEND", b""), "x") == pixels
    ).all()
    turns = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    rows = [b"\0" + row.tobytes() for y, dy, x, dx in turns for row in pixels[y::dy, x::dx]]
    top = chunk(b"IHDR", struct.pack(">2I5B", IMAGE_SIZE, IMAGE_SIZE, 8, 0, 0, 0, 1))
    interlaced = data[:8] + top + chunk(b"IDAT", zlib.compress(b"".join(rows), 1)) + chunk(b"IEND", b"")
    assert (decode_png(interlaced, "x") == pixels).all()


@given(st.floats(0, 1) | st.integers(0, 60), st.binary(min_size=1, max_size=4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_wrong_bytes_anywhere_give_the_right_pixels_or_one_line(noisy, where, noise, is_cut):
    pixels, data = noisy
    at = where if isinstance(where, int) else int(where * len(data))
    bent = data[:at] if is_cut else (data[:at] + noise + data[at + len(noise) :])[: len(data)]
    try:
        plane = decode_png(bent, "x")
    except DataError as error:
        plane, said = pixels, str(error)
        assert said.startswith("x ") and "\n" not in said  # noqa: PT018
    np.testing.assert_array_equal(plane, pixels)


def test_a_picture_of_a_folder_that_cannot_be_read_or_held_is_named(tmp_path, monkeypatch):
    file = tmp_path / site_paths(SITE)[0]
    file.parent.mkdir(parents=True)
    file.write_bytes(png() + bytes(8 * IMAGE_SIZE**2))
    with pytest.raises(
        DataError, match=r"AA02_s1_w1.png has [\d,]+ bytes; allowed are 8,388,608: get the file"
    ):
        FolderImages(tmp_path)._plane(site_paths(SITE)[0])
    file.write_bytes(png())

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"AA02_s1_w1.png cannot be read \(Permission denied\); mend that"):
        FolderImages(tmp_path)._plane(site_paths(SITE)[0])
