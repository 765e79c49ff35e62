"""Small pieces of the web: whole files and ranges of large ones, tried again when the link fails."""

import re
import time
from dataclasses import dataclass

import requests

from helpers.errors import DataError

# Seconds to connect and between two blocks.
TIMEOUT = (10, 30)
RETRIES = 4
PAUSE = 0.5

MISSING = (403, 404, 410)  # an open bucket answers 403 for what it does not have
_PASSING = (408, 429, 500, 502, 503, 504)
_LOCAL = "or give a local folder or zip of the images: open_images('FOLDER')"


class MissingError(DataError):
    """The server has no such file."""


class _FailedError(Exception):
    """One attempt failed in a way that another may not."""


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

    Raises
    ------
    MissingError
        If the server does not have the file.
    DataError
        If the server refuses, sends a web page, knows no ranges, or the link fails several times in a row.
    """
    for attempt in range(1, RETRIES + 1):
        try:
            return _attempt(url, span)
        except _FailedError as error:
            reason = error
        if attempt < RETRIES:
            time.sleep(PAUSE * 2**attempt)
    raise DataError(f"{url}: {reason}, {RETRIES} times; check the network, {_LOCAL}")


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


def _attempt(url: str, span: tuple[int, int] | None) -> Piece:
    headers = {"Accept-Encoding": "identity"}
    if span:
        headers["Range"] = f"bytes={span[0]}-{span[1] - 1}"
    try:
        # Streamed, so that a server without ranges does not get to send hundreds of gigabytes.
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            _refuse(url, answer, span)
            return _piece(answer, answer.content, span)
    except requests.Timeout as error:
        raise _FailedError(f"no answer within {TIMEOUT[1]:g} s") from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise DataError(f"{url}: no valid address ({error}); give one that starts with https://") from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise _FailedError("the connection broke off") from error
    except requests.RequestException as error:
        late = "timed out" in str(error)
        raise _FailedError(f"no answer within {TIMEOUT[1]:g} s" if late else "no connection") from error


def _refuse(url: str, answer: requests.Response, span: tuple[int, int] | None) -> None:
    """Raise if an answer does not bring what was asked for."""
    said = f"the server answers {answer.status_code} {answer.reason}"
    if answer.status_code in _PASSING:
        raise _FailedError(said)
    if answer.status_code in MISSING:
        raise MissingError(f"{url}: {said}: no such file there; check the site and the address, {_LOCAL}")
    if answer.status_code not in (200, 206):
        raise DataError(f"{url}: {said}; open the address in a browser, {_LOCAL}")
    if "html" in answer.headers.get("Content-Type", ""):
        raise DataError(
            f"{url}: a web page came instead of the file (a login page of this network?); open the address in a "
            f"browser, {_LOCAL}"
        )
    if span and answer.status_code == 200:
        raise _WholeFileError(
            f"{url}: this server sends whole files only, no ranges; give the address of single files, {_LOCAL}"
        )


def _piece(answer: requests.Response, data: bytes, span: tuple[int, int] | None) -> Piece:
    """Check the length of what came, and read what the headers say about the whole file."""
    length = answer.headers.get("Content-Length")
    if length is not None and len(data) != int(length):
        raise _FailedError(f"{len(data):,} of {int(length):,} bytes came")
    total = len(data)
    if span:
        given = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("Content-Range", ""))
        if not given or int(given[1]) != span[0] or int(given[2]) - span[0] + 1 != len(data):
            raise _FailedError("the server sent another range than the one asked for")
        total = int(given[3])
    tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return Piece(data, total, tag)
