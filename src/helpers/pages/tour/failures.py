"""Failed wells: by which rule, how many, where, and in what they differ."""

import numpy as np
import pandas as pd

from helpers.figures.style import CONDITION_STYLE
from helpers.pages.words import count, listing, name_code, names_listed, number, percent
from helpers.profiles.failures import MIN_PLATES, SUPPORT
from helpers.profiles.qc import MIN_SITES, RATE
from helpers.profiles.selection import well_kind

EDGE = 2
"""Rows and columns this near to the outermost ones in use count as the rim of a plate."""


MOST = 0.5
"""A compound that lost this share of its wells is named."""
WAYS = {"dim": "dim", "low_cells": "with too few cells", "odd": "in a direction of their own"}
"""How a twin makes wells fail, in words."""

NOT_FLAGGED = (
    "Without embeddings a failed well cannot be told from others, and none is flagged for its looks."
)


def rule(n_features: int, *, qc: bool = True, rate: float = RATE) -> str:
    """State by which rules a well of a screen with so many features fails, with the settings of the page."""
    sites = (
        f"A well with fewer than {percent(MIN_SITES)} of the usual number of sites is flagged in any case."
    )
    if not n_features:
        return NOT_FLAGGED
    if not qc:
        return f"The search for failed wells is switched off (`qc`). {sites}"
    return (
        "**The rules.** Wells are placed relative to the median well of their plate, freed of the drift over rows and "
        "columns, and measured in units of the noise between wells that got the same treatment. How far wells that did "
        "not fail reach is told from the bulk of these distances, heavy tails included; the limit is what a share of "
        f"{rate:g} of good wells would exceed (`qc_rate`).\n\n"
        "- A well *without* a compound fails if it lies beyond the limit from where its kind stands, and from the way "
        "between there and the bulk of the plates.\n"
        "- A *treated* well may be far out for a good reason. It fails if it lies beyond the limit from the bulk, from "
        "every kind of controls and from every way between, **and no replicate goes along**: none of the wells at the "
        f"same or a neighbouring dose of its compound lies at least {percent(SUPPORT)} as far in the same direction.\n"
        "- Failures may share a direction, such as that of weak stain. Where wells without a compound, on "
        f"{MIN_PLATES} plates or more, fail along one, a treated well that lies along it fails too, unless most of its "
        "replicates do, and those at the next higher dose: what a compound does grows with dose.\n"
        f"- {sites}\n\n"
        "So a compound is never taken for a failure because it is strong, and the rules do not know which control is "
        "called mock. A dose whose wells agree can still be taken for one, if controls of several plates failed in its "
        "very direction and the next higher dose does not go along. What the rules cannot see: a failure that looks "
        "like a weaker or stronger disease, and one that spoiled all replicates alike."
    )


def count_failed(wells: pd.DataFrame) -> pd.DataFrame:
    """Count failed wells by kind: kind, wells, failed, share (%)."""
    kind = well_kind(wells).astype(str)
    failed = (wells["qc_flag"].astype(str) != "").groupby(kind.to_numpy())
    table = pd.DataFrame({"wells": failed.size(), "failed": failed.sum()})
    table = table.reindex([k for k in CONDITION_STYLE if k in table.index])
    table["share (%)"] = (100 * table["failed"] / table["wells"]).round(1)
    table.index = [CONDITION_STYLE[k].label for k in table.index]
    return table.rename_axis("kind").reset_index()


def _is_failed(wells: pd.DataFrame) -> np.ndarray:
    return (wells["qc_flag"].astype(str) != "").to_numpy()


def counted(wells: pd.DataFrame, n_features: int) -> str:
    """Say how many wells failed quality control, of which kinds, and name the controls among them."""
    if not n_features and not _is_failed(wells).any():
        return NOT_FLAGGED
    return f"{_counted(wells)} {failed_controls(wells)}"


