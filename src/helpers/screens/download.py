"""Large downloads over slow links: resumed, checked for length, and whole or absent."""

import time
from pathlib import Path

import requests
from tqdm import tqdm

from helpers.errors import DataError

# Seconds to connect and between two blocks: a link may be slow, but not silent.
TIMEOUT = (10, 60)
RETRIES = 4
PAUSE = 1.0
BLOCK = 1 << 20


class _BrokeOffError(Exception):
    """The transfer broke off; what came is kept and the next attempt goes on from there."""


class ResumingDownloader:
    """Download to a ``.part`` file beside the target, going on where an earlier attempt broke off.

    A downloader for `pooch.retrieve`, whose own ones begin again at the first byte.

    Parameters
    ----------
    part : Path
        Where the bytes are collected. It stays after a failure, for the next call.
    progress : bool
        Draw a bar on stderr.
    """

    def __init__(self, part: Path, *, progress: bool = True):
        self.part = part
        self.progress = progress

    def __call__(self, url: str, output_file: str, _pooch=None) -> None:
        """Fetch `url` into `output_file`.

        Raises
        ------
        DataError
            If the server refuses, answers with a web page, or the link fails several times in a row.
        """
        failures = 0
        while True:
            before = self._size()
            try:
                self._transfer(url)
                break
            except _BrokeOffError as error:
                # A link that brings something each time may break as often as it likes.
                failures = 1 if self._size() > before else failures + 1
                if failures == RETRIES:
                    raise DataError(_gave_up(url, error, self._size())) from error
                time.sleep(PAUSE * 2**failures)
        self._tag().unlink(missing_ok=True)
        self.part.replace(output_file)

    def _transfer(self, url: str) -> None:
        start = self._size()
        headers = {"Accept-Encoding": "identity"}
        tag = self._tag().read_text() if self._tag().exists() else ""
        if start and tag:
            # If-Range: a file that has changed on the server comes whole instead of its tail.
            headers |= {"Range": f"bytes={start}-", "If-Range": tag}
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                self._receive(url, answer, start)
        except requests.exceptions.ConnectionError as error:
            if self._size() > start:
                raise _BrokeOffError(f"the connection broke ({type(error).__name__})") from error
            raise _BrokeOffError(f"no connection ({_reason(error)})") from error
        except requests.RequestException as error:
            raise _BrokeOffError(type(error).__name__) from error

    def _receive(self, url: str, answer: requests.Response, start: int) -> None:
        if answer.status_code == 416:  # the part is longer than the file: begin again
            self.part.unlink()
            raise _BrokeOffError("the server refuses to resume")
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _BrokeOffError(f"the server answers {answer.status_code} {answer.reason}")
        if answer.status_code not in (200, 206):
            raise DataError(
                f"{url}: the server answers {answer.status_code} {answer.reason}; check the address in a browser "
                "and download by hand into the same folder if the file has moved"
            )
        if "html" in answer.headers.get("Content-Type", ""):
            raise DataError(
                f"{url}: a web page came instead of the file (a login page of this network?); open the address in "
                "a browser, then run the command again"
            )
        resumed = answer.status_code == 206
        self._tag().write_text(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")
        length = answer.headers.get("Content-Length")
        wanted = int(length) + (start if resumed else 0) if length else None
        bar = tqdm(
            total=wanted, initial=start * resumed, unit="B", unit_scale=True, disable=not self.progress
        )
        with bar, self.part.open("ab" if resumed else "wb") as file:
            for block in answer.iter_content(BLOCK):
                file.write(block)
                bar.update(len(block))
        if wanted is not None and self._size() != wanted:
            raise _BrokeOffError(f"{self._size():,} of {wanted:,} bytes came")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _tag(self) -> Path:
        return self.part.with_name(self.part.name + ".tag")


def _reason(error: Exception) -> str:
    """Return the innermost reason of a connection error, which requests wraps several times."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return str(error).split("] ")[-1].strip(")") or type(error).__name__


def _gave_up(url: str, reason: object, n_bytes: int) -> str:
    kept = f"; {n_bytes:,} bytes are kept and it goes on from there" if n_bytes else ""
    return f"{url}: {reason}, given up; check the network and run the command again{kept}"
