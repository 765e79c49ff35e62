"""What a screen is and which files it is made of, told without reading them through."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import shorten
from helpers.files import read_json_object, sha256
from helpers.screens.locate import resolve_source
from helpers.screens.mapping import MAPPING_FILE, read_mapping
from helpers.screens.tables import SUFFIXES

if TYPE_CHECKING:
    import anndata as ad

TWIN_FILE = "twin.json"
COMPANIONS = ("truth.csv", "classes.csv", "failed_wells.csv")
"""Files beside a screen's own that pages read where they are there."""

# Names that the download of RxRx19a has, beside our own.
STEMS = {
    "metadata": ("metadata", "RxRx19a-metadata"),
    "embeddings": ("embeddings", "RxRx19a-DL-embeddings"),
}


def describe_source(source: str, folder: Path | None = None, *, world: str = "calm") -> dict:
    """Return what a screen is, where its files are, and their hashes.

    Parameters
    ----------
    source : str
        ``twin`` (built on first use), ``rxrx19a`` (as fetched) or a folder.
    folder : Path, optional
        Where that is, if it is known already.
    world : str
        Of the twin, as for :func:`helpers.screens.resolve_source`.

    Returns
    -------
    dict
        ``source``, ``kind`` (``twin``, ``rxrx19a`` or ``user``), ``name``, ``path``, ``files`` (name to SHA-256) and
        ``sha256`` (of these hashes); of a twin also ``scale``, ``seed`` and ``world``.

    Raises
    ------
    DataError
        If RxRx19a was not downloaded; the message names the command that fetches it.
    UsageError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory(prefix="mine-") as folder:
    ...     screen = describe_source(folder)
    >>> screen["kind"], screen["name"][:5], screen["files"]
    ('user', 'mine-', {})
    """
    folder = folder or resolve_source(source, world)
    paths = [*screen_files(folder), *(folder / name for name in COMPANIONS)]
    files = {_inside(path, folder): sha256(path) for path in sorted(paths) if path.is_file()}
    return {
        "source": str(source),
        **name_screen(folder),
        "path": str(folder),
        "files": files,
        "sha256": hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
    }


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def name_screen(folder: Path) -> dict:
    """Return what the screen in a folder is: ``kind`` (``twin``, ``rxrx19a``, ``user``) and ``name``.

    A twin adds its ``scale``, ``seed`` and ``world``. A screen with a ``screen.yml`` is the user's, whatever lies
    beside it.
    """
    if (folder / MAPPING_FILE).exists():
        mapping, _ = read_mapping(folder / MAPPING_FILE)
        return {"kind": "user", "name": mapping.name if mapping else folder.resolve().name}
    if twin := read_json_object(folder / TWIN_FILE):
        kinds = {"scale": str, "seed": int, "world": str}
        known = {key: twin[key] for key, kind in kinds.items() if type(twin.get(key)) is kind}
        given = known.get("world", "calm")
        world = {"calm": "", "own": "own assumptions, "}.get(given, f"world {given}, ")
        name = f"simulated twin ({world}{known.get('scale')}, seed {known.get('seed')})"
        return {"kind": "twin", "name": shorten(name, 120), **known}
    metadata = find_parts(folder, "metadata")
    if metadata and metadata[0].name.startswith(STEMS["metadata"][1]):
        return {"kind": "rxrx19a", "name": "RxRx19a"}
    return {"kind": "user", "name": folder.resolve().name}


def screen_folder(sites: "ad.AnnData") -> Path | None:
    """Return the folder that a screen was opened from; None where it has no files.

    Parameters
    ----------
    sites : AnnData
        Sites or wells; `uns["screen"]` is read.
    """
    path = sites.uns.get("screen", {}).get("path")
    return Path(path) if path else None


def find_parts(folder: Path, part: str) -> list[Path]:
    """Return the files that may hold a part in RxRx19a's layout, the one that is read first.

    Parameters
    ----------
    folder : Path
        Of the screen.
    part : str
        A name in :data:`helpers.screens.provenance.STEMS`.
    """
    places = (folder, folder / "RxRx19a")
    names = [stem + suffix for stem in STEMS[part] for suffix in SUFFIXES]
    # A link whose target is missing counts too, so that opening it can say so.
    return [p / n for p in places for n in names if (p / n).exists() or (p / n).is_symlink()]


def screen_files(folder: Path) -> list[Path]:
    """Return the files that opening a screen reads, without looking into its tables."""
    if (folder / MAPPING_FILE).exists():
        mapping, _ = read_mapping(folder / MAPPING_FILE)
        named = dict.fromkeys((mapping.metadata, mapping.embeddings)) if mapping else {}
        return [folder / MAPPING_FILE, *(folder / name for name in named if name)]
    parts = [path for part in STEMS for path in find_parts(folder, part)[:1]]
    twin = folder / TWIN_FILE
    return [*([twin] if twin.is_file() else []), *parts]
