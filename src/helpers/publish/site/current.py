"""Whether a built site is still what a build would make, so that nothing has to be built again."""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from pathlib import Path

from helpers.files import atomic_path, read_json_object, sha256
from helpers.study.code import package_mark

RECORD = ".site.json"
BUILDERS = (
    "jupyter-book",
    "myst-nb",
    "pydata-sphinx-theme",
    "sphinx",
    "sphinx-book-theme",
    "sphinxcontrib-bibtex",
)


def site_mark(root: Path, run: Path) -> str:
    """Return a hash of all that a site is made of: the run's notebooks, the book's sources, the package, the builders.

    Parameters
    ----------
    root : Path
        Folder with ``book`` and ``_config.yml``.
    run : Path
        Folder of a run.
    """
    versions = [f"{name} {importlib.metadata.version(name)}" for name in BUILDERS]
    sources = [root / "_config.yml", *(path for path in (root / "book").rglob("*") if path.is_file())]
    made = [run / "run.json", *(run / "notebooks").glob("*.ipynb")]
    text = [str(root), package_mark(), *versions, _listing(sources, root), _listing(made, run)]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def record_site(site: Path, mark: str) -> None:
    """Write down of what a finished site was made, and which files it has."""
    record = {"mark": mark, "files": _listing(_files(site), site)}
    with atomic_path(site / RECORD) as temporary:
        temporary.write_text(json.dumps(record), encoding="utf-8")


def is_current(site: Path, mark: str) -> bool:
    """Return whether a site was made of this, and is as it was made."""
    record = read_json_object(site / RECORD)
    return record.get("mark") == mark and record.get("files") == _listing(_files(site), site)


def _files(site: Path) -> list[Path]:
    return [path for path in site.rglob("*") if path.is_file() and path.name != RECORD]


def _listing(paths: Iterable[Path], folder: Path) -> str:
    lines = [f"{path.relative_to(folder).as_posix()} {sha256(path)}" for path in sorted(paths)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
