"""Small tables behind the sentences and figures of the pages: counts, doses, names, failures, truth."""

import itertools

import numpy as np
import pandas as pd

from helpers.errors import UsageError
from helpers.figures.style import CONDITION_STYLE, natural_order, well_kind
from helpers.screens.layout import row_label

KEYS = ["experiment", "treatment"]


def choose_plates(obs: pd.DataFrame, plates: str) -> pd.DataFrame:
    """Return the wells of the plates a user asks for.

    Parameters
    ----------
    obs : DataFrame
        Wells with experiment, plate and plate_id.
    plates : str
        ``all``, or a comma list of plates (``25``) or plate ids (``HRCE-1_25``).

    Raises
    ------
    UsageError
        If a plate is not in the screen; the line lists those that are.
    """
    if plates.strip() == "all":
        return obs
    wanted = [name.strip() for name in plates.split(",") if name.strip()]
    known = set(obs["plate"].astype(str)) | set(obs["plate_id"].astype(str))
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        valid = ", ".join(map(str, natural_order(obs["plate_id"].astype(str))[:60]))
        raise UsageError(
            f"parameter 'plates': no plate {', '.join(unknown) or '(empty)'}; valid: all, {valid}"
        )
    chosen = obs["plate"].astype(str).isin(wanted) | obs["plate_id"].astype(str).isin(wanted)
    return obs[chosen.to_numpy()]


def design_table(wells: pd.DataFrame) -> pd.DataFrame:
    """Count plates, compounds and wells of each kind, one row per experiment.

    Parameters
    ----------
    wells : DataFrame
        One row per well: experiment, plate, condition, treatment, n_sites.
    """
    grouped = wells.groupby(wells["experiment"].astype(str), sort=False)
    table = pd.DataFrame(
        {
            "cells": grouped["cell_type"].first() if "cell_type" in wells else "",
            "plates": grouped["plate"].nunique(),
            "compounds": grouped["treatment"].nunique(),
            "sites per well": grouped["n_sites"].median().astype(int),
            "wells": grouped.size(),
        }
    )
    kinds = pd.crosstab(wells["experiment"].astype(str), well_kind(wells).astype(str))
    for kind, mark in CONDITION_STYLE.items():
        table[mark.label] = kinds.get(kind, 0)
    table = table.reindex(natural_order(table.index))
    return table.rename_axis("experiment").reset_index()


def control_places(wells: pd.DataFrame) -> pd.DataFrame:
    """Say in which rows and columns each kind of control stands, over all plates.

    Returns
    -------
    DataFrame
        One row per condition other than treated: kind, wells per plate, rows (``E-H, Q-T``), columns.
    """
    kind, plates = well_kind(wells), wells["plate_id"].nunique()
    rows = []
    for name, mark in CONDITION_STYLE.items():
        chosen = wells[(kind == name).to_numpy()]
        if name == "treated" or chosen.empty:
            continue
        columns = sorted(chosen["col"].unique())
        text = ", ".join(f"{c:d}" for c in columns) if len(columns) <= 8 else f"{len(columns)} different ones"
        record = {"condition": mark.label, "wells per plate": round(len(chosen) / plates, 1)}
        rows.append({**record, "rows": _runs(sorted(chosen["row"].unique())), "columns": text})
    return pd.DataFrame(rows)


def _runs(numbers: list[int]) -> str:
    """Return row numbers as runs of letters: ``E-H, Q-T``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(row_label(a) if a == b else f"{row_label(a)}-{row_label(b)}" for a, b in runs)


def dose_sets(wells: pd.DataFrame) -> pd.DataFrame:
    """Count the compounds that were tested at each set of doses.

    Returns
    -------
    DataFrame
        One row per experiment x dose set, the commonest first: experiment, doses_um (tuple), n_doses,
        n_compounds.
    """
    treated = wells[wells["treatment"].notna() & wells["dose_um"].notna()]
    columns = ["experiment", "doses_um", "n_doses", "n_compounds"]
    if treated.empty:
        return pd.DataFrame(columns=columns)
    doses = treated.groupby(KEYS, observed=True)["dose_um"].agg(lambda d: tuple(sorted(set(d))))
    table = doses.rename("doses_um").reset_index().groupby(["experiment", "doses_um"], observed=True).size()
    table = table.rename("n_compounds").reset_index()
    table["experiment"] = table["experiment"].astype(str)
    table["n_doses"] = table["doses_um"].map(len)
    order = {name: i for i, name in enumerate(natural_order(table["experiment"]))}
    table["order"] = table["experiment"].map(order)
    table = table.sort_values(["order", "n_compounds"], ascending=[True, False])
    return table[columns].reset_index(drop=True)


def arm_sizes(wells: pd.DataFrame) -> pd.DataFrame:
    """Count wells and plates of every arm: experiment, treatment, dose_um, n_wells, n_plates."""
    treated = wells[wells["treatment"].notna() & (wells["condition"] == "infected")]
    grouped = treated.groupby([*KEYS, "dose_um"], observed=True, dropna=False)
    return grouped.agg(n_wells=("row", "size"), n_plates=("plate_id", "nunique")).reset_index()


def spellings(wells: pd.DataFrame) -> pd.DataFrame:
    """List treatments that the file spells in several ways.

    Returns
    -------
    DataFrame
        treatment, spellings (each with its number of wells), n_spellings; sorted by name.
    """
    named = wells[wells["treatment"].notna()]
    if named.empty or "treatment_raw" not in named:
        return pd.DataFrame(columns=["treatment", "spellings", "n_spellings"])
    counts = named.groupby(["treatment", "treatment_raw"], observed=True).size().rename("n").reset_index()
    counts = counts.sort_values("n", ascending=False)
    counts["text"] = counts["treatment_raw"].astype(str) + " (" + counts["n"].astype(str) + ")"
    table = counts.groupby("treatment", observed=True)["text"].agg(", ".join).rename("spellings").to_frame()
    table["n_spellings"] = counts.groupby("treatment", observed=True).size()
    return table[table["n_spellings"] > 1].sort_index().reset_index()


def shared_compounds(wells: pd.DataFrame) -> pd.DataFrame:
    """Count compounds by the experiments they were tested in: experiments, n_compounds."""
    named = wells[wells["treatment"].notna()]
    where = named.groupby("treatment", observed=True)["experiment"].agg(
        lambda e: ", ".join(map(str, natural_order(e.astype(str))))
    )
    return where.value_counts().rename_axis("experiments").rename("n_compounds").reset_index()


def failed_wells(wells: pd.DataFrame) -> pd.DataFrame:
    """Count flagged wells by kind: kind, wells, flagged, share."""
    kind = well_kind(wells).astype(str)
    flagged = (wells["qc_flag"].astype(str) != "").groupby(kind.to_numpy())
    table = pd.DataFrame({"wells": flagged.size(), "flagged": flagged.sum()})
    table = table.reindex([k for k in CONDITION_STYLE if k in table.index])
    table["share"] = table["flagged"] / table["wells"]
    table.index = [CONDITION_STYLE[k].label for k in table.index]
    return table.rename_axis("kind").reset_index()


def explained_by(components: pd.DataFrame, columns: tuple[str, ...] = ("experiment", "plate", "condition")):
    """Return how much of each principal component a column of the wells explains.

    The share is the one-way coefficient of determination: the variance between the means of the column's
    classes over the total variance, over wells that passed quality control. Shares of nested columns (a plate
    belongs to an experiment) overlap.

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
        groups = classes.get(column, fine.get(column)).astype(str)
        if len(groups.unique()) > 1:
            table[column] = [_between_share(fine[name], groups) for name in names]
    return pd.DataFrame(table, index=pd.Index([n.replace("pc_", "PC ") for n in names], name="component"))


