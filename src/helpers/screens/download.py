"""Answers that broke off: small ones asked for again, large ones resumed, whole or absent on disk."""

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import requests
from tqdm import tqdm

from helpers.errors import DataError
from helpers.screens import http
from helpers.screens.disk import check_room, free, writing
from helpers.screens.part import Part, plain_tag

LARGEST = 16 * 10**9  # bytes of a file; the embeddings have a tenth of it


def arriving(web: http.Session, answer: requests.Response) -> Iterator[bytes]:
    """Yield the body of an answer as it arrives, however little at a time.

    Raises
    ------
    BrokeOffError
        If it ends before its announced length, stalls, or comes too slowly.
    """
    try:
        while block := answer.raw.read1(http.BLOCK, decode_content=False):
            yield block
    except http.FAULTS as error:
        web.watch.attempts = 0  # they were spent on the head
        raise http.BrokeOffError(str(http.explained(error, web.watch))) from error


def receive(
    url: str,
    kind: str,
    limit: int,
    *,
    headers: Mapping[str, str] | None = None,
    check: Callable[[requests.Response], int | None] = lambda _: None,
) -> tuple[requests.Response, bytes]:
    """Return a small answer and its whole body, asked for again if it breaks off.

    Parameters
    ----------
    url : str
        The address.
    kind : {"page", "piece"}
        Whose `http.PATIENCE` holds.
    limit : int
        Most bytes of the body; no more are ever held.
    headers : mapping, optional
        Of the request.
    check : callable
        Is given the answer before its body is read. It returns the length that the body must have, None for any,
        and raises `http.BrokeOffError` if another attempt may bring a better answer.

    Raises
    ------
    http.FailedError
        As `http.ask`; or if the body breaks off several times in a row, or has too many bytes.
    """
    with http.session(kind, limit) as web:
        failures = 0
        while True:
            with http.ask(web, url, headers) as answer:
                try:
                    return answer, _body(web, answer, limit, check(answer))
                except http.BrokeOffError as error:
                    failures += 1
                    if failures == http.RETRIES or web.watch.left <= 0:
                        raise http.BrokeOffError(f"{error}, {failures} times") from error
            time.sleep(max(0.0, min(http.PAUSE * 2 ** (failures - 1), web.watch.left)))


def _body(web: http.Session, answer: requests.Response, limit: int, length: int | None) -> bytes:
    data = bytearray()
    too_large = http.ContentError(f"more bytes come than the {limit:,} that what was asked for can have")
    if (announced(answer) or 0) > limit:
        raise too_large
    for block in arriving(web, answer):
        data += block
        if len(data) > limit:
            raise too_large
    if length is not None and len(data) != length:
        raise http.BrokeOffError(f"{len(data):,} of {length:,} bytes came")
    return bytes(data)


def announced(answer: requests.Response) -> int | None:
    """Return the length that an answer says its body has; None if it does not say, or nothing sensible."""
    return answer.raw.length_remaining


def content_range(answer: requests.Response) -> tuple[int, int, int] | None:
    """Return the first byte, the one after the last, and the length of the whole that a 206 says it belongs to."""
    text = answer.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", text)
    return (int(found[1]), int(found[2]) + 1, int(found[3])) if found else None


def version(answer: requests.Response, *, strong: bool = False) -> str:
    """Return what the server calls this version of a file, by ETag or date; "" if it does not say.

    A weak ETag is shared by files that are alike, which is too little (`strong`) to join parts of them.
    """
    tag = answer.headers.get("ETag", "")
    tag = "" if strong and tag.startswith("W/") else tag
    return plain_tag(tag or answer.headers.get("Last-Modified", ""))


