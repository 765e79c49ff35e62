"""What code a result stands on: the source of the floors that made it, and the versions of the libraries."""

import functools
import hashlib
import importlib.metadata
import sys
from pathlib import Path
from types import ModuleType

from packaging.requirements import Requirement

import helpers
from helpers.files import sha256

PACKAGE = Path(helpers.__file__).resolve().parent
PROJECT = "rxrx19-companion"
FLOORS = ("screens", "profiles", "hits", "dose", "study")
"""The floors that compute, from the lowest to the highest; each uses only those below it."""

_LIVE: dict[str, tuple[object, str]] = {}


def code_mark(floor: str) -> str:
    """Return a hash of all code and data that a function of a floor can use: its floor, those below, the libraries.

    Files are looked at anew at every call. In a living kernel a module may be older than its file; then the hashes of
    both count, so that neither takes what the other one made for its own.

    Parameters
    ----------
    floor : str
        A name in :data:`helpers.study.code.FLOORS`.
    """
    digest = hashlib.sha256(repr((sys.version, sorted(library_versions().items()))).encode())
    for path in _sources(FLOORS[: FLOORS.index(floor) + 1]):
        name = path.relative_to(PACKAGE).as_posix()
        digest.update(f"{name} {sha256(path)} {_live_mark(path)}\n".encode())
    return digest.hexdigest()


def package_mark() -> str:
    """Return a hash of every file of the package, and of the versions of Python and the declared libraries."""
    digest = hashlib.sha256(repr((sys.version, sorted(library_versions().items()))).encode())
    for path in sorted(path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()


def library_versions() -> dict[str, str]:
    """Return the installed version of each library that the project declares, in its own metadata.

    Libraries of the extras, such as those that build the book, are left out.
    """
    return {name: importlib.metadata.version(name) for name in _declared()}


@functools.cache
def _declared() -> tuple[str, ...]:
    declared = [Requirement(line) for line in importlib.metadata.requires(PROJECT) or ()]
    needed = [item.name for item in declared if item.marker is None or item.marker.evaluate({"extra": ""})]
    return tuple(sorted(needed))


def floor_of(function: object) -> str:
    """Return the floor that a function lives on."""
    return function.__module__.split(".")[1]


def _sources(floors: tuple[str, ...]) -> list[Path]:
    """Return the files of some floors and of the cellar, the modules that anybody may use."""
    cellar = [path for path in PACKAGE.glob("*.py") if path.stem not in ("__init__", "cli")]
    inside = [path for floor in floors for path in (PACKAGE / floor).rglob("*") if path.is_file()]
    return sorted(path for path in (*cellar, *inside) if path.suffix != ".pyc")


def _live_mark(path: Path) -> str:
    """Return the hash of the file that a loaded module was made from, "" where it is the file's own.

    Of a module that was loaded after the first look at the files, and edited since, nobody knows whether it was loaded
    before the edit; it counts as if it was. A reloaded module has a new spec, and is as new as its file then.
    """
    module = _loaded(path)
    if module is None:
        return ""
    current = sha256(path)
    known = _LIVE.get(module.__name__)
    if known is None:
        known = _LIVE[module.__name__] = (module.__spec__, _FIRST.get(path, current))
    elif known[0] is not module.__spec__:
        known = _LIVE[module.__name__] = (module.__spec__, current)
    return "" if known[1] == current else known[1]


def _loaded(path: Path) -> ModuleType | None:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return (
        sys.modules.get(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        if path.suffix == ".py"
        else None
    )


_FIRST = {path: sha256(path) for path in _sources(FLOORS) if path.suffix == ".py"}
