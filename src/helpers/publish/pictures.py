"""Example sites of a screen: which ones, their images where any are at hand, and where they are where not."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import UsageError
from helpers.figures.style import CONDITION_STYLE, format_um, well_kind
from helpers.publish.words import listing, name_code
from helpers.screens import open_images, site_address
from helpers.screens.facts import STAINS, URL_BASE

SITE = 1
"""Number of the site that is shown of a well."""


@dataclass(frozen=True)
class Pictures:
    """Images of example sites.

    Attributes
    ----------
    images
        Title of a panel -> uint8 array of shape (5, height, width); empty without images.
    is_drawing
        They are drawn by a program.
    sites
        Title -> site id, also of sites whose image is not at hand.
    source
        The folder, archive or address they come from; "" for none.
    """

    images: dict[str, np.ndarray] = field(default_factory=dict)
    is_drawing: bool = False
    sites: dict[str, str] = field(default_factory=dict)
    source: str = ""


def example_sites(scored: pd.DataFrame) -> dict[str, str]:
    """Choose one site per kind of well, of the plate that has most kinds (of equals the first).

    Blank wells are left out: nobody knows what a picture of one would be an example of.

    Of wells that passed quality control the one nearest to the median rescue of its kind is taken; of treated wells
    the one with the largest rescue among the nine tenths that lie least off the axis, for far off it a large rescue
    means something else. Without scores it is the first. A failed well comes last.

    Parameters
    ----------
    scored : DataFrame
        One row per well, index well_id: plate_id, condition, treatment, dose_um, qc_flag, rescue,
        off_disease.

    Returns
    -------
    dict of str to str
        What is shown -> site id.
    """
    kinds, plates = well_kind(scored).astype(str), scored["plate_id"].astype(str)
    several = kinds.groupby(plates, sort=False).nunique()
    plate = scored[(plates == several.idxmax()).to_numpy()]
    fine = plate[(plate["qc_flag"].astype(str) == "").to_numpy()]
    chosen = {}
    for kind in ("mock", "uv", "infected", "treated"):
        wells = fine[(well_kind(fine) == kind).to_numpy()]
        if len(wells):
            if kind == "treated" and wells["off_disease"].notna().any():
                wells = wells[(wells["off_disease"] <= wells["off_disease"].quantile(0.9)).to_numpy()]
            well = _typical(wells["rescue"], largest=kind == "treated")
            chosen[_title(wells.loc[well], kind)] = f"{well}_{SITE}"
    failed = plate.index[(plate["qc_flag"].astype(str) != "").to_numpy()]
    if len(failed):
        chosen["a failed well"] = f"{failed[0]}_{SITE}"
    return chosen


def _typical(rescue: pd.Series, *, largest: bool) -> str:
    """Return the well nearest to the median, or the one with the largest value."""
    if rescue.isna().all():
        return rescue.index[0]
    return rescue.idxmax() if largest else (rescue - rescue.median()).abs().idxmin()


def _title(well: pd.Series, kind: str) -> str:
    if kind != "treated":
        return CONDITION_STYLE[kind].label
    dose = "" if pd.isna(well["dose_um"]) else f", {format_um(well['dose_um'])} µM"
    return f"treated: {well['treatment']}{dose}"


def load_pictures(scored: pd.DataFrame, source: str, kind: str, images: str = "") -> Pictures:
    """Read the images of example sites.

    Parameters
    ----------
    scored : DataFrame
        As in `example_sites`.
    source : str
        The screen; a twin's images are drawn.
    kind : str
        ``twin``, ``rxrx19a`` or ``user``.
    images : str
        What :func:`helpers.screens.open_images` takes; empty: drawings for a twin, nothing for other screens, whose
        images would have to be fetched.

    Raises
    ------
    DataError
        If `images` cannot be opened, or an image is broken.
    """
    sites = example_sites(scored)
    where = images or (source if kind == "twin" else "")
    if not where:
        return Pictures(sites=sites)
    store = open_images(where)
    try:
        here = {title: site for title, site in sites.items() if store.has(site)}
        with ThreadPoolExecutor(2) as pool:  # drawing waits for the processor, fetching for the network
            found = dict(zip(here, pool.map(store.site, here.values()), strict=True))
    except UsageError:  # ids of a screen of the user's own need not be RxRx19a's
        found = {}
    return Pictures(found, store.is_drawing, sites, where)


def one_picture(pictures: Pictures) -> tuple[str, np.ndarray] | None:
    """Return the title and image of the site that is shown stain by stain: an infected one if there is any."""
    wanted = CONDITION_STYLE["infected"].label
    title = wanted if wanted in pictures.images else next(iter(pictures.images), None)
    return None if title is None else (title, pictures.images[title])


def stains() -> pd.DataFrame:
    """Return the five stains: channel, stain, what it shows."""
    return pd.DataFrame(
        [(f"w{channel}", stain, target) for channel, (stain, target) in STAINS.items()],
        columns=["channel", "stain", "what it shows"],
    )


def origin(pictures: Pictures, kind: str) -> str:
    """Say what the images are, or where they are and how to get them."""
    if pictures.is_drawing:
        return (
            "**These are drawings, not photographs.** A program drew them after the twin's truth, so that the page and "
            "its tools work without the release's images; how infection looks in them is invented, and nothing about "
            "real cells can be learnt from them. With `-p images=rxrx19a` and the real screen, photographs "
            "take their place."
        )
    if pictures.images:
        sites = listing(f"{name_code(title)}: `{pictures.sites[title]}`" for title in pictures.images)
        return f"The sites are {sites}; all are stretched alike, so brightness can be compared."
    if pictures.source:
        return (
            f"None of the example sites was found in `{pictures.source}`: {listing(pictures.sites.values())}."
        )
    return _how_to_get(pictures, kind)


def _how_to_get(pictures: Pictures, kind: str) -> str:
    if kind != "rxrx19a" or not pictures.sites:
        return (
            "**No images are at hand.** The parameter `images` takes a folder or a ZIP archive with images in "
            "RxRx19a's layout (`images/EXPERIMENT/PlateN/WELL_sSITE_wCHANNEL.png`), or an address where they lie."
        )
    site = next(iter(pictures.sites.values()))
    addresses = " ".join(f"<{address}>" for address in site_address(site))
    return (
        f"**No images are at hand**: the archive holds 445 GB and is not fetched unasked. The five channels of site "
        f"`{site}` lie at {addresses}. With `-p images=rxrx19a` the few sites shown here are fetched singly from "
        f"{URL_BASE}; `images` also takes a folder or a ZIP archive."
    )
