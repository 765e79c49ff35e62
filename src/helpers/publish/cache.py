"""What is kept between runs: how much of which kind, and the command that makes room."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.errors import DataError, UsageError
from helpers.files import cache_dir
from helpers.screens.locate import HASH_FILE, recorded_hashes
from helpers.sealed import drop, remove, size_of

ACTIONS = ("show", "prune", "clear")
KINDS = {
    "steps": "results of steps, which notebooks share",
    "twins": "simulated screens",
    "images": "images that came over the web",
    "fonts": "the list of fonts",
    "leftovers": "what killed runs left",
    "downloads": "what `rxrx19 data fetch` brought",
}
"""Kinds of entries and what they are, in the order of the table."""

AGES = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
# Anything else in a cache is not ours and stays.
_STEP = re.compile(r"\w+-[0-9a-f]{32}")
_TWIN = re.compile(r"twin(-\w+)?-\w+-\d+-[0-9a-f]{12}")
_IMAGES = re.compile(r"[0-9a-f]{12}")
_LEFT = re.compile(r"\.(old|new)-[a-z0-9_]{8}|\..+\.[a-z0-9_]{8}")
_LOCK = re.compile(r"\..+\.lock|twin\.lock")
_FONTS = re.compile(r"\.?\d[\w.]*|fontlist-v[\w.]+\.json|.*matplotlib-lock|tex\.cache")
_AN_HOUR = 3_600


@dataclass(frozen=True)
class Entry:
    """One thing in the cache: its kind, where it is, bytes, and when it was used last (seconds since 1970)."""

    kind: str
    path: Path
    size: int
    used: float


def manage_cache(
    action: str = "show",
    *,
    older_than: str | None = None,
    larger_than: str | None = None,
    downloads: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Show, prune or clear the cache.

    What a running process uses stays, and so does whatever is not an entry of ours. Links are not followed.

    Parameters
    ----------
    action : {"show", "prune", "clear"}
        Downloads are never pruned.
    older_than : str, optional
        Prune entries that were not used for so long: 12h, 30d or 4w.
    larger_than : str, optional
        Then prune those that were not used for longest until the others have no more bytes: 500MB or 2GB.
    downloads : bool
        Clear downloads too.
    say : callable
        Takes the lines of the answer.

    Raises
    ------
    UsageError
        If the action, an age or a size is not allowed.
    DataError
        If the folder to be cleared or pruned is no cache of ours.
    """
    if action not in ACTIONS:
        raise UsageError(f"unknown ACTION {action!r}; valid: {', '.join(ACTIONS)}")
    age = None if older_than is None else read_age(older_than)
    most = None if larger_than is None else read_size(larger_than)
    if action != "prune" and (age, most) != (None, None):
        raise UsageError(f"--older-than and --larger-than go with `rxrx19 cache prune`, not with {action}")
    if action == "prune" and (age, most) == (None, None):
        raise UsageError(
            "prune what? give --older-than AGE (such as 30d), --larger-than SIZE (such as 2GB), or both"
        )
    if downloads and action != "clear":
        raise UsageError(f"--downloads goes with `rxrx19 cache clear`, not with {action}")
    root = cache_dir().resolve()
    if action == "show":
        _show(root, say)
        return
    _refuse_foreign(root)
    made = [entry for entry in list_entries(root) if entry.kind != "downloads" or downloads]
    chosen = made if action == "clear" else _outdated(made, age, most)
    gone = [entry for entry in chosen if _remove(entry)]
    _sweep_locks(root)
    say(f"removed {_counted(gone)} from {root}")
    if len(gone) < len(chosen):
        say(f"{len(chosen) - len(gone)} in use or new: left as they are")


def list_entries(root: Path) -> list[Entry]:
    """Return what a cache holds, a kind after the other.

    Parameters
    ----------
    root : Path
        The folder of the cache. What lies behind a link is not counted.
    """
    found = [entry for path in _inside(root) for entry in _entries_at(path)]
    return sorted(found, key=lambda entry: (list(KINDS).index(entry.kind), entry.path))


def _entries_at(path: Path) -> Iterator[Entry]:
    if path.is_symlink():
        return
    if path.name == "steps" and path.is_dir():
        yield from _below(path, "steps", _STEP)
    elif path.name == "images" and path.is_dir():
        yield from _below(path, "images", _IMAGES)
    elif path.name == "matplotlib" and path.is_dir():
        if all(_FONTS.fullmatch(item.name) for item in path.iterdir()):
            yield _entry("fonts", path)
    elif _TWIN.fullmatch(path.name):
        yield _entry("twins", path)
    elif _LEFT.fullmatch(path.name):
        yield _entry("leftovers", path)
    elif _is_fetched(path):
        yield from (_entry("downloads", item) for item in _downloaded(path))


def _below(folder: Path, kind: str, name: re.Pattern) -> Iterator[Entry]:
    for path in _inside(folder):
        if not path.is_symlink():
            if _LEFT.fullmatch(path.name):
                yield _entry("leftovers", path)
            elif name.fullmatch(path.name):
                yield _entry(kind, path)


