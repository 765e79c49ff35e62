"""Sentences on design, quality and normalisation, in computed numbers.

The same page is true for the twin, for the real files and for a user's screen. Every function takes tables,
looks at nothing else, and returns Markdown. Where a table is empty the sentence says what is missing and what
follows from it.
"""

import pandas as pd

from helpers.figures.style import format_um
from helpers.pages.tour.design import (
    SCATTERED,
    arm_sizes,
    dose_sets,
    experiments_shared,
    spellings,
)
from helpers.pages.words import count, listing, name_code, names_listed, percent
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order

MOST = 2000
"""Of a longer note the end is left out."""


def design(wells: pd.DataFrame) -> str:
    """Say how large a screen is."""
    kind, sites = well_kind(wells), int(wells["n_sites"].sum())
    plates = wells["plate_id"].nunique()
    per_plate = wells.groupby("plate_id", observed=True).size()
    wells_text = (
        f"{per_plate.min():,}"
        if per_plate.min() == per_plate.max()
        else f"{per_plate.min():,} to {per_plate.max():,}"
    )
    text = (
        f"The screen has **{count(len(wells), 'well')}** on {count(plates, 'plate')} in "
        f"{count(wells['experiment'].nunique(), 'experiment')} "
        f"({names_listed(natural_order(wells['experiment'].astype(str)))}), {wells_text} wells a plate"
    )
    # A screen of wells counts each well as one site: that is no further number.
    text += f", seen at {count(sites, 'site')}." if sites != len(wells) else "."
    treated = (kind == "treated").sum()
    if not treated:
        return f"{text} No well is treated."
    share = percent(treated / len(wells))
    return (
        f"{text} {count(wells['treatment'].nunique(), 'compound')} fill {count(treated, 'treated well')} "
        f"({share} of all); {count((kind == 'infected').sum(), 'infected well')} stayed untreated."
    )


def controls(places: pd.DataFrame) -> str:
    """Say where controls stand (from `summaries.control_places`)."""
    parts = []
    for _, row in places.iterrows():
        if row["rows"] == SCATTERED:
            parts.append(f"{row['condition']} wells are scattered ({_a_plate(row)})")
            continue
        text = f"{row['condition']} wells stand in rows {row['rows']} of columns {row['columns']}"
        elsewhere = f" and {row['wells elsewhere']:,} elsewhere" if row["wells elsewhere"] else ""
        parts.append(f"{text}{elsewhere} ({_a_plate(row)})")
    return f"Where the controls are: {'; '.join(parts)}." if parts else "There are no control wells."


def _a_plate(place: pd.Series) -> str:
    """Return how many wells a plate has, ``54 to 206 a plate, by experiment``."""
    text = f"{place['wells per plate']} a plate"
    return f"{text}, by experiment" if " to " in text else text


def doses(wells: pd.DataFrame) -> str:
    """Say which doses were tested."""
    sets = dose_sets(wells)
    if sets.empty:
        return "This screen gives no doses: dose response cannot be studied, and each compound has one arm."
    every = sorted({dose for doses_um in sets["doses_um"] for dose in doses_um})
    by_set = sets.groupby("doses_um", sort=False)["n_compounds"].sum()
    common = by_set.idxmax()
    given = [
        f"{count(r.n_compounds, 'compound')} in {name_code(r.experiment)}"
        for r in sets[sets["doses_um"] == common].itertuples()
    ]
    which = "The only one" if len(by_set) == 1 else "The commonest"
    return (
        f"Doses run from {format_um(every[0])} to {format_um(every[-1])} µM, {count(len(every), 'level')} in all, in "
        f"{count(len(by_set), 'different set')} of doses. {which}, {listing(map(format_um, common), 14)} µM, was given "
        f"to {listing(given)}."
    )


def replicates(wells: pd.DataFrame) -> str:
    """Say how often arms are repeated, and on how many plates."""
    arms = arm_sizes(wells)
    if arms.empty:
        return "There are no treated wells, so there are no arms."
    usual, plates = arms["n_wells"].mode()[0], arms["n_plates"].mode()[0]
    share = percent((arms["n_wells"] == usual).mean())
    text = (
        f"There are {count(len(arms), 'arm')}. The usual arm has {count(usual, 'well')} ({share} of "
        "the arms) on "
        f"{count(plates, 'plate')}"
    )
    if arms["n_plates"].max() == 1:
        return f"{text}: every arm lives on one plate only, so **plate-to-plate variation cannot be seen**."
    if plates == usual:
        text = f"{text}, one on each: {count(usual, 'independent draw')}."
    else:
        text = f"{text}: that is {count(plates, 'cluster')}, not {count(usual, 'independent draw')}."
    return f"{text} {_on_one_plate(arms)}".strip()


def _on_one_plate(arms: pd.DataFrame) -> str:
    """Name the exception among arms that are repeated on several plates: arms that stand on one."""
    alone = arms[arms["n_plates"] == 1]
    if alone.empty:
        return ""
    where = alone.groupby(arms["experiment"].astype(str))["treatment"].nunique()
    parts = [f"{name_code(experiment)} ({count(n, 'compound')})" for experiment, n in where.items()]
    stand = "stands" if len(alone) == 1 else "stand"
    return (
        f"{count(len(alone), 'arm')} ({percent(len(alone) / len(arms))}) {stand} on one plate only, in "
        f"{listing(parts)}: however many wells they have, they show nothing of how plates differ."
    )


def names(wells: pd.DataFrame) -> str:
    """Say which compounds are spelt in several ways, and which stand in several experiments."""
    if not wells["treatment"].notna().any():
        return "No treatment is named in this screen."
    split, where = spellings(wells), experiments_shared(wells)
    shared = [(experiments, n) for experiments, n in where.items() if len(experiments) > 1]
    text = (
        f"Of {count(wells['treatment'].nunique(), 'compound')}, {len(split) or 'none'} "
        f"{'is' if len(split) < 2 else 'are'} spelt in more than one way"
        f"{'; their wells were joined under the commonest spelling' if len(split) else ''}. "
    )
    parts = [f"{n:,} in {' and '.join(map(name_code, experiments))}" for experiments, n in shared]
    return text + (
        f"Tested in several experiments: {'; '.join(parts)}."
        if parts
        else "Each was tested in one experiment."
    )


def notes(screen: dict) -> str:
    """List what the reader of the files noticed."""
    found = screen.get("notes", [])
    if not found:
        return "Reading the files, nothing odd was found."
    return "Reading the files, this was found:\n\n" + "\n".join(
        f"- {name_code(note, MOST)}" for note in found
    )
