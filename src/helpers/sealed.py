"""Sealed folders: entries of a cache that hold the checksums of their own files, and are made anew when damaged."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from helpers.errors import DataError
from helpers.files import checksum, remove_leftovers

SEAL = ".seal"
NOTICES = "RXRX19_NOTICES"
"""Environment variable: the file that takes notices where standard error is part of a page."""

T = TypeVar("T")
_CLAIMS: dict[tuple[Path, int], int] = {}


def keep(folder: Path, make: Callable[[Path], object], read: Callable[[Path], T]) -> T:
    """Return what is read from a sealed folder, which is made and sealed first if it is missing or damaged.

    One process at a time makes it; its lock goes with the process, and who waited reads what the first one made.

    Parameters
    ----------
    folder : Path
        Of an entry; hidden files in it do not count.
    make : callable
        Writes the folder it is given, which is not there.
    read : callable
        Returns the value of the folder. If it fails on a folder of an earlier process, that one is damaged too.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held(folder):
        if os.path.lexists(folder):
            flaw = find_flaw(folder)
            if not flaw:
                try:
                    return read(folder)
                except MemoryError:
                    raise
                except Exception as error:
                    flaw = f"cannot be read ({type(error).__name__})"
            drop(folder)
            notice(f"{folder} {flaw}: it is dropped and made again")
        make(folder)
        seal(folder)
        return read(folder)


def seal(folder: Path) -> None:
    """Write the checksums of all files of a folder into it; what has no seal is not finished."""
    files = {name: [(folder / name).stat().st_size, checksum(folder / name)] for name in _files(folder)}
    body = json.dumps({"name": folder.name, "files": files}, ensure_ascii=False)
    temporary = folder / f"{SEAL}.new"
    temporary.write_bytes(pack(body.encode()))
    temporary.replace(folder / SEAL)


def is_sealed(folder: Path) -> bool:
    """Tell if a folder was finished; whether it is whole, `find_flaw` tells."""
    return (folder / SEAL).is_file()


def find_flaw(folder: Path) -> str:
    """Return what makes a sealed folder another than it was, as the end of a sentence; "" for nothing.

    A process reads a file once for it, as long as nothing has touched the file.
    """
    if folder.is_symlink() or not folder.is_dir():
        return "is no folder"
    try:
        known = json.loads(unpack((folder / SEAL).read_bytes()))
    except OSError:
        return "was left unfinished"
    except ValueError:
        return "has a damaged seal"
    if known["name"] != folder.name:
        return f"was made as {known['name']}"
    files = _files(folder)
    if odd := sorted(set(files) ^ set(known["files"])):
        return f"holds {odd[0]}, which is not part of it" if odd[0] in files else f"lacks {odd[0]}"
    for name, (size, sum_) in known["files"].items():
        try:
            whole = (folder / name).stat().st_size == size and checksum(folder / name) == sum_
        except OSError:
            whole = False
        if not whole:
            return f"is damaged in {name}"
    return ""


def _files(folder: Path) -> list[str]:
    """Return the visible files of a folder and the folders in it; a link or a pipe is none."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = (path.relative_to(folder) for path in found)
    return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))


def pack(data: bytes) -> bytes:
    """Return bytes with their checksum in a line before them."""
    return f"{zlib.crc32(data):08x}\n".encode() + data


def unpack(packed: bytes) -> bytes:
    """Return the bytes that `pack` was given.

    Raises
    ------
    ValueError
        If they are not the same any more.
    """
    data = packed[9:]
    if packed[:9] != f"{zlib.crc32(data):08x}\n".encode():
        raise ValueError("the checksum is wrong")
    return data


# --- who uses what -----------------------------------------------------------------------------------------------


def lock_of(folder: Path) -> Path:
    """Return the lock of a sealed folder, a hidden file beside it."""
    return folder.with_name(f".{folder.name}.lock")


@contextlib.contextmanager
def held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a sealed folder; the system releases it however the process ends.

    Raises
    ------
    Timeout
        If another process holds it and this one shall not wait.
    """
    lock = lock_of(folder)
    if lock.is_dir() and not lock.is_symlink():
        shutil.rmtree(lock, ignore_errors=True)
    with FileLock(lock, blocking=wait):
        yield


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from making the same file or folder, and remove what killed ones left beside it.

    Raises
    ------
    DataError
        If another process is at it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.make.lock")
    try:
        with FileLock(lock, blocking=False):
            try:
                remove_leftovers(path)
                yield
            finally:  # while it is still ours: whoever opened it meanwhile sees that it is gone
                lock.unlink(missing_ok=True)
    except Timeout:
        raise DataError(f"another process is making {path}: wait for it, or name another folder") from None


def claim(folder: Path) -> None:
    """Note that a folder is used, and keep it from being removed for room for as long as this process lives."""
    file = os.open(folder, os.O_RDONLY)
    place = folder, os.fstat(file).st_ino
    if place in _CLAIMS:
        os.close(file)
        return
    _CLAIMS[place] = file
    with contextlib.suppress(OSError):  # a file system without such locks, or a cache of somebody else's
        fcntl.flock(file, fcntl.LOCK_SH)
        os.utime(folder)


def _is_claimed(folder: Path) -> bool:
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def remove(folder: Path) -> bool:
    """Remove an entry of a cache unless a process holds or claims it, and tell if it went."""
    try:
        with held(folder, wait=False):
            if _is_claimed(folder):
                return False
            drop(folder)
            lock_of(folder).unlink(missing_ok=True)
            return True
    except Timeout:
        return False


def drop(path: Path) -> None:
    """Remove a file, a link or a folder; a folder goes by a rename, so nobody finds a part of it.

    Who has opened or mapped a file of it keeps what was opened.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    aside = Path(tempfile.mkdtemp(prefix=".old-", dir=path.parent))
    try:
        path.rename(aside / path.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def bound(folders: Iterable[Path], most: int, *, keep: Path | None = None) -> None:
    """Remove the sealed folders that were not used for longest until the others are small enough.

    Parameters
    ----------
    folders : iterable of Path
        Their times of change say when they were used last.
    most : int
        Bytes of all together.
    keep : Path, optional
        One that stays in any case.
    """
    used: dict[Path, float] = {}
    for folder in folders:
        with contextlib.suppress(OSError):  # another process may remove it meanwhile
            used[folder] = folder.lstat().st_mtime
    sizes = {folder: size_of(folder) for folder in used}
    total = sum(sizes.values())
    for folder in sorted(used, key=used.__getitem__):
        if total <= most:
            break
        if folder != keep and remove(folder):
            total -= sizes[folder]


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(OSError):
            return path.lstat().st_size
        return 0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(folder, name).lstat().st_size
    return total


def notice(text: str) -> None:
    """Tell the user something in one line that must not become part of a page."""
    line = "rxrx19: " + " ".join(text.split())
    if place := os.environ.get(NOTICES):
        with contextlib.suppress(OSError), Path(place).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            return
    print(line, file=sys.stderr)
