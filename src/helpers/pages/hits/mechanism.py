"""Mechanism classes on the page: which list applies, its effects on a screen's own scores, and what they say."""

from dataclasses import dataclass

import anndata as ad
import pandas as pd

from helpers.hits.classes import (
    COLUMNS,
    MIN_MEMBERS,
    align_scores,
    assign_classes,
    class_effects,
    read_class_list,
    shipped_classes,
)
from helpers.pages.truth import truth_of_compounds
from helpers.pages.words import count, listing, name_code, names_listed, number
from helpers.screens.provenance import screen_folder

SHIPPED = "the list that ships with this book"


@dataclass(frozen=True)
class Members:
    """Members of classes among a screen's treatments, the names of the list that the screen lacks, and the list."""

    table: pd.DataFrame
    unknown: list[str]
    origin: str
    n_listed: int


def find_members(wells: ad.AnnData, classes: str = "") -> Members:
    """Find the members of mechanism classes among a screen's treatments.

    Parameters
    ----------
    wells : AnnData
        Of the screen; `uns["screen"]` says where its files are.
    classes : str
        A CSV with the columns treatment and class; empty: ``classes.csv`` in the screen's folder (a twin has one), else
        the shipped list, but never for a twin, whose compounds are invented.

    Returns
    -------
    Members
        Its table has compound (the treatment) and class.

    Raises
    ------
    UsageError, DataError
        If the file is not there or is no such list.
    """
    folder = screen_folder(wells)
    beside = folder / "classes.csv" if folder else None
    if classes:
        listed, origin = read_class_list(classes), "the list given (`classes`)"
    elif beside is not None and beside.is_file():
        listed, origin = read_class_list(beside), "the list in the screen's folder"
    elif wells.uns["screen"]["kind"] == "twin":
        listed, origin = pd.DataFrame(columns=["treatment", "class"]), "no list"
    else:
        listed, origin = shipped_classes(), SHIPPED
    spelt = treatments(wells.obs).set_index("treatment")["names"]
    members, unknown = assign_classes(spelt, listed)
    return Members(members, unknown, origin, listed["treatment"].nunique())