def _between_share(values: pd.Series, groups: pd.Series) -> float:
    """Return the share of a variable's variance that lies between groups."""
    between = values.groupby(groups).transform("mean")
    total = float(np.var(values))
    return float(np.var(between) / total) if total > 0 else np.nan


def truth_of_arms(arms: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Put the twin's truth beside each arm: rescue_true, off_disease_true, kind.

    Names are matched without regard to case, doses to nine digits.
    """
    left, right = _keyed(arms, dose=True), _keyed(truth, dose=True)
    right = right.rename(columns={"rescue": "rescue_true", "off_disease": "off_disease_true"})
    columns = [c for c in ("rescue_true", "off_disease_true", "toxicity", "kind") if c in right]
    return left.merge(right[["key", *columns]], on="key", how="left").drop(columns="key")


def truth_of_compounds(table: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Put the twin's truth beside each compound (hits or curves).

    Returns
    -------
    DataFrame
        `table` with rescue_true (the highest over the tested doses), ec50_true_um, emax_true, hill_true, kind.
    """
    right = _keyed(truth)
    best = right.groupby("key").agg(
        rescue_true=("rescue", "max"),
        ec50_true_um=("ec50_um", "first"),
        emax_true=("emax", "first"),
        hill_true=("hill", "first"),
        kind=("kind", "first"),
    )
    return _keyed(table).merge(best, left_on="key", right_index=True, how="left").drop(columns="key")


def _keyed(table: pd.DataFrame, *, dose: bool = False) -> pd.DataFrame:
    """Return a copy with a key of experiment, lower-cased treatment and, on wish, dose."""
    key = table["experiment"].astype(str) + "|" + table["treatment"].astype(str).str.casefold()
    if dose:
        key = key + "|" + table["dose_um"].map("{:.9g}".format)
    return table.assign(key=key)


def truth_table(hits: pd.DataFrame, truth: pd.DataFrame, min_rescue: float) -> pd.DataFrame:
    """Count calls by the true rescue of the compounds.

    Returns
    -------
    DataFrame
        One row per class of true rescue (highest over the tested doses), one column per call.
    """
    joined = truth_of_compounds(hits, truth)
    edges = sorted({-np.inf, min_rescue, 0.25, 0.5, np.inf})
    names = [_range_name(a, b) for a, b in itertools.pairwise(edges)]
    group = pd.cut(joined["rescue_true"], edges, labels=names, right=False)
    table = pd.crosstab(group, joined["call"].astype(str))
    calls = ["rescue", "rescue_off_target", "toxic", "worsens", "inactive"]
    table = table.reindex(index=names[::-1], columns=calls, fill_value=0)
    table.insert(0, "compounds", table.sum(axis=1))
    return table.rename_axis(index="true rescue", columns=None).reset_index()


def _range_name(low: float, high: float) -> str:
    """Return ``0.25 to 0.5``, or the open end in words."""
    if not np.isfinite(low):
        return f"below {high:g}"
    return f"{low:g} or more" if not np.isfinite(high) else f"{low:g} to {high:g}"


def worst_plate(wells: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Return the wells of the plate with the lowest robust Z′, of the first plate where none is known."""
    known = quality.dropna(subset=["z_prime_robust"]) if len(quality) else quality
    if known.empty:
        return wells[(wells["plate_id"] == wells["plate_id"].iloc[0]).to_numpy()]
    worst = known.loc[known["z_prime_robust"].idxmin()]
    same = (wells["experiment"].astype(str) == str(worst["experiment"])) & (
        wells["plate"].astype(str) == str(worst["plate"])
    )
    return wells[same.to_numpy()]
