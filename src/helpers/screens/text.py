"""Text as a CSV needs it: UTF-8, without NUL bytes, lines that end in LF, as many cells as the header."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from helpers.screens.problems import BrokenFileError, Problem, broken, fatal, places

GET_AGAIN = "download or export it again"
BLOCK = 1 << 22
# A hundred thousand features have a header of about 1.5 MB.
LONGEST_HEADER = 1 << 26
_LINE_ENDS = (
    "lines end in CR alone, as on old Macs, or a cell holds one; save the file with LF or CRLF line ends "
    "(`tr '\\r' '\\n' < old.csv > new.csv`)"
)


def copy_text(blocks: Iterable[bytes], path: Path) -> None:
    """Write unpacked text into a file, up to the first NUL byte: a bomb of them never fills the disk."""
    with path.open("wb") as plain:
        for block in blocks:
            plain.write(block)
            if b"\0" in block:
                break


def refuse_nul(path: Path, label: str) -> None:
    """Refuse a file with a NUL byte: none is text, and readers wait for a line's end that never comes.

    Raises
    ------
    BrokenFileError
        If there is one; says where.
    """
    before = 0
    with path.open("rb") as file:
        for block in _blocks(file):
            place = block.find(b"\0")
            if place >= 0:
                where = f"line {_lines_before(path, before + place) + 1}"
                message = f"holds a NUL, which no text has, as byte {before + place + 1:,} of the file"
                raise broken(label, where, f"{message}; it is damaged or no CSV: {GET_AGAIN}")
            before += len(block)


def _lines_before(path: Path, place: int) -> int:
    """Return how many line ends stand before a byte; counted only where one is to be named."""
    lines = 0
    with path.open("rb") as file:
        while place > 0 and (block := file.read(min(BLOCK, place))):
            lines, place = lines + block.count(b"\n"), place - len(block)
    return lines


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(BLOCK), b"")


def split_line(text: str, separator: str, label: str, number: int) -> list[str]:
    """Split one line of a CSV into its cells.

    Parameters
    ----------
    text : str
        The line.
    separator : str
        One character.
    label : str
        What messages call the file.
    number : int
        Of the line, from 1.

    Returns
    -------
    list of str
        The cells.

    Raises
    ------
    BrokenFileError
        If it cannot be split: a carriage return inside, or a cell longer than any real one.
    """
    try:
        return next(csv.reader([text], delimiter=separator), [])
    except csv.Error as error:
        inside = "\r" in text.rstrip("\r\n")
        message = _LINE_ENDS if inside else f"cannot be split into cells ({error}); {GET_AGAIN}"
        raise broken(label, f"line {number}", message) from None


def header_line(path: Path, label: str) -> tuple[str, bool]:
    """Return the first line of a CSV, and if any other follows.

    Raises
    ------
    BrokenFileError
        If it is not UTF-8, has no end, or ends in CR alone.
    """
    with path.open("rb") as file:
        first = file.readline(LONGEST_HEADER)
        if b"\r" in first.rstrip(b"\r\n"):
            raise broken(label, "line 1", _LINE_ENDS)
        if len(first) == LONGEST_HEADER:
            raise broken(label, "line 1", f"does not end within {LONGEST_HEADER:,} bytes; {GET_AGAIN}")
        follows = any(line.strip() for line in file)
    if not is_utf8(first):
        raise broken(label, "line 1", "is not UTF-8 text; save the file as UTF-8")
    return first.decode("utf-8-sig").rstrip("\r\n"), follows


def is_utf8(data: bytes) -> bool:
    """Tell if bytes are UTF-8 text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def odd_lines(path: Path, label: str, n_columns: int, separator: str) -> Problem | None:
    """Find lines with more or fewer cells than the header, or with a quotation mark that is never closed.

    Parameters
    ----------
    path : Path
        A CSV.
    label : str
        What messages call it.
    n_columns : int
        Cells of its header.
    separator : str
        One character.
    """
    wanted, odd = n_columns, []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.count(separator.encode()) == wanted - 1 or not line.strip():
                continue
            text = line.decode("utf-8", "replace")
            if text.count('"') % 2:
                return fatal(label, f"line {number}", f"a quotation mark is not closed; {GET_AGAIN}")
            try:
                cells = len(split_line(text, separator, label, number))
            except BrokenFileError as error:
                return error.problem
            if cells != wanted:
                odd.append((number, cells))
    if not odd:
        return None
    where = places([number for number, _ in odd], "line")
    message = f"{odd[0][1]} cells where the header has {wanted}; the file is damaged or cut off: {GET_AGAIN}"
    return fatal(label, where, message)


def bad_bytes(path: Path, label: str) -> Problem | None:
    """Find the first line that is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            for block in _blocks(file):
                decoder.decode(block)
        except UnicodeDecodeError:
            file.seek(0)
            number = next(n for n, line in enumerate(file, 1) if not is_utf8(line))
            return fatal(label, f"line {number}", "is not UTF-8 text; save the file as UTF-8")
    return None
