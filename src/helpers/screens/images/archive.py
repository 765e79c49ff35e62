"""Single members of large ZIP archives, on disk or on a server, without reading the rest.

`zipfile` makes an object of every member when it opens an archive: a million and a half for the images, which
takes long and fills the memory. Here the list of members stays bytes, and a name is searched in it.
"""

import contextlib
import hashlib
import mmap
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from helpers.errors import DataError
from helpers.files import atomic_path, remove_leftovers
from helpers.screens.disk import check_room, free_unless_file, in_turn, writing
from helpers.screens.images import web
from helpers.screens.packed import PackedError, unpacking

# Records of a ZIP file: signature and fields, little endian (APPNOTE.TXT, 4.3).
_LOCAL = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_FULL = 0xFFFFFFFF  # stands where a number needs 64 bits and follows in the extra field
_STORED, _DEFLATED = 0, 8
_LONGEST_PREFIX = 256  # folders in front of the name that is searched for
_SLACK = 512  # bytes of extra fields that are fetched along with a member
_BLOCK = 8 << 20
_ADVICE = "free space or set RXRX19_CACHE to another folder"
LONGEST_LIST = 1 << 30  # bytes of a list of members that are fetched; that of the release has 150 MB


class ByteSource(Protocol):
    """A file that is read in pieces."""

    label: str

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`."""

    def map(self, start: int, stop: int) -> "tuple[mmap.mmap | bytes, int, int]":
        """Return something that can be searched, and where in it the bytes from `start` to `stop` lie."""

    def forget(self) -> None:
        """Keep nothing of what `map` has kept, since it misled."""


class LocalFile:
    """A file on disk."""

    def __init__(self, path: Path):
        self.path, self.label = path, str(path)
        with self._reading():
            self.size = path.stat().st_size

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`."""
        with self._reading(), self.path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)

    def map(self, start: int, stop: int) -> tuple[mmap.mmap | bytes, int, int]:
        """Return the whole file, mapped."""
        with self._reading():
            return _mapped(self.path), start, stop

    def forget(self) -> None:
        """Do nothing: nothing is kept."""

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"cannot be read ({error.strerror or error})"
            raise DataError(f"{self.label}: {what}; mend that or give another source of images") from error


class WebFile:
    """A file on a server that answers range requests.

    Parameters
    ----------
    url : str
    folder : Path
        Where the list of members is kept, which has to be fetched once.
    """

    def __init__(self, url: str, folder: Path):
        self.label, self.folder = url, folder

    @cached_property
    def _first(self) -> web.Piece:
        return web.fetch(self.label, span=(0, 1))

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self._first.total

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`."""
        piece = web.fetch(self.label, span=(start, stop))
        if (piece.total, piece.tag) != (self._first.total, self._first.tag):
            raise DataError(f"{self.label}: the file changed on the server while it was read; open it again")
        return piece.data

    def map(self, start: int, stop: int) -> tuple[mmap.mmap | bytes, int, int]:
        """Return the bytes from `start` to `stop`, fetched on first use.

        A digest behind them tells if what was kept is what was fetched. What a server gives no version is fetched
        anew each time, since nothing tells if it is still the same.
        """
        version = hashlib.sha256(f"{self._first.tag} {self.size} {start} {stop}".encode()).hexdigest()[:12]
        path = self.folder / f"members-{version}.bin"
        if not self._first.tag:
            self._fetch(path, start, stop)
        elif not _is_whole(path, stop - start):
            with writing(self.folder, _ADVICE):
                self.folder.mkdir(parents=True, exist_ok=True)
            with in_turn(self.folder, _ADVICE):  # whoever waited finds what the other has fetched
                remove_leftovers(path)
                if not _is_whole(path, stop - start):
                    self._fetch(path, start, stop)
        return _mapped(path), 0, stop - start

    def _fetch(self, path: Path, start: int, stop: int) -> None:
        with writing(path, _ADVICE, stop - start):
            self._keep(path, start, stop)

    def forget(self) -> None:
        """Remove the kept list of members, to be fetched anew by whoever opens the archive next."""
        for path in self.folder.glob("members-*.bin"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _keep(self, path: Path, start: int, stop: int) -> None:
        """Fetch the bytes from `start` to `stop` into a file."""
        if stop - start > LONGEST_LIST:
            raise DataError(
                f"{self.label}: its list of members would have {stop - start:,} bytes; allowed are {LONGEST_LIST:,}: "
                "give the address of single files"
            )
        free_unless_file(path)
        blocks = range(start, stop, _BLOCK)
        digest = hashlib.sha256()
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            check_room(path.parent, stop - start)
            for at in tqdm(blocks, "list of images", unit="block", disable=len(blocks) < 3):
                data = self.read(at, min(at + _BLOCK, stop))
                digest.update(data)
                file.write(data)
            file.write(digest.digest())


def _is_whole(path: Path, length: int) -> bool:
    """Tell if a kept list of so many bytes can be read and has the digest that stands behind it."""
    digest = hashlib.sha256()
    try:
        if not path.is_file() or path.stat().st_size != length + digest.digest_size:
            return False
        with path.open("rb") as file:
            for at in range(0, length, _BLOCK):
                digest.update(file.read(min(_BLOCK, length - at)))
            return file.read() == digest.digest()
    except OSError:
        return False


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


@dataclass(frozen=True)
class Member:
    """One file in an archive, as its list of members describes it; sizes and offset in bytes."""

    name: str
    method: int
    encrypted: bool
    crc: int
    packed: int
    size: int
    offset: int


class _MisledError(DataError):
    """A member is not as the list of members says."""


class Archive:
    """A ZIP archive, also one of more than 4 GB or 65,535 members.

    Parameters
    ----------
    source : LocalFile or WebFile

    Raises
    ------
    DataError
        On first use, if the archive is none, is cut off or damaged.
    """

    def __init__(self, source: ByteSource):
        self.source = source
        self._opening = threading.Lock()
        self._opened = None

    def find(self, ending: str) -> Member | None:
        """Return the member whose path is `ending`, or ends in it after a slash; None if there is none."""
        members, start, stop = self._members
        wanted = ending.encode()
        at = members.find(wanted, start, stop)
        while at >= 0:
            head = members.rfind(b"PK\x01\x02", max(start, at - _ENTRY.size - _LONGEST_PREFIX), at)
            if head >= 0 and self._names(head, at, len(wanted)):
                return self._member(head)
            at = members.find(wanted, at + 1, stop)
        return None

    def read(self, member: Member) -> bytes:
        """Return a member, unpacked and checked.

        Raises
        ------
        DataError
            If it is damaged, encrypted or packed in a way that is not supported.
        """
        try:
            return self._read(member, f"{self.source.label}: {member.name}")
        except _MisledError:
            # The list may be damaged rather than the archive, and would be so for ever.
            self.source.forget()
            self._opened = None
            raise

    def _read(self, member: Member, where: str) -> bytes:
        if member.encrypted or member.method not in (_STORED, _DEFLATED):
            how = "encrypted" if member.encrypted else f"packed by method {member.method}"
            raise _MisledError(f"{where} is {how}; allowed are stored and deflated members: pack it again")
        if max(member.packed, member.size) > web.LARGEST:
            # What the list says may be a lie, and is the length of what is fetched and held.
            raise _MisledError(
                f"{where} is said to have {max(member.packed, member.size):,} bytes; allowed are {web.LARGEST:,}: "
                "get the archive again"
            )
        data = self._packed(member, where)
        try:
            with unpacking(where):
                if member.method == _DEFLATED:
                    data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
        except PackedError as error:
            raise _MisledError(f"{error}; get the archive again") from error
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise _MisledError(f"{where} is damaged (its checksum is wrong); get the archive again")
        return data

    def _packed(self, member: Member, where: str) -> bytes:
        """Return the packed bytes of a member, as a rule with a single read."""
        begin = member.offset + _LOCAL.size + len(member.name.encode())
        stop = min(begin + _SLACK + member.packed, self.source.size)
        data = self.source.read(member.offset, stop) if member.offset < stop else b""
        if len(data) < _LOCAL.size or data[:4] != b"PK\x03\x04":
            raise _MisledError(f"{where} is not where the list of members says; get the archive again")
        begin = _LOCAL.size + sum(_LOCAL.unpack_from(data)[-2:])
        end = min(member.offset + begin + member.packed, self.source.size)
        if end > stop:
            data += self.source.read(stop, end)
        return data[begin : begin + member.packed]

    @property
    def _members(self) -> "tuple[mmap.mmap | bytes, int, int]":
        """The list of members and where in it to search, found once, by one thread."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> "tuple[mmap.mmap | bytes, int, int]":
        """Find the list of members from the records at the end of the archive."""
        source = self.source
        tail_at = max(0, source.size - _END.size - 0xFFFF)
        tail = source.read(tail_at, source.size) if source.size else b""
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or end + _END.size > len(tail):
            raise DataError(f"{source.label} is no ZIP archive, or one that is cut off; get it again")
        size, start = _END.unpack_from(tail, end)[5:7]
        before = tail_at + end - _LOCATOR.size
        if before >= 0 and source.read(before, before + 4) == b"PK\x06\x07":
            at = _LOCATOR.unpack(source.read(before, before + _LOCATOR.size))[2]
            record = source.read(at, at + _END64.size) if at < source.size else b""
            if record[:4] == b"PK\x06\x06" and len(record) == _END64.size:
                size, start = _END64.unpack(record)[8:]
        if start + size > tail_at + end:
            raise DataError(f"{source.label}: the list of members lies outside the archive; get it again")
        return source.map(start, start + size)

    def _names(self, head: int, at: int, length: int) -> bool:
        """Tell if the entry at `head` is named by what ends `length` bytes after `at`."""
        members = self._members[0]
        begin = head + _ENTRY.size
        if begin > at or begin + _ENTRY.unpack_from(members, head)[10] != at + length:
            return False
        return begin == at or members[at - 1] == ord("/")

    def _member(self, head: int) -> Member:
        """Read the entry at `head`."""
        members = self._members[0]
        fields = _ENTRY.unpack_from(members, head)
        flags, method, crc, (packed, size, n_name, n_extra), offset = (
            fields[3], fields[4], fields[7], fields[8:12], fields[-1]
        )  # fmt: skip
        begin = head + _ENTRY.size
        name = bytes(members[begin : begin + n_name]).decode("utf-8", "replace")
        wide = _wide_numbers(bytes(members[begin + n_name : begin + n_name + n_extra]))
        # The numbers that did not fit stand in the extra field, in this order.
        size, packed, offset = (
            next(wide, number) if number == _FULL else number for number in (size, packed, offset)
        )
        return Member(name, method, bool(flags & 1), crc, packed, size, offset)


def _wide_numbers(extra: bytes) -> Iterator[int]:
    """Yield the 64-bit numbers of an entry's extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1 and at + 4 + length <= len(extra):
            yield from struct.unpack_from(f"<{length // 8}Q", extra, at + 4)
        at += 4 + length