def _counted(wells: pd.DataFrame) -> str:
    table = count_failed(wells).set_index("kind")
    failed = int(table["failed"].sum())
    if not failed:
        return "No well failed quality control."
    reasons = wells.loc[_is_failed(wells), "qc_flag"].astype(str).value_counts()
    worst = [f"{row.failed:,} of {row.wells:,} {row.Index}" for row in table.itertuples() if row.failed]
    return (
        f"**{count(failed, 'well')}** ({percent(failed / len(wells))}) failed quality control: {listing(worst)}. "
        f"{_reasons(reasons)} They are kept in every table, with the reason as their flag, and out of every fit."
    )


def _reasons(reasons: pd.Series) -> str:
    """Return the reasons with their numbers; `failed:` before one is no reason."""
    parts = [f"{name_code(reason.removeprefix('failed: '))} ({n:,})" for reason, n in reasons.items()]
    return f"The {'reason' if len(parts) == 1 else 'reasons'}: {'; '.join(parts)}."


def failed_controls(wells: pd.DataFrame) -> str:
    """Name the failed control wells of the screen, or count them by plate where they are many."""
    kind = well_kind(wells).isin(["mock", "uv"])
    chosen = wells[kind.to_numpy() & _is_failed(wells)]
    if chosen.empty:
        return "No mock or UV well failed."
    plates = chosen["plate_id"].astype(str)
    if len(chosen) > 12:
        counts = [f"{name_code(plate)} ({n})" for plate, n in plates.value_counts(sort=True).items()]
        return f"Failed mock and UV wells by plate: {listing(counts, 6)}."
    labels = chosen["well"].astype(str)
    if len(wells["plate_id"].unique()) > 1:
        labels = plates + " " + labels
    return f"Failed mock and UV wells: {names_listed(labels, 12)}."


def placed(wells: pd.DataFrame) -> str:
    """Say over how many plates failed wells are spread, and whether they keep to the rim."""
    failed = _is_failed(wells)
    if not failed.any():
        return "No well failed, so there is no pattern of failures to look for."
    per_plate = pd.Series(failed).groupby(wells["plate_id"].astype(str).to_numpy()).sum()
    n_hit = int((per_plate > 0).sum())
    parts = [f"They stand on {n_hit:,} of {count(len(per_plate), 'plate')}"]
    if len(per_plate) > 1:
        worst = per_plate.idxmax()
        parts.append(
            f"{number(per_plate.median())} on the median plate, {per_plate.max():,} on {name_code(worst)}"
        )
    rim = _rim(wells)
    if rim.any() and not rim.all():
        parts.append(
            f"of the wells in the outermost {EDGE} rows and columns that are used "
            f"{percent(failed[rim].mean())} failed, of the others {percent(failed[~rim].mean())}"
        )
    return "; ".join(parts) + "."


def _rim(wells: pd.DataFrame) -> np.ndarray:
    """Return which wells stand in the outermost rows and columns that are used."""
    row, col = wells["row"].to_numpy(int), wells["col"].to_numpy(int)
    inside = (row >= row.min() + EDGE) & (row <= row.max() - EDGE)
    return ~(inside & (col >= col.min() + EDGE) & (col <= col.max() - EDGE))


def looks(scored: pd.DataFrame) -> str:
    """Say how far failed wells lie from the disease axis, beside the wells that passed."""
    failed = _is_failed(scored)
    if not failed.any():
        return ""
    if scored["off_disease"].isna().all():
        return "Without a disease axis it cannot be said where on it they would land."
    off = scored["off_disease"].astype(float)
    if off.max() == 0:
        text = "The screen has one feature, so failed wells can stand out along the axis only."
    else:
        text = (
            f"What distinguishes them is distance: the median failed well lies {number(off[failed].median(), 2)} axis "
            f"lengths **off** the disease axis, the median well that passed {number(off[~failed].median(), 2)} (which "
            "is noise, and grows with the number of features)."
        )
    return f"{text} {_failed_mock(scored, failed)}".strip()


