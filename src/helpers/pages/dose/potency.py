"""Potencies of a screen in words: compounds in two experiments, doses left out, coverage of the intervals."""

import itertools

import numpy as np
import pandas as pd

from helpers.dose import LOCATED
from helpers.pages.words import count, listing, name_code, number, percent
from helpers.screens.order import natural_order

NUMBERS = ["ec50_um", "ec50_low_um", "ec50_high_um"]
APART = 2.0
"""EC50s with and without toxic doses disagree if they differ by this factor or more."""
SHORT = 0.9
"""Coverage of 95 % intervals below which they are called too short."""


def shared_potencies(curves: pd.DataFrame) -> pd.DataFrame:
    """Return compounds whose EC50 has limits on both sides in two experiments, one row per pair of experiments.

    Returns
    -------
    DataFrame
        experiment_a, experiment_b, treatment and, with `_a` or `_b` behind, ec50_um, ec50_low_um, ec50_high_um.
    """
    columns = ["experiment_a", "experiment_b", "treatment", *(f"{n}_{s}" for s in "ab" for n in NUMBERS)]
    if curves.empty:
        return pd.DataFrame(columns=columns)
    limited = (
        curves[NUMBERS].notna().all(axis=1)
        & (curves["ec50_low_um"] > 0)
        & np.isfinite(curves["ec50_high_um"])
    )
    known = curves[curves["curve_class"].isin(LOCATED) & limited]
    tables = dict(list(known.groupby(known["experiment"].astype(str))))
    parts = [
        tables[a][["treatment", *NUMBERS]]
        .merge(tables[b][["treatment", *NUMBERS]], on="treatment", suffixes=("_a", "_b"))
        .assign(experiment_a=a, experiment_b=b)
        for a, b in itertools.combinations(natural_order(tables), 2)
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def say_shared(shared: pd.DataFrame) -> str:
    """Say how far EC50s of the same compound lie apart between experiments, beside their intervals."""
    if shared.empty:
        return "No compound has an EC50 with limits on both sides in two experiments of this screen."
    parts = []
    for (one, two), table in shared.groupby(["experiment_a", "experiment_b"], sort=False):
        fold = np.exp(np.abs(np.log(table["ec50_um_a"] / table["ec50_um_b"])).median())
        meet = (table["ec50_low_um_a"] <= table["ec50_high_um_b"]) & (
            table["ec50_low_um_b"] <= table["ec50_high_um_a"]
        )
        parts.append(
            f"{name_code(one)} and {name_code(two)}: {count(len(table), 'compound')}, the EC50s apart by a factor of "
            f"{number(fold, 2)} (median), intervals that overlap in {percent(meet.mean())}"
        )
    return f"Compounds with an EC50 in both experiments: {'; '.join(parts)}."


def toxic_tops(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves that have toxic doses, those first whose EC50 these change most.

    Returns
    -------
    DataFrame
        Of the curves that are not flat, with `fold`, by which the EC50s without and with toxic doses differ (missing
        where one of them has a limit on one side only), and `apart`, whether their intervals exclude each other.
    """
    if curves.empty or "n_toxic_doses" not in curves:
        return curves.head(0).assign(fold=pd.Series(dtype=float), apart=pd.Series(dtype=bool))
    table = curves[
        (curves["n_toxic_doses"] > 0).to_numpy() & (curves["curve_class"] != "inactive").to_numpy()
    ]
    limited = (
        (table["ec50_low_um"] > 0)
        & np.isfinite(table["ec50_high_um"])
        & (table["ec50_all_low_um"] > 0)
        & np.isfinite(table["ec50_all_high_um"])
    )
    fold = np.exp(np.abs(np.log(table["ec50_um"] / table["ec50_all_um"]))).where(limited)
    apart = (table["ec50_low_um"] > table["ec50_all_high_um"]) | (
        table["ec50_high_um"] < table["ec50_all_low_um"]
    )
    order = table.assign(fold=fold, apart=apart).sort_values(
        ["apart", "fold"], ascending=False, na_position="last", kind="stable"
    )
    return order


def say_toxic(curves: pd.DataFrame) -> str:
    """Say how many curves have doses that harm the cells, and what leaving them out changes."""
    if curves.empty or "n_toxic_doses" not in curves:
        return ""
    tops = toxic_tops(curves)
    n = int((curves["n_toxic_doses"] > 0).sum())
    if not n:
        return "At no dose does a compound of this screen harm cells so that it could be told."
    have = "has" if n == 1 else "have"
    text = f"{count(n, 'curve')} of {len(curves):,} {have} doses at the top that harm cells"
    top = curves["curve_class"] == "toxic_top"
    left = (curves["n_toxic_doses"] > 0) & (curves["n_dropped_doses"] > 0)
    fitted, alone, few = int((left & ~top).sum()), int((left & top).sum()), int((top & ~left).sum())
    text += f": {fitted:,} {'has' if fitted == 1 else 'have'} a curve without them"
    text += f", {alone:,} {'does' if alone == 1 else 'do'} nothing sure below them" if alone else ""
    text += f", {few:,} {'has' if few == 1 else 'have'} too few doses below" if few else ""
    text += " (these are called `toxic top`)" if alone or few else ""
    known = tops.dropna(subset=["fold"])
    if known.empty:
        return f"{text}."
    moved = known[known["fold"] >= APART]
    text += (
        f". Of {count(len(known), 'curve')} with an EC50 both ways, it would differ by a factor of {APART:g} or more "
        f"with them for {len(moved):,}"
    )
    if len(moved):
        names = [
            f"{name_code(row.treatment)} in {name_code(row.experiment)} ({number(row.fold, 2)}-fold)"
            for row in moved.sort_values("fold", ascending=False).head(4).itertuples()
        ]
        text += f" ({listing(names)}{' and others' if len(moved) > 4 else ''})"
    exclude = int(tops["apart"].sum())
    text += f"; for {exclude:,} in all the two intervals exclude each other" if exclude else ""
    return f"{text}. Both are in `dose_response.csv`."


def say_coverage(coverage: pd.DataFrame) -> str:
    """Say in what share of simulated curves each kind of interval holds the truth."""
    parts = []
    for noise, table in coverage.groupby("noise", sort=False):
        shares = [
            f"{percent(row.coverage)} of those with {row.interval} (ends a factor of {number(row.fold, 2)} apart)"
            for row in table.itertuples()
        ]
        parts.append(f"{noise.replace(chr(10), ' ')}: {listing(shares)}")
    text = f"Intervals that hold the true EC50, of those that promise 95 %: {'; '.join(parts)}."
    naive = coverage[coverage["interval"] == "wells as independent"].set_index("noise")
    plates = coverage[coverage["interval"] == "plates"].set_index("noise").reindex(naive.index)
    short = naive.index[naive["coverage"] < SHORT]
    wide = naive.index[(naive["coverage"] >= SHORT) & (naive["fold"] > 1.5 * plates["fold"])]
    if len(wide):
        text += (
            f" With {listing(_flat(wide))} wells as independent are the wider interval: every dose stands on every "
            "plate, so what plates add is in the residuals, though it could have been taken off."
        )
    if len(short):
        text += f" With {listing(_flat(short))} they are too short: more wells on a plate do not make it another plate."
    return text


def _flat(names: pd.Index) -> list[str]:
    return [name.replace(chr(10), " ") for name in names]
