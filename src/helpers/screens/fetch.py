"""RxRx19a and the published scores, downloaded from where they are published."""

import contextlib
import json
import logging
import shutil
import zipfile
import zlib
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urljoin

import pandas as pd
import pooch
from tqdm import tqdm

from helpers.errors import DataError, UsageError
from helpers.files import atomic_path, cache_dir, sha256
from helpers.screens import facts, http
from helpers.screens.download import ResumingDownloader, free, receive, writing
from helpers.screens.locate import HASH_FILE
from helpers.sealed import alone, pack, unpack

CHEMBL_URL = "https://www.ebi.ac.uk/chembl/api/data"
PAGE_ROWS = 1_000
# What ChEMBL may send: some ten times what it does send.
PAGE_BYTES = 32 * 10**6
MAX_PAGES = 500
MAX_ROWS = 50_000
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
    name = facts.FILES[what]
    path, known = folder / name, _hashes(folder).get(name)
    if path.exists():
        _verify(path, known)
    else:
        _download(urljoin(base_url, name), path, known, progress=progress)
    if known is None:
        _record(path)
    return path


def _download(url: str, path: Path, known: str | None, *, progress: bool) -> None:
    # What pooch logs is said better by the progress bar and by our own errors.
    pooch.get_logger().setLevel(logging.ERROR)
    part, sha = path.with_name(f"{path.name}.part"), known and f"sha256:{known}"
    # A known hash says more about the members than their own checksums.
    check = partial(_check_zip, url=url, members=not known)
    downloader = ResumingDownloader(part, progress=progress, check=check)
    try:
        with writing(path, _ADVICE), alone(path), atomic_path(path) as temporary:
            pooch.retrieve(url, sha, fname=path.name, path=temporary.parent, downloader=downloader)
    except ValueError as error:
        raise DataError(
            f"{url}: the file differs from the first download recorded in {path.parent / HASH_FILE}; if the publisher "
            f"replaced it, remove its entry there and run the command again"
        ) from error


def _check_zip(path: Path, url: str, *, members: bool) -> None:
    """Raise if what came is no archive, or one of its members is not what its checksum says."""
    if not zipfile.is_zipfile(path):
        raise DataError(f"{url}: what came is no zip archive; open the address in a browser, then {_AGAIN}")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            bad = archive.testzip() if members and size <= UNPACKED else None
            bad = f"{size:,} bytes when unpacked" if size > UNPACKED else bad
    # What zipfile raises depends on where an archive is broken.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        bad = str(error)
    if bad is not None:
        raise DataError(f"{url}: the archive that came is damaged ({' '.join(bad.split())[:100]}); {_AGAIN}")


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
    kept = _KeptPages(folder / ".published_pages")
    rows = []
    for assay in facts.CHEMBL_ASSAYS.values():
        rows += _activities(assay, base_url.rstrip("/"), kept, progress=progress)
    table = pd.DataFrame([{ours: row.get(theirs) for ours, theirs in _FIELDS.items()} for row in rows])
    table = table.drop_duplicates("activity_id").sort_values(["assay", "activity_id"], ignore_index=True)
    path = folder / "published.csv"
    with writing(path, _ADVICE), atomic_path(path) as temporary:
        # Half a surrogate pair is JSON, but no text.
        table.to_csv(temporary, index=False, errors="replace")
    kept.forget()
    _record(path)
    return path


class _UnfitError(Exception):
    """Pages that do not belong together, or no pages of ChEMBL; the text says why."""


