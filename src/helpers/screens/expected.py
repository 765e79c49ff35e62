"""What a copy of RxRx19a should hold, and what it does: expected, found and a verdict for every count that is known."""

from collections.abc import Callable

import pandas as pd

from helpers.screens.facts import CELL_TYPES, COUNTS, DOSE_SETS, DOSES, EXPERIMENTS

COLUMNS = ("quantity", "expected", "found", "verdict")
AGREES, DIFFERS, NOT_HERE = "agrees", "differs", "not in this selection"

DOSE_SET_PAIRS = {"six": 1_632, "eight": 59, "quarters": 3, "eight_high": 2, "six_low": 1}
"""[S] Pairs of compound and HRCE experiment that were given each set of doses."""

SPLIT_NAMES = "names split by letter case (about)"
LEEWAY = {SPLIT_NAMES: 3}
"""By how much a count may differ that is known only roughly."""

SYNONYMS = (("CAL-101", "Idelalisib"), ("1-deoxygalactonojirimycin", "Migalastat"))
"""[S] Drugs that the files of April and August 2020 spell differently; which file has which name is not known."""


def compare_counts(wells: pd.DataFrame) -> pd.DataFrame:
    """Compare the wells of RxRx19a with all that is known of their number.

    Parameters
    ----------
    wells : DataFrame
        One row per well: experiment, plate_id, condition, treatment_raw (as the file spells it), dose_um, n_sites.
        Counts over experiments that are not all there cannot be compared.

    Returns
    -------
    DataFrame
        quantity, expected, found (numbers; missing where not comparable) and verdict (`agrees`, `differs`,
        `not in this selection`).
    """
    here = set(wells["experiment"].astype(str))
    rows = []
    for quantity, expected, experiments, measure in _checks():
        found = (
            measure(wells[wells["experiment"].isin(experiments).to_numpy()])
            if here >= set(experiments)
            else None
        )
        rows.append((quantity, expected, found, _verdict(quantity, expected, found)))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"expected": "Int64", "found": "Int64"})


def _verdict(quantity: str, expected: int, found: int | None) -> str:
    if found is None:
        return NOT_HERE
    return AGREES if abs(found - expected) <= LEEWAY.get(quantity, 0) else DIFFERS


def _checks() -> list[tuple[str, int, tuple[str, ...], Callable[[pd.DataFrame], int]]]:
    """Return quantity, expected count, the experiments it is about, and what counts it."""
    return [*_sizes(), *_conditions(), *_compounds(), *_doses()]


def _sizes() -> list:
    rows = [
        ("sites", COUNTS["sites"], EXPERIMENTS, lambda w: int(w["n_sites"].sum())),
        ("wells", COUNTS["wells"], EXPERIMENTS, len),
        ("plates", sum(COUNTS["plates"].values()), EXPERIMENTS, lambda w: w["plate_id"].nunique()),
    ]
    for name in EXPERIMENTS:
        sites, plates = COUNTS["sites_per_experiment"][name], COUNTS["plates"][name]
        rows.append((f"sites of {name}", sites, (name,), lambda w: int(w["n_sites"].sum())))
        rows.append((f"plates of {name}", plates, (name,), lambda w: w["plate_id"].nunique()))
    usual = COUNTS["wells_per_plate"]
    full = sum(COUNTS["plates"].values())
    rows.append(
        (f"plates with {usual:,} wells", full, EXPERIMENTS, lambda w: int((_per_plate(w) == usual).sum()))
    )
    four = COUNTS["sites_per_well"]
    rows.append(
        (
            f"wells with {four} sites",
            COUNTS["wells"],
            EXPERIMENTS,
            lambda w: int((w["n_sites"] == four).sum()),
        )
    )
    return rows


def _conditions() -> list:
    rows = [
        (
            f"sites, {condition}",
            n,
            EXPERIMENTS,
            lambda w, c=condition: int(w["n_sites"][w["condition"] == c].sum()),
        )
        for condition, n in COUNTS["sites_per_condition"].items()
    ]
    hrce = _experiments("HRCE")
    for kind, n in COUNTS["hrce_wells"].items():
        rows.append((f"HRCE wells, {kind}", n, hrce, lambda w, k=kind: int(_is_kind(w, k).sum())))
    vero = COUNTS["vero_blank_wells"]
    rows.append(("Vero wells, blank", vero, _experiments("VERO"), lambda w: int(_is_kind(w, "blank").sum())))
    return rows


