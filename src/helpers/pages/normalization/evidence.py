"""The evidence for and against recipes in words and tables: measures with their intervals, and why some are missing."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.figures.recipes import MEASURES
from helpers.pages.words import count, listing, name_code, number
from helpers.screens.order import natural_order

# --- evidence and choice -----------------------------------------------------------------------------------------


def measure_table(recipes: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return measures as texts, a row per recipe: the value, and its bootstrap interval in brackets."""
    known = [c for c in columns if c in recipes and recipes[c].notna().any()]
    table = {"recipe": recipes["recipe"].astype(str)}
    for column in known:
        low, high = (
            recipes.get(f"{column}_{side}", pd.Series(np.nan, recipes.index)) for side in ("low", "high")
        )
        table[_header(column)] = [
            _with_interval(*values) for values in zip(recipes[column], low, high, strict=True)
        ]
    return pd.DataFrame(table)


def _header(column: str) -> str:
    return MEASURES[column][0].replace("-\n", "").replace("\n", " ") if column in MEASURES else column


def _with_interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "–"
    text = number(round(value, 3) + 0.0, 3)
    if pd.isna(low) or pd.isna(high):
        return text
    return f"{text} ({number(round(low, 3) + 0.0, 3)} to {number(round(high, 3) + 0.0, 3)})"


def intervals_missing(recipes: pd.DataFrame, columns: Sequence[str], wells: pd.DataFrame) -> str:
    """Say which measures have no interval over plates, and what that comes from; nothing if all have one."""
    none, some = [], []
    for column in columns:
        if column not in recipes or not recipes[column].notna().any():
            continue
        known = recipes[recipes[column].notna()]
        lacks = known.get(f"{column}_low", pd.Series(np.nan, known.index)).isna()
        name = f"*{_header(column)}*"
        if lacks.all():
            none.append(name)
        elif lacks.any():
            some.append(f"{name} ({lacks.sum()} of {len(known)} recipes)")
    if not none and not some:
        return ""
    parts = ([f"no recipe has one for {listing(none)}"] if none else []) + (
        [f"some lack one for {listing(some)}"] if some else []
    )
    return (
        f"Where plates do not tell an interval, none is given: {'; '.join(parts)}. That is so where a measure hangs on "
        "one plate or on how two differ, where no plate changes it (as when all are at the end of its scale), and "
        f"where leaving a plate out takes arms away that no other plate has.{_few_plates(wells)}"
    )


def _few_plates(wells: pd.DataFrame) -> str:
    """Name the experiments that have so few plates that these say little about others."""
    plates = wells.groupby(wells["experiment"].astype(str))["plate_id"].nunique()
    few = natural_order(plates.index[plates < 3])
    if not few:
        return ""
    parts = [f"{name_code(name)} has {count(plates[name], 'plate')}" for name in few]
    return f" Here {listing(parts)}."


def unusable(recipes: pd.DataFrame) -> str:
    """Say which recipes could not be used on this screen, and why; nothing if all could."""
    if "reason" not in recipes or not (recipes["reason"] != "").any():
        return ""
    lines = [
        f"- `{r.recipe}`: {name_code(r.reason, 1000)}." for r in recipes[recipes["reason"] != ""].itertuples()
    ]
    return "Recipes that could not be used on this screen:\n\n" + "\n".join(lines)


def site_offsets(named: pd.DataFrame) -> str:
    """Say how well the number of a site is told from its embedding, and why recipes are not judged by it."""
    known = named.dropna(subset=["predictability"]) if len(named) else named
    if known.empty:
        return (
            "Sites of a well cannot be compared here: this screen has one number per well, or no embeddings."
        )
    parts = [
        f"{number(max(round(r.predictability, 2), 0.0), 2)} in {name_code(r.experiment)}"
        for r in known.itertuples()
    ]
    return (
        f"*Site predictability*, on sites of held-out wells before they are averaged (0 = chance, 1 = always right): "
        f"{listing(parts)}. No recipe can change it, for a recipe moves and turns all sites of a plate alike; what "
        "takes a site's offset out of a well is the mean over its sites. Only a well that lacks a site keeps a part "
        "of it."
    )


# --- before and after --------------------------------------------------------------------------------------------


# --- rows and columns --------------------------------------------------------------------------------------------
