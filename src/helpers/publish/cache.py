"""Results of earlier steps, kept under a key that names everything they depend on.

The key holds the hash of the data, the parameters of the step, the source code of `helpers` and the versions of the
libraries that compute, so a stale result cannot be found. An entry is written beside its place and renamed, and
computed by one process at a time, so parallel notebooks share it and a killed one leaves no half-written entry.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from pyarrow import feather

from helpers.files import cache_dir

LIBRARIES = (
    "anndata",
    "copairs",
    "numpy",
    "pandas",
    "polars",
    "rdkit",
    "scikit-learn",
    "scipy",
    "umap-learn",
)
MAX_BYTES = 8_000_000_000
"""When the cache grows beyond this, entries that were not used for longest go first."""


@functools.cache
def code_hash() -> str:
    """Return a hash of the source of `helpers` and of the versions of the numerical libraries."""
    package = Path(__file__).resolve().parents[1]
    versions = [f"{name}={importlib.metadata.version(name)}" for name in LIBRARIES]
    digest = hashlib.sha256(" ".join([sys.version, *versions]).encode())
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def entry_key(step: str, data: str, parameters: dict) -> str:
    """Return the name of a cache entry: the step, and a hash of data, parameters and code."""
    text = json.dumps([data, parameters, code_hash()], sort_keys=True, default=str)
    return f"{step}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def is_cached(key: str) -> bool:
    """Tell if something is stored under `key`."""
    return (cache_dir() / "steps" / key).is_dir()


def cached_wells(key: str, compute: Callable[[], ad.AnnData]) -> ad.AnnData:
    """Return the wells stored under `key`, computed and stored first if there are none."""
    return _cached(key, compute, _write_wells, _read_wells)


def cached_tables(key: str, compute: Callable[[], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return the tables stored under `key`, computed and stored first if there are none."""
    return _cached(key, compute, _write_tables, _read_tables)


def _cached(key: str, compute: Callable, write: Callable, read: Callable):
    root = cache_dir() / "steps"
    root.mkdir(exist_ok=True)
    entry = root / key
    with _locked(root / f".{key}.lock"):
        if not entry.is_dir():
            _store(entry, compute(), write)
            _prune(root, keep=entry)
        entry.touch()
        return read(entry)


def _store(entry: Path, value: object, write: Callable) -> None:
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=entry.parent))
    try:
        write(value, folder)
        folder.rename(entry)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system releases if the process dies."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows: at worst a step is computed twice
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _prune(root: Path, keep: Path) -> None:
    for leftover in root.glob(".new-*"):  # of a process that was killed while it wrote
        if time.time() - leftover.stat().st_mtime > 86_400:
            shutil.rmtree(leftover, ignore_errors=True)
    entries = [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]
    sizes = {entry: sum(f.stat().st_size for f in entry.iterdir()) for entry in entries}
    total = sum(sizes.values())
    for entry in sorted(entries, key=lambda e: e.stat().st_mtime):
        if total <= MAX_BYTES:
            break
        if entry != keep:
            shutil.rmtree(entry, ignore_errors=True)
            total -= sizes[entry]


def _write_wells(wells: ad.AnnData, folder: Path) -> None:
    np.save(folder / "X.npy", np.asarray(wells.X, dtype=np.float32))
    # Arrow's own format keeps categories that do not occur, which Parquet forgets.
    feather.write_feather(wells.obs, folder / "obs.feather")
    feather.write_feather(wells.var, folder / "var.feather")
    (folder / "uns.json").write_text(json.dumps(wells.uns, ensure_ascii=False), encoding="utf-8")


def _read_wells(folder: Path) -> ad.AnnData:
    obs, var = (feather.read_feather(folder / f"{name}.feather") for name in ("obs", "var"))
    uns = json.loads((folder / "uns.json").read_text(encoding="utf-8"))
    return ad.AnnData(np.load(folder / "X.npy"), obs=obs, var=var, uns=uns)


def _write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    for name, table in tables.items():
        feather.write_feather(table, folder / f"{name}.feather")


def _read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: feather.read_feather(path) for path in sorted(folder.glob("*.feather"))}
