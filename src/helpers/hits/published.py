"""The preprint's scores per compound, as ChEMBL gives them, and which compound of a screen each belongs to."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError, shorten
from helpers.files import cache_dir, home_path
from helpers.hits.lists import read_list
from helpers.hits.names import find_name, index_names, known_structures, parent_keys
from helpers.screens import facts
from helpers.screens.compounds import LONGEST_SMILES
from helpers.screens.locate import check_download
from helpers.screens.problems import plural

FETCH = "rxrx19 data fetch rxrx19a --what published"
FILE = "published.csv"

COLUMNS = {
    "assay": ("assay", "assay chembl id"),
    "molecule": ("molecule_chembl_id", "molecule chembl id"),
    "name": ("name", "molecule name", "molecule_pref_name"),
    "key": ("compound_key", "compound key"),
    "smiles": ("smiles", "canonical_smiles"),
    "score": ("score", "standard value", "standard_value"),
    "type": ("type", "standard type", "standard_type"),
    "comment": ("comment", "activity_comment"),
}
"""What a column is called in the file that is fetched, in an export of ChEMBL's web site, and in its web services."""

REQUIRED = ("assay", "molecule", "score")
SCORE_TYPE = "hit score"
_PAIR = re.compile(r"^\s*N\s*=\s*2\s*\(\s*([^,\s]+)\s*,\s*([^,\s]+)\s*\)\s*$")
_INCHIKEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
_FORM = "export the activities of the two assays from ChEMBL as CSV, or run"


def find_published(given: str = "") -> Path | None:
    """Return the file of published scores.

    Parameters
    ----------
    given : str
        A file, or a folder that holds one; empty: where the command fetches it to.

    Returns
    -------
    path : Path or None
        None where nothing was given and nothing was fetched.

    Raises
    ------
    UsageError
        If what was given is not there, or a folder holds no or several tables.
    DataError
        If what was fetched is not as it came.
    """
    if not given:
        path = cache_dir() / "rxrx19a" / FILE
        if not path.is_file():
            return None
        check_download(path, FETCH)
        return path
    path = home_path(given)
    if path.exists() and not path.is_dir():  # if it is no regular file, its reader says so
        return path
    tables = [path / FILE] if (path / FILE).is_file() else []
    if path.is_dir() and not tables:
        tables = sorted(p for p in path.iterdir() if p.suffix.lower() in (".csv", ".tsv") and p.is_file())
    if len(tables) == 1:
        return tables[0]
    if not path.exists():
        raise UsageError(f"parameter 'published': no file {path}; {_FORM} `{FETCH}`")
    what = ", ".join(p.name for p in tables[:4]) or "none"
    raise UsageError(
        f"parameter 'published': {path} must hold one CSV of scores, found {what}; name the file itself"
    )


def read_published(path: str | Path) -> pd.DataFrame:
    """Read published scores, from the file that is fetched or from an export of ChEMBL's web site.

    Parameters
    ----------
    path : str or Path
        CSV or TSV in UTF-8. Rows of other assays and of other kinds of results are left out.

    Returns
    -------
    DataFrame
        One row per score: cells (HRCE or VERO), molecule (ChEMBL id), name (as shown), names (tuple of all), smiles
        (None where there is none), score, n_scores (1 or 2 measurements), first and second (the two measurements where
        ChEMBL lists them, else missing).

    Raises
    ------
    DataError
        If the file is no such table; the message says which line of it.
    """
    path = Path(path)
    required = {name: COLUMNS[name] for name in REQUIRED}
    optional = {name: others for name, others in COLUMNS.items() if name not in REQUIRED}
    table = read_list(path, required, optional, f"{_FORM} `{FETCH}`")
    cells = table["assay"].map({assay: cells for cells, assay in facts.CHEMBL_ASSAYS.items()})
    kept = cells.notna() & (table["type"].str.casefold().isin([SCORE_TYPE, ""]) if "type" in table else True)
    if not kept.any():
        assays = " and ".join(facts.CHEMBL_ASSAYS.values())
        raise DataError(
            f"{path}: no hit score of {assays} in {plural(len(table), 'line')}; {_FORM} `{FETCH}`"
        )
    score = pd.to_numeric(table["score"], errors="coerce")
    bad = kept & ~np.isfinite(score)
    if bad.any():
        where, text = table.index[bad][0], table.loc[bad, "score"].iloc[0]
        raise DataError(
            f"{path}, line {where}: the score {shorten(text, 80)!r} is no number; export or fetch the file again"
        )
    rows = table.assign(cells=cells, score=score)[kept].reset_index(drop=True)
    unknown = (rows["molecule"] == "") & (rows.get("smiles", pd.Series("", index=rows.index)) == "")
    if unknown.any():
        where = table.index[kept][unknown][0]
        raise DataError(
            f"{path}, line {where}: neither a ChEMBL id nor a structure; export or fetch the file again"
        )
    _check_structures(path, rows, table.index[kept])
    return _with_pairs(_with_names(rows))


def _check_structures(path: Path, rows: pd.DataFrame, lines: pd.Index) -> None:
    """Refuse a row without a ChEMBL id whose structure tells no compound either: such rows would be one compound."""
    for row in np.flatnonzero(rows["molecule"] == ""):
        text = rows["smiles"].iloc[row]
        if parent_keys([text])[text] is None:
            reason = f"no ChEMBL id, and the structure {shorten(text, 80)!r} cannot be read"
            limit = (
                f"at most {LONGEST_SMILES:,} characters are" if len(text) > LONGEST_SMILES else "SMILES is"
            )
            raise DataError(
                f"{path}, line {lines[row]}: {reason} ({limit} allowed); add the id or correct it"
            )


