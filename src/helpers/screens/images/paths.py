"""Where the image of a site lies: its path inside the release and its published address."""

import re
from urllib.parse import quote, urljoin

from helpers.errors import UsageError
from helpers.screens import facts
from helpers.screens.layout import SITES, parse_well, well_name

# No slash and no leading dot: a name becomes a folder.
_NAME = re.compile(r"\w[\w .+-]*")


def image_path(experiment: str, plate: str | int, well: str, site: int, channel: int) -> str:
    """Return the path of one image inside the release.

    Parameters
    ----------
    experiment : str
        Such as ``HRCE-1``.
    plate : str or int
        Its number.
    well : str
        Letters and column; ``B2`` is taken for ``B02``.
    site : int
        1 to 4.
    channel : int
        1 to 5, see `facts.STAINS`.

    Returns
    -------
    str
        With slashes, relative to the release.

    Raises
    ------
    UsageError
        If one of them cannot be, naming what is allowed.

    Examples
    --------
    >>> image_path("HRCE-1", 25, "AA02", 1, 1)
    'images/HRCE-1/Plate25/AA02_s1_w1.png'
    """
    for what, name in (("experiment", experiment), ("plate", plate)):
        if not _NAME.fullmatch(str(name)):
            raise UsageError(f"{what} '{name}': allowed are letters, digits, blanks and . + - _")
    try:
        well = well_name(*parse_well(str(well)))
    except ValueError as error:
        raise UsageError(str(error)) from error
    if site not in SITES:
        raise UsageError(f"site {site}: allowed are {SITES[0]} to {SITES[-1]}")
    if channel not in facts.STAINS:
        stains = ", ".join(f"{number} {stain}" for number, (stain, _) in facts.STAINS.items())
        raise UsageError(f"channel {channel}: allowed are 1 to {len(facts.STAINS)} ({stains})")
    return facts.IMAGE_PATH.format(
        experiment=experiment, plate=plate, well=well, site=int(site), channel=int(channel)
    )


def image_address(
    experiment: str, plate: str | int, well: str, site: int, channel: int, *, base_url: str = facts.URL_BASE
) -> str:
    """Return the address at which one image is published.

    Parameters
    ----------
    experiment : str
        Such as ``HRCE-1``.
    plate : str or int
        Its number.
    well : str
        Letters and column; ``B2`` is taken for ``B02``.
    site : int
        1 to 4.
    channel : int
        1 to 5, see `facts.STAINS`.
    base_url : str
        What the folder ``images`` lies under, ending in a slash.

    Returns
    -------
    str
        A URL; whether there is such an image is not asked.

    Raises
    ------
    UsageError
        If one of them cannot be, naming what is allowed.

    Examples
    --------
    >>> image_address("HRCE-1", 25, "AA02", 1, 1)
    'https://storage.googleapis.com/rxrx/RxRx19a/images/HRCE-1/Plate25/AA02_s1_w1.png'
    """
    return urljoin(base_url, quote(image_path(experiment, plate, well, site, channel)))


def site_address(site_id: str, *, base_url: str = facts.URL_BASE) -> tuple[str, ...]:
    """Return the published addresses of a site's five channels, in the order of `facts.STAINS`.

    Parameters
    ----------
    site_id : str
        Such as ``HRCE-1_25_AA02_1``.
    base_url : str
        What the folder ``images`` lies under, ending in a slash.

    Returns
    -------
    tuple of str
        Five URLs.

    Raises
    ------
    UsageError
        If it is no site id.

    Examples
    --------
    >>> site_address("HRCE-1_25_AA02_1")[4]
    'https://storage.googleapis.com/rxrx/RxRx19a/images/HRCE-1/Plate25/AA02_s1_w5.png'
    """
    return tuple(urljoin(base_url, quote(path)) for path in site_paths(site_id))


def site_paths(site_id: str) -> tuple[str, ...]:
    """Return the paths of a site's five channels inside the release.

    Raises
    ------
    UsageError
        If it is no site id.
    """
    experiment, plate, well, site = parse_site(site_id)
    return tuple(image_path(experiment, plate, well, site, channel) for channel in facts.STAINS)


def parse_site(site_id: str) -> tuple[str, str, str, int]:
    """Return experiment, plate, well and site number of a site id.

    Raises
    ------
    UsageError
        If it has not these four parts.
    """
    parts = str(site_id).rsplit("_", 3)
    if len(parts) < 4 or not parts[3].isdecimal():
        raise UsageError(f"site id '{site_id}': allowed is experiment_plate_well_site, like HRCE-1_25_AA02_1")
    return parts[0], parts[1], parts[2], int(parts[3])
