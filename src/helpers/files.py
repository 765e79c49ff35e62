"""Files that are either whole or absent, and where cached ones live."""

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers.errors import NoRoomError, system_advice

_SETTLED = 2_000_000_000
"""Nanoseconds; two changes that are closer may bear one time."""

_BLOCK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
_MOST_JSON = 1 << 26
_SAID_FULL = ("No space left on device", "Disk quota exceeded")


def cache_dir() -> Path:
    """Return the folder of generated and downloaded screens, made if missing.

    The environment variable ``RXRX19_CACHE`` overrides the platform's user cache.
    """
    import platformdirs

    folder = Path(os.environ.get("RXRX19_CACHE") or platformdirs.user_cache_dir("rxrx19"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it only if the block succeeds.

    A reader never sees a half-written file, whenever the writer dies, nor a folder of which a part is gone. The
    temporary name keeps the suffixes of `path`, because writers choose a format by them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        temporary = folder / path.name
        with room_for(path):
            yield temporary
        _put(temporary, path, folder / ".replaced")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(new: Path, path: Path, aside: Path) -> None:
    """Let a file or folder take a place; a folder that stands there goes by a rename, never bit by bit."""
    try:
        new.replace(path)
    except OSError:
        if not (new.is_dir() and path.is_dir()):
            raise
        path.rename(aside)
        try:
            new.rename(path)
        except OSError:
            aside.rename(path)
            raise


def remove_leftovers(path: str | Path) -> None:
    """Remove what killed writers of `path` left beside it; only for who holds the lock of all its writers."""
    path = Path(path)
    temporary = re.compile(re.escape(f".{path.name}.") + "[a-z0-9_]{8}")
    for left in path.parent.iterdir() if path.parent.is_dir() else ():
        if temporary.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def room_for(path: str | Path) -> Iterator[None]:
    """Say which path it was for which a disk had no room: systems and libraries tell only that there was none.

    Raises
    ------
    NoRoomError
        In the place of what was raised where a disk is full.
    """
    try:
        yield
    except NoRoomError:
        raise
    except Exception as error:
        # Readers and writers of tables raise errors of their own, which quote the system's.
        if getattr(error, "errno", 0) not in _FULL and not any(said in str(error) for said in _SAID_FULL):
            raise
        raise NoRoomError(
            f"{path} cannot be written: no room is left on its disk; remove something there or choose a folder on "
            "another disk, and run again (nothing half-written is left)"
        ) from error


def home_path(path: str | Path) -> Path:
    """Return a path with ``~`` and ``~name`` replaced by a home folder; as it is where there is no such home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


class UnreadableTextError(Exception):
    """A file cannot be read as a text; the message goes on after the file's name: what is wrong, what to do."""


def read_small_text(path: str | Path, *, most: int) -> str:
    """Return a text that a person wrote, without its byte order mark and with LF line ends.

    Parameters
    ----------
    path : str or Path
        A regular file in UTF-8.
    most : int
        Bytes; what is larger was named by mistake, and reading it would take minutes or all memory.

    Raises
    ------
    UnreadableTextError
        If it is not there, no regular file (a pipe would be waited for without end), larger, or no text.
    """
    path = Path(path)
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            kind = "a folder" if stat.S_ISDIR(state.st_mode) else "a pipe or a device"
            raise UnreadableTextError(f"cannot be read: it is {kind}; name a regular file")
        if state.st_size > most:
            raise UnreadableTextError(
                f"has {state.st_size:,} bytes, at most {most:,} are read: it is hardly the file that is meant"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError):  # a NUL in the name
            raise UnreadableTextError("cannot be read: its name holds a NUL") from None
        raise UnreadableTextError(f"cannot be read ({error.strerror}): {system_advice(error)}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnreadableTextError(f"is not UTF-8 text (line {line}); save it as UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UnreadableTextError(f"holds a NUL in line {line}, which no text has; it is damaged or no text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json_object(path: str | Path) -> dict[str, Any]:
    """Return a JSON object that an earlier call wrote; empty where there is none or somebody else wrote the file."""
    try:
        content = json.loads(read_small_text(path, most=_MOST_JSON))
    except (UnreadableTextError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    A process reads a file of gigabytes once for it, as long as nothing has touched the file.
    """
    return _once(Path(path), _sha256)


def checksum(path: str | Path) -> str:
    """Return the CRC-32 of a file as 8 hexadecimal digits, read once like that of `sha256` and three times as fast.

    It tells damage, of which no single changed byte escapes it; it is no defence against forgery.
    """
    return _once(Path(path), _crc32)


def _once(path: Path, digest: Callable[[Path], str]) -> str:
    state = path.stat()
    touched = state.st_mtime_ns, state.st_ctime_ns
    if time.time_ns() - max(touched) < _SETTLED:
        return digest(path)
    return _remembered(digest, path, state.st_ino, state.st_size, *touched)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _crc32(path: Path) -> str:
    sum_, block = 0, memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while n := file.readinto(block):
            sum_ = zlib.crc32(block[:n], sum_)
    return f"{sum_:08x}"


@functools.lru_cache(maxsize=8192)
def _remembered(digest: Callable[[Path], str], path: Path, *_: int) -> str:
    return digest(path)