def treatments(wells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per treatment of a screen: treatment, names (all its spellings), smiles (None where unknown)."""
    obs = wells[wells["treatment"].notna().to_numpy()]
    columns = [c for c in ("treatment", "treatment_raw", "smiles") if c in obs]
    pairs = obs[columns].drop_duplicates().astype(object)
    if "treatment_raw" not in pairs:
        pairs["treatment_raw"] = pairs["treatment"]
    if "smiles" not in pairs:
        pairs["smiles"] = None
    rows = []
    for treatment, group in pairs.groupby("treatment", sort=True):
        spelt = sorted({str(treatment), *group["treatment_raw"].dropna().astype(str)})
        known = sorted(group["smiles"].dropna().astype(str))
        rows.append((str(treatment), spelt, known[0] if known else None))
    return pd.DataFrame(rows, columns=["treatment", "names", "smiles"]).astype({"smiles": object})


def own_scores(hits: pd.DataFrame, obs: pd.DataFrame) -> pd.DataFrame:
    """Return a screen's scores as classes are tested on them, one row per cell line and treatment.

    Parameters
    ----------
    hits : DataFrame
        `hits.csv`.
    obs : DataFrame
        The screen's wells: experiment, treatment, plate_id, cell_type where it names one.

    Returns
    -------
    DataFrame
        cells, treatment, score (of `hits.csv`), aligned (the score relative to the median of the compounds that stand
        on the same plates), call, rank (share of the experiment's compounds that rank higher, 0 to 1), experiments. Of
        several experiments the means, and calls and names joined.
    """
    columns = ["cells", "treatment", "score", "aligned", "call", "rank", "experiments"]
    if hits.empty:
        return pd.DataFrame(columns=columns)
    table = hits[["experiment", "treatment", "score", "call", "rank"]].astype(
        {"experiment": str, "treatment": str}
    )
    table = table.dropna(subset=["score"])
    table["cells"] = table["experiment"].map(cell_lines(obs))
    sets, numbers = _plate_sets(obs), {}
    pairs = table[["experiment", "treatment"]].itertuples(index=False, name=None)
    together = [numbers.setdefault((pair[0], sets.get(pair)), len(numbers)) for pair in pairs]
    table["aligned"] = align_scores(table["score"], pd.Series(together, table.index), table["experiment"])
    size = table.groupby("experiment")["rank"].transform("size")
    table["rank"] = (table.groupby("experiment")["rank"].rank() - 1) / (size - 1).clip(lower=1)
    table = table.sort_values(["cells", "treatment", "experiment"], kind="stable")
    by = table.groupby(["cells", "treatment"], sort=True)
    return by.agg(
        score=("score", "mean"),
        aligned=("aligned", "mean"),
        call=("call", lambda calls: ", ".join(dict.fromkeys(calls.astype(str)))),
        rank=("rank", "mean"),
        experiments=("experiment", ", ".join),
    ).reset_index()[columns]


def cell_lines(obs: pd.DataFrame) -> dict[str, str]:
    """Return the cell line of each experiment; where a screen names none, the experiment stands for it."""
    experiment = obs["experiment"].astype(str)
    cells = (
        obs["cell_type"].astype(object)
        if "cell_type" in obs
        else pd.Series(None, index=obs.index, dtype=object)
    )
    first = cells.groupby(experiment).first()
    return {name: str(value) if pd.notna(value) and str(value) else name for name, value in first.items()}


def _plate_sets(obs: pd.DataFrame) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the plates that each (experiment, treatment) stands on, in order."""
    named = obs.loc[obs["treatment"].notna().to_numpy(), ["experiment", "treatment", "plate_id"]].astype(str)
    pairs = named.drop_duplicates().sort_values(["experiment", "treatment", "plate_id"])
    return {key: tuple(group) for key, group in pairs.groupby(["experiment", "treatment"])["plate_id"]}


def own_effects(
    hits: pd.DataFrame, obs: pd.DataFrame, members: Members, truth: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Test every class on a screen's own scores, in each cell line by itself.

    Parameters
    ----------
    hits, obs : DataFrame
        As in :func:`own_scores`.
    members : Members
        From :func:`find_members`.
    truth : DataFrame, optional
        Of a twin.

    Returns
    -------
    DataFrame
        cells and the columns of :func:`helpers.hits.classes.class_effects`; for a twin also true_rescue, the mean over
        the members of their true rescue of largest size, up or down, over the doses. No rows without scores or members.
    """
    scores, parts = own_scores(hits, obs), []
    for cells, group in scores.groupby("cells", sort=True):
        table = group.rename(columns={"treatment": "compound"}).drop(columns="score")
        effects = class_effects(table.rename(columns={"aligned": "score"}), members.table)
        parts.append(effects.assign(cells=cells))
    known = [part for part in parts if len(part)]
    if not known:
        return pd.DataFrame(columns=["cells", *COLUMNS])
    effects = pd.concat(known, ignore_index=True)[["cells", *COLUMNS]]
    if truth is None:
        return effects
    known = truth_of_compounds(hits, truth).astype({"experiment": str, "treatment": str})
    return _with_truth(effects, known.assign(cells=known["experiment"].map(cell_lines(obs))), members)


def _with_truth(effects: pd.DataFrame, known: pd.DataFrame, members: Members) -> pd.DataFrame:
    """Add the mean true rescue of each class."""
    known = known.assign(rescue_true=known["strongest_true"])
    joined = known.merge(members.table.astype({"compound": str}), left_on="treatment", right_on="compound")
    mean = joined.groupby(["cells", "class"])["rescue_true"].mean()
    keys = pd.MultiIndex.from_frame(effects[["cells", "class"]].astype(str))
    return effects.assign(true_rescue=mean.reindex(keys).to_numpy())


def say_members(members: Members) -> str:
    """Say which list of classes was used, who its members are here, and which of its names the screen lacks."""
    if not members.n_listed:
        return "This simulated screen has no list of classes; `classes` names one."
    n = members.table["compound"].nunique()
    text = (
        f"From {members.origin}, {count(n, 'treatment')} of this screen {'is' if n == 1 else 'are'} in "
        f"{count(members.table['class'].nunique(), 'class', 'classes')}."
    )
    if members.unknown and members.origin == SHIPPED:
        text += f" The other {count(len(members.unknown), 'name')} of the list are not in this screen."
    elif members.unknown:
        named = names_listed(members.unknown, 12)
        verb = "is" if len(members.unknown) == 1 else "are"
        text += f" {count(len(members.unknown), 'name')} of the list {verb} not in this screen: {named}."
    return text


def say_effects(effects: pd.DataFrame, fdr: float) -> str:
    """Say which classes score otherwise than the rest, by cell line, and which are too small to tell."""
    if effects.empty:
        return "No class can be tested: this screen has no scores, or none of its compounds is in a class."
    parts = []
    for cells, group in effects.groupby("cells", sort=True):
        tested = group.dropna(subset=["p_value"])
        found = tested[tested["q_value"] <= fdr]
        verdict = _directions(found) if len(found) else "none can be told from the other compounds"
        text = f"of {count(len(tested), 'class', 'classes')} tested, {verdict}."
        parts.append(f"**{name_code(cells)}**: {text if len(tested) else 'no class has enough members.'}")
        small = group[group["p_value"].isna()]
        if len(small):
            named = listing((f"{name_code(r['class'])} ({r['n_members']})" for _, r in small.iterrows()), 8)
            parts[-1] += f" Fewer than {MIN_MEMBERS} scored, so not tested: {named}."
    return "\n\n".join(parts)


def _directions(found: pd.DataFrame) -> str:
    """Return the classes found as text, those that score higher first."""
    words = []
    for chosen, way in ((found["auc"] > 0.5, "higher"), (found["auc"] < 0.5, "lower")):
        rows = found[chosen].sort_values("q_value", kind="stable")
        if len(rows):
            named = [f"{name_code(r['class'])} (AUC {number(r['auc'])})" for _, r in rows.iterrows()]
            words.append(f"{listing(named, 12)} score {way}")
    return "; ".join(words)
