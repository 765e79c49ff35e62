"""Where a screen is: the folder behind the name that a user gives."""

import hashlib
from pathlib import Path

from filelock import FileLock

from helpers.errors import DataError, UsageError
from helpers.files import cache_dir, home_path
from helpers.screens import facts


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
            if not (folder / facts.FILES[part]).exists():
                command = f"rxrx19 data fetch rxrx19a --what {part}"
                raise DataError(f"{folder}: the {part} of RxRx19a are not there; run `{command}` first")
        return folder
    folder = home_path(source)
    if not folder.is_dir():
        raise UsageError(
            f"source '{source}' is no folder; allowed are twin, rxrx19a, or a folder that holds a screen"
        )
    return folder


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
    with FileLock(cache_dir() / "twin.lock"):
        if not (folder / "twin.json").exists():
            make_twin(folder, scale="small", seed=0, world=world, file_format="parquet")
    return folder
