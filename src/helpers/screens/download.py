"""Answers that broke off: small ones asked for again, large ones resumed, whole or absent on disk."""

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import requests
from tqdm import tqdm

from helpers.errors import DataError
from helpers.screens import http

LARGEST = 16 * 10**9  # bytes of a file; the embeddings have a tenth of it
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def writing(path: Path, advice: str, size: int | None = None) -> Iterator[None]:
    """Say in one line why something cannot be written.

    Parameters
    ----------
    path : Path
        What is written.
    advice : str
        What to do about it.
    size : int, optional
        How many bytes it has, if that is known.

    Raises
    ------
    DataError
        If the block raises OSError.
    """
    try:
        yield
    except OSError as error:
        why = f"cannot be written ({error.strerror or error})"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            why = "the disk is full" + (f", the file has {size:,} bytes" if size else "")
        elif error.errno in _READ_ONLY:
            why = f"the folder is read-only ({error.strerror})"
        raise DataError(f"{path}: {why}; {advice}") from error


def free(path: Path) -> None:
    """Free a name that is ours of whatever an earlier kill or another program left there; a folder is moved aside."""
    if path.is_dir() and not path.is_symlink():
        others = (path.with_name(f"{path.name}.aside-{number}") for number in range(1, 1000))
        path.rename(next(other for other in others if not other.exists()))
    else:
        path.unlink(missing_ok=True)


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
    return _plain(tag or answer.headers.get("Last-Modified", ""))


def _plain(tag: str) -> str:
    """Return a tag that can be sent back; "" for any other."""
    return tag if re.fullmatch(r"[\x20-\x7e]{1,200}", tag) else ""


class _Part:
    """What has come of a file, and beside it a note of which version of the file that is.

    The note is written when there are no bytes and goes before they do, so that bytes never lie beside the note of
    another version, whenever the process is killed.
    """

    def __init__(self, path: Path):
        self.path, self.note = path, path.with_name(path.name + ".tag")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def is_whole(self) -> bool:
        return self.path.is_file() and self.size == self.described()[1]

    def described(self) -> tuple[str, int | None]:
        """Return the tag of the version and the length of the whole file, as far as they are known."""
        try:
            tag, _, total = self.note.read_text().partition("\n")
        except (OSError, ValueError):
            return "", None
        return _plain(tag), int(total) if re.fullmatch("[0-9]{1,18}", total) else None

    def make_usable(self) -> None:
        for path in (self.path, self.note):
            if os.path.lexists(path) and not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
                free(path)

    def begin(self, tag: str, total: int | None) -> None:
        self.clear()
        self.note.write_text(f"{tag}\n{'' if total is None else total}")

    def clear(self) -> None:
        free(self.note)
        free(self.path)


class ResumingDownloader:
    """Download to a ``.part`` file beside the target, going on where an earlier attempt broke off.

    A downloader for `pooch.retrieve`, whose own ones begin again at the first byte.

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
        self._part = _Part(part)

    def __call__(self, url: str, output_file: str, _pooch: object = None) -> None:
        """Fetch `url` into `output_file`.

        Raises
        ------
        DataError
            If the server refuses, sends something else, or the link fails several times in a row; if the disk is
            full or read-only.
        """
        with self._writing():
            self._part.make_usable()
            is_left_over = self._part.is_whole
            try:
                self._collect(url)
            except http.FailedError as error:
                raise DataError(f"{url}: {error}{self._advice(error)}") from error
            try:
                if self.check:
                    self.check(self.part)
            except DataError:
                self._part.clear()
                if is_left_over:
                    return self(url, output_file)
                raise
            self.part.replace(output_file)
            free(self._part.note)

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
                else:
                    start, total = 0, announced(answer)
                    if (total or 0) > LARGEST:
                        raise http.ContentError(f"{total:,} bytes are announced; allowed are {LARGEST:,}")
                    part.begin(version(answer, strong=True), total)
                self._append(web, answer, start, total)

    def _joined(self, answer: requests.Response, start: int, tag: str, total: int | None) -> int:
        """Return the length of the whole file if an answer is its rest, of the same version."""
        begin, end, whole = content_range(answer) or (0, 0, 0)
        same_file = total in (None, whole) and version(answer, strong=True) == tag
        if not same_file or (begin, end) != (start, whole):
            self._part.clear()
            raise http.BrokeOffError("the server sends another part than the one that is missing")
        return whole

    def _append(self, web: http.Session, answer: requests.Response, start: int, total: int | None) -> None:
        """Write what comes, as it comes, so that nothing is lost when the link breaks or the process is killed."""
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
        size = self._part.size
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
