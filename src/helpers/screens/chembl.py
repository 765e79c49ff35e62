"""The preprint's scores as ChEMBL gives them: page by page, pages that came whole kept until all are there."""

import contextlib
import json
import math
import shutil
from pathlib import Path
from urllib.parse import urlencode

from tqdm import tqdm

from helpers.errors import DataError
from helpers.files import atomic_path
from helpers.screens import http
from helpers.screens.disk import free, free_unless_file, writing
from helpers.screens.download import receive
from helpers.sealed import pack, unpack

PAGE_ROWS = 1_000
# What ChEMBL may send: some ten times what it does send.
PAGE_BYTES = 32 * 10**6
MAX_PAGES = 500
MAX_ROWS = 50_000
_ADVICE = "free space or choose another --dest, then run the command again"
_AGAIN = "run the command again"


class _UnfitError(Exception):
    """Pages that do not belong together, or no pages of ChEMBL; the text says why."""


class KeptPages:
    """Pages of an earlier call that broke off, in a folder; whatever else lies there is left alone."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.used = False

    def read(self, assay: str, offset: int) -> dict | None:
        """Return a page if it is there and can be read."""
        path = self.folder / f"{assay}-{offset}.json"
        if not path.is_file():  # a pipe would be waited for
            return None
        try:
            page = json.loads(unpack(path.read_bytes()), parse_constant=_no_number)
            _checked(page, assay)
        except (OSError, ValueError, RecursionError, _UnfitError):
            return None
        self.used = True
        return page

    def write(self, assay: str, offset: int, page: dict) -> None:
        """Keep a page; raises DataError if the disk is full or read-only."""
        path = self.folder / f"{assay}-{offset}.json"
        with writing(path, _ADVICE):
            # A file where a folder must be, or the other way round, is no page of ours.
            if not self.folder.is_dir():
                free(self.folder)
            free_unless_file(path)
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


def activities(assay: str, base_url: str, kept: KeptPages, *, progress: bool) -> list[dict]:
    """Return all activities of an assay; if kept pages do not fit the new ones, all are fetched anew.

    Parameters
    ----------
    assay : str
        ChEMBL's name of it.
    base_url : str
        Root of ChEMBL's web services, without a slash at its end.
    kept : KeptPages
        Where pages are kept.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    rows : list of dict
        One per activity, with ChEMBL's names of fields.

    Raises
    ------
    DataError
        If the server cannot be reached or answers with something else; if the disk is full or read-only.
    """
    while True:
        try:
            return _all_pages(assay, base_url, kept, progress=progress)
        except _UnfitError as error:
            again = kept.used
            kept.forget()
            if not again:
                raise DataError(f"{base_url}: {error}; {_AGAIN} later") from error


def _all_pages(assay: str, base_url: str, kept: KeptPages, *, progress: bool) -> list[dict]:
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


def _page(assay: str, base_url: str, offset: int, kept: KeptPages) -> tuple[list[dict], int | None, bool]:
    """Return what `_checked` does of the page that begins after `offset` scores."""
    if (page := kept.read(assay, offset)) is not None:
        return _checked(page, assay)
    query = urlencode({"assay_chembl_id": assay, "limit": PAGE_ROWS, "offset": offset})
    url = f"{base_url}/activity.json?{query}"
    try:
        _, data = receive(url, "page", PAGE_BYTES)
        page = json.loads(data, parse_constant=_no_number)
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
        if not _is_score(row, assay):
            raise _UnfitError(f"the answer has rows that are no scores of {assay}")
    return rows, total, not meta.get("next")


def _is_score(row: object, assay: str) -> bool:
    """Tell if a row is an activity of the assay, all of whose cells can stand in a table."""
    if not isinstance(row, dict) or row.get("assay_chembl_id") != assay:
        return False
    numbers = [row.get(name) for name in ("activity_id", "record_id")]
    if type(numbers[0]) is not int or not all(
        n is None or (type(n) is int and 0 <= n < 2**53) for n in numbers
    ):
        return False
    value = row.get("standard_value")
    try:
        fine = value is None or math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
    cells = [cell for cell in row.values() if cell is not None]
    return fine and not any(isinstance(cell, dict | list) or "\0" in str(cell) for cell in cells)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")
