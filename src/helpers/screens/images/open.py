"""Images of a screen, opened by one word wherever they lie."""

from pathlib import Path
from urllib.parse import urlsplit

from helpers.errors import DataError
from helpers.files import cache_dir, home_path
from helpers.screens import facts
from helpers.screens.images.drawn import DrawnImages
from helpers.screens.images.store import FolderImages, ImageStore, WebImages, WebZipImages, open_zip
from helpers.screens.locate import resolve_source


def open_images(where: str | Path) -> ImageStore:
    """Open the images of a screen.

    What comes over the web is kept in the cache, so it is fetched once.

    Parameters
    ----------
    where : str or Path
        - ``rxrx19a``: the release; from the folder ``images`` or from ``RxRx19a-images.zip`` beside its downloaded
          metadata if one is there, else as single files from where they are published;
        - ``twin``, or the folder of a twin: drawings, no photographs;
        - a folder: the unpacked release, or any in that layout (``images/HRCE-1/Plate25/AA02_s1_w1.png``);
        - a ZIP archive of such a folder: members are read singly, nothing is unpacked;
        - an address under which ``images/`` lies as single files;
        - the address of a ZIP archive on a server that answers range requests. Its list of members is fetched
          first and kept: for the release that alone is some 150 MB, so single files are the better choice.

    Returns
    -------
    store : ImageStore
        ``store.site(site_id)`` gives uint8 of shape (5, 1024, 1024), ``store.has(site_id)`` tells if it can, and
        ``store.is_drawing`` must be passed on to the figures.

    Raises
    ------
    DataError
        If there is no such folder, file or address.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images = open_images(folder)
    ...     there = images.has("HRCE-1_25_AA02_1")
    >>> images.is_drawing, there
    (False, False)
    """
    word = str(where)
    if word == "rxrx19a":
        return _release()
    if word == "twin":
        return DrawnImages(resolve_source(word))
    if word.startswith(("http://", "https://")):
        is_zip = urlsplit(word).path.lower().endswith(".zip")
        return WebZipImages(word) if is_zip else WebImages(word)
    return _local(home_path(where))


def _release() -> ImageStore:
    """Return the release's images from disk if they are there, else from where they are published."""
    folder = cache_dir() / "rxrx19a"
    if (folder / "images").is_dir():
        return FolderImages(folder)
    if (folder / facts.FILES["images"]).is_file():
        return open_zip(folder / facts.FILES["images"])
    return WebImages(facts.URL_BASE)


def _local(path: Path) -> ImageStore:
    """Return the store of a folder or archive on disk."""
    if path.is_dir():
        drawn = (path / "twin.json").is_file() and not (path / "images").is_dir()
        return DrawnImages(path) if drawn else FolderImages(path)
    if path.is_file():
        return open_zip(path)
    raise DataError(
        f"images '{path}': no such folder or file; allowed are twin, rxrx19a, a folder, a .zip, or an address that "
        "starts with https://"
    )
