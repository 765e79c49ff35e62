"""Entries of the memory: values kept on disk under a name, whole or absent, each made by one process at a time."""

import contextlib
import dataclasses
import importlib
import json
import mmap
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anndata as ad
import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from pyarrow import feather

from helpers.files import cache_dir
from helpers.sealed import bound, drop, find_flaw, held, is_sealed, keep, notice
from helpers.study.fingerprint import array_mark, fingerprint, trust

MAX_BYTES = 8_000_000_000
"""When the memory grows beyond this, entries that were not used for longest go first."""

A_DAY = 86_400
T = TypeVar("T")
_ABOUT = "about.json"


def entries_dir() -> Path:
    """Return the folder of all entries, made if missing."""
    folder = cache_dir() / "steps"
    if os.path.lexists(folder) and not folder.is_dir():
        notice(f"{folder} is no folder: it is dropped")
        drop(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_stored(name: str) -> bool:
    """Tell if something is stored under a name."""
    return is_sealed(entries_dir() / name)


def recall(name: str, make: Callable[[], T]) -> T:
    """Return what is stored under a name, made and stored first if there is nothing or if it was damaged.

    A new value is read back from its entry as well, so that it does not matter who made it. The lock goes with the
    process that holds it; a second process that wants the same entry waits for the first.

    Parameters
    ----------
    name : str
        A file name.
    make : callable
        Returns the value: an AnnData, a table, a plain value of JSON, or a dict, tuple or dataclass of these.
    """
    root = entries_dir()
    is_new = False

    def write(entry: Path) -> None:
        nonlocal is_new
        _store(entry, make())
        is_new = True

    value = keep(root / name, write, _read)
    with contextlib.suppress(OSError):  # removed by another process; what was read is mapped and stays
        os.utime(root / name)
    if is_new:
        _prune(root, keep=root / name)
    return value


def read_entry(name: str) -> Any:
    """Return the value of an entry that is there.

    Raises
    ------
    FileNotFoundError
        If it is not there, or damaged.
    """
    entry = entries_dir() / name
    with held(entry):
        if flaw := find_flaw(entry):
            raise FileNotFoundError(f"entry {name} {flaw}")
        return _read(entry)


def find_entry(mark: str) -> str | None:
    """Return the name of an entry whose value has a fingerprint, None where there is none."""
    for about in entries_dir().glob(f"*/{_ABOUT}"):
        # It may be removed while we look, or damaged.
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            if json.loads(about.read_text(encoding="utf-8"))["fingerprint"] == mark:
                return about.parent.name
    return None


def _read(entry: Path) -> Any:
    return _unpack(json.loads((entry / _ABOUT).read_text(encoding="utf-8"))["value"], entry)


def _store(entry: Path, value: object) -> None:
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=entry.parent))
    try:
        about = {"value": _pack(value, folder, "value"), "fingerprint": fingerprint(value)}
        (folder / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        folder.rename(entry)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prune(root: Path, keep: Path) -> None:
    now = time.time()
    for leftover in (
        *root.glob(".new-*"),
        *root.glob(".old-*"),
        *root.glob(".*.lock"),
    ):  # of killed processes
        with contextlib.suppress(OSError, Timeout):  # another process may remove it too
            if now - leftover.stat().st_mtime > A_DAY:
                if leftover.suffix == ".lock" and leftover.is_file():
                    with FileLock(leftover, blocking=False):
                        leftover.unlink(missing_ok=True)
                else:
                    drop(leftover)
    bound((path for path in root.iterdir() if not path.name.startswith(".")), MAX_BYTES, keep=keep)


# --- values and their parts --------------------------------------------------------------------------------------


def _pack(value: object, folder: Path, part: str) -> dict:
    """Write a value's tables and arrays as files of an entry, and return what puts them together again."""
    if isinstance(value, ad.AnnData):
        return _pack_wells(value, folder, part)
    if isinstance(value, pd.DataFrame):
        # Arrow's own format keeps categories that do not occur, which Parquet forgets.
        feather.write_feather(value, folder / f"{part}.feather")
        return {"kind": "table", "file": part, "attrs": value.attrs, "categories": _lost_categories(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        home = f"{type(value).__module__}:{type(value).__qualname__}"
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"kind": "record", "type": home, "items": _pack_all(fields, folder, part)}
    if isinstance(value, dict):
        return {"kind": "dict", "items": _pack_all(value, folder, part)}
    if isinstance(value, tuple):
        return {"kind": "tuple", "items": _pack_all(dict(enumerate(value)), folder, part)}
    return {"kind": "plain", "value": value}


def _lost_categories(table: pd.DataFrame) -> dict:
    """Return the categories of a table without rows, which Arrow does not keep: column -> names, and if in order."""
    if len(table):
        return {}
    kinds = {name: kind for name, kind in table.dtypes.items() if isinstance(kind, pd.CategoricalDtype)}
    return {name: (list(kind.categories), bool(kind.ordered)) for name, kind in kinds.items()}


def _pack_all(items: dict, folder: Path, part: str) -> list:
    return [[name, _pack(item, folder, f"{part}.{i}")] for i, (name, item) in enumerate(items.items())]


def _pack_wells(wells: ad.AnnData, folder: Path, part: str) -> dict:
    np.save(folder / f"{part}.npy", np.asarray(wells.X))
    feather.write_feather(wells.obs, folder / f"{part}.obs.feather")
    feather.write_feather(wells.var, folder / f"{part}.var.feather")
    return {
        "kind": "wells",
        "file": part,
        "shape": wells.shape,
        "uns": wells.uns,
        "mark": array_mark(wells.X),
    }


def _unpack(about: dict, folder: Path) -> Any:
    match about["kind"]:
        case "wells":
            return _unpack_wells(about, folder)
        case "table":
            table = feather.read_feather(folder / f"{about['file']}.feather")
            table.attrs = about["attrs"]
            for name, (categories, ordered) in about["categories"].items():
                table[name] = pd.Categorical([], categories, ordered=ordered)
            return table
        case "record":
            module, name = about["type"].split(":")
            made = getattr(importlib.import_module(module), name)
            return made(**{key: _unpack(item, folder) for key, item in about["items"]})
        case "dict":
            return {key: _unpack(item, folder) for key, item in about["items"]}
        case "tuple":
            return tuple(_unpack(item, folder) for _, item in about["items"])
    return about["value"]


def _unpack_wells(about: dict, folder: Path) -> ad.AnnData:
    path = folder / f"{about['file']}.npy"
    obs, var = (feather.read_feather(folder / f"{about['file']}.{name}.feather") for name in ("obs", "var"))
    X = _read_array(path) if all(about["shape"]) else np.load(path)
    trust(X, about["mark"])
    return ad.AnnData(X, obs=obs, var=var, uns=about["uns"])


def release(wells: ad.AnnData) -> None:
    """Let go of the part of the wells' array that was read into memory; it is read again when it is looked at."""
    array = wells.X
    while isinstance(array, np.ndarray):
        mapped = getattr(array, "_mmap", None)
        if mapped is not None and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)
            return
        array = array.base


def _read_array(path: Path) -> np.ndarray:
    """Return an array as a read-only view of its file, in memory only as far as it is looked at."""
    return np.load(path, mmap_mode="r").view(np.ndarray)
