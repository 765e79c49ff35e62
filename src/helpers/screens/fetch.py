"""RxRx19a and the published scores, downloaded from where they are published."""

import json
import logging
import zipfile
from pathlib import Path
from urllib.parse import urlencode, urljoin

import pandas as pd
import pooch
import requests
from tqdm import tqdm

from helpers.errors import DataError, UsageError
from helpers.files import atomic_path, cache_dir, sha256
from helpers.screens import facts
from helpers.screens.download import PAUSE, RETRIES, TIMEOUT, ResumingDownloader

CHEMBL_URL = "https://www.ebi.ac.uk/chembl/api/data"
HASH_FILE = "SHA256SUMS.json"
PAGE_ROWS = 1_000
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
    and every later call compares with it.

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
        If the download fails, or a file is not the one of the first download.
    """
    if what not in ("metadata", "embeddings"):
        raise UsageError(f"what '{what}': allowed are metadata, embeddings, published")
    folder = _folder(dest)
    name = facts.FILES[what]
    path, known = folder / name, _known_hash(folder, name)
    if path.exists():
        _verify(path, known)
        if known is None:
            _record(path)
        return path
    url = urljoin(base_url, name)
    # What pooch logs is said better by the progress bar and by our own errors.
    pooch.get_logger().setLevel(logging.ERROR)
    downloader = ResumingDownloader(folder / f"{name}.part", progress=progress)
    try:
        pooch.retrieve(url, known and f"sha256:{known}", fname=name, path=folder, downloader=downloader)
    except ValueError as error:
        raise DataError(
            f"{url}: the file differs from the first download recorded in {folder / HASH_FILE}; if the publisher "
            f"replaced it, remove its entry there and run the command again"
        ) from error
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); free space or choose another --dest"
        ) from error
    if not zipfile.is_zipfile(path):
        path.unlink()
        raise DataError(
            f"{url}: what came is no zip archive; open the address in a browser, then run the command again"
        )
    if known is None:
        _record(path)
    return path


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
    DataError
        If the server cannot be reached or answers with something else.
    """
    folder = _folder(dest)
    pages = folder / ".published_pages"
    rows = []
    for assay in facts.CHEMBL_ASSAYS.values():
        rows += _activities(assay, base_url.rstrip("/"), pages, progress=progress)
    table = pd.DataFrame([{ours: row.get(theirs) for ours, theirs in _FIELDS.items()} for row in rows])
    table = table.drop_duplicates("activity_id").sort_values(["assay", "activity_id"], ignore_index=True)
    path = folder / "published.csv"
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
    for page in pages.glob("*.json"):
        page.unlink()
    pages.rmdir()
    _record(path)
    return path


def _activities(assay: str, base_url: str, pages: Path, *, progress: bool) -> list[dict]:
    """Return all activities of an assay, page by page."""
    query = urlencode({"assay_chembl_id": assay, "limit": PAGE_ROWS, "offset": 0})
    url, rows, total = f"{base_url}/activity.json?{query}", [], None
    with tqdm(unit=" scores", desc=assay, disable=not progress) as bar:
        while url:
            page = _page(url, pages / f"{assay}-{len(rows)}.json")
            total = bar.total = page["page_meta"].get("total_count", total)
            rows += page["activities"]
            bar.update(len(page["activities"]))
            following = page["page_meta"].get("next")
            url = urljoin(url, following) if following else None
            if following and not page["activities"]:
                raise DataError(f"{url}: an empty page in the middle; run the command again later")
    if total is not None and len(rows) != total:
        # Pages of two different days may not fit together.
        for page in pages.glob(f"{assay}-*.json"):
            page.unlink()
        raise DataError(f"{base_url}: {len(rows)} of {total} scores of {assay} came; run the command again")
    return rows


def _page(url: str, kept: Path) -> dict:
    """Return one page, from an earlier attempt if that had it."""
    if kept.exists():
        return json.loads(kept.read_text())
    try:
        page = _get_json(url)
        if not isinstance(page["activities"], list) or not isinstance(page["page_meta"], dict):
            raise TypeError
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{url}: the answer is not ChEMBL's JSON (a login page of this network?); open the address in a "
            "browser, then run the command again"
        ) from error
    with atomic_path(kept) as temporary:
        temporary.write_text(json.dumps(page))
    return page


def _get_json(url: str) -> dict:
    session = requests.Session()
    retry = requests.adapters.Retry(RETRIES, backoff_factor=PAUSE, status_forcelist=(429, 500, 502, 503, 504))
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))
    try:
        answer = session.get(url, timeout=TIMEOUT)
        answer.raise_for_status()
    except requests.HTTPError as error:
        raise DataError(
            f"{url}: the server answers {answer.status_code}; run the command again later"
        ) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise DataError(
            f"{url}: the answer broke off; run the command again, complete pages are kept"
        ) from error
    except requests.RequestException as error:
        raise DataError(f"{url}: no connection; check the network and run the command again") from error
    return answer.json()


def _folder(dest: str | Path | None) -> Path:
    folder = cache_dir() / "rxrx19a" if dest is None else Path(dest).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder with --dest"
        ) from error
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    path = folder / HASH_FILE
    try:
        return json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise DataError(f"{path}: is not JSON; delete it to record the hashes again") from error


def _known_hash(folder: Path, name: str) -> str | None:
    return _hashes(folder).get(name)


def _record(path: Path) -> None:
    """Write the hash of a first download, to be compared with ever after."""
    hashes = {**_hashes(path.parent), path.name: sha256(path)}
    with atomic_path(path.parent / HASH_FILE) as temporary:
        temporary.write_text(json.dumps(hashes, indent=2, sort_keys=True) + "\n")


def _verify(path: Path, known: str | None) -> None:
    if known is not None and sha256(path) != known:
        raise DataError(
            f"{path}: its SHA-256 is not that of the first download ({HASH_FILE} beside it): delete the file and "
            "run the command again"
        )
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: is no zip archive; delete it and run the command again")
