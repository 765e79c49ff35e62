"""Sentences on design, quality and normalisation, in computed numbers.

The same page is true for the twin, for the real files and for a user's screen. Every function takes tables,
looks at nothing else, and returns Markdown. Where a table is empty the sentence says what is missing and what
follows from it.
"""

import pandas as pd

from helpers.figures.positions import position_profile, position_trend
from helpers.figures.style import format_um, natural_order, well_kind
from helpers.hits.compare import RULE
from helpers.publish.summaries import (
    SCATTERED,
    arm_sizes,
    dose_sets,
    shared_compounds,
    spellings,
)
from helpers.publish.words import count, listing, name_code, number, percent

NO_EMBEDDINGS = "This screen has a design but no embeddings, so nothing can be said here."


FEW_WELLS = 5
"""Fewer wells than this per row or column say nothing about the effect of position."""


def lacking(lacks: list[str]) -> str:
    """Say what a screen lacks, and nothing where it lacks nothing."""
    if not lacks:
        return "This screen has all that the analyses below ask for."
    return "**What this screen lacks.** " + " ".join(lacks) + " The parts that need it say so."


def design(wells: pd.DataFrame, sites: int | None = None) -> str:
    """Say how large a screen is."""
    kind = well_kind(wells)
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
        f"({listing(natural_order(wells['experiment'].astype(str)))}), {wells_text} wells a plate"
    )
    # A screen of wells counts each well as one site: that is no further number.
    text += f", seen at {count(sites, 'site')}." if sites and sites != len(wells) else "."
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
        f"{count(r.n_compounds, 'compound')} in {r.experiment}"
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
    parts = [f"{experiment} ({count(n, 'compound')})" for experiment, n in where.items()]
    stand = "stands" if len(alone) == 1 else "stand"
    return (
        f"{count(len(alone), 'arm')} ({percent(len(alone) / len(arms))}) {stand} on one plate only, in "
        f"{listing(parts)}: however many wells they have, they show nothing of how plates differ."
    )


def names(wells: pd.DataFrame) -> str:
    """Say which compounds are spelt in several ways, and which stand in several experiments."""
    if not wells["treatment"].notna().any():
        return "No treatment is named in this screen."
    split, where = spellings(wells), shared_compounds(wells)
    shared = where[where["experiments"].str.contains(",")]
    text = (
        f"Of {count(wells['treatment'].nunique(), 'compound')}, {len(split) or 'none'} "
        f"{'is' if len(split) < 2 else 'are'} spelt in more than one way"
        f"{'; their wells were joined under the commonest spelling' if len(split) else ''}. "
    )
    parts = [f"{n:,} in {e.replace(', ', ' and ')}" for e, n in shared.itertuples(index=False)]
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
    return "Reading the files, this was found:\n\n" + "\n".join(f"- {name_code(note)}" for note in found)


def recipe_rule() -> str:
    """State the rule that picks a recipe."""
    return f"**The rule:** {RULE}."


def recipe_choice(recipes: pd.DataFrame) -> str:
    """Say which recipe was selected, and how it compares with raw embeddings."""
    if recipes.empty or not recipes["selected"].any():
        return "No recipe could be selected: comparing them needs embeddings and both controls."
    best = recipes[recipes["selected"].astype(bool)].iloc[0]
    text = f"The rule selects **`{best['recipe']}`**."
    raw = recipes[recipes["recipe"] == "raw"]
    if raw.empty or best["recipe"] == "raw":
        return text
    raw = raw.iloc[0]
    changes = {
        "plate_predictability": "plate predictability",
        "replicate_map": "replicate mAP",
        "z_prime_robust": "robust Z′",
    }
    parts = [
        f"{words} is {number(best[column], 2)} (raw: {number(raw[column], 2)})"
        for column, words in changes.items()
        if pd.notna(best.get(column)) and pd.notna(raw.get(column))
    ]
    return f"{text} With it {listing(parts)}." if parts else text


def position_effect(before: pd.DataFrame, after: pd.DataFrame, value: str = "rescue") -> str:
    """Say how much rows and columns move the scattered wells, before and after normalisation."""
    if value not in before or before[value].notna().sum() == 0:
        return NO_EMBEDDINGS
    parts = []
    for by, word in (("row", "row"), ("col", "column")):
        tables = [position_profile(obs, value, by) for obs in (before, after)]
        if tables[0]["n"].median() < FEW_WELLS:
            return (
                "With so few wells per row and column, effects of position cannot be told from noise on "
                "this screen."
            )
        spans = [number(table["median"].max() - table["median"].min(), 2) for table in tables]
        trends = [position_trend(table) for table in tables]
        parts.append(
            f"- **{word}s:** between the {word}s with the lowest and the highest median it differs by {spans[0]} "
            f"before and {spans[1]} after, the noise of two medians included. From the first {word} to the last a "
            f"straight line changes by {_change(trends[0])} before and by {_change(trends[1])} after: "
            f"{_beyond_noise(*trends)}."
        )
    return (
        f"The median {value} of wells that stand scattered, before and after normalisation (in brackets: two standard "
        "errors):\n\n" + "\n".join(parts)
    )


def _change(trend: tuple[float, float, float]) -> str:
    """Return ``0.02 (−0.01 to 0.05)``: what a straight line changes by."""
    change, low, high = (number(round(value, 3), 2) for value in trend)
    return f"{change} ({low} to {high})"


def _beyond_noise(before: tuple[float, float, float], after: tuple[float, float, float]) -> str:
    """Say which of two changes noise cannot explain."""
    clear = [not low <= 0 <= high for _, low, high in (before, after)]
    if clear[0] and clear[1]:
        return "both are more than noise"
    if not any(clear):
        return "neither is more than noise can do"
    return f"only the change {'before' if clear[0] else 'after'} is more than noise can do"


def plate_spread(tables: dict[str, pd.DataFrame], value: str = "rescue") -> str:
    """Say how far the plates' median infected wells lie apart under each recipe."""
    parts = []
    for name, obs in tables.items():
        if value not in obs or obs[value].notna().sum() == 0:
            return NO_EMBEDDINGS
        fine = obs[(well_kind(obs) == "infected").to_numpy() & (obs["qc_flag"].astype(str) == "").to_numpy()]
        medians = fine.groupby("plate_id", observed=True)[value].median()
        parts.append(f"{number(round(medians.max() - medians.min(), 4), 2)} with `{name}`")
    if len(medians) < 2:
        return "There is one plate only: how far plates lie apart cannot be seen."
    return f"The medians of the plates' infected untreated wells span {listing(parts)}."
