"""The design of a screen as small tables: counts, places of controls, doses, replicates, names."""

import pandas as pd

from helpers.figures.style import CONDITION_STYLE
from helpers.profiles.selection import well_kind
from helpers.screens.layout import row_label
from helpers.screens.order import natural_order

SCATTERED = "scattered"
KEYS = ["experiment", "treatment"]


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
    """Say in which rows and columns each kind of control stands.

    A position belongs to a control if it holds that control on at least half of the plates; a control is called
    scattered if most of its wells are elsewhere.

    Returns
    -------
    DataFrame
        One row per condition other than treated: condition, wells per plate (the median plate; ``54 to 206`` where
        experiments differ), rows (``E-H, Q-T``), columns, and how many of its wells lie elsewhere.
    """
    kind, plates = well_kind(wells), wells["plate_id"].nunique()
    records = []
    for name, mark in CONDITION_STYLE.items():
        chosen = wells[(kind == name).to_numpy()]
        if name == "treated" or chosen.empty:
            continue
        held = chosen.groupby(["row", "col"])["plate_id"].nunique()
        fixed = held[held >= plates / 2].reset_index()
        regular = fixed["plate_id"].sum() >= len(chosen) / 2 and len(fixed["col"].unique()) <= 12
        records.append(
            {
                "condition": mark.label,
                "wells per plate": _per_plate(chosen),
                "rows": _runs(sorted(fixed["row"].unique())) if regular else SCATTERED,
                "columns": ", ".join(map(str, sorted(fixed["col"].unique()))) if regular else SCATTERED,
                "wells elsewhere": len(chosen) - fixed["plate_id"].sum() if regular else len(chosen),
            }
        )
    return pd.DataFrame(records)


def _per_plate(chosen: pd.DataFrame) -> str:
    """Return the wells on the median plate, ``54 to 206`` where experiments differ."""
    counts = chosen.groupby(["experiment", "plate_id"], observed=True).size()
    medians = counts.groupby(level="experiment", observed=True).median()
    low, high = (f"{value:g}" for value in (medians.min(), medians.max()))
    return low if low == high else f"{low} to {high}"


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
    """Count compounds by the experiments they were tested in, as words: experiments, n_compounds."""
    counts = experiments_shared(wells)
    words = [", ".join(experiments) for experiments in counts]
    return pd.DataFrame({"experiments": words, "n_compounds": list(counts.values())})


def experiments_shared(wells: pd.DataFrame) -> dict[tuple[str, ...], int]:
    """Return how many compounds were tested in just these experiments, the commonest set first."""
    named = wells[wells["treatment"].notna()]
    where = named.groupby("treatment", observed=True)["experiment"].agg(
        lambda e: tuple(map(str, natural_order(e.astype(str))))
    )
    return {tuple(experiments): int(n) for experiments, n in where.value_counts().items()}


def untreated(obs: pd.DataFrame) -> pd.DataFrame:
    """Return the infected untreated wells."""
    return obs[(well_kind(obs) == "infected").to_numpy()]
