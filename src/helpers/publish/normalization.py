"""What the page on normalisation says: recipes and settings, measures with intervals, the choice, before and after.

Every function takes tables, or an analysis, and returns tables or Markdown; where a screen lacks something, what it
returns says so.
"""

import contextlib
import inspect
from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.figures.positions import position_profile, position_trend
from helpers.figures.recipes import MEASURES
from helpers.figures.style import natural_order
from helpers.hits import explain_choice, score_wells
from helpers.hits.evidence import arm_means
from helpers.profiles import RECIPES
from helpers.profiles.selection import rows_by, scattered
from helpers.profiles.steps import MAD_SCALE
from helpers.publish.findings import recipe_price
from helpers.publish.projections import Projection
from helpers.publish.sentences import recipe_choice
from helpers.publish.words import count, listing, number, percent


def recipe_table(settings: dict) -> pd.DataFrame:
    """Return the recipes: recipe, what it does, settings it takes (with the values given, where there are any)."""
    rows = []
    for recipe in RECIPES.values():
        taken = [f"{name} = {settings[name]}" if name in settings else name for name in recipe.takes]
        rows.append((recipe.name, recipe.summary, ", ".join(taken) or "none"))
    return pd.DataFrame(rows, columns=["recipe", "what it does", "settings it takes"])


def settings_given(settings: dict) -> str:
    """Say which settings were changed for this page."""
    if not settings:
        return "On this page every recipe runs with its own settings."
    parts = [f"`{name}` = {value}" for name, value in settings.items()]
    return f"On this page the recipes run with {listing(parts)} where they take it, and else with their own settings."


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
    parts = [f"{name} has {count(plates[name], 'plate')}" for name in few]
    return f" Here {listing(parts)}."


def unusable(recipes: pd.DataFrame) -> str:
    """Say which recipes could not be used on this screen, and why; nothing if all could."""
    if "reason" not in recipes or not (recipes["reason"] != "").any():
        return ""
    lines = [f"- `{r.recipe}`: {r.reason}." for r in recipes[recipes["reason"] != ""].itertuples()]
    return "Recipes that could not be used on this screen:\n\n" + "\n".join(lines)


def choice(recipes: pd.DataFrame) -> str:
    """Say what the rule picks, at what price, how firmly, and what would change it."""
    text = recipe_choice(recipes)
    if recipes.empty or not recipes["selected"].any():
        return text
    names = sorted(recipes["recipe"].astype(str), key=len, reverse=True)
    lines = [line.replace("%", " %") for line in explain_choice(recipes)[1:]]
    bullets = "\n".join(f"- {_code_names(line, names)}" for line in lines)
    return f"{text} {recipe_price(recipes)}\n\nHow firm that is, and what would change it:\n\n{bullets}"


def recipe_of_the_pages(analysis) -> str:
    """Say which recipe pictures and results use, why it is not the rule's pick, and how to use that."""
    recipe, default = analysis.recipe, inspect.signature(type(analysis)).parameters["recipe"].default
    which = f"`{recipe}`"
    what = "It is the default"
    if recipe != default:
        which, what = f"here `{recipe}`", f"The default is `{default}`"
    text = (
        '**The recipe of the pages.** What this page shows as "after", and all results on the pages that follow, wait '
        f"for no rule: they use the recipe that the parameter `recipe` names, {which}. {what}, for two reasons: every "
        "step of it can be followed with simple arithmetic, and no result hangs on a rule that may answer otherwise on "
        "another screen."
    )
    table = analysis.recipes
    if table.empty or not table["selected"].any():
        return text
    picked = chosen(table)
    if picked == recipe:
        return f"{text} Here the rule's pick is the same recipe."
    own = table[table["recipe"] == recipe]
    return (
        f"{text} The rule's pick is another one, `{picked}`{_beside(table, own)}. To compute everything with the pick, "
        f"run `rxrx19 run -p recipe={picked}`, with whatever other parameters this page was given."
    )


