"""The published scores on the page: what they say by themselves, and how a screen's own scores agree with them."""

import functools
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.classes import assign_classes, auc_interval, class_effects, shipped_classes
from helpers.hits.multiple import q_values
from helpers.hits.names import find_name, index_names
from helpers.hits.published import (
    find_published,
    identify,
    match_treatments,
    published_compounds,
    read_published,
)
from helpers.hits.reliability import duplicate_pairs, score_noise
from helpers.pages.hits.mechanism import treatments
from helpers.screens import facts

THRESHOLD = facts.PUBLISHED_HIT_THRESHOLD
OWN_COLUMNS = (
    "cells", "assay", "compound", "name", "treatment", "experiments", "published", "n_scores", "score", "call", "rank",
    "how",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """Published scores: the file (None where there is none), its rows and its compounds (see `hits.published`)."""

    path: Path | None
    rows: pd.DataFrame
    compounds: pd.DataFrame
    seed: int = 0

    @property
    def here(self) -> bool:
        """Whether there are scores."""
        return self.path is not None

    def of(self, cells: str) -> pd.DataFrame:
        """Return the compounds of one cell line."""
        return self.compounds[self.compounds["cells"] == cells]

    @functools.cached_property
    def noise(self) -> dict[str, dict]:
        """Noise of the scores of each cell line, see :func:`helpers.hits.reliability.score_noise`."""
        if not self.here:
            return {}
        pairs = duplicate_pairs(self.rows)
        return {
            cells: score_noise(pairs[pairs["cells"] == cells], self.of(cells), seed=self.seed)
            for cells in facts.CHEMBL_ASSAYS
            if len(self.of(cells))
        }


def load_published(published: str = "", *, seed: int = 0) -> Published:
    """Read the published scores.

    Parameters
    ----------
    published : str
        A file, or a folder that holds one; empty: the one that was fetched, if any.
    seed : int
        Of the intervals.

    Raises
    ------
    UsageError, DataError
        If what was named is not there, or is no table of scores.
    """
    path = find_published(published)
    if path is None:
        return Published(
            None, pd.DataFrame(), pd.DataFrame(columns=["cells", "compound", "name", "score"]), seed
        )
    rows = identify(read_published(path))
    return Published(path, rows, published_compounds(rows), seed)


def reported_scores() -> pd.DataFrame:
    """Return the scores that were reported one by one: cells, compound, reported."""
    pairs = [(cells, name, value) for cells, of in facts.PUBLISHED_HITS.items() for name, value in of.items()]
    return pd.DataFrame(pairs, columns=["cells", "compound", "reported"])


def hits_table(scores: Published) -> pd.DataFrame:
    """Return the published hits: cells, compound, published score, measurements, and the score that was reported.

    Where no scores are here, only what was reported: the scores above the threshold, in their order.
    """
    reported = reported_scores()
    if not scores.here:
        return reported[reported["reported"] > THRESHOLD].reset_index(drop=True)
    hits = scores.compounds[scores.compounds["score"] > THRESHOLD]
    table = hits.sort_values(["cells", "score"], ascending=[True, False], kind="stable", ignore_index=True)
    known = {
        cells: index_names(scores.of(cells).set_index("compound")["names"]) for cells in set(table["cells"])
    }
    reported["key"] = [find_name(r.compound, known.get(r.cells, {})) for r in reported.itertuples()]
    value = reported.dropna(subset=["key"]).set_index(["cells", "key"])["reported"]
    table["reported"] = value.reindex(pd.MultiIndex.from_frame(table[["cells", "compound"]])).to_numpy()
    shown = table[["cells", "name", "score", "n_scores", "reported"]]
    return shown.rename(columns={"name": "compound", "score": "published", "n_scores": "measurements"})


def reported_effects() -> pd.DataFrame:
    """Return the class effects that were reported, with what their AUC and sizes imply.

    An AUC is the statistic of the Mann-Whitney test over its largest value, so interval and p-value follow from it
    (here by the normal approximation).

    Returns
    -------
    DataFrame
        class, n_members, n_others, auc, auc_low, auc_high, p_value, q_value.
    """
    rows = []
    for name, (auc, m) in facts.CLASS_AUC.items():
        n = facts.COUNTS["treatment_strings"] - m
        low, high = auc_interval(auc, m, n)
        z = (auc - 0.5) / np.sqrt((m + n + 1) / (12 * m * n))
        rows.append((name, m, n, auc, low, high, 2 * stats.norm.sf(abs(z))))
    columns = ["class", "n_members", "n_others", "auc", "auc_low", "auc_high", "p_value"]
    table = pd.DataFrame(rows, columns=columns).sort_values("auc", ascending=False, ignore_index=True)
    return table.assign(q_value=q_values(table["p_value"]))


def published_effects(
    scores: Published, own: pd.DataFrame | None = None, cells: str = "HRCE"
) -> pd.DataFrame:
    """Test the shipped classes on the published scores.

    Parameters
    ----------
    scores : Published
        The published scores.
    own : DataFrame, optional
        The same on a measured screen's own scores (`mechanism.own_effects`), to stand beside them.
    cells : str
        The cell line; the other one has too few compounds.

    Returns
    -------
    DataFrame
        cells and the columns of :func:`helpers.hits.classes.class_effects`, auc_reported and n_reported (what was
        reported before), auc_own (of the screen, missing where it has none). Where no scores are here: those of
        `reported_effects`.
    """
    if scores.here and len(scores.of(cells)):
        table = scores.of(cells)
        members, _ = assign_classes(table.set_index("compound")["names"], shipped_classes())
        effects = class_effects(table, members)
    else:
        effects = reported_effects()
    reported = pd.DataFrame(facts.CLASS_AUC, index=["auc_reported", "n_reported"]).T.rename_axis("class")
    effects = effects.merge(reported.reset_index(), on="class", how="left").assign(cells=cells)
    effects["n_reported"] = effects["n_reported"].astype("Int64")
    # A twin's classes are invented: they stand beside nothing.
    if own is None or own.empty or "true_rescue" in own:
        return effects.assign(auc_own=np.nan)
    mine = own[own["cells"].str.upper() == cells].set_index("class")["auc"]
    return effects.assign(auc_own=effects["class"].map(mine).astype(float))


def two_cells(scores: Published) -> pd.DataFrame:
    """Return the compounds with a score in both cell lines: name, HRCE, VERO; where none are here, those reported."""
    table = scores.compounds
    if not scores.here:
        table = reported_scores().rename(columns={"reported": "score"})
        table["name"] = table["compound"]
    cells = ("HRCE", "VERO")
    both = pd.DataFrame(
        {c: table[table["cells"] == c].set_index("compound")["score"] for c in cells}
    ).dropna()
    name = table.drop_duplicates("compound").set_index("compound")["name"]
    # Reindexed first: a table without rows would take on those of a column that it is given.
    return both.assign(name=name.reindex(both.index)).reset_index()[["name", *cells]]


def compare_own(own: pd.DataFrame, wells: ad.AnnData, scores: Published) -> pd.DataFrame:
    """Lay a screen's own scores beside the published ones of the same compounds.

    A screen in HRCE or Vero cells is compared with the scores in these, any other with those in HRCE.

    Parameters
    ----------
    own : DataFrame
        The screen's own scores, from :func:`helpers.pages.hits.mechanism.own_scores`.
    wells : AnnData
        Its wells.
    scores : Published
        The published ones.

    Returns
    -------
    DataFrame
        One row per cell line and published compound: cells (of the screen), assay (cells of the published score),
        compound, name, treatment (joined where several are one compound), experiments, published, n_scores, score (mean
        over treatments), call, rank (share of compounds ranked higher), how (it was matched). No rows for a twin: no
        invented effect is laid beside a real drug's. `attrs["alone"]` lists the treatments without a published score,
        by cell line.
    """
    if not scores.here or own.empty or wells.uns["screen"]["kind"] == "twin":
        return pd.DataFrame(columns=list(OWN_COLUMNS))
    spelt, parts, alone = treatments(wells.obs), [], {}
    for cells, group in own.groupby("cells", sort=True):
        assay = cells.upper() if cells.upper() in facts.CHEMBL_ASSAYS else "HRCE"
        table = scores.of(assay)
        matched = match_treatments(spelt[spelt["treatment"].isin(group["treatment"])], table)
        joined = group.merge(matched, on="treatment")
        alone[cells] = sorted(set(group["treatment"]) - set(matched["treatment"]), key=str.casefold)
        by = joined.sort_values("treatment", kind="stable").groupby("compound", sort=True)
        merged = by.agg(score=("score", "mean"), rank=("rank", "mean"))
        for column in ("treatment", "experiments", "call", "how"):
            merged[column] = by[column].agg(lambda texts: ", ".join(dict.fromkeys(texts)))
        look = table.set_index("compound")[["name", "score", "n_scores"]].rename(
            columns={"score": "published"}
        )
        parts.append(merged.join(look).reset_index().assign(cells=cells, assay=assay))
    table = pd.concat(parts, ignore_index=True)[list(OWN_COLUMNS)]
    table.attrs["alone"] = alone
    return table
