"""Where a screen is: the folder behind the name that a user gives."""

import hashlib
import json
from pathlib import Path

from helpers.errors import DataError, UsageError
from helpers.files import cache_dir, home_path, sha256
from helpers.screens import facts
from helpers.sealed import bound, claim, keep

HASH_FILE = "SHA256SUMS.json"
"""Beside downloaded files: the SHA-256 of the first download of each."""

MAX_BYTES = 4_000_000_000
"""When the twins in the cache grow beyond this, those that were not used for longest go first."""


def resolve_source(source: str | Path, world: str = "calm") -> Path:
    """Return the folder behind a source; makes the small twin if it was not made yet.

    Parameters
    ----------
    source : str or Path
        ``twin``, ``rxrx19a``, or a folder that holds a screen.
    world : str
        Of the twin, one of :data:`helpers.screens.twin.worlds.WORLDS`; other sources have none.

    Returns
    -------
    Path
        A folder that is there; what it holds is not looked at.

    Raises
    ------
    DataError
        If RxRx19a was not downloaded.
    UsageError
        If there is no such folder or world, or a world is asked of another source than the twin.

    Examples
    --------
    >>> resolve_source("nowhere")
    Traceback (most recent call last):
    helpers.errors.UsageError: source 'nowhere' is no folder; allowed are twin, rxrx19a, or a folder that holds a screen
    """
    if str(source) == "twin":
        return _cached_twin(world)
    if world != "calm":
        raise UsageError(f"parameter 'world' = {world!r} goes with source=twin alone, not with {source}")
    if str(source) == "rxrx19a":
        folder = cache_dir() / "rxrx19a"
        for part in ("metadata", "embeddings"):
            command = f"rxrx19 data fetch rxrx19a --what {part}"
            if not (folder / facts.FILES[part]).exists():
                raise DataError(f"{folder}: the {part} of RxRx19a are not there; run `{command}` first")
            check_download(folder / facts.FILES[part], command)
        return folder
    folder = home_path(source)
    if not folder.is_dir():
        raise UsageError(
            f"source '{source}' is no folder; allowed are twin, rxrx19a, or a folder that holds a screen"
        )
    return folder


def check_download(path: Path, command: str) -> None:
    """Refuse a downloaded file that is not as it came; one whose hash was not recorded is taken as it is.

    Parameters
    ----------
    path : Path
        A file beside which :data:`helpers.screens.locate.HASH_FILE` may lie.
    command : str
        What fetches it, for the message.

    Raises
    ------
    DataError
        If its SHA-256 is not the recorded one.
    """
    known = recorded_hashes(path.parent).get(path.name)
    if known is not None and sha256(path) != known:
        raise DataError(
            f"{path}: is not as it was downloaded, its SHA-256 is another than in {HASH_FILE}; delete both files and "
            f"run `{command}`"
        )


def recorded_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each download by the name of its file; none where their list cannot be read."""
    try:
        hashes = json.loads((folder / HASH_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return hashes if isinstance(hashes, dict) else {}


def _cached_twin(world: str) -> Path:
    """Return the small twin of a world and the current code, made on first use by one process only."""
    from helpers.screens.twin.make import make_twin
    from helpers.screens.twin.worlds import find_world

    find_world(world)

    here = Path(__file__).parent
    code = hashlib.sha256()
    for path in sorted((here / "facts.py", here / "layout.py", *(here / "twin").glob("*.py"))):
        code.update(path.read_bytes())
    folder = cache_dir() / f"twin-{world}-small-0-{code.hexdigest()[:12]}"
    is_new = False

    def make(folder: Path) -> None:
        nonlocal is_new
        make_twin(folder, scale="small", seed=0, world=world, file_format="parquet")
        is_new = True

    keep(folder, make, claim)
    if is_new:
        bound(cache_dir().glob("twin-*"), MAX_BYTES, keep=folder)
    return folder
