"""Small pieces of the web: whole files and ranges of large ones, tried again when the link fails."""

from dataclasses import dataclass

import requests

from helpers.errors import DataError
from helpers.screens import http
from helpers.screens.download import announced, content_range, receive, version
from helpers.screens.facts import IMAGE_SIZE

MISSING = (403, 404, 410)  # an open bucket answers 403 for what it does not have
# Bytes of a single file: several times what the pixels of an image take before they are packed.
LARGEST = 8 * IMAGE_SIZE**2
_LOCAL = "or give a local folder or zip of the images: open_images('FOLDER')"


class MissingError(DataError):
    """The server has no such file."""


@dataclass(frozen=True)
class Piece:
    """What a server sent.

    Parameters
    ----------
    data : bytes
    total : int
        Length of the whole file, of which `data` may be a range.
    tag : str
        What the server calls this version of the file; "" if it does not say.
    """

    data: bytes
    total: int
    tag: str


def fetch(url: str, *, span: tuple[int, int] | None = None) -> Piece:
    """Return a file, or the bytes of it from ``span[0]`` up to but not including ``span[1]``.

    A file of more than `LARGEST` bytes is not held in memory; a range may have any length.

    Raises
    ------
    MissingError
        If the server does not have the file.
    DataError
        If the server refuses, sends a web page or too much, knows no ranges, or the link fails several times in a row.
    """
    limit = span[1] - span[0] if span else LARGEST
    headers = {"Range": f"bytes={span[0]}-{span[1] - 1}"} if span else {}
    try:
        answer, data = receive(
            url, "piece", limit, headers=headers, check=lambda answer: _length(url, answer, span)
        )
    except http.FailedError as error:
        raise _told(url, error) from error
    part = content_range(answer) if span else None
    return Piece(data, part[2] if part else len(data), version(answer))


def exists(url: str) -> bool:
    """Tell if a server has a file, from its first byte; raises as `fetch` for anything but missing."""
    try:
        fetch(url, span=(0, 1))
    except MissingError:
        return False
    except _WholeFileError:
        return True
    return True


class _WholeFileError(DataError):
    """The server knows no ranges."""


def _length(url: str, answer: requests.Response, span: tuple[int, int] | None) -> int | None:
    """Return how many bytes an answer must bring, by what was asked for and by what it says of itself."""
    if span is None:
        return announced(answer)
    if answer.status_code == 200:
        raise _WholeFileError(
            f"{url}: this server sends whole files only, no ranges; give the address of single files, {_LOCAL}"
        )
    begin, end, total = content_range(answer) or (0, 0, 0)
    if (begin, end) != (span[0], min(span[1], total)) or announced(answer) not in (None, end - begin):
        raise http.BrokeOffError("the server sends another range than the one asked for")
    return end - begin


def _told(url: str, error: http.FailedError) -> DataError:
    """Return an error that says what to do."""
    if isinstance(error, http.StatusError) and error.code in MISSING:
        return MissingError(f"{url}: {error}: no such file there; check the site and the address, {_LOCAL}")
    if isinstance(error, http.LinkError):
        return DataError(f"{url}: {error}; check the network, {_LOCAL}")
    if isinstance(error, http.StatusError) and error.code in http.PASSING:
        return DataError(f"{url}: {error}; try again later, {_LOCAL}")
    return DataError(f"{url}: {error}; open the address in a browser, {_LOCAL}")
