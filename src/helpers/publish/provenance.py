"""Provenance: what a run read, with which code and tools, and what it cost (``run.json``)."""

import datetime
import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.files import atomic_path, sha256
from helpers.publish.parameters import Value

# Those whose version can change a number or a picture.
PACKAGES = (
    "rxrx19-companion",
    "anndata",
    "copairs",
    "matplotlib",
    "numpy",
    "pandas",
    "papermill",
    "polars",
    "pyarrow",
    "rdkit",
    "scikit-learn",
    "scipy",
    "umap-learn",
)
_DATA_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".zip", ".parquet", ".yml", ".yaml", ".json")


def new_run_id(parameters: Mapping[str, Mapping[str, Value]], now: datetime.datetime) -> str:
    """Return the start in UTC and a short hash of the parameters: sortable, and equal settings look equal."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    return f"{now.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}-{digest[:8]}"


def resolve_source(source: str) -> Path:
    """Return the folder of a screen, see `helpers.screens.read.resolve_source`."""
    from helpers.screens import read

    return read.resolve_source(source)


def describe_source(source: str) -> dict:
    """Return where a screen's files are and their hashes.

    Parameters
    ----------
    source : str
        ``twin`` (built on first use), ``rxrx19a`` (as fetched) or a folder.

    Returns
    -------
    dict
        ``source``, ``kind`` (``twin``, ``rxrx19a``, ``user``), ``name``, ``path``, ``files`` (name to SHA-256),
        ``sha256`` (of these hashes), and ``scale`` and ``seed`` of a twin.

    Raises
    ------
    DataError
        If there is no such screen; the message names the command that makes or fetches it.
    """
    folder = resolve_source(source)
    files = {path.name: sha256(path) for path in sorted(folder.iterdir()) if _is_data(path)}
    facts: dict = {
        "source": source,
        "kind": "rxrx19a" if source == "rxrx19a" else "user",
        "name": folder.name,
        "path": str(folder),
        "files": files,
        "sha256": hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
    }
    if (folder / "twin.json").is_file():
        twin = json.loads((folder / "twin.json").read_text(encoding="utf-8"))
        facts.update(kind="twin", **{key: twin[key] for key in ("scale", "seed") if key in twin})
    return facts


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.name.lower().endswith(_DATA_SUFFIXES)


def describe_code(root: Path | None) -> dict:
    """Return the commit of the project (and whether files differ from it) and the versions of the tools."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "git": _git(root) if root and (root / ".git").exists() else None,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": versions,
    }


def _git(root: Path) -> dict | None:
    def ask(*arguments: str) -> str:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=30
        )
        return answer.stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def write_record(record: Mapping, folder: Path) -> Path:
    """Write ``run.json`` into the folder of a run, whole or not at all."""
    path = folder / "run.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_record(folder: Path) -> dict:
    """Return the ``run.json`` of an earlier run, or an empty one where there is none or it cannot be read."""
    try:
        return json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def kept_entries(folder: Path, replaced: Iterable[str]) -> dict[str, dict]:
    """Return the notebooks of an earlier run in the same folder that this one does not replace."""
    earlier = read_record(folder).get("notebooks", {})
    return {
        name: entry
        for name, entry in earlier.items()
        if name not in set(replaced) and (folder / entry["file"]).is_file()
    }