class _KeptPages:
    """Pages of an earlier call that broke off, in a folder; whatever else lies there is left alone."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.used = False

    def read(self, assay: str, offset: int) -> dict | None:
        """Return a page if it is there and can be read."""
        try:
            page = json.loads(unpack((self.folder / f"{assay}-{offset}.json").read_bytes()))
            _checked(page, assay)
        except (OSError, ValueError, RecursionError, _UnfitError):
            return None
        self.used = True
        return page

    def write(self, assay: str, offset: int, page: dict) -> None:
        path = self.folder / f"{assay}-{offset}.json"
        with writing(path, _ADVICE):
            for taken in (self.folder, path):
                # A file where a folder must be, or the other way round, is no page of ours.
                if taken.exists() and taken.is_dir() != (taken == self.folder):
                    free(taken)
            with atomic_path(path) as temporary:
                temporary.write_bytes(pack(json.dumps(page).encode()))

    def forget(self) -> None:
        """Remove the pages, and the folder if nothing else is in it."""
        for path in [*self.folder.glob("CHEMBL*-*.json"), *self.folder.glob(".CHEMBL*-*.json.*")]:
            # What cannot be removed is no reason to lose the result.
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.name.startswith(".") else path.unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
        self.used = False


def _activities(assay: str, base_url: str, kept: _KeptPages, *, progress: bool) -> list[dict]:
    """Return all activities of an assay; if kept pages do not fit the new ones, all are fetched anew."""
    while True:
        try:
            return _all_pages(assay, base_url, kept, progress=progress)
        except _UnfitError as error:
            again = kept.used
            kept.forget()
            if not again:
                raise DataError(f"{base_url}: {error}; {_AGAIN} later") from error


def _all_pages(assay: str, base_url: str, kept: _KeptPages, *, progress: bool) -> list[dict]:
    """Return all activities of an assay, page by page.

    The place of the next page is reckoned from what came, not taken from the page, so that no page can lead
    anywhere else, or in a circle.
    """
    rows: dict[int, dict] = {}
    total: int | None = None
    with tqdm(unit=" scores", desc=assay, disable=not progress) as bar:
        for _ in range(MAX_PAGES):
            came, said, is_last = _page(assay, base_url, len(rows), kept)
            if total not in (None, said):
                raise _UnfitError(f"now {said} scores of {assay} are announced, before it were {total}")
            new = {row["activity_id"]: row for row in came if row["activity_id"] not in rows}
            if len(new) < len(came):
                raise _UnfitError(f"after {len(rows)} scores of {assay} the same come again")
            rows, total, bar.total = rows | new, said, said
            bar.update(len(new))
            if is_last or (total is not None and len(rows) >= total):
                break
            if not new:
                raise _UnfitError(f"an empty page in the middle, after {len(rows)} scores of {assay}")
            if len(rows) > MAX_ROWS:
                raise _UnfitError(f"the scores of {assay} do not end after {len(rows)}")
        else:
            raise _UnfitError(f"the scores of {assay} do not end after {MAX_PAGES} pages")
    if not rows or total not in (None, len(rows)):
        raise _UnfitError(f"{len(rows)} of {total} scores of {assay} came")
    return list(rows.values())


def _page(assay: str, base_url: str, offset: int, kept: _KeptPages) -> tuple[list[dict], int | None, bool]:
    """Return what `_checked` does of the page that begins after `offset` scores."""
    if (page := kept.read(assay, offset)) is not None:
        return _checked(page, assay)
    query = urlencode({"assay_chembl_id": assay, "limit": PAGE_ROWS, "offset": offset})
    url = f"{base_url}/activity.json?{query}"
    try:
        _, data = receive(url, "page", PAGE_BYTES)
        page = json.loads(data)
        checked = _checked(page, assay)
    except http.LinkError as error:
        raise DataError(f"{url}: {error}; check the network and {_AGAIN}, complete pages are kept") from error
    except http.StatusError as error:
        raise DataError(f"{url}: {error}; {_AGAIN} later, complete pages are kept") from error
    except (http.ContentError, ValueError, RecursionError, _UnfitError) as error:
        known = isinstance(error, http.ContentError | _UnfitError)
        what = str(error) if known else "the answer is not ChEMBL's JSON (a login page of this network?)"
        raise DataError(f"{url}: {what}; open the address in a browser, then {_AGAIN}") from error
    kept.write(assay, offset, page)
    return checked


def _checked(page: object, assay: str) -> tuple[list[dict], int | None, bool]:
    """Return the scores of a page, how many there are in all, and whether it is the last."""
    rows, meta = (page.get("activities"), page.get("page_meta")) if isinstance(page, dict) else (None, None)
    if not isinstance(rows, list) or not isinstance(meta, dict):
        raise _UnfitError("the answer is not ChEMBL's JSON (a login page of this network?)")
    total = meta.get("total_count")
    if total is not None and (type(total) is not int or not 0 <= total <= MAX_ROWS):
        raise _UnfitError(f"a number of scores is announced that cannot be ({str(total)[:40]})")
    for row in rows:
        fine = isinstance(row, dict) and not any(isinstance(value, dict | list) for value in row.values())
        if not fine or type(row.get("activity_id")) is not int or row.get("assay_chembl_id") != assay:
            raise _UnfitError(f"the answer has rows that are no scores of {assay}")
    return rows, total, not meta.get("next")


def _folder(dest: str | Path | None) -> Path:
    folder = cache_dir() / "rxrx19a" if dest is None else Path(dest).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made ({error.strerror})"
        raise UsageError(f"{folder}: {what}; choose another folder with --dest") from error
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    path = folder / HASH_FILE
    try:
        hashes = json.loads(path.read_bytes()) if path.exists() else {}
        if not isinstance(hashes, dict):
            raise TypeError
    except (ValueError, TypeError, RecursionError, OSError) as error:
        what = f"cannot be read ({error.strerror})" if isinstance(error, OSError) else "is not JSON"
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
        found, is_zip = sha256(path), zipfile.is_zipfile(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); remove it and {_AGAIN}") from error
    if known is not None and found != known:
        what = f"its SHA-256 is not that of the first download ({HASH_FILE} beside it)"
        raise DataError(f"{path}: {what}: delete the file and {_AGAIN}")
    if not is_zip:
        raise DataError(f"{path}: is no zip archive; delete it and {_AGAIN}")
