"""The disk that things are fetched to: what cannot be written, names that are in the way, and one fetch at a time."""

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from helpers.errors import DataError

LONGEST_TURN = 3600.0  # seconds that another fetch into the same folder is waited for
LOCK = ".fetch.lock"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


class _NoRoomError(OSError):
    """The disk has less room than is needed; the text says how much."""


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
        if isinstance(error, _NoRoomError):
            why = f"the disk is full ({error.strerror})"
        elif is_full(error):
            why = "the disk is full" + (f", the file has {size:,} bytes" if size else "")
        elif error.errno in _READ_ONLY:
            why = f"the folder is read-only ({error.strerror})"
        raise DataError(f"{path}: {why}; {advice}") from error


def is_full(error: OSError) -> bool:
    """Tell if an error, or what it was made of, is that of a full disk."""
    causes = (error, error.__cause__, error.__context__)
    return any(isinstance(cause, OSError) and cause.errno in _FULL for cause in causes)


def free(path: Path) -> None:
    """Free a name that is ours of whatever an earlier kill or another program left there; a folder is moved aside."""
    if path.is_dir() and not path.is_symlink():
        others = (path.with_name(f"{path.name}.aside-{number}") for number in range(1, 1000))
        path.rename(next(other for other in others if not other.exists()))
    else:
        path.unlink(missing_ok=True)


def free_unless_file(path: Path) -> None:
    """Free a name where a file must be of a folder or link; a file is left."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        free(path)


def check_regular(path: Path) -> None:
    """Raise OSError if what lies there is no regular file; a pipe would be waited for without end."""
    if path.exists() and not path.is_file():
        code = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(code, os.strerror(code) if path.is_dir() else "it is a pipe or a device")


def check_room(folder: Path, n_bytes: int) -> None:
    """Raise what a full disk raises if so many more bytes do not fit, before any of them comes.

    Raises
    ------
    OSError
        What a full disk raises; never if the disk does not say how much room it has.
    """
    room = shutil.disk_usage(folder).free
    if 0 < room < n_bytes:
        raise _NoRoomError(errno.ENOSPC, f"{n_bytes:,} bytes are needed, {room:,} are free")


@contextlib.contextmanager
def in_turn(folder: Path, advice: str) -> Iterator[None]:
    """Hold a folder that things are fetched into; another fetch into it waits until this one has ended.

    Whoever is killed holds nothing any more, so no lock is ever left over.

    Parameters
    ----------
    folder : Path
        The folder, which must exist.
    advice : str
        What to do if it cannot be written.

    Raises
    ------
    DataError
        If the folder takes no files, or another fetch does not end within `LONGEST_TURN`.
    """
    lock = FileLock(folder / LOCK)
    with writing(folder / LOCK, advice):
        free_unless_file(folder / LOCK)
        is_held = _take(lock, folder)
    try:
        yield
    finally:
        if is_held:
            # While it is still ours: whoever has opened it meanwhile sees that it is gone.
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink(missing_ok=True)
            lock.release()


def _take(lock: FileLock, folder: Path) -> bool:
    """Take a lock, if need be in turn; False if this disk knows none."""
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            tqdm.write(
                f"{folder}: another fetch is writing here; waiting until it has ended", file=sys.stderr
            )
            lock.acquire(timeout=LONGEST_TURN)
    except Timeout as error:
        raise DataError(
            f"{folder}: another fetch has been writing here for {LONGEST_TURN:,.0f} s; wait until it has ended, then "
            "run the command again"
        ) from error
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
