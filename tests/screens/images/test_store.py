"""Stores of images: what a PNG must be, and where a folder and an archive look for it."""

import io
import zipfile

import numpy as np
import pytest
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


def test_a_grey_png_of_the_right_size_is_read():
    plane = decode_png(png(9), "x")
    assert plane.dtype == np.uint8
    assert plane.shape == (IMAGE_SIZE, IMAGE_SIZE)
    assert (plane == 9).all()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (png(size=512), "x has 512 x 512 pixels in mode L; allowed are 1024 x 1024"),
        (png(mode="RGB"), "in mode RGB"),
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
