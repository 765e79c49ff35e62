"""Notebooks of an earlier run that still stand: nothing that they depend on has changed, and nothing they wrote."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from helpers.files import sha256
from helpers.publish.notebooks import Notebook
from helpers.publish.parameters import Value
from helpers.study.code import package_mark

# Parameters that name files of their own; what lies behind other names is in the hash of the screen.
_FILES = ("classes", "published")


def notebook_mark(notebook: Notebook, values: Mapping[str, Value], source: Mapping | None) -> str:
    """Return a hash of all that the outputs of a notebook depend on.

    That is its text, its parameters, the screen's folder and files, files that parameters name, and the whole package
    with the versions of its libraries.

    Parameters
    ----------
    notebook : Notebook
        To be executed, or executed before.
    values : mapping
        All its parameters.
    source : mapping or None
        What :func:`helpers.screens.describe_source` tells of its screen.
    """
    files = {name: _file_marks(name, str(values[name])) for name in _FILES if name in values}
    screen = source and [source[name] for name in ("path", "kind", "name", "sha256")]
    known = [sha256(notebook.path), dict(values), screen, files, package_mark()]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _file_marks(name: str, value: str) -> dict[str, str]:
    from helpers.hits.published import find_published

    path = find_published(value) if name == "published" else Path(value)
    return {str(path): sha256(path)} if path and path.is_file() else {}


def stands(entry: Mapping, mark: str, folder: Path) -> bool:
    """Return whether a notebook's entry in ``run.json`` has a mark, and all its outputs are as they were written."""
    outputs = entry.get("outputs", {})
    return (
        entry.get("mark") == mark
        # Images may lie on a server, where nobody can tell if they are the same.
        and not entry.get("parameters", {}).get("images")
        and bool(outputs)
        and all(_is(folder / name, digest) for name, digest in outputs.items())
    )


def output_marks(targets: list[Path], folder: Path) -> dict[str, str]:
    """Return the hashes of output files, by their path relative to the folder of the run where they lie in it."""
    return {
        path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path): sha256(path)
        for path in sorted(targets)
    }


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