def _compounds() -> list:
    hrce, vero = _experiments("HRCE"), _experiments("VERO")
    groups = COUNTS["hrce_groups"]
    rows = [
        (
            "treatment strings",
            COUNTS["treatment_strings"],
            EXPERIMENTS,
            lambda w: w["treatment_raw"].nunique(),
        ),
        (SPLIT_NAMES, COUNTS["names_split_by_case"], EXPERIMENTS, _split_by_case),
        ("compounds of Vero", COUNTS["vero_compounds"], vero, lambda w: _lower(w).nunique()),
        ("compounds in both HRCE experiments", COUNTS["compounds_in_both_hrce"], hrce, _in_all),
        ("HRCE arms", sum(groups.values()), hrce, lambda w: len(_arms(w, _lower(w)))),
    ]
    rows += [
        (f"HRCE arms with {n} wells", count, hrce, lambda w, n=n: int((_arms(w, _lower(w)) == n).sum()))
        for n, count in groups.items()
    ]
    cased = COUNTS["hrce_groups_case_sensitive"]
    rows.append(
        ("HRCE arms, names as spelt", cased, hrce, lambda w: len(_arms(w, w["treatment_raw"].astype(str))))
    )
    return rows


def _doses() -> list:
    hrce = _experiments("HRCE")
    rows = [("dose levels", len(DOSES), EXPERIMENTS, lambda w: w["dose_um"].nunique())]
    for name, pairs in DOSE_SET_PAIRS.items():
        doses = DOSE_SETS[name]
        text = (
            f"HRCE pairs of compound and experiment at {len(doses)} doses, {doses[0]:g} to {doses[-1]:g} µM"
        )
        rows.append((text, pairs, hrce, lambda w, d=doses: int((_dose_sets(w) == d).sum())))
    return rows


def _experiments(cells: str) -> tuple[str, ...]:
    return tuple(name for name, kind in CELL_TYPES.items() if kind == cells)


def _per_plate(wells: pd.DataFrame) -> pd.Series:
    return wells.groupby("plate_id", observed=True).size()


def _lower(wells: pd.DataFrame) -> pd.Series:
    """Return treatments in lower case, as the counts of FACTS compare them."""
    return wells["treatment_raw"].astype(object).str.lower()


def _is_kind(wells: pd.DataFrame, kind: str) -> pd.Series:
    """Return which wells are treated, untreated (and infected), mock, uv or blank."""
    named = wells["treatment_raw"].notna()
    if kind == "treated":
        return named
    return (wells["condition"] == {"untreated": "infected"}.get(kind, kind)) & ~named


def _arms(wells: pd.DataFrame, names: pd.Series) -> pd.Series:
    """Return the number of wells of every treatment and dose, over experiments."""
    named = wells["treatment_raw"].notna()
    return wells[named].groupby([names[named], wells.loc[named, "dose_um"]]).size()


def _split_by_case(wells: pd.DataFrame) -> int:
    """Count names that are spelt in several letter cases."""
    spelt = pd.Series(wells["treatment_raw"].dropna().unique())
    return int((spelt.groupby(spelt.str.lower()).size() > 1).sum())


def _in_all(wells: pd.DataFrame) -> int:
    """Count compounds that stand in every experiment of a table."""
    experiments = wells["experiment"].astype(str)
    return int((experiments.groupby(_lower(wells)).nunique() == experiments.nunique()).sum())


def _dose_sets(wells: pd.DataFrame) -> pd.Series:
    """Return the doses of every treatment string in every experiment, as sorted tuples."""
    named = wells[wells["treatment_raw"].notna()]
    rows = named[["treatment_raw", "experiment", "dose_um"]].drop_duplicates().sort_values("dose_um")
    return rows.groupby(["treatment_raw", "experiment"], observed=True)["dose_um"].agg(tuple)


def find_synonyms(wells: pd.DataFrame) -> list[tuple[str, str, int, int]]:
    """Return each pair of known synonyms of which a screen has one, with the number of wells of either name."""
    counts = _lower(wells).value_counts()
    pairs = [(a, b, int(counts.get(a.lower(), 0)), int(counts.get(b.lower(), 0))) for a, b in SYNONYMS]
    return [pair for pair in pairs if pair[2] or pair[3]]
