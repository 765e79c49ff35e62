"""Files that are either whole or absent, and where cached ones live."""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

_SETTLED = 2_000_000_000
"""Nanoseconds; two changes that are closer may bear one time."""

_BLOCK = 1 << 20


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
