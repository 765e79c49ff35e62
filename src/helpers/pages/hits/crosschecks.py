"""Other ways of asking, in words: activity without an axis, other recipes and axes, another experiment."""

import numpy as np
import pandas as pd

from helpers.hits import CALLS, compound_activity
from helpers.hits.calls import SINGLE_PLATE
from helpers.pages.words import count, listing, name_code, number, percent

KEYS = ["experiment", "treatment"]
RETRIEVAL, ENERGY = "retrieval", "energy distance"
HOW = {RETRIEVAL: "by retrieval", ENERGY: "by energy distance"}


def activity_table(
    hits: pd.DataFrame, activity: pd.DataFrame, energy: pd.DataFrame, fdr: float
) -> pd.DataFrame:
    """Count, by call, the compounds that two tests without any axis find to differ from infected untreated wells.

    Parameters
    ----------
    hits : DataFrame
        `hits.csv`.
    activity, energy : DataFrame
        From `helpers.hits.activity_map` (by arm) and `helpers.hits.energy_test`; either may be empty.
    fdr : float
        A q-value up to this counts as active.

    Returns
    -------
    DataFrame
        One row per call that occurs: call, calls (how many), and for either test how many it could judge (`tested by
        ...`) and how many of these it found active (`active by ...`).
    """
    table = hits[[*KEYS, "call"]].astype(str)
    by_compound = compound_activity(activity) if len(activity) else activity
    names = {RETRIEVAL: by_compound, ENERGY: energy}
    for name, found in names.items():
        q = np.full(len(table), np.nan)
        if len(found):
            found = found.assign(**{key: found[key].astype(str) for key in KEYS}).set_index(KEYS)["q_value"]
            q = found.reindex(pd.MultiIndex.from_frame(table[KEYS])).to_numpy()
        table[name] = pd.Series(q <= fdr, dtype="Float64").mask(pd.isna(q)).to_numpy()
    grouped = table.groupby("call")
    out = pd.DataFrame({"calls": grouped.size()})
    for name in names:
        out[f"tested by {name}"] = grouped[name].count()
        out[f"active by {name}"] = grouped[name].sum().astype(int)
    return out.reindex([call for call in CALLS if call in out.index]).rename_axis("call").reset_index()


