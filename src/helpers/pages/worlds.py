"""Where calls and curves hold, in tables and words: what was promised in each world, and what breaks first."""

import numpy as np
import pandas as pd

from helpers.dose.promises import ALL_PROMISES
from helpers.pages.words import count, listing, number, percent
from helpers.screens.twin.worlds import WORLDS

EXACT = ("calm", "busy", "bent")
"""Worlds in which 95 % of strong rescuers should be found; in the others 85 %."""
SPARE = 1.25
"""By so much the observed false discovery proportion may exceed its rate: what is counted is only close to it."""
PANELS = {
    "fdp_05": "false share of calls, rate 0.05",
    "called_without_actives": "called where nothing acts",
    "power_strong": "strong rescuers found",
    "coverage": "intervals that hold",
    "safe_dim": "dim wells harmless",
    "safe_low_cells": "low-cell wells harmless",
    "safe_odd": "odd wells harmless",
    "good_lost": "good wells lost",
    "near_best": "picked recipe near the best",
    "located": "strong rescuers with an EC50",
    "ec50_coverage": "EC50 intervals that hold",
    "harmful_coverage": "the same where doses harm",
    "toxic_named": "toxic compounds named",
}
WORDS = {
    "fdp_05": "the rate of false calls at 0.05",
    "fdp_10": "the rate of false calls at 0.1",
    "fdp_20": "the rate of false calls at 0.2",
    "called_without_actives": "the silence where nothing acts",
    "power_strong": "the strong rescuers",
    "coverage": "the intervals",
    "safe_dim": "dim wells",
    "safe_low_cells": "wells with too few cells",
    "safe_odd": "wells that failed in a direction of their own",
    "good_lost": "the sparing of good wells",
    "near_best": "the choice of the recipe",
    "located": "the strong rescuers with an EC50",
    "ec50_coverage": "the intervals of EC50",
    "harmful_coverage": "the intervals of EC50 of compounds that harm too",
    "toxic_named": "the naming of toxic compounds",
}
NOT_SHARES = ("ec50_error",)
"""What is counted in another unit than a share."""


def promised(world: str, promise: str) -> tuple[float, float]:
    """Return the lowest and the highest value that keep a promise in a world, nan where there is no such end."""
    if promise.startswith("fdp_"):
        return np.nan, SPARE * int(promise[-2:]) / 100
    ends = {
        "called_without_actives": (np.nan, 0.01),
        "power_strong": (0.95 if world in EXACT else 0.85, np.nan),
        "coverage": (0.92, 0.98),
        "safe_dim": (0.95, np.nan),
        "safe_low_cells": (0.8, np.nan),
        "safe_odd": (0.7, np.nan),
        "good_lost": (np.nan, 0.005),
        "near_best": (0.9, np.nan),
        "located": (0.8 if world == "busy" else np.nan, np.nan),
        "ec50_coverage": (0.92 if world == "busy" else 0.9, np.nan),
        "harmful_coverage": (0.85, np.nan),
        "toxic_named": (0.8 if world == "busy" else np.nan, np.nan),
    }
    return ends.get(promise, (np.nan, np.nan))


def judged(table: pd.DataFrame, *, all_panels: bool = False) -> pd.DataFrame:
    """Return what was counted beside what was promised.

    Parameters
    ----------
    table : DataFrame
        From :func:`helpers.dose.promises.judge_worlds`.
    all_panels : bool
        Keep also what has a panel and, in some world, no line: nothing was promised there, and `kept` is true.

    Returns
    -------
    DataFrame
        Of the promises that have a line: world, promise, value, se, low, high (the line), kept, room (how far within
        it lies, in shares of the line's distance from what nothing would give).
    """
    out = table[["world", "promise", "value", "se"]].copy()
    ends = [promised(world, promise) for world, promise in zip(out["world"], out["promise"], strict=True)]
    out["low"], out["high"] = np.array(ends, dtype=float).reshape(-1, 2).T
    lined = out["low"].notna() | out["high"].notna()
    out = out[lined | (all_panels & out["promise"].isin(PANELS))].reset_index(drop=True)
    below = (out["value"] - out["low"]) / (1 - out["low"])
    above = (out["high"] - out["value"]) / out["high"].where(out["promise"] != "coverage", 0.02)
    out["room"] = pd.concat([below, above], axis=1).min(axis=1)
    out["kept"] = ~(out["room"] < 0)
    return out


