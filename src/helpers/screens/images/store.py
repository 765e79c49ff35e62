"""Stores of images: a folder, a ZIP archive or a server, each giving a site as (5, 1024, 1024) uint8."""

import contextlib
import hashlib
import io
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urljoin

import numpy as np

from helpers.errors import DataError
from helpers.files import atomic_path, cache_dir
from helpers.screens.disk import free_unless_file, writing
from helpers.screens.facts import IMAGE_SIZE, STAINS
from helpers.screens.images import web
from helpers.screens.images.archive import Archive, LocalFile, WebFile
from helpers.screens.images.paths import site_paths
from helpers.sealed import claim, drop, notice


class ImageStore:
    """Where the images of sites come from; :func:`helpers.screens.open_images` opens one.

    Parameters
    ----------
    name : str
        The folder, file or address.

    Attributes
    ----------
    is_drawing : bool
        The images are drawn by a program: say so wherever one is shown.

    Examples
    --------
    >>> from helpers.screens import open_images
    >>> open_images("https://example.org/release").name
    'https://example.org/release/'
    """

    is_drawing = False

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.name}')"

    def has(self, site_id: str) -> bool:
        """Tell if all five channels of a site are there.

        Parameters
        ----------
        site_id : str
            Such as ``HRCE-1_25_AA02_1``.

        Returns
        -------
        bool
            True if they are.

        Raises
        ------
        UsageError
            If `site_id` is no site id.
        DataError
            If the server cannot be asked.
        """
        return all(self._has(path) for path in site_paths(site_id))

    def site(self, site_id: str) -> np.ndarray:
        """Return the five channels of a site.

        Parameters
        ----------
        site_id : str
            Such as ``HRCE-1_25_AA02_1``.

        Returns
        -------
        image : uint8 array, shape (5, 1024, 1024)
            In the order of `facts.STAINS`.

        Raises
        ------
        UsageError
            If `site_id` is no site id.
        DataError
            If an image is missing, broken, or not of this size and depth.
        """
        # The five wait for the disk or the server at the same time.
        with ThreadPoolExecutor(len(STAINS)) as pool:
            return np.stack(list(pool.map(self._plane, site_paths(site_id))))

    def _plane(self, path: str) -> np.ndarray:
        return decode_png(self._read(path), f"{self.name}: {path}")

    def _has(self, path: str) -> bool:
        raise NotImplementedError

    def _read(self, path: str) -> bytes:
        raise NotImplementedError


class FolderImages(ImageStore):
    """The unpacked release, its folder ``images``, or any folder in that layout."""

    def __init__(self, folder: Path):
        super().__init__(str(folder))
        self.folder = folder

    def _find(self, path: str) -> Path | None:
        below = PurePosixPath(path).relative_to("images")
        places = (self.folder / "images", self.folder / "RxRx19a" / "images", self.folder)
        return next((place / below for place in places if (place / below).is_file()), None)

    def _has(self, path: str) -> bool:
        return self._find(path) is not None

    def _read(self, path: str) -> bytes:
        found = self._find(path)
        if found is None:
            raise DataError(
                f"{self.folder} holds no {path}; give the folder that `images` lies in, or another source of images"
            )
        try:
            if found.stat().st_size > web.LARGEST:
                raise DataError(
                    f"{found} has {found.stat().st_size:,} bytes; allowed are {web.LARGEST:,}: get the file again"
                )
            return found.read_bytes()
        except OSError as error:
            what = f"cannot be read ({error.strerror or error})"
            raise DataError(f"{found} {what}; mend that or give another source of images") from error


class ZipImages(ImageStore):
    """Members of a ZIP archive, read singly."""

    def __init__(self, archive: Archive):
        super().__init__(archive.source.label)
        self.archive = archive

    def _has(self, path: str) -> bool:
        return self.archive.find(_below(path)) is not None

    def _read(self, path: str) -> bytes:
        member = self.archive.find(_below(path))
        if member is None:
            raise DataError(f"{self.name} holds no {path}; check the site, or give another source of images")
        return self.archive.read(member)


def _below(path: str) -> str:
    """Return a path without the folder ``images``, which an archive may call otherwise."""
    return path.removeprefix("images/")


class CachedImages(ImageStore):
    """Images that come over the web and are kept once they were seen to be whole.

    Parameters
    ----------
    name : str
        The address.
    """

    def __init__(self, name: str):
        super().__init__(name)
        self.folder = _cache_folder(name)

    def _plane(self, path: str) -> np.ndarray:
        kept = self.folder / path
        if self.folder.is_dir():
            claim(self.folder)
        if os.path.lexists(kept):
            # What cannot be read, or is no such image any more, is fetched again.
            with contextlib.suppress(OSError, DataError):
                if kept.stat().st_size <= web.LARGEST:
                    return decode_png(kept.read_bytes(), str(kept))
            notice(f"{kept} is damaged: it is dropped and fetched again")
            drop(kept)
        data = self._read(path)
        plane = decode_png(data, f"{self.name}: {path}")
        with writing(kept, "free space or set RXRX19_CACHE to another folder", len(data)):
            free_unless_file(kept)
            with atomic_path(kept) as temporary:
                temporary.write_bytes(data)
        return plane

    def _keeps(self, path: str) -> bool:
        return (self.folder / path).is_file()