def _beside(table: pd.DataFrame, own: pd.DataFrame) -> str:
    """Return, in brackets, what the rule's pick has before the recipe of the pages."""
    if own.empty:
        return ""
    own, best = own.iloc[0], table[table["selected"].astype(bool)].iloc[0]
    if own["reason"]:
        return f" (`{own['recipe']}` cannot be used on this screen)"
    parts = []
    if pd.notna(own["replicate_error"]) and pd.notna(best["replicate_error"]):
        parts.append(
            f"replicate error {number(best['replicate_error'], 2)} against {number(own['replicate_error'], 2)} axis "
            f"lengths with `{own['recipe']}`"
        )
    if own["excluded"]:
        parts.append(f"the rule does not consider `{own['recipe']}`: {own['excluded']}")
    return f" ({'; '.join(parts)})" if parts else ""


def _code_names(line: str, names: Sequence[str]) -> str:
    """Put the names of recipes in code type, each word at most once."""
    return " ".join(
        f"`{word.rstrip(';:,.')}`{word[len(word.rstrip(';:,.')) :]}" if word.rstrip(";:,.") in names else word
        for word in line.split(" ")
    )


def chosen(recipes: pd.DataFrame) -> str:
    """Return the name of the recipe that was selected, `raw` where none was."""
    if recipes.empty or not recipes["selected"].any():
        return "raw"
    return str(recipes.loc[recipes["selected"].astype(bool), "recipe"].iloc[0])


def against_truth(recipes: pd.DataFrame) -> str:
    """Say how far the pick is from the best recipe where the truth is known."""
    if recipes.empty or not recipes["selected"].any():
        return ""
    if "truth_rmse" not in recipes or recipes["truth_rmse"].isna().all():
        return "The truth of this screen is not known, so the pick cannot be checked against it."
    picked = recipes[recipes["selected"].astype(bool)].iloc[0]
    best = recipes.loc[recipes["truth_rmse"].idxmin()]
    text = (
        f"In this simulated screen the truth is known. The root mean square error of an arm's rescue is "
        f"{number(picked['truth_rmse'], 2)} with `{picked['recipe']}`, and its rank correlation with the truth "
        f"{number(picked['truth_rank'], 2)}"
    )
    raw = recipes[recipes["recipe"] == "raw"]
    if len(raw) and picked["recipe"] != "raw":
        text += f" (raw: {number(raw['truth_rmse'].iloc[0], 2)} and {number(raw['truth_rank'].iloc[0], 2)})"
    if best["recipe"] == picked["recipe"]:
        return f"{text}. No recipe compared comes closer."
    return f"{text}. The closest is `{best['recipe']}` with {number(best['truth_rmse'], 2)}."


def site_offsets(named: pd.DataFrame) -> str:
    """Say how well the number of a site is told from its embedding, and why recipes are not judged by it."""
    known = named.dropna(subset=["predictability"]) if len(named) else named
    if known.empty:
        return (
            "Sites of a well cannot be compared here: this screen has one number per well, or no embeddings."
        )
    parts = [
        f"{number(max(round(r.predictability, 2), 0.0), 2)} in {r.experiment}" for r in known.itertuples()
    ]
    return (
        f"*Site predictability*, on sites of held-out wells before they are averaged (0 = chance, 1 = always right): "
        f"{listing(parts)}. No recipe can change it, for a recipe moves and turns all sites of a plate alike; what "
        "takes a site's offset out of a well is the mean over its sites. Only a well that lacks a site keeps a part "
        "of it."
    )


# --- before and after --------------------------------------------------------------------------------------------


def scored_stages(analysis, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the scored wells under some recipes, name -> obs; a recipe that cannot be used here is left out."""
    tables = {}
    for name in dict.fromkeys((*names, analysis.recipe)):
        if name == analysis.recipe or not analysis.has("axis"):
            tables[name] = analysis.scored.obs
        else:
            with contextlib.suppress(DataError):  # the comparison table says why
                tables[name] = score_wells(analysis.normalize(name)).obs
    return tables


def shared_arms(obs: pd.DataFrame) -> pd.DataFrame:
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
        arms = shared_arms(obs)
        if len(arms):
            a, b = arms.columns[2:]
            size = len(arms)
            parts.append(f"{number(np.corrcoef(arms[a], arms[b])[0, 1], 2)} with `{name}`")
    if not parts:
        return "No two experiments of this screen share enough arms to compare."
    return (
        f"{count(size, 'arm')} {'was' if size == 1 else 'were'} tested in both {a} and {b}. The correlation of their "
        f"rescue is {listing(parts)}."
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


# --- rows and columns --------------------------------------------------------------------------------------------


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
