"""RxRx19a and the published scores, downloaded from where they are published."""

import contextlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.files import atomic_path, cache_dir, home_path, remove_leftovers, sha256
from helpers.screens import facts
from helpers.screens.chembl import KeptPages, activities
from helpers.screens.disk import check_regular, in_turn, writing
from helpers.screens.download import ResumingDownloader
from helpers.screens.locate import HASH_FILE
from helpers.screens.packed import PackedError, check_archive

CHEMBL_URL = "https://www.ebi.ac.uk/chembl/api/data"
PUBLISHED = "published.csv"
UNPACKED = 100 * 10**9  # bytes of all members of an archive
_ADVICE = "free space or choose another --dest, then run the command again"
_AGAIN = "run the command again"
# Column of published.csv and field of ChEMBL's activities.
_FIELDS = {
    "assay": "assay_chembl_id",
    "molecule_chembl_id": "molecule_chembl_id",
    "name": "molecule_pref_name",
    "smiles": "canonical_smiles",
    "score": "standard_value",
    "type": "standard_type",
    "comment": "activity_comment",
    "record_id": "record_id",
    "activity_id": "activity_id",
}


def fetch_rxrx19a(
    what: str = "metadata",
    dest: str | Path | None = None,
    *,
    base_url: str = facts.URL_BASE,
    progress: bool = True,
) -> Path:
    """Download the metadata or the embeddings of RxRx19a, or check those that are there.

    No checksum is published. The SHA-256 of the first download is written to ``SHA256SUMS.json`` beside it,
    and every later call compares with it. What comes is checked by the checksums inside the archive.

    Parameters
    ----------
    what : {"metadata", "embeddings"}
        The embeddings are 1.5 GB.
    dest : path, optional
        Folder; by default the one that the source ``rxrx19a`` reads.
    base_url : str
        Where the files lie, ending in a slash.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    path : Path
        The zip file.

    Raises
    ------
    UsageError
        If `what` is not one of the two, or the folder cannot be made.
    DataError
        If the download fails, or a file is not the one of the first download; if the disk is full or read-only.

    Examples
    --------
    >>> path = fetch_rxrx19a("embeddings")  # doctest: +SKIP
    >>> fetch_rxrx19a("images")
    Traceback (most recent call last):
    helpers.errors.UsageError: what 'images': allowed are metadata, embeddings...
    """
    if what not in ("metadata", "embeddings"):
        raise UsageError(f"what '{what}': allowed are metadata, embeddings, published")
    folder = _folder(dest)
    path = folder / facts.FILES[what]
    if path.exists() and (known := _hashes(folder).get(path.name)):
        _verify(path, known)  # nothing is written, so nobody need wait
        return path
    with _alone(folder):
        known = _hashes(folder).get(path.name)
        if path.exists():
            _verify(path, known)
        else:
            _download(urljoin(base_url, path.name), path, known, progress=progress)
        if known is None:
            _record(path)
    return path


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder, what killed fetches left in it swept away."""
    with in_turn(folder, _ADVICE):
        for name in (HASH_FILE, PUBLISHED):
            remove_leftovers(folder / name)
        yield


def _download(url: str, path: Path, known: str | None, *, progress: bool) -> None:
    part = path.with_name(f"{path.name}.part")
    ResumingDownloader(part, progress=progress, check=lambda part: _check(part, url, path, known))(url, path)


def _check(part: Path, url: str, path: Path, known: str | None) -> None:
    """Raise if what came is no archive, not the file of the first download, or damaged."""
    if not zipfile.is_zipfile(part):
        raise DataError(f"{url}: what came is no zip archive; open the address in a browser, then {_AGAIN}")
    if known is not None and sha256(part) != known:
        raise DataError(
            f"{url}: the file differs from the first download recorded in {path.parent / HASH_FILE}; if the publisher "
            f"replaced it, remove its entry there and {_AGAIN}"
        )
    try:
        # A known hash says more about the members than their own checksums.
        check_archive(part, UNPACKED, members=known is None)
    except PackedError as error:
        raise DataError(f"{url}: {error}; {_AGAIN}") from error


def fetch_published(
    dest: str | Path | None = None, *, base_url: str = CHEMBL_URL, progress: bool = True
) -> Path:
    """Download the preprint's per-compound hit scores from ChEMBL as ``published.csv``.

    Pages that came whole are kept until all are there, so an interrupted download goes on with the next page.

    Parameters
    ----------
    dest : path, optional
        Folder; by default the one that the source ``rxrx19a`` reads.
    base_url : str
        Root of ChEMBL's web services.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    path : Path
        One row per activity: assay, molecule_chembl_id, name, smiles, score, type, comment, record_id and
        activity_id (ChEMBL, CC BY-SA 3.0).

    Raises
    ------
    UsageError
        If the folder cannot be made.
    DataError
        If the server cannot be reached or answers with something else; if the disk is full or read-only.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.read_csv(fetch_published())  # doctest: +SKIP
    """
    folder = _folder(dest)
    _hashes(folder)  # complains before the download rather than after it
    with _alone(folder):
        return _published(folder, base_url.rstrip("/"), progress=progress)


def _published(folder: Path, base_url: str, *, progress: bool) -> Path:
    """Fetch the scores into a folder that is held."""
    kept = KeptPages(folder / ".published_pages")
    rows = []
    for assay in facts.CHEMBL_ASSAYS.values():
        rows += activities(assay, base_url, kept, progress=progress)
    table = pd.DataFrame([{ours: row.get(theirs) for ours, theirs in _FIELDS.items()} for row in rows])
    table = table.drop_duplicates("activity_id").sort_values(["assay", "activity_id"], ignore_index=True)
    path = folder / PUBLISHED
    with writing(path, _ADVICE), atomic_path(path) as temporary:
        # Half a surrogate pair is JSON, but no text.
        table.to_csv(temporary, index=False, errors="replace")
    kept.forget()
    _record(path)
    return path


def _folder(dest: str | Path | None) -> Path:
    folder = home_path(dest or ".")
    try:
        folder = cache_dir() / "rxrx19a" if dest is None else folder
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made ({error.strerror})"
        raise UsageError(f"{error.filename or folder}: {what}; choose another folder with --dest") from error
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    path = folder / HASH_FILE
    try:
        check_regular(path)
        hashes = json.loads(path.read_bytes()) if path.exists() else {}
        if not all(re.fullmatch("[0-9a-f]{64}", text) for text in dict.values(hashes)):
            raise ValueError
    except (ValueError, TypeError, RecursionError, OSError) as error:
        what = (
            f"cannot be read ({error.strerror})"
            if isinstance(error, OSError)
            else "is not JSON of SHA-256 sums"
        )
        raise DataError(f"{path}: {what}; delete it to record the hashes again") from error
    return hashes


def _record(path: Path) -> None:
    """Write the hash of a first download, to be compared with ever after."""
    hashes = {**_hashes(path.parent), path.name: sha256(path)}
    sums = path.parent / HASH_FILE
    with writing(sums, _ADVICE), atomic_path(sums) as temporary:
        temporary.write_text(json.dumps(hashes, indent=2, sort_keys=True) + "\n")


def _verify(path: Path, known: str | None) -> None:
    try:
        check_regular(path)
        found, is_zip = sha256(path), zipfile.is_zipfile(path)
        if is_zip and known is None:
            check_archive(path, UNPACKED)
    except PackedError as error:
        raise DataError(f"{path}: {error}; delete the file and {_AGAIN}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); remove it and {_AGAIN}") from error
    if known is not None and found != known:
        what = f"its SHA-256 is not that of the first download ({HASH_FILE} beside it)"
        raise DataError(f"{path}: {what}: delete the file and {_AGAIN}")
    if not is_zip:
        raise DataError(f"{path}: is no zip archive; delete it and {_AGAIN}")
