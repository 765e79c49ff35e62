"""The questions that a reader of the tour should be able to answer, answered in computed numbers."""

import numpy as np
import pandas as pd

from helpers.pages.tour.design import arm_sizes
from helpers.pages.tour.failures import missed
from helpers.pages.tour.window import THINNED, lost_controls
from helpers.pages.words import count, listing, names_listed, number, percent
from helpers.profiles.selection import well_kind

PLATE = ["experiment", "plate"]


def answers(
    wells: pd.DataFrame,
    quality: pd.DataFrame,
    variance: pd.DataFrame,
    screen: dict,
    made_to_fail: pd.DataFrame | None = None,
) -> str:
    """Answer, for one screen: what is a row, a replicate, a trusted well, the window, the variance, and the limits.

    Parameters
    ----------
    wells : DataFrame
        One row per well, with qc_flag.
    quality : DataFrame
        `assay_quality.csv`.
    variance : DataFrame
        Shares of variance by recipe, the first of them without normalisation.
    screen : dict
        ``uns["screen"]``, with its level.
    made_to_fail : DataFrame, optional
        Wells that a twin made fail: well_id.
    """
    lines = [
        _row(wells, screen),
        _replicate(wells),
        f"{_trusted(wells, quality)} Trusted wells passed every check; {missed(wells, made_to_fail)}{_thinned(wells)}",
        _window(quality),
        _variance(variance),
        _limits(wells),
    ]
    return "**In numbers, for this screen:**\n\n" + "\n".join(f"- {line}" for line in lines)


def _row(wells: pd.DataFrame, screen: dict) -> str:
    if screen.get("level") == "well":
        return f"One row is a well: {count(len(wells), 'row')}."
    per_well = wells["n_sites"].median()
    rows = count(int(wells["n_sites"].sum()), "row")
    return (
        f"One row is a site: {rows}, usually {number(per_well)} of one well, for {count(len(wells), 'well')}."
    )


def _replicate(wells: pd.DataFrame) -> str:
    arms = arm_sizes(wells)
    if arms.empty:
        return "There are no treated wells, hence no replicates of a treatment."
    n_wells, n_plates = arms["n_wells"].mode()[0], arms["n_plates"].mode()[0]
    text = f"The usual arm has {count(n_wells, 'well')} on {count(n_plates, 'plate')}"
    return (
        f"{text}: {count(n_plates, 'independent replicate')}, not {n_wells:,}."
        if n_wells > n_plates
        else f"{text}."
    )


def _trusted(wells: pd.DataFrame, quality: pd.DataFrame) -> str:
    fine = (wells["qc_flag"].astype(str) == "").to_numpy()
    known = (well_kind(wells) != "blank").to_numpy()
    gone = [
        f"{(~fine & known).sum():,} of known condition failed",
        f"{(~known).sum():,} are of unknown condition",
    ]
    on_plate = np.ones(len(wells), bool)
    if len(quality):
        failing = quality[~quality["passes"].fillna(True).astype(bool)]
        names = pd.MultiIndex.from_frame(failing[PLATE].astype(str))
        on_plate = ~pd.MultiIndex.from_frame(wells[PLATE].astype(str)).isin(names)
        gone.append(f"{(fine & known & ~on_plate).sum():,} stand on plates that do not pass")
    trusted = int((fine & known & on_plate).sum())
    share = percent(trusted / len(wells))
    text = f"{count(trusted, 'well')} of {len(wells):,} ({share}) may be trusted: {listing(gone)}."
    return (
        text if len(quality) else f"{text} Whether the plates separate their controls could not be measured."
    )


def _thinned(wells: pd.DataFrame) -> str:
    """Warn of plates that pass with few controls left."""
    plates = list(dict.fromkeys(lost_controls(wells)["plate_id"]))
    if not plates:
        return ""
    names = f"{count(len(plates), 'plate')} ({names_listed(plates)})"
    return (
        f" Be wary of {names}: {percent(THINNED)} or more of a kind of control failed there, and the gate judges a "
        "plate by the controls that are left."
    )


def _window(quality: pd.DataFrame) -> str:
    known = quality.dropna(subset="z_prime_robust") if len(quality) else quality
    if known.empty:
        return "The assay's window could not be measured."
    free = float(known["z_prime_robust"].median())
    if free <= 0:
        return (
            f"The window is closed for single wells (median robust Z′ {number(free, 2)}): the scatter of the controls "
            "covers the distance between them. Means over an arm's wells scatter less."
        )
    return (
        f"On the median plate {percent(free)} of the distance from mock to infected is free of the controls' scatter "
        f"(robust Z′ {number(free, 2)})."
    )


def _variance(shares: pd.DataFrame) -> str:
    """Rank what else than disease and compounds is in the embeddings, before normalisation."""
    if shares.empty:
        return "What else is in the embeddings cannot be seen: there are none."
    before = shares[shares["recipe"] == shares["recipe"].iloc[0]].set_index("factor")["share"]
    place = before.reindex(["experiment", "plate", "position"]).dropna().sort_values(ascending=False)
    done = float(before.reindex(["condition", "arm"]).sum())
    parts = [f"{name} ({percent(part)})" for name, part in place.items() if part > 0]
    if not parts:
        return "Neither experiment nor plate nor place shows in the variance of the raw embeddings."
    return (
        f"Beside what was done to the cells ({percent(done)} of the variance) the raw embeddings hold "
        f"{listing(parts)}; the rest, {percent(before['well'])}, belongs to single wells."
    )


def _limits(wells: pd.DataFrame) -> str:
    on_mock = int(((well_kind(wells) == "mock") & wells["treatment"].notna()).sum())
    limits = "that cells which look healthy are free of virus; that one plate speaks for another"
    if on_mock:
        return f"Not to be concluded: {limits}. ({count(on_mock, 'uninfected well')} got a compound, as a check.)"
    return (
        f"Not to be concluded: {limits}; what a compound does to healthy cells (no uninfected well got one)."
    )
