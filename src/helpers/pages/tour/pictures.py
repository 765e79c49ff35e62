"""Example sites of a screen: which ones, their images where any are at hand, and where they are where not."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import UsageError
from helpers.figures.style import CONDITION_STYLE, format_um
from helpers.pages.words import listing, name_code, names_listed, number
from helpers.profiles.selection import well_kind
from helpers.screens import open_images, site_address
from helpers.screens.facts import STAINS, URL_BASE
from helpers.text import code

ARM = ["experiment", "treatment", "dose_um"]

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
    """Choose one site per kind of well, of the plate that has most kinds.

    Of plates with as many kinds it is one with the treated arm that `example_arm` finds, else the first. Blank wells
    are left out: nobody knows what a picture of one would be an example of.

    Of wells that passed quality control the one nearest to the median rescue of its kind is taken, of treated wells
    nearest to that of the example's arm. Without scores it is the first. A failed well comes last.

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
    arm = example_arm(scored)
    if arm is not None:
        home = plates[_of_arm(scored, arm) & plates.isin(several.index[several == several.max()]).to_numpy()]
        several = several.loc[home.unique()] if len(home) else several
    plate = scored[(plates == several.idxmax()).to_numpy()]
    fine = plate[(plate["qc_flag"].astype(str) == "").to_numpy()]
    chosen = {}
    for kind in ("mock", "uv", "infected", "treated"):
        wells = fine[(well_kind(fine) == kind).to_numpy()]
        if len(wells):
            if kind == "treated" and arm is not None and _of_arm(wells, arm).any():
                wells = wells[_of_arm(wells, arm)]
            well = _typical(wells["rescue"])
            chosen[_title(wells.loc[well], kind)] = f"{well}_{SITE}"
    failed = plate.index[(plate["qc_flag"].astype(str) != "").to_numpy()]
    if len(failed):
        chosen["a failed well"] = f"{failed[0]}_{SITE}"
    return chosen


def example_arm(scored: pd.DataFrame) -> pd.Series | None:
    """Return the treated arm that shows a rescue best: experiment, treatment, dose_um, rescue, drift, limit, on_target.

    Arms that are on target, no further off the axis than back along it, come first, then the largest rescue times the
    cosine between the arm and the way back. A rescue above 1 counts as 1. Arms of fewer wells than usual take no part:
    the largest of many means of one well is a lucky one.

    Returns
    -------
    Series or None
        None without scores, or without treated wells that passed quality control.
    """
    arms = _arm_means(scored)
    arms = arms[arms["n"] >= arms["n"].median()]
    if arms.empty:
        return None
    back = arms["rescue"].clip(upper=1)
    shown = back * back.abs() / np.hypot(back, arms["drift"]).replace(0, np.nan)
    arms = arms.assign(on_target=(back > 0) & (arms["drift"] <= back), shown=shown)
    best = arms.sort_values(["on_target", "shown"], ascending=False, kind="stable").iloc[0]
    return best[[*ARM, "rescue", "drift", "limit", "on_target"]]


def _arm_means(scored: pd.DataFrame) -> pd.DataFrame:
    """Return, per treated arm, how many good wells it has, their mean rescue, and their drift off the disease axis.

    Drift is the distance beyond the noise of a single well: the root of the mean square distance, after that of the
    untreated infected wells of the same plate was subtracted. Its limit is what the noise of so many wells reaches
    (two standard errors).
    """
    fine = scored[(scored["qc_flag"].astype(str) == "").to_numpy() & scored["rescue"].notna().to_numpy()]
    kinds, square = well_kind(fine), fine["off_disease"].astype(float) ** 2
    plates = fine["plate_id"].astype(str)
    untreated = square[(kinds == "infected").to_numpy()]
    noise = untreated.groupby(plates).mean()
    spread = (untreated - untreated.index.map(plates).map(noise)).std()
    treated = (kinds == "treated").to_numpy()
    excess = (square - plates.map(noise)).fillna(0.0)
    wells = fine.loc[treated, ARM].astype({"experiment": str, "treatment": str})
    wells = wells.assign(rescue=fine.loc[treated, "rescue"].astype(float), excess=excess[treated])
    by = wells.groupby(ARM, dropna=False)
    arms = by.agg(n=("rescue", "size"), rescue=("rescue", "mean"), excess=("excess", "mean")).reset_index()
    limit = np.sqrt(2 * np.nan_to_num(spread) / np.sqrt(arms["n"]))
    return arms.assign(drift=np.sqrt(arms["excess"].clip(lower=0)), limit=limit)