def _with_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Add name (the one that is shown) and names; a compound without any goes by its ChEMBL id."""
    blank = pd.Series("", index=rows.index)
    drug, key = rows.get("name", blank), rows.get("key", blank)
    # ChEMBL writes drug names in capitals; codes such as GS-441524 keep them.
    shown = drug.where(~drug.str.fullmatch(r"[^\d]+"), drug.str.lower())
    rows["names"] = [tuple(n for n in pair if n) for pair in zip(key, drug, strict=True)]
    rows["name"] = shown.where(shown != "", key).where((shown != "") | (key != ""), rows["molecule"])
    smiles = rows.get("smiles", blank)
    rows["smiles"] = smiles.where(smiles != "", None)
    return rows


def _with_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Add first and second, the two measurements that a comment such as ``N=2 (0.9,0.8)`` lists."""
    comments = rows["comment"] if "comment" in rows else pd.Series("", index=rows.index)
    found = [_PAIR.match(text) for text in comments]
    for number, column in ((1, "first"), (2, "second")):
        rows[column] = pd.to_numeric(
            pd.Series([m and m[number] for m in found], dtype=object), errors="coerce"
        )
    rows["n_scores"] = np.where(rows[["first", "second"]].notna().all(axis=1), 2, 1)
    columns = ["cells", "molecule", "name", "names", "smiles", "score", "n_scores", "first", "second"]
    return rows[columns]


def identify(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with compound: the InChIKey of the parent structure, or where there is none the ChEMBL id."""
    compound = rows["smiles"].map(parent_keys(rows["smiles"].dropna()))
    return rows.assign(compound=compound.where(compound.notna(), rows["molecule"]))


def published_compounds(rows: pd.DataFrame) -> pd.DataFrame:
    """Take rows of one compound together: the same parent structure, or where there is none the same molecule.

    A few drugs were scored under two names, or as two salts.

    Parameters
    ----------
    rows : DataFrame
        From `read_published`, with the compound that `identify` adds or without.

    Returns
    -------
    DataFrame
        One row per cells and compound: cells, compound (InChIKey of the parent, or ChEMBL id), name, names (tuple),
        score (mean over the measurements), n_scores (how many measurements), n_rows (how many rows of ChEMBL's).
    """
    table = rows.copy() if "compound" in rows else identify(rows)
    table["total"] = table["score"] * table["n_scores"]
    # Of several names the first in the alphabet: the order of rows must not decide.
    table = table.sort_values(["cells", "compound", "name"], kind="stable")
    by = table.groupby(["cells", "compound"], sort=True)
    merged = by.agg(
        name=("name", "first"), total=("total", "sum"), n_scores=("n_scores", "sum"), n_rows=("score", "size")
    )
    merged["names"] = by["names"].agg(lambda found: tuple(sorted({n for names in found for n in names})))
    merged = merged.reset_index()
    known = merged["compound"].map(known_structures())
    nameless = known.notna() & (merged["names"].map(len) == 0)
    merged["name"] = merged["name"].mask(nameless, known)
    merged["names"] = [
        (*names, name) if isinstance(name, str) else names
        for names, name in zip(merged["names"], known, strict=True)
    ]
    merged["score"] = merged.pop("total") / merged["n_scores"]
    return merged


def match_treatments(treatments: pd.DataFrame, compounds: pd.DataFrame) -> pd.DataFrame:
    """Find the published compound of each treatment of a screen.

    First by the whole structure of the parent, then by name, then by the structure without its stereochemistry where
    only one compound on each side has it: the two sources differ in stereo centres that one of them leaves open.

    Parameters
    ----------
    treatments : DataFrame
        treatment, names (list of spellings), smiles (None where unknown), one row per treatment.
    compounds : DataFrame
        compound, names, of one or several cells.

    Returns
    -------
    DataFrame
        treatment, compound, how (`structure`, `name`, `structure without stereo`), for the treatments found.
    """
    known = set(compounds["compound"])
    names = compounds.groupby("compound")["names"].agg(lambda found: [n for names in found for n in names])
    index = index_names(names)
    keys = parent_keys(treatments["smiles"].dropna())
    own = treatments["smiles"].map(keys).astype(object)
    flat = _single(pd.Series([key for key in sorted(known) if _INCHIKEY.fullmatch(key)], dtype=object))
    single = _single(own.dropna().drop_duplicates())
    rows = []
    for treatment, spelt, key in zip(treatments["treatment"], treatments["names"], own, strict=True):
        by_name = next((hit for name in spelt if (hit := find_name(name, index)) is not None), None)
        skeleton = key[:14] if isinstance(key, str) else ""
        ways = {
            "structure": key if key in known else None,
            "name": by_name,
            "structure without stereo": flat.get(skeleton) if skeleton in single else None,
        }
        how = next((way for way, hit in ways.items() if hit is not None), None)
        if how:
            rows.append((treatment, ways[how], how))
    return pd.DataFrame(rows, columns=["treatment", "compound", "how"])


def _single(keys: pd.Series) -> dict[str, str]:
    """Return the key by its skeleton, of skeletons that one key has."""
    skeleton = keys.astype(str).str[:14]
    alone = ~skeleton.duplicated(keep=False)
    return dict(zip(skeleton[alone], keys[alone], strict=True))