class WebImages(CachedImages):
    """Single files under an address, such as the published one."""

    def __init__(self, base_url: str):
        super().__init__(base_url.rstrip("/") + "/")

    def has(self, site_id: str) -> bool:
        """Tell if all five channels of a site are there; raises as `ImageStore.has`."""
        with ThreadPoolExecutor(len(STAINS)) as pool:
            return all(pool.map(self._has, site_paths(site_id)))

    def _address(self, path: str) -> str:
        return urljoin(self.name, quote(path))

    def _has(self, path: str) -> bool:
        return self._keeps(path) or web.exists(self._address(path))

    def _read(self, path: str) -> bytes:
        return web.fetch(self._address(path)).data


class WebZipImages(CachedImages):
    """Members of a ZIP archive on a server, fetched singly by range requests."""

    def __init__(self, url: str):
        super().__init__(url)
        self._zip = ZipImages(Archive(WebFile(url, self.folder)))

    def _has(self, path: str) -> bool:
        return self._keeps(path) or self._zip._has(path)

    def _read(self, path: str) -> bytes:
        return self._zip._read(path)


def _cache_folder(address: str) -> Path:
    """Return where images of an address are kept; the folder can itself be opened as a store."""
    return cache_dir() / "images" / hashlib.sha256(address.encode()).hexdigest()[:12]


def open_zip(path: Path) -> ZipImages:
    """Return the store of a ZIP archive on disk."""
    return ZipImages(Archive(LocalFile(path)))


def decode_png(data: bytes, label: str) -> np.ndarray:
    """Return the pixels of one channel.

    Parameters
    ----------
    data : bytes
        A PNG file.
    label : str
        What a message calls it.

    Returns
    -------
    plane : uint8 array, shape (1024, 1024)

    Raises
    ------
    DataError
        If it is broken, or not grey, 8 bit and 1024 x 1024.
    """
    from PIL import Image, UnidentifiedImageError

    if (look := _look(data)) not in (None, _RIGHT):
        width, height, depth, colour = look
        raise DataError(
            f"{label} has {width} x {height} pixels of {_COLOURS.get(colour, 'no known colour')}, {depth} bit; "
            f"allowed are {IMAGE_SIZE} x {IMAGE_SIZE} pixels of grey, 8 bit"
        )
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            if (picture.size, picture.mode) != (_RIGHT[:2], "L"):
                raise ValueError("it has several heads")
            if not _is_complete(data):
                raise ValueError("rows are missing")
            _check_chunks(data)
            return np.array(picture)
    except UnidentifiedImageError as error:
        raise DataError(f"{label} is no PNG image; get the file again") from error
    # What Pillow raises for a broken file depends on where it is broken.
    except (
        OSError,
        SyntaxError,
        ValueError,
        struct.error,
        EOFError,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise DataError(f"{label} is a broken PNG ({error}); get the file again") from error


# What the head of a PNG says, at its fixed place: before any pixel is unpacked, of which there may be billions.
_HEAD = struct.Struct(">8sI4s2I2B")
_RIGHT = (IMAGE_SIZE, IMAGE_SIZE, 8, 0)
_ROWS = IMAGE_SIZE * (IMAGE_SIZE + 1)  # bytes; each row begins with one that says how it is filtered
_COLOURS = {
    0: "grey",
    2: "colour",
    3: "a palette",
    4: "grey with transparency",
    6: "colour with transparency",
}


def _look(data: bytes) -> tuple[int, int, int, int] | None:
    """Return width, height, bits and kind of colour of a PNG; None if it is none."""
    if len(data) < _HEAD.size:
        return None
    mark, _, kind, *look = _HEAD.unpack_from(data)
    return tuple(look) if (mark, kind) == (b"\x89PNG\r\n\x1a\n", b"IHDR") else None


def _is_complete(data: bytes) -> bool:
    """Tell if a PNG has all its rows; Pillow takes those that are missing for black."""
    unpacker, n_bytes, at = zlib.decompressobj(), 0, 8
    while at + 8 <= len(data) and n_bytes < _ROWS:
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            n_bytes += len(unpacker.decompress(data[at + 8 : at + 8 + length], _ROWS - n_bytes))
        at += length + 12
    return n_bytes == _ROWS


def _check_chunks(data: bytes) -> None:
    """Raise ValueError unless every chunk of a PNG bears its checksum: Pillow takes those of the pixels on trust."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise ValueError(f"the checksum at byte {at} is wrong")
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end + 4
    raise ValueError("it breaks off")