def _of_arm(wells: pd.DataFrame, arm: pd.Series) -> np.ndarray:
    """Return which wells belong to an arm and passed quality control."""
    same = wells["treatment"].astype(str) == arm["treatment"]
    same &= wells["experiment"].astype(str) == arm["experiment"]
    dose = wells["dose_um"].isna() if pd.isna(arm["dose_um"]) else wells["dose_um"] == arm["dose_um"]
    return (same & dose & (wells["qc_flag"].astype(str) == "")).to_numpy()


def treated_example(scored: pd.DataFrame) -> str:
    """Say which treated arm the pictures show, by what numbers, and whether it is rescue or harm as well."""
    arm = example_arm(scored)
    if arm is None:
        return ""
    dose = "" if pd.isna(arm["dose_um"]) else f" at {format_um(arm['dose_um'])} µM"
    drift = "no further off the axis than noise puts them"
    if arm["drift"] > arm["limit"]:
        drift = f"{number(arm['drift'], 2)} axis lengths off the axis, the noise of a well aside"
    text = (
        f"**The treated site** is of {name_code(arm['treatment'])}{dose} ({name_code(arm['experiment'])}). On average "
        f"the wells of this arm have a rescue of {number(arm['rescue'], 2)} and lie {drift}."
    )
    if arm["on_target"]:
        return (
            f"{text} Among the arms that move the cells no further off the axis than back along it, it shows the "
            "clearest rescue."
        )
    return (
        f"{text} **No arm of this screen moves the cells back along the axis as far as off it**: what this picture "
        "shows is not rescue alone."
    )


def _typical(rescue: pd.Series) -> str:
    """Return the well nearest to the median, the first where there are no scores."""
    return rescue.index[0] if rescue.isna().all() else (rescue - rescue.median()).abs().idxmin()


def _title(well: pd.Series, kind: str) -> str:
    if kind != "treated":
        return CONDITION_STYLE[kind].label
    dose = "" if pd.isna(well["dose_um"]) else f", {format_um(well['dose_um'])} µM"
    return f"treated: {well['treatment']}{dose}"


def load_pictures(scored: ad.AnnData, images: str = "") -> Pictures:
    """Read the images of example sites.

    Parameters
    ----------
    scored : AnnData
        Scored wells of a screen; a twin's images are drawn.
    images : str
        What :func:`helpers.screens.open_images` takes; empty: drawings for a twin, nothing for other screens, whose
        images would have to be fetched.

    Raises
    ------
    DataError
        If `images` cannot be opened, or an image is broken.
    """
    sites = example_sites(scored.obs)
    screen = scored.uns["screen"]
    where = images or (screen["path"] if screen["kind"] == "twin" else "")
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
        sites = listing(f"{name_code(title)}: {code(pictures.sites[title])}" for title in pictures.images)
        return f"The sites are {sites}; all are stretched alike, so brightness can be compared."
    if pictures.source:
        looked_for = names_listed(pictures.sites.values())
        return f"None of the example sites was found in {code(pictures.source)}: {looked_for}."
    return _how_to_get(pictures, kind)


def _how_to_get(pictures: Pictures, kind: str) -> str:
    if kind != "rxrx19a" or not pictures.sites:
        return (
            "**No images are at hand.** The parameter `images` takes a folder or a ZIP archive with images in "
            "RxRx19a's layout (`images/EXPERIMENT/PlateN/WELL_sSITE_wCHANNEL.png`), or an address where they lie."
        )
    site = next(iter(pictures.sites.values()))
    addresses = listing(map(code, site_address(site)))
    return (
        f"**No images are at hand**: the archive holds 445 GB and is not fetched unasked. The five channels of site "
        f"{code(site)} lie at {addresses}. With `-p images=rxrx19a` the few sites shown here are fetched singly from "
        f"{URL_BASE}; `images` also takes a folder or a ZIP archive."
    )