class ResumingDownloader:
    """Download to a ``.part`` file beside the target, going on where an earlier attempt broke off.

    Parameters
    ----------
    part : Path
        Where the bytes are collected. It stays after a failure, for the next call.
    progress : bool
        Draw a bar on stderr.
    check : callable, optional
        Is given the part when it is whole, before it becomes the target, and raises DataError if it is no good.
    """

    def __init__(self, part: Path, *, progress: bool = True, check: Callable[[Path], None] | None = None):
        self.part = part
        self.progress = progress
        self.check = check
        self._part = Part(part)
        self._is_joined = False  # what lies there came in several pieces
        self._once_more = False

    def __call__(self, url: str, target: Path) -> None:
        """Fetch `url` into `target`.

        What was joined from several pieces and then is no good is fetched once more from its first byte: one of
        them may have been damaged on disk, or belong to another file than the server said.

        Raises
        ------
        DataError
            If the server refuses, sends something else, or the link fails several times in a row; if the disk is
            full or read-only.
        """
        with self._writing():
            self._part.make_usable()
            self._is_joined, self._once_more = self._part.size > 0, False
            while not self._bring(url):
                pass
            self.part.replace(target)
            free(self._part.note)

    def _bring(self, url: str) -> bool:
        """Fetch what is missing and look at the whole; False if it has to come once more, from its first byte."""
        try:
            self._collect(url)
        except http.FailedError as error:
            raise DataError(f"{url}: {error}{self._advice(error)}") from error
        try:
            if self.check:
                self.check(self.part)
        except DataError:
            self._part.clear()
            if not self._is_joined or self._once_more:
                raise
            self._once_more = True
            self._tell(
                url, "the parts that came do not make a whole file; it is fetched again from its beginning"
            )
            return False
        return True

    def _tell(self, url: str, text: str) -> None:
        tqdm.write(f"{url}: {text}", file=sys.stderr)

    def _collect(self, url: str) -> None:
        """Ask for what is missing until nothing is."""
        failures, first, since = 0, self._part.size, time.monotonic()
        most = first
        while not self._part.is_whole:
            try:
                return self._transfer(url)
            except http.LinkError as error:
                # A link that brings enough may break as often as it likes. What came once and was thrown away since
                # does not count when it comes again: a server that resumes wrongly would keep us for ever.
                now, size = time.monotonic(), self._part.size
                enough = size - most > http.PATIENCE["download"].rate * (now - since)
                failures = 1 if enough else failures + 1
                most, since = max(most, size), now
                never_worked = most == first and not isinstance(error, http.BrokeOffError)
                if failures == http.RETRIES or never_worked:
                    raise
            time.sleep(http.PAUSE * 2 ** (failures - 1))

    def _transfer(self, url: str) -> None:
        part, (tag, total) = self._part, self._part.described()
        start = part.size if tag else 0
        # If-Range: a file that has changed on the server comes whole instead of its tail.
        headers = {"Range": f"bytes={start}-", "If-Range": tag} if start else {}
        with http.session("download", LARGEST) as web:
            try:
                answer = http.ask(web, url, headers)
            except http.StatusError as error:
                if error.code != 416 or not start:
                    raise
                part.clear()  # it is longer than the file
                raise http.BrokeOffError("the server refuses to resume") from error
            with answer:
                if answer.status_code == 206:
                    total = self._joined(answer, start, tag, total)
                    self._is_joined = True
                else:
                    if start and version(answer, strong=True) != tag:
                        self._tell(
                            url, "the file has changed on the server; it is fetched from its beginning"
                        )
                    self._is_joined = False
                    start, total = 0, announced(answer)
                    if (total or 0) > LARGEST:
                        raise http.ContentError(f"{total:,} bytes are announced; allowed are {LARGEST:,}")
                    part.begin(version(answer, strong=True), total)
                self._append(web, answer, start, total)

    def _joined(self, answer: requests.Response, start: int, tag: str, total: int | None) -> int:
        """Return the length of the whole file if an answer is its rest, of the same version."""
        begin, end, whole = content_range(answer) or (0, 0, 0)
        if (begin, end) != (start, whole):
            self._part.clear()
            raise http.BrokeOffError("the server sends another part than the one that is missing")
        if total not in (None, whole) or version(answer, strong=True) != tag:
            self._part.clear()
            raise http.BrokeOffError("the server sends a part of another version of the file")
        return whole

    def _append(self, web: http.Session, answer: requests.Response, start: int, total: int | None) -> None:
        """Write what comes, as it comes, so that nothing is lost when the link breaks or the process is killed."""
        with self._writing(total):
            check_room(self.part.parent, (total or start) - start)
        bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, disable=not self.progress)
        size, most = start, LARGEST if total is None else total
        with bar, self._writing(total), self.part.open("ab") as file:
            for block in arriving(web, answer):
                file.write(block)
                file.flush()
                bar.update(len(block))
                size += len(block)
                if size > most:
                    break
        if size > most:
            self._part.clear()
        if total is None and size > most:
            raise http.ContentError(f"the answer does not end after {most:,} bytes")
        if total is not None and size != total:
            raise http.BrokeOffError(f"{size:,} of {total:,} bytes came")

    def _writing(self, size: int | None = None) -> contextlib.AbstractContextManager[None]:
        return writing(self.part, "free space or choose another --dest, then run the command again", size)

    def _advice(self, error: http.FailedError) -> str:
        """Return what to do, after a comma or semicolon."""
        size = self._part.size if self._part.described()[0] else 0  # without a version it begins again
        kept = f"; {size:,} bytes are kept and it goes on from there" if size else ""
        if isinstance(error, http.LinkError):
            return f", given up; check the network and run the command again{kept}"
        if not isinstance(error, http.StatusError):
            return "; open the address in a browser, then run the command again"
        if error.code in http.PASSING:
            return f"; run the command again later{kept}"
        return (
            "; check the address in a browser and download by hand into the same folder if the file has moved"
        )
