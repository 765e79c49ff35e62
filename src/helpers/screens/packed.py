"""Packed data: members of archives in blocks that never fill the memory, and what can go wrong in a few words."""

import bz2
import contextlib
import copy
import errno
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BLOCK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_UNBOUNDED = (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_LZMA_MEMORY = 1 << 28  # bytes that a member of this kind may ask for
_ENCRYPTED = 1  # bit of the flags of a member
# What the libraries raise depends on where the data are broken. An OSError without a number is one of bz2 or gzip;
# one with a number comes from the disk, but for places before the beginning of a file, of which a list may speak.
_OF_DATA = (None, errno.EINVAL)
_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
    MemoryError,
    struct.error,
)


class PackedError(Exception):
    """What is packed cannot be unpacked.

    Parameters
    ----------
    text : str
        Why; goes on after the name of the file.
    advice : str
        What to do, where another copy of the file would be no better.
    """

    def __init__(self, text: str, advice: str = ""):
        super().__init__(text)
        self.advice = advice


@contextlib.contextmanager
def unpacking(what: str = "") -> Iterator[None]:
    """Turn every fault that unpacking can have into one kind, also those of damaged lists of members.

    Parameters
    ----------
    what : str
        What is unpacked, such as ``member a.csv``; the text of the error begins with it.

    Raises
    ------
    PackedError
        If the block meets data that are damaged or cut off. Errors of the disk pass through as OSError.

    Examples
    --------
    >>> with unpacking("member a.csv"):
    ...     _ = zlib.decompress(b"no such data")
    Traceback (most recent call last):
    helpers.screens.packed.PackedError: member a.csv is cut off or damaged (Error -3 while decompressing data: ...)
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_DATA:
            raise
        raise _damaged(what, error) from error
    except _FAULTS as error:
        raise _damaged(what, error) from error


def _damaged(what: str, error: Exception) -> PackedError:
    return PackedError(f"{what} is cut off or damaged ({_line(str(error) or type(error).__name__)})".lstrip())


def _line(text: str) -> str:
    """Return what a stranger wrote as part of one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:100]


def member_blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a member, checked by its checksum at the end.

    Parameters
    ----------
    archive : ZipFile
        Open for reading.
    member : ZipInfo
        One of its members.

    Yields
    ------
    bytes
        At most a mebibyte; never more in all than the member says that it has.

    Raises
    ------
    PackedError
        If the member is encrypted, packed by a method that is not supported, cut off or damaged.
    """
    what = f"member {_line(member.filename)}"
    if member.flag_bits & _ENCRYPTED:
        raise PackedError(f"{what} is encrypted", "unpack it with its password first")
    if member.compress_type not in _METHODS:
        name = zipfile.compressor_names.get(member.compress_type, "unknown")
        raise PackedError(
            f"{what} is packed by method {member.compress_type} ({name}); allowed are deflate, bzip2, lzma and none",
            "pack it again",
        )
    with unpacking(what):
        if member.compress_type in _UNBOUNDED:
            yield from _bounded_blocks(archive, member)
            return
        with archive.open(member) as packed:
            while block := packed.read(BLOCK):
                yield block


def _bounded_blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the blocks of a bzip2 or lzma member, of which `zipfile` itself unpacks all that it reads at once.

    A few hundred bytes of these can become gigabytes.
    """
    as_it_is = copy.copy(member)
    as_it_is.compress_type, as_it_is.file_size = zipfile.ZIP_STORED, member.compress_size
    as_it_is.CRC = None  # type: ignore[assignment]  # is that of the unpacked bytes
    left, crc = member.file_size, 0
    with archive.open(as_it_is) as file:
        unpacker = _unpacker(file, member.compress_type)
        while left:
            packed = file.read(BLOCK) if unpacker.needs_input else b""
            if unpacker.needs_input and not packed:
                raise EOFError(f"{left:,} bytes are missing at its end")
            block = unpacker.decompress(packed, min(BLOCK, left))
            left, crc = left - len(block), zlib.crc32(block, crc)
            yield block
    if crc != member.CRC:
        raise zipfile.BadZipFile("its checksum is wrong")


def _unpacker(file: IO[bytes], method: int) -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
    """Return what unpacks a member piece by piece, the head of the member read."""
    if method == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor()
    # A version, and the length of the properties that a file of its own (LZMA_ALONE) begins with, before its length.
    _, length = struct.unpack("<2H", file.read(4))
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)
    unpacker.decompress(file.read(length) + b"\xff" * 8, 0)
    return unpacker


def check_archive(path: Path, most: int, *, members: bool = True) -> None:
    """Raise if a file is no zip archive, unpacks to too much, or has a member that is not what its checksum says.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Bytes that all members together may have.
    members : bool
        Unpack all members, nothing of which is kept.

    Raises
    ------
    PackedError
        If it does; says which member.
    OSError
        If the file cannot be read.
    """
    with unpacking("the archive"):
        archive = zipfile.ZipFile(path)
    with archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > most:
            raise PackedError(f"the archive has {size:,} bytes when unpacked; allowed are {most:,}")
        for member in archive.infolist() if members else ():
            for _ in member_blocks(archive, member):
                pass
