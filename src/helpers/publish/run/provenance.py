"""Provenance: what a run read, with which code and tools, and what it cost (``run.json``)."""

import datetime
import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.files import atomic_path, read_json_object
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


def new_run_id(parameters: Mapping[str, Mapping[str, Value]], now: datetime.datetime) -> str:
    """Return the start in UTC and a short hash of the parameters: sortable, and equal settings look equal."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    return f"{now.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}-{digest[:8]}"


def describe_code(root: Path | None) -> dict:
    """Return the commit of the project (and whether files differ from it) and the versions of the tools."""
    versions: dict[str, str | None] = {}
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
    record = read_json_object(folder / "run.json")
    entries = record.get("notebooks", {})
    whole = isinstance(entries, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("file"), str) for entry in entries.values()
    )
    return record if whole else {}


def kept_entries(folder: Path, replaced: Iterable[str]) -> dict[str, dict]:
    """Return the notebooks of an earlier run in the same folder that this one does not replace."""
    earlier = read_record(folder).get("notebooks", {})
    return {
        name: entry
        for name, entry in earlier.items()
        if name not in set(replaced) and (folder / entry["file"]).is_file()
    }