def world_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per promise and one column per world, each value with its simulation error."""
    unit = np.where(table["promise"].isin(NOT_SHARES), 1, 100)
    digits = np.where(unit == 1, 3, 1)
    text = [
        f"{scale * value:.{d}f}" + ("" if pd.isna(se) else f" ± {scale * se:.{d}f}")
        for value, se, scale, d in zip(table["value"], table["se"], unit, digits, strict=True)
    ]
    wide = table.assign(text=text).set_index(["promise", "world"])["text"].unstack("world")  # noqa: PD010
    wide = wide.reindex([name for name in ALL_PROMISES if name in wide.index])[
        [w for w in WORLDS if w in wide.columns]
    ]
    wide.index = [_counted(name) for name in wide.index]
    return wide.fillna("–").rename_axis(index="counted", columns=None).reset_index()


def _counted(promise: str) -> str:
    """Return what is counted, with its unit."""
    return ALL_PROMISES[promise] + ("" if promise in NOT_SHARES else " (%)")


def overview(table: pd.DataFrame, large: pd.DataFrame) -> str:
    """Say how many promises hold in the large study, which do not, and how much was counted on this page."""
    seeds, here = int(large["n_seeds"].max()), int(table["n_seeds"].max())
    found = judged(large)
    broken = found[~found["kept"]]
    text = (
        f"In the large study, with {count(seeds, 'simulated screen')} of each world, {found['kept'].sum():,} of "
        f"{len(found):,} promises were kept. "
    )
    if len(broken):
        names = [
            f"{WORDS[row.promise]} in `{row.world}` ({percent(row.value)})" for row in broken.itertuples()
        ]
        text += f"Not kept were {listing(names, 20)}. "
    return (
        f"{text}The page itself ran {count(here, 'screen')} of each world. One screen says little: it shows that the "
        "code does what the table says, not that the table is right."
    )


def breaks_first(table: pd.DataFrame) -> str:
    """Return a paragraph per world: what is different in it, why, and which promise has least room."""
    found = judged(table)
    parts = []
    for name, world in WORLDS.items():
        mine = found[found["world"] == name].sort_values("room", kind="stable")
        if mine.empty:
            continue
        parts.append(
            f"**`{name}`**: {world.summary}. {world.reason} {_first(mine.iloc[0])} {_missed(table, name)}".strip()
        )
    return "\n\n".join(parts)


def _first(row: pd.Series) -> str:
    line = (
        row["low"] if pd.notna(row["low"]) and (pd.isna(row["high"]) or row["value"] < 0.95) else row["high"]
    )
    state = "What breaks first" if not row["kept"] else "Nothing breaks; what has least room"
    return f"{state}: {WORDS[row['promise']]}, {percent(row['value'])} against a line of {percent(line)}."


def _missed(table: pd.DataFrame, world: str) -> str:
    """Say how many weak rescuers are missed, and how many curves get an EC50 or are called toxic."""
    mine = table[(table["world"] == world) & (table["promise"] == "power_medium")]
    if mine.empty:
        return ""
    weak = (
        f"Of compounds that rescue by a quarter to a half, {percent(float(mine['value'].iloc[0]))} are found."
    )
    value = table[table["world"] == world].set_index("promise")["value"]
    if not {"located", "toxic_named"} <= set(value.index):
        return weak
    return (
        f"{weak} Of those that rescue by half or more and do not harm, with an EC50 among the doses, "
        f"{percent(value['located'])} are given one; of those that only harm {percent(value['toxic_named'])} are "
        "called toxic."
    )


def unlike(table: pd.DataFrame) -> str:
    """Say what the worlds cannot speak for."""
    z = number(len(dict.fromkeys(table["world"])))
    return (
        f"All {z} worlds come from one generator. In none of them do compounds push each other's wells, does the "
        "disease have two directions, or are most compounds of a plate active. A screen that is like none of them may "
        "break what holds in all of them. Two things are known to: replicates that keep their well on every plate, so "
        "that position and compound cannot be told apart, and plates most of whose compounds act: where most plates "
        "are so, what these compounds share is taken for an error of all plates, and hides effects."
    )