def changed_calls(hits: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Count compounds by their call on the page and under another recipe.

    Parameters
    ----------
    hits, other : DataFrame
        `hits.csv` of the page, and of the other recipe.

    Returns
    -------
    DataFrame
        One row per call of the page that occurs: call, and a column per call of the other recipe.
    """
    both = (
        hits[[*KEYS, "call"]]
        .astype(str)
        .merge(other[[*KEYS, "call"]].astype(str), on=KEYS, suffixes=("", "_other"))
    )
    table = pd.crosstab(both["call"], both["call_other"])
    present = [[call for call in CALLS if call in names] for names in (table.index, table.columns)]
    return table.reindex(index=present[0], columns=present[1]).rename_axis("call", columns=None).reset_index()


def say_changed(table: pd.DataFrame, recipe: str, other: str) -> str:
    """Say how many compounds another recipe calls otherwise."""
    if table.empty:
        return ""
    if recipe == other:
        return f"The recipe of this page is `{other}` itself."
    wide = table.set_index("call")
    n = int(wide.to_numpy().sum())
    same = sum(int(wide.loc[call, call]) for call in wide.index if call in wide.columns)
    rescues = [int(side.get("rescue", 0)) for side in (wide.sum(axis=1), wide.sum(axis=0))]
    return (
        f"With `{recipe}`, the recipe of this page, {n - same:,} of {count(n, 'compound')} get another call than with "
        f"`{other}` (rows: this page; columns: `{other}`). `rescue` is called {rescues[0]:,} times here and "
        f"{rescues[1]:,} times there."
    )


def say_activity(table: pd.DataFrame) -> str:
    """Say how far the tests without an axis agree with the calls."""
    tested = {name: f"tested by {name}" for name in HOW}
    if table.empty or not table[list(tested.values())].to_numpy().any():
        return "Activity without an axis cannot be tested: that needs embeddings, and compounds on several plates."
    rows = table.set_index("call")
    parts = []
    for call in ("rescue", "inactive"):
        row = rows.loc[call] if call in rows.index else dict.fromkeys(tested.values(), 0)
        shares = [
            f"{row[f'active by {name}']:,} of {row[column]:,} {HOW[name]}"
            for name, column in tested.items()
            if row[column]
        ]
        if shares:
            parts.append(f"of the compounds called `{call}` {listing(shares)}")
    missing = [HOW[name] for name, column in tested.items() if not rows[column].any()]
    lack = (
        f" Nothing can be told {listing(missing)} here: that needs arms on several plates, several features, and a "
        "recipe that leaves infected untreated wells as noisy as others (`sphering` and `tvn` are fitted to them)."
    )
    text = f"Found to differ from infected untreated wells, whatever the direction: {'; '.join(parts)}."
    return (
        f"{text} A compound that is active and `inactive` by call does something to the cells, but nothing on the "
        "disease axis that counts; one that is called `rescue` and not active should be looked at again."
        f"{lack if missing else ''}"
    )


def say_sensitivity(table: pd.DataFrame) -> str:
    """Say how much of the ranking stays under other recipes and axes, and which fits least."""
    known = table.dropna(subset=["spearman"]) if len(table) else table
    if known.empty:
        return "No other ranking could be made of this screen."
    other = known[known["spearman"] < 1 - 1e-9]
    if other.empty:
        return "There is nothing to compare with: only the ranking of this page could be made."
    worst = other.loc[other["spearman"].idxmin()]
    middle = other[["spearman", "top_k_overlap", "same_call"]].median()
    chance = other["top_k_expected"].agg(["min", "max"])
    luck = percent(chance["min"])
    if chance["max"] > chance["min"] + 0.005:
        luck = f"{luck} to {percent(chance['max'])}, more where fewer compounds were tested"
    text = (
        f"Over {count(len(other), 'other ranking')} the scores keep a rank correlation of "
        f"{number(middle['spearman'], 2)} "
        f"(median; {number(worst['spearman'], 2)} with `{worst['recipe']}` and the axis `{worst['axis']}` in "
        f"{name_code(worst['experiment'])}), {percent(middle['top_k_overlap'])} of the best stay among the best "
        f"(by chance {luck}), and {percent(middle['same_call'])} of the compounds keep their call (median; "
        f"{percent(other['same_call'].min())} in the ranking where fewest do)."
    )
    lost = (
        table[table["reason"].astype(str) != ""].drop_duplicates("recipe")
        if "reason" in table
        else table.head(0)
    )
    if len(lost):
        why = [f"`{row.recipe}` ({name_code(row.reason)})" for row in lost.itertuples()]
        text += f" Not possible here: {listing(why)}."
    return text


def say_experiments(agreement: pd.DataFrame) -> str:
    """Say how the rescue of shared arms agrees between experiments, beside what noise allows."""
    if agreement.empty:
        return "No two experiments of this screen share compounds at the same doses."
    parts = []
    for row in agreement.itertuples():
        name = f"{name_code(row.experiment_a)} and {name_code(row.experiment_b)}"
        if row.same_cells is not None and not pd.isna(row.same_cells):
            name += " (the same cells)" if row.same_cells else " (other cells)"
        shared = f"{count(row.n_compounds, 'compound')} at {count(row.n_arms, 'arm')}"
        if pd.isna(row.correlation):
            parts.append(f"{name}, {shared}: too few or too noisy to compare")
            continue
        text = f"{name}, {shared}: correlation {_with_interval(row, 'correlation')}"
        if pd.notna(row.ceiling):
            text += f", where noise would leave {number(row.ceiling, 2)} of perfect agreement"
        parts.append(f"{text}; slope {_with_interval(row, 'slope')}")
    return "Shared arms:\n\n" + "\n".join(f"- {part}." for part in parts)


def _with_interval(row, name: str) -> str:
    low, high = (getattr(row, f"{name}{end}") for end in ("_low", "_high"))
    text = f"**{number(getattr(row, name), 2)}**"
    return text if pd.isna(low) or pd.isna(high) else f"{text} ({number(low, 2)} to {number(high, 2)})"


def say_ranks(hits: pd.DataFrame, top_k: int) -> str:
    """Say which compounds would be among the best on other plates too."""
    known = hits.dropna(subset=["top_k_probability"]) if "top_k_probability" in hits else hits.head(0)
    if known.empty:
        return "How firm ranks are cannot be told: every compound stands on a single plate, or none could be scored."
    parts = []
    for experiment, group in known.groupby(known["experiment"].astype(str)):
        sure = int((group["top_k_probability"] >= 0.95).sum())
        open_ = int(((group["top_k_probability"] > 0.05) & (group["top_k_probability"] < 0.95)).sum())
        parts.append(
            f"{name_code(experiment)} {count(sure, 'compound')} ({open_:,} more between 5 % and 95 %)"
        )
    text = (
        f"Compounds with a chance of 95 % or more to be among the best {top_k}: {listing(parts)}. The rest of the list "
        "is the order of one draw of plates."
    )
    alone = hits[
        hits["top_k_probability"].isna() & hits["note"].astype(str).str.contains(SINGLE_PLATE, regex=False)
    ]
    if len(alone):
        text += (
            f" {len(alone):,} of {count(len(hits), 'result')} (a compound in an experiment) stand on one plate of "
            "their experiment only: how firm their ranks are cannot be told, and they are not drawn, however high they "
            "rank."
        )
    return text
