"""Small tables behind the sentences and figures of the pages: counts, doses, names, failures, truth."""

import difflib

import pandas as pd

from helpers.dose import RISING
from helpers.errors import UsageError
from helpers.figures.curves import curve_points
from helpers.figures.style import CONDITION_STYLE, natural_order, well_kind
from helpers.publish.show import HEADERS
from helpers.screens.layout import row_label

SCATTERED = "scattered"
KEYS = ["experiment", "treatment"]
EXAMPLE_RANK = {"active": 0, "partial": 1, "step": 1, "bell": 2, "above_range": 2, "below_range": 2}
"""Which class of curve makes the better example."""


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
    """Count compounds by the experiments they were tested in: experiments, n_compounds."""
    named = wells[wells["treatment"].notna()]
    where = named.groupby("treatment", observed=True)["experiment"].agg(
        lambda e: ", ".join(map(str, natural_order(e.astype(str))))
    )
    return where.value_counts().rename_axis("experiments").rename("n_compounds").reset_index()


def untreated_by_stage(analysis) -> dict[str, pd.DataFrame]:
    """Return the infected untreated wells, scored without normalisation and with the analysis' recipe."""
    stages = {"raw": analysis.raw_scored.obs} | {analysis.recipe: analysis.scored.obs}
    return {name: obs[(well_kind(obs) == "infected").to_numpy()] for name, obs in stages.items()}


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


def one_plate_by_recipe(tables: dict[str, pd.DataFrame], plates: str, recipe: str) -> pd.DataFrame:
    """Return the first of the chosen plates from raw embeddings and under a recipe, as if they were two plates."""
    parts = []
    for name in dict.fromkeys(("raw", recipe)):
        obs = choose_plates(tables[name], plates)
        one = obs[(obs["plate_id"] == obs["plate_id"].iloc[0]).to_numpy()]
        parts.append(one.assign(experiment=f"{name}:", plate_id=f"{name}_{one['plate_id'].iloc[0]}"))
    table = pd.concat(parts)
    order = [part["experiment"].iloc[0] for part in parts]
    table["experiment"] = pd.Categorical(table["experiment"], order, ordered=True)
    return table.set_axis(table["plate_id"].astype(str) + "_" + table["well"].astype(str))


SMALLEST_Q = 1e-6
"""Q-values below this rest on the shape of a fitted tail; tables to look things up in show this number instead."""


def _floored(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(q_value=table["q_value"].clip(lower=SMALLEST_Q)) if "q_value" in table else table


def hit_list(hits: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `hits.csv` that one looks a compound up for, with headings in words."""
    columns = ["treatment", "experiment", "call", "rank", "score", "score_low", "score_high", "rescue_max"]
    columns += ["dose_at_max_um", "off_disease", "q_value", "top_k_probability"]
    table = hits.sort_values(["experiment", "rank"])[[c for c in columns if c in hits]]
    table = _floored(table)
    return table.rename(columns=lambda name: HEADERS.get(name, name.replace("_", " ")))


def without_loose_limits(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves without the limits of an EC50 that is not given: they would only look like numbers."""
    limits = ["ec50_low_um", "ec50_high_um"]
    if not {"ec50_um", *limits} <= set(curves):
        return curves
    return curves.assign(**{name: curves[name].where(curves["ec50_um"].notna()) for name in limits})


def curve_list(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `dose_response.csv` that one looks a curve up for, with headings in words."""
    columns = [
        "treatment",
        "experiment",
        "curve_class",
        "ec50_censored",
        "ec50_um",
        "ec50_low_um",
        "ec50_high_um",
    ]
    columns += ["hill", "back", "relevance", "q_value", "n_points"]
    table = curves[[c for c in columns if c in curves]].assign(
        curve_class=curves["curve_class"].astype(str).str.replace("_", " ")
    )
    table = without_loose_limits(_floored(table))
    return table.rename(columns=lambda name: HEADERS.get(name, name.replace("_", " ")))


def fitted_points(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the wells that curves are fitted to: treated, with a dose, and good."""
    fine = scored["treatment"].notna() & scored["dose_um"].notna() & (scored["qc_flag"].astype(str) == "")
    columns = ["experiment", "treatment", "dose_um", "rescue"]
    return scored.loc[fine.to_numpy(), columns].astype({"experiment": str, "treatment": str})


def first_hit(hits: pd.DataFrame) -> tuple[str, str]:
    """Return experiment and treatment of the best compound: called `rescue` if any is, by score."""
    if hits.empty:
        return "", "No compound"
    order = hits.assign(called=hits["call"] == "rescue").sort_values(["called", "score"], ascending=False)
    return str(order["experiment"].iloc[0]), str(order["treatment"].iloc[0])


def choose_curves(curves: pd.DataFrame, compounds: str) -> pd.DataFrame:
    """Return the curves of the compounds a user asks for, in that order; none for an empty list.

    Raises
    ------
    UsageError
        If a compound has no curve in the screen; the line names close ones.
    """
    wanted = [name.strip() for name in compounds.split(",") if name.strip()]
    names = curves["treatment"].astype(str)
    parts = []
    for name in wanted:
        chosen = curves[(names.str.casefold() == name.casefold()).to_numpy()]
        if chosen.empty:
            near = difflib.get_close_matches(name, names.unique().tolist(), n=3, cutoff=0.4)
            valid = ", ".join(near or natural_order(names)[:5]) or "none"
            raise UsageError(f"parameter 'compounds': {name!r} has no curve in this screen; close: {valid}")
        parts.append(chosen)
    return pd.concat(parts) if parts else curves.head(0)


def strongest_curves(curves: pd.DataFrame, n: int, compounds: str = "") -> pd.DataFrame:
    """Return the curves a user asks for, then the `n` of highest relevance that rise with dose."""
    rising = curves[curves["curve_class"].isin(RISING)]
    rising = rising[rising["back"] > rising["front"]]
    best = rising.sort_values("relevance", ascending=False).head(n)
    both = pd.concat([choose_curves(curves, compounds), best])
    return both[~both.index.duplicated()]


def example_curve(curves: pd.DataFrame, compounds: str = "") -> pd.Series | None:
    """Return the curve to explain: the first asked for, else the most relevant active one, else any."""
    if curves.empty:
        return None
    asked = choose_curves(curves, compounds)
    if len(asked):
        return asked.iloc[0]
    rank = curves["curve_class"].map(EXAMPLE_RANK).fillna(3)
    return curves.assign(order=rank).sort_values(["order", "relevance"], ascending=[True, False]).iloc[0]


def one_of_each_class(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the most relevant curve of each class, in the order of the page's table."""
    order = [*RISING, "worsening", "toxic_top", "inactive", "not_fitted"]
    best = curves.sort_values("relevance", ascending=False, na_position="last").drop_duplicates("curve_class")
    rank = best["curve_class"].map({name: i for i, name in enumerate(order)})
    return best.assign(order=rank).sort_values("order").drop(columns="order")


def points_of(wells: pd.DataFrame, curve: pd.Series | None) -> pd.DataFrame:
    """Return the wells of a curve; none without one."""
    if curve is None:
        return wells.head(0)
    return curve_points(wells, curve["experiment"], curve["treatment"])


def plate_title(wells: pd.DataFrame) -> str:
    """Return the id of the plate of some wells, for the title of its map."""
    return str(wells["plate_id"].iloc[0])
