"""Compounds of a screen: what each was given, how it is spelt, and which structures the files hold."""

import difflib

import pandas as pd

from helpers.errors import UsageError
from helpers.pages.words import count, listing, name_code, names_listed, number, percent
from helpers.screens.compounds import fold_name
from helpers.screens.expected import find_synonyms
from helpers.screens.order import natural_order

N_SHOWN = 6
"""Structures drawn where nobody asked for particular ones."""


def named_wells(wells: pd.DataFrame) -> pd.DataFrame:
    """Return the wells that got a compound, its names as plain text."""
    named = wells[wells["treatment"].notna().to_numpy()]
    names = [column for column in ("treatment", "treatment_raw") if column in named]
    return named.astype(dict.fromkeys(names, str))


def compound_table(wells: pd.DataFrame) -> pd.DataFrame:
    """Describe every compound of a screen.

    Parameters
    ----------
    wells : DataFrame
        One row per well: experiment, plate_id, treatment, treatment_raw, dose_um, smiles, qc_flag.

    Returns
    -------
    DataFrame
        One row per compound in the order of names: compound, experiments, doses (how many), lowest and highest dose
        (µM), arms, wells, plates, failed wells, structure (`yes` or `no`), also spelt.
    """
    named = named_wells(wells)
    columns = [
        "compound", "experiments", "doses", "lowest dose (µM)", "highest dose (µM)", "arms", "wells", "plates",
        "failed wells", "structure", "also spelt",
    ]  # fmt: skip
    if named.empty:
        return pd.DataFrame(columns=columns)
    by = named.groupby("treatment", observed=True)
    arms = named[["treatment", "experiment", "dose_um"]].drop_duplicates()
    table = pd.DataFrame(
        {
            "experiments": _joined(named, "experiment"),
            "doses": by["dose_um"].nunique(),
            "lowest dose (µM)": by["dose_um"].min(),
            "highest dose (µM)": by["dose_um"].max(),
            "arms": arms.groupby("treatment", observed=True).size(),
            "wells": by.size(),
            "plates": by["plate_id"].nunique(),
            "failed wells": (named["qc_flag"].astype(str) != "")
            .groupby(named["treatment"], observed=True)
            .sum(),
            "structure": _has_structure(named).map({True: "yes", False: "no"}),
        }
    )
    table["also spelt"] = _other_spellings(named).reindex(table.index).fillna("")
    table = table.rename_axis("compound").reset_index().astype({"compound": str})
    order = table["compound"].str.casefold().sort_values(kind="stable").index
    return table.loc[order, columns].reset_index(drop=True)


def _joined(named: pd.DataFrame, column: str) -> pd.Series:
    """Return the values of a column per compound, in natural order, as text."""
    pairs = named[["treatment", column]].drop_duplicates().astype({column: str})
    rank = {value: i for i, value in enumerate(natural_order(pairs[column]))}
    pairs = pairs.iloc[pairs[column].map(rank).argsort(kind="stable")]
    return pairs.groupby("treatment", observed=True)[column].agg(", ".join)


def _has_structure(named: pd.DataFrame) -> pd.Series:
    known = named["smiles"].notna() if "smiles" in named else pd.Series(False, index=named.index)
    return known.groupby(named["treatment"], observed=True).any()


def _other_spellings(named: pd.DataFrame) -> pd.Series:
    """Return the spellings in the file that differ from the name shown."""
    if "treatment_raw" not in named:
        return pd.Series(dtype=object)
    pairs = named[["treatment", "treatment_raw"]].drop_duplicates().astype({"treatment_raw": str})
    others = pairs[pairs["treatment_raw"] != pairs["treatment"].astype(str)].sort_values("treatment_raw")
    return others.groupby("treatment", observed=True)["treatment_raw"].agg(", ".join)


def choose_compounds(wells: pd.DataFrame, names: str = "", n: int = N_SHOWN) -> pd.DataFrame:
    """Return the compounds whose structures are drawn: treatment, smiles.

    Parameters
    ----------
    wells : DataFrame
        As in `compound_table`.
    names : str
        A comma list of treatments, case and known spellings aside; empty: those with most arms.
    n : int
        How many of those with most arms (of equals the first in the alphabet).

    Raises
    ------
    UsageError
        If a compound is not in the screen; the line names close ones.
    """
    named = named_wells(wells)
    if named.empty:
        return pd.DataFrame(columns=["treatment", "smiles"])
    wanted = [part.strip() for part in names.split(",") if part.strip()]
    chosen = [_find(named, name) for name in wanted] if wanted else _most_arms(named, n)
    return _with_structures(named, chosen)


