"""Files that are either whole or absent, and where cached ones live."""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_SETTLED = 2_000_000_000
"""Nanoseconds; two changes that are closer may bear one time."""


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

    A reader never sees a half-written file, whenever the writer dies. The temporary name keeps the suffixes
    of `path`, because writers choose a format by them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        temporary = folder / path.name
        yield temporary
        temporary.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    path = Path(path)
    state = path.stat()
    touched = state.st_mtime_ns, state.st_ctime_ns
    if time.time_ns() - max(touched) < _SETTLED:
        return _digest(path)
    return _remembered(path, state.st_ino, state.st_size, *touched)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.lru_cache(maxsize=4096)
def _remembered(path: Path, *_: int) -> str:
    return _digest(path)