def _entry(kind: str, path: Path) -> Entry:
    used = 0.0
    with contextlib.suppress(OSError):  # it may be removed while we look
        used = path.lstat().st_mtime
    return Entry(kind, path, size_of(path), used)


def _inside(folder: Path) -> list[Path]:
    """Return all that lies in a folder; nothing where it is a link or no folder."""
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _is_fetched(path: Path) -> bool:
    return path.is_dir() and (path.name == "rxrx19a" or (path / HASH_FILE).is_file())


def _downloaded(folder: Path) -> list[Path]:
    """Return the files in a folder of downloads that we fetched; a user may have put others beside them."""
    known = {HASH_FILE, *recorded_hashes(folder)}
    parts = re.compile(r".+\.part(\..+)?|\.published_pages")
    return [
        path
        for path in _inside(folder)
        if (path.name in known or parts.fullmatch(path.name)) and not path.is_symlink()
    ]


def _refuse_foreign(root: Path) -> None:
    """Refuse a folder that holds something which a cache of ours never does: it may have been named by mistake."""
    ours = {"steps", "images", "matplotlib", "CACHEDIR.TAG"}
    for path in _inside(root):
        known = path.name in ours or _TWIN.fullmatch(path.name) or _LEFT.fullmatch(path.name)
        if not (known or _LOCK.fullmatch(path.name) or _is_fetched(path)):
            raise DataError(
                f"{root} is no cache of rxrx19 alone, it holds {path.name}: nothing was removed; set RXRX19_CACHE to "
                "the folder of the cache, or move that away"
            )


def _outdated(entries: list[Entry], age: float | None, most: int | None) -> list[Entry]:
    """Return the entries that are too old and, the oldest first, those that are too much."""
    now, total = time.time(), sum(entry.size for entry in entries)
    chosen = []
    for entry in sorted(entries, key=lambda entry: entry.used):
        if (age is not None and now - entry.used > age) or (most is not None and total > most):
            chosen.append(entry)
            total -= entry.size
    return chosen


def _remove(entry: Entry) -> bool:
    """Remove an entry unless it is in use, and tell if it went."""
    if entry.kind in ("steps", "twins", "images", "fonts"):
        return remove(entry.path)
    if entry.kind == "leftovers" and time.time() - entry.used < _AN_HOUR:
        return False  # somebody may be writing it
    drop(entry.path)
    return True


def _sweep_locks(root: Path) -> None:
    """Remove the locks that nobody holds; they are empty files."""
    for folder in (root, root / "steps", root / "images"):
        for lock in _inside(folder):
            if _LOCK.fullmatch(lock.name) and lock.is_file() and not lock.is_symlink():
                with contextlib.suppress(Timeout, OSError), FileLock(lock, blocking=False):
                    lock.unlink(missing_ok=True)


# --- words -------------------------------------------------------------------------------------------------------


def _show(root: Path, say: Callable[[str], None]) -> None:
    entries = list_entries(root)
    say(f"{root}: {_counted(entries)}")
    for kind, meaning in KINDS.items():
        if own := [entry for entry in entries if entry.kind == kind]:
            last = max(entry.used for entry in own)
            first = min(entry.used for entry in own)
            size = show_size(sum(entry.size for entry in own))
            ages = f"{_ago(last)} to {_ago(first)}" if _ago(last) != _ago(first) else _ago(last)
            say(f"  {kind:<10} {len(own):>6}  {size:>8}  used {ages} ago  ({meaning})")


def _counted(entries: list[Entry]) -> str:
    size = show_size(sum(entry.size for entry in entries))
    return f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, {size}"


def show_size(size: int) -> str:
    """Return a number of bytes in the largest unit of which there is one.

    Examples
    --------
    >>> show_size(313_400_000)
    '313.4 MB'
    """
    unit = max((name for name in SIZES if size >= SIZES[name]), key=SIZES.__getitem__, default="B")
    return f"{size} B" if unit == "B" else f"{size / SIZES[unit]:.1f} {unit}"


def _ago(moment: float) -> str:
    seconds = max(0.0, time.time() - moment)
    return f"{seconds / 86_400:.0f} d" if seconds >= 86_400 else f"{seconds / 3_600:.0f} h"


def read_age(text: str) -> float:
    """Return an age in seconds.

    Raises
    ------
    UsageError
        If it is not a number and h, d or w.

    Examples
    --------
    >>> read_age("30d")
    2592000.0
    """
    found = re.fullmatch(r"\s*(\d{1,6}(?:\.\d+)?)\s*([hdw])\s*", text, re.ASCII)
    if not found:
        raise UsageError(f"--older-than {text!r}: allowed are hours, days or weeks, such as 12h, 30d or 4w")
    return float(found[1]) * AGES[found[2]]


def read_size(text: str) -> int:
    """Return a size in bytes.

    Raises
    ------
    UsageError
        If it is not a number and a unit from B to TB.

    Examples
    --------
    >>> read_size("1.5GB")
    1500000000
    """
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d+)?)\s*([KMGT]?B)\s*", text.upper(), re.ASCII)
    if not found:
        raise UsageError(
            f"--larger-than {text!r}: allowed is a number with {', '.join(SIZES)} behind it, such as 500MB or 2GB"
        )
    return int(float(found[1]) * SIZES[found[2]])