def _with_structures(named: pd.DataFrame, chosen: list[str]) -> pd.DataFrame:
    smiles = named["smiles"] if "smiles" in named else pd.Series(None, index=named.index, dtype=object)
    first = smiles.astype(object).groupby(named["treatment"].astype(str)).first()
    return pd.DataFrame({"treatment": chosen, "smiles": [first.get(name) for name in chosen]})


def structures_of_hits(wells: pd.DataFrame, hits: pd.DataFrame, n: int = N_SHOWN) -> pd.DataFrame:
    """Return the compounds called `rescue` of highest score over all experiments, each once: treatment, smiles."""
    best = hits[(hits["call"] == "rescue").to_numpy()].sort_values(
        ["score", "treatment"], ascending=[False, True]
    )
    names = best["treatment"].astype(str).drop_duplicates().head(n)
    return _with_structures(named_wells(wells), names.tolist())


def _most_arms(named: pd.DataFrame, n: int) -> list[str]:
    table = compound_table(named).sort_values("arms", ascending=False, kind="stable")
    return table["compound"].head(n).tolist()


def _find(named: pd.DataFrame, name: str) -> str:
    """Return the display name of a compound given by any of its spellings."""
    spelt = named[["treatment", *(c for c in ("treatment_raw",) if c in named)]].drop_duplicates().astype(str)
    known = {fold_name(text): row.treatment for row in spelt.itertuples(index=False) for text in row}
    if fold_name(name) in known:
        return known[fold_name(name)]
    near = difflib.get_close_matches(fold_name(name), list(known), n=3, cutoff=0.4)
    valid = ", ".join(dict.fromkeys(known[text] for text in near)) or ", ".join(sorted(known.values())[:5])
    raise UsageError(f"parameter 'show_compounds': no compound {name!r} in this screen; close: {valid}")


def shown_compounds(wells: pd.DataFrame, names: str = "") -> str:
    """Say which structures are drawn, and why these."""
    chosen = choose_compounds(wells, names)
    if chosen.empty:
        return "No treatment is named in this screen."
    if names.strip():
        return f"Shown as asked for (`show_compounds`): {_names(chosen['treatment'])}."
    return (
        f"Nobody asked for particular compounds (`show_compounds`), so the {len(chosen)} with most arms are shown, of "
        f"equals the first in the alphabet: {_names(chosen['treatment'])}."
    )


def _names(values) -> str:
    return names_listed(values)


def replicates_table(wells: pd.DataFrame) -> pd.DataFrame:
    """Count replicates per compound, one row per experiment; numbers are medians, with their range."""
    named = named_wells(wells)
    rows = []
    for experiment in natural_order(named["experiment"].astype(str)):
        mine = named[(named["experiment"].astype(str) == experiment).to_numpy()]
        by = mine.groupby("treatment", observed=True)
        arms = mine.groupby(["treatment", "dose_um"], observed=True, dropna=False)
        rows.append(
            {
                "experiment": experiment,
                "compounds": mine["treatment"].nunique(),
                "doses per compound": _spread(by["dose_um"].nunique()),
                "wells per compound": _spread(by.size()),
                "wells per arm": _spread(arms.size()),
                "plates per compound": _spread(by["plate_id"].nunique()),
                "wells per arm and plate": _spread(_per_arm_and_plate(mine)),
            }
        )
    return pd.DataFrame(rows)


def _per_arm_and_plate(named: pd.DataFrame) -> pd.Series:
    return named.groupby(["treatment", "dose_um", "plate_id"], observed=True, dropna=False).size()


def _spread(values: pd.Series) -> str:
    """Return ``6 (2 to 12)``: the median, and the range where there is one."""
    low, middle, high = values.min(), values.median(), values.max()
    text = number(middle)
    return text if low == high else f"{text} ({number(low)} to {number(high)})"