def _failed_mock(scored: pd.DataFrame, failed: np.ndarray) -> str:
    """Say where failed mock wells would put the zero of the scale."""
    mock = (well_kind(scored) == "mock").to_numpy()
    if not (mock & failed).any() or not (mock & ~failed).any():
        return ""
    on = scored["on_disease"].astype(float)
    return (
        f"On the axis the median failed mock well stands at {number(on[mock & failed].median(), 2)}, the median mock "
        f"well that passed at {number(on[mock & ~failed].median(), 2)}: left in, they would move the zero of the scale."
    )


def compared(wells: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    """Compare flags with the wells that a twin made fail."""
    if truth is None:
        return "Nobody has written down which wells of this screen failed, so the flags cannot be checked."
    flagged, made = _flagged_and_made(wells, truth)
    if not made:
        return f"The twin made no well fail; {count(len(flagged), 'well')} were flagged all the same."
    known = truth[truth["well_id"].astype(str).isin(made)]
    parts = [
        f"{known['well_id'][rows].astype(str).isin(flagged).sum():,} of {len(rows):,} {WAYS.get(reason, reason)}"
        for reason, rows in known.groupby("reason", sort=True).groups.items()
    ]
    good = len(wells) - len(made)
    return (
        f"The twin knows which wells it made fail, and how. Found were {listing(parts)}. Of the {good:,} wells that it "
        f"left alone, {len(flagged - made):,} were flagged ({percent(len(flagged - made) / max(good, 1))})."
    )


def lost_compounds(wells: pd.DataFrame) -> pd.DataFrame:
    """Return the compounds that lost half of their wells or more to failures, those that lost most first.

    Parameters
    ----------
    wells : DataFrame
        One row per well: experiment, treatment, qc_flag.

    Returns
    -------
    DataFrame
        experiment, treatment, wells, failed, share (%).
    """
    given = wells[wells["treatment"].notna().to_numpy()]
    keys = [given[key].astype(str) for key in ("experiment", "treatment")]
    failed = (given["qc_flag"].astype(str) != "").groupby(keys)
    table = pd.DataFrame({"wells": failed.size(), "failed": failed.sum()}).reset_index()
    share = table["failed"] / table["wells"]
    table["share (%)"] = (100 * share).round(1)
    return table[share >= MOST].sort_values(["share (%)", "wells"], ascending=False, ignore_index=True)


def lost(table: pd.DataFrame) -> str:
    """Say which compounds lost most of their wells."""
    if table.empty:
        return f"No compound lost {percent(MOST)} or more of its wells."
    gone = int((table["failed"] == table["wells"]).sum())
    text = f"{count(len(table), 'compound')} lost {percent(MOST)} or more of their wells to failures."
    if gone:
        text += f" {gone:,} of them have no usable well left: nothing is said about these, and they are `not_tested`."
    return f"{text} Look at their wells before you believe anything about them."


def _flagged_and_made(wells: pd.DataFrame, truth: pd.DataFrame) -> tuple[set, set]:
    """Return the ids of flagged wells, and of those wells of the table that a twin made fail."""
    made = set(truth["well_id"].astype(str)) & set(wells.index)
    return set(wells.index[_is_failed(wells)]), made


def missed(wells: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    """Say how many of the wells that a twin made fail passed; for other screens that nobody can know."""
    if truth is None:
        return "a mild failure can pass too, and nobody has counted these."
    flagged, made = _flagged_and_made(wells, truth)
    if not made:
        return "the twin made no well fail."
    unseen = len(made - flagged)
    if not unseen:
        return f"all {count(len(made), 'well')} that the twin made fail were found."
    return (
        f"a mild failure can pass too: of {count(len(made), 'well')} that the twin made fail, {unseen:,} passed "
        f"({percent(unseen / len(made))})."
    )
