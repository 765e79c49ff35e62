"""Before and after: what a recipe does to plates, to neighbours, to rows and columns, and to shared arms, in words."""

import numpy as np
import pandas as pd

from helpers.hits.evidence import arm_means
from helpers.pages.absent import NO_EMBEDDINGS
from helpers.pages.words import count, listing, name_code, number, percent
from helpers.profiles.positions import position_profile, position_trend
from helpers.profiles.selection import rows_by, scattered, well_kind
from helpers.profiles.steps import MAD_SCALE
from helpers.screens.order import natural_order
from helpers.study.projections import Projection


def most_shared_arms(obs: pd.DataFrame) -> pd.DataFrame:
    """Return the arms that two experiments share with their rescue in each, of the pair that shares most.

    Columns treatment, dose_um, and one per experiment; no rows where no pair shares five arms.
    """
    if "rescue" not in obs or obs["rescue"].isna().all():
        return pd.DataFrame(columns=["treatment", "dose_um"])
    means = {
        str(name): arm_means(obs.iloc[rows]).mean(axis=1)
        for name, rows in rows_by(obs, "experiment").items()
        if len(arm_means(obs.iloc[rows]))
    }
    names = natural_order(means)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    joined = [pd.concat([means[a].rename(a), means[b].rename(b)], axis=1, join="inner") for a, b in pairs]
    best = max(joined, key=len, default=None)
    if best is None or len(best) < 5:
        return pd.DataFrame(columns=["treatment", "dose_um"])
    return best.reset_index()


def shared_found(tables: dict[str, pd.DataFrame]) -> str:
    """Say how the rescue of shared arms correlates between two experiments, recipe by recipe."""
    parts, size = [], 0
    for name, obs in tables.items():
        arms = most_shared_arms(obs)
        if len(arms):
            a, b = arms.columns[2:]
            size = len(arms)
            parts.append(f"{number(np.corrcoef(arms[a], arms[b])[0, 1], 2)} with `{name}`")
    if not parts:
        return "No two experiments of this screen share enough arms to compare."
    return (
        f"{count(size, 'arm')} {'was' if size == 1 else 'were'} tested in both {name_code(a)} and "
        f"{name_code(b)}. The correlation of their rescue is {listing(parts)}."
    )


def neighbors_change(before: Projection, after: Projection) -> str:
    """Say how often a well's neighbours share its experiment, plate or condition, before and after."""
    if before.neighbors.empty or after.neighbors.empty:
        return "For a map of neighbours this screen has too few features or too few wells."
    both = before.neighbors.merge(after.neighbors, on="column", suffixes=("", "_after"))
    parts = [
        f"{percent(row.share)} share its {row.column} before and {percent(row.share_after)} after "
        f"(chance: {percent(row.chance)})"
        for row in both.itertuples()
    ]
    verdicts = [_dissolves(row) if row.column != "condition" else _gathers(row) for row in both.itertuples()]
    return f"Of a well's nearest neighbours, {listing(parts)}. {' '.join(verdicts)}"


NEAR_CHANCE = 0.1
"""Below this share of what chance leaves, neighbours do not go by a column."""


def _dissolves(row) -> str:
    """Say what became of the islands of a technical column, from how far above chance neighbours share it."""
    first, last = ((share - row.chance) / (1 - row.chance) for share in (row.share, row.share_after))
    name = f"{row.column}s"
    if first < NEAR_CHANCE:
        return f"There were hardly any islands by {row.column}" + (
            "." if last < NEAR_CHANCE else ", but there are some afterwards."
        )
    if last < NEAR_CHANCE:
        return f"Islands by {row.column} dissolve."
    if last > 0.8 * first:
        return f"Islands by {row.column} do not dissolve: whatever sets {name} apart is still there."
    return f"Islands by {row.column} dissolve in part: {name} can still be told apart."


def _gathers(row) -> str:
    """Say whether wells of one condition come together, and what speaks against reading much into it."""
    change = row.share_after - row.share
    if abs(change) < 0.01:
        text = "Wells of one condition lie as close together as before"
    elif change > 0:
        text = "Wells of one condition come closer together"
    else:
        text = "Wells of one condition do not come together by this measure; it falls"
    if row.chance < 0.5:
        return f"{text}."
    return (
        f"{text}. It can say little here, for chance alone gives {percent(row.chance)}: most wells are of one "
        "condition, and treated wells on which nothing works look like untreated ones."
    )


def plate_spread(tables: dict[str, pd.DataFrame], value: str = "rescue") -> str:
    """Say how far the plates' median infected wells lie apart under each recipe."""
    tables = {name: obs for name, obs in tables.items() if value in obs and obs[value].notna().any()}
    if not tables:
        return NO_EMBEDDINGS
    parts = []
    for name, obs in tables.items():
        fine = obs[(well_kind(obs) == "infected").to_numpy() & (obs["qc_flag"].astype(str) == "").to_numpy()]
        medians = fine.groupby("plate_id", observed=True)[value].median()
        parts.append(f"{number(round(medians.max() - medians.min(), 4), 2)} with `{name}`")
    if len(medians) < 2:
        return "There is one plate only: how far plates lie apart cannot be seen."
    return f"The medians of the plates' infected untreated wells span {listing(parts)}."


def position_left(before: pd.DataFrame, after: pd.DataFrame, recipe: str, recipes: pd.DataFrame) -> str:
    """Say whether a slope over rows or columns is left after a recipe, and how that fits with the recipe's measure.

    Parameters
    ----------
    before, after
        Scored wells, raw and after the recipe.
    recipe
        Its name.
    recipes
        `normalization.csv`.
    """
    if any("rescue" not in obs or obs["rescue"].isna().all() for obs in (before, after)):
        return ""
    parts, largest = [], 0.0
    for by, word in (("row", "rows"), ("col", "columns")):
        old, new = (position_trend(position_profile(obs, "rescue", by)) for obs in (before, after))
        if np.isnan(new[0]):
            return ""
        if not new[1] <= 0 <= new[2]:
            share = "" if old[1] <= 0 <= old[2] else f" ({percent(abs(new[0] / old[0]))} of what it was)"
            parts.append(f"over the {word}{share}")
            largest = max(largest, abs(new[0]))
    if not parts:
        return f"After `{recipe}` no slope is left that noise could not explain."
    text = f"After `{recipe}` a slope is left {listing(parts)}."
    told = recipes.loc[recipes["recipe"] == recipe, "position_predictability"] if len(recipes) else []
    values = after["rescue"][scattered(after)]
    spread = MAD_SCALE * float((values - values.median()).abs().median())
    if not len(told) or not told.iloc[0] < TELLS_LITTLE or largest > spread:
        return text
    return (
        f"{text} A position predictability of {number(round(told.iloc[0], 2) + 0.0, 2)} does not deny that: it asks "
        f"whether single wells tell their place, and a change of {number(largest, 2)} from end to end is small beside "
        f"the spread of single wells, {number(spread, 2)}. In a median over many wells it is not."
    )


TELLS_LITTLE = 0.05
"""Below this position predictability a page would seem to say that no effect of position is left."""