def kept_positions(wells: pd.DataFrame) -> float:
    """Return the share of treated wells whose arm stands in the same well on another plate of the experiment.

    Missing where no arm stands on more than one plate.
    """
    keys = ["experiment", "treatment", "dose_um"]
    named = named_wells(wells)[[*keys, "plate_id", "row", "col"]]
    if named.empty:
        return float("nan")
    arms = named.groupby(keys, observed=True, dropna=False)["plate_id"].transform("nunique")
    several = named[(arms > 1).to_numpy()]
    if several.empty:
        return float("nan")
    plates = several.groupby([*keys, "row", "col"], observed=True, dropna=False)["plate_id"].transform(
        "nunique"
    )
    return float((plates > 1).mean())


def spread_over_plates(wells: pd.DataFrame) -> str:
    """Say whether replicates keep their well from plate to plate."""
    share = kept_positions(wells)
    if pd.isna(share):
        return "No arm stands on more than one plate, so a well and what stood in it cannot be told apart."
    text = f"Of the wells of arms that stand on several plates, {percent(share)} keep their well from plate to plate"
    if share < 0.05:
        return f"{text}, so an effect of position does not repeat with the compound."
    return (
        f"{text}: **an effect of position repeats with the compound**, and replicates do not average it out."
    )


def synonyms(wells: pd.DataFrame) -> pd.DataFrame:
    """List compounds that different names were found for, because the names share one structure.

    Returns
    -------
    DataFrame
        compound (the name shown), names (that differ in more than case, each with its number of wells, joined by `=`).
    """
    named = named_wells(wells)
    if named.empty or "treatment_raw" not in named:
        return pd.DataFrame(columns=["compound", "names"])
    counts = named.groupby(["treatment", "treatment_raw"], observed=True).size().rename("n").reset_index()
    counts["folded"] = counts["treatment_raw"].astype(str).map(fold_name)
    names = counts.groupby(["treatment", "folded"], observed=True)
    table = names.agg(n=("n", "sum"), text=("treatment_raw", "first")).reset_index()
    several = table[table.groupby("treatment", observed=True)["folded"].transform("size") > 1].copy()
    several["text"] = several["text"].astype(str) + " (" + several["n"].astype(str) + ")"
    several = several.sort_values("n", ascending=False, kind="stable")
    joined = several.groupby("treatment", observed=True)["text"].agg(" = ".join)
    return joined.rename_axis("compound").rename("names").reset_index().astype(str)


def structures_found(wells: pd.DataFrame) -> str:
    """Say how many compounds have a structure, which lack one, and which structures several names share."""
    table = compound_table(wells)
    if table.empty:
        return "No treatment is named in this screen."
    without = table.loc[table["structure"] == "no", "compound"]
    if len(without) == len(table):
        return "The files give no structures, so names can be compared by their letters only."
    parts = [
        f"Of {count(len(table), 'compound')}, {len(table) - len(without):,} have a structure in the files"
    ]
    if len(without):
        parts[0] += f"; {count(len(without), 'compound')} {_have(len(without))} none: {_names(without)}"
    same = synonyms(wells)["names"]
    if len(same):
        parts.append(
            f"{count(len(same), 'structure')} came under several names, which were joined (wells in brackets): "
            f"{names_listed(same)}"
        )
    else:
        parts.append("No structure came under two different names")
    shared = _still_shared(wells)
    if shared:
        parts.append(
            f"Left apart, although they share a structure, as one name has several: {listing(shared)}"
        )
    return ". ".join(parts) + "."


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


def _still_shared(wells: pd.DataFrame) -> list[str]:
    """Return groups of compounds that share a structure and were not joined."""
    pairs = named_wells(wells)[["treatment", "smiles"]].dropna().drop_duplicates().astype(str)
    groups = pairs.groupby("smiles")["treatment"].agg(
        lambda names: " and ".join(map(name_code, sorted(names)))
    )
    return groups[pairs.groupby("smiles").size() > 1].tolist()


def known_synonyms(wells: pd.DataFrame, kind: str) -> str:
    """Say which of the drugs that the two releases of RxRx19a spell differently are here; "" for other screens."""
    if kind != "rxrx19a":
        return ""
    parts = [
        f"{name_code(a)} ({count(n, 'well')}) and {name_code(b)} ({count(m, 'well')})"
        for a, b, n, m in find_synonyms(wells)
    ]
    text = "The files of April and August 2020 spell some drugs differently"
    return (
        f"{text}; of the known pairs this file has {listing(parts)}."
        if parts
        else f"{text}; none is in this file."
    )
