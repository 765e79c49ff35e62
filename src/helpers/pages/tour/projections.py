"""Projections of a screen's wells as tables that a cache can hold, and what they show in words."""

import numpy as np
import pandas as pd

from helpers.pages.absent import NO_EMBEDDINGS
from helpers.pages.words import count, listing, number, percent
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order
from helpers.study.projections import Projection


def explained_by(components: pd.DataFrame, columns: tuple[str, ...] = ("experiment", "plate", "condition")):
    """Return how much of each principal component a column of the wells explains.

    The share is the one-way coefficient of determination: the variance between the means of the column's
    classes over the total variance, over wells that passed quality control. Shares of nested columns (a plate
    belongs to an experiment) overlap. A dose is compared among wells that have one.

    Returns
    -------
    DataFrame
        One row per component, one column per name of `columns` that has more than one class.
    """
    fine = components[(components["qc_flag"].astype(str) == "").to_numpy()]
    classes = {"experiment": fine["experiment"], "plate": fine["plate_id"], "condition": well_kind(fine)}
    names = [c for c in components if c.startswith("pc_")]
    table = {}
    for column in columns:
        groups = classes.get(column, fine.get(column))
        groups = groups[groups.notna()].astype(str)
        if len(groups.unique()) > 1:
            table[column.removesuffix("_um")] = [
                _between_share(fine.loc[groups.index, n], groups) for n in names
            ]
    return pd.DataFrame(table, index=pd.Index([n.replace("pc_", "PC ") for n in names], name="component"))


def explained_table(
    components: pd.DataFrame, columns: tuple[str, ...] = ("experiment", "plate", "condition")
):
    """Return, in percent, the variance each component holds and how much of it columns of the wells explain."""
    table = 100 * explained_by(components, columns)
    table = table.rename(columns=lambda column: f"explained by {column} (%)")
    table.insert(0, "share of variance (%)", 100 * np.array(components.attrs["explained"]))
    return table.round(1).reset_index()


def _between_share(values: pd.Series, groups: pd.Series) -> float:
    """Return the share of a variable's variance that lies between groups."""
    between = values.groupby(groups).transform("mean")
    total = float(np.var(values))
    return float(np.var(between) / total) if total > 0 else np.nan


def drawn_wells(projection: Projection) -> str:
    """Say how many wells a projection shows."""
    shown = len(projection.points)
    if shown == projection.n_wells:
        return f"All {count(shown, 'well')} are shown."
    return f"Of {count(projection.n_wells, 'well')}, {shown:,} drawn at random are shown."


def components_found(projection: Projection) -> str:
    """Say how much variance the first components hold, and what explains each of them."""
    explained = projection.points.attrs.get("explained", [])
    if not explained:
        return NO_EMBEDDINGS
    shares = [f"PC {i} holds {percent(share)}" for i, share in enumerate(explained[:2], start=1)]
    table = explained_by(projection.points)
    lines = []
    for component, row in table.head(2).iterrows():
        parts = [f"{percent(share)} by {column}" for column, share in row.items()]
        lines.append(f"{component} is explained {listing(parts)}")
    if {"experiment", "plate"} <= set(table):
        lines[-1] += (
            " (a plate belongs to one experiment, so plates explain at least as much as experiments do)"
        )
    fate = f" What the eye sees first is mostly {_strongest(table)}." if table.shape[1] > 1 else ""
    return f"{drawn_wells(projection)} Of the variance, {listing(shares)}. {'; '.join(lines)}.{fate}"


def _strongest(table: pd.DataFrame) -> str:
    """Return the column that explains the first component best; the coarser one of nested columns."""
    first = table.iloc[0]
    best = first.max()
    return next(str(column) for column, share in first.items() if share > 0.9 * best)


def neighbors_found(projection: Projection) -> str:
    """Say of what kind a well's neighbours are, beside what chance would give."""
    if not projection.points.attrs.get("explained"):
        return NO_EMBEDDINGS
    if projection.neighbors.empty:
        return "For a map of neighbours this screen has too few features or too few wells."
    parts = [
        f"{percent(row.share)} share its {row.column} (chance: {percent(row.chance)})"
        for row in projection.neighbors.itertuples()
    ]
    lift = projection.neighbors.set_index("column").eval("(share - chance) / (1 - chance)")
    # Plates are nested in experiments: of equally strong ones the finer one says more.
    first = lift[lift > 0.95 * lift.max()].index[-1]
    text = f"Of a well's nearest neighbours, {listing(parts)}"
    return f"{text}: beyond chance they go by {first} first of all." if len(lift) > 1 else f"{text}."


def variance_found(shares: pd.DataFrame) -> str:
    """Say what the variance between wells goes with, before and after normalisation."""
    if shares.empty:
        return NO_EMBEDDINGS
    recipes = list(dict.fromkeys(shares["recipe"]))
    parts = []
    for recipe in recipes:
        part = shares[shares["recipe"] == recipe].set_index("factor")["share"]
        technical = [
            f"{percent(part[name])} {name}" for name in ("experiment", "plate", "position") if name in part
        ]
        done = float(part.reindex(["condition", "arm"]).sum())
        parts.append(
            f"with `{recipe}`, {listing(technical)} (where and when), {percent(done)} condition and arm (what was "
            f"done), and {percent(part['well'])} single wells"
        )
    text = f"Of the variance between wells: {'; '.join(parts)}."
    return f"{text} {_change(shares, recipes)}".strip()


def _change(shares: pd.DataFrame, recipes: list[str]) -> str:
    """Say what normalisation did to the ratio of what was done to where and when."""
    if len(recipes) < 2:
        return ""
    ratios = []
    for recipe in (recipes[0], recipes[-1]):
        part = shares[shares["recipe"] == recipe].set_index("factor")["share"]
        done = float(part.reindex(["condition", "arm"]).sum())
        place = float(part.reindex(["experiment", "plate", "position"]).sum())
        ratios.append(done / place if place > 0 else np.inf)
    first, last = ("nothing of where and when" if np.isinf(r) else number(r, 2) for r in ratios)
    if np.isinf(ratios[1]):
        return (
            f"After normalisation {last} is left beside what was done; before, its ratio to that was {first}."
        )
    return f"The ratio of what was done to where and when goes from {first} to {last}."


def experiments_apart(projection: Projection) -> str:
    """Say how far experiments lie apart, in units of the disease: the islands of the figure in one number."""
    points = projection.points
    if not points.attrs.get("explained") or points["experiment"].nunique() < 2:
        return ""
    fine = points[(points["qc_flag"].astype(str) == "").to_numpy()]
    names = [n for n in ("pc_1", "pc_2") if n in fine]
    kind = well_kind(fine)
    disease, centres = [], []
    for experiment in natural_order(fine["experiment"].astype(str)):
        mine = fine["experiment"].astype(str) == experiment
        means = fine.loc[mine, names].groupby(kind[mine], observed=True).mean()
        centres.append(fine.loc[mine, names].mean().to_numpy())
        if {"mock", "infected"} <= set(means.index):
            disease.append(float(np.linalg.norm(means.loc["infected"] - means.loc["mock"])))
    apart = [np.linalg.norm(a - b) for i, a in enumerate(centres) for b in centres[:i]]
    if not disease or not np.mean(disease):
        return ""
    ratio = np.mean(apart) / np.mean(disease)
    return f"On these two axes experiments lie {number(ratio, 2)} times as far apart as mock and infected wells of one."
