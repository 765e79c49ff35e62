"""Which treatment strings are one compound: by name without regard to case, and by structure."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import shorten
from helpers.screens.problems import listed, plural

if TYPE_CHECKING:
    from rdkit.Chem import Mol

LONGEST_SMILES = 4_000
"""Characters; ChEMBL keeps no longer ones, and RDKit takes minutes or all memory for some of 100,000."""

MOST_ATOMS = 999
"""Heavy atoms; an InChI has at most 1,023 atoms."""


def parse_smiles(text: str) -> "Mol | None":
    """Return the molecule of a SMILES, None if it cannot be read or is larger than any compound.

    A CXSMILES tail (a blank, then ``|...|``) is cut first: it repeats what the SMILES says or holds
    coordinates. RDKit logs every structure that it cannot parse to stderr; it is kept silent.

    Parameters
    ----------
    text : str
        At most `LONGEST_SMILES` characters without its tail, of at most `MOST_ATOMS` heavy atoms.

    Examples
    --------
    >>> parse_smiles("CCO").GetNumAtoms(), parse_smiles("C" * 5000) is None
    (3, True)
    """
    molecule = _molecule(text)
    return molecule if molecule is not None and molecule.GetNumHeavyAtoms() <= MOST_ATOMS else None


def _molecule(text: str) -> "Mol | None":
    from rdkit import Chem, rdBase

    bare = (text.split() or [""])[0]
    if not bare or len(bare) > LONGEST_SMILES or not bare.isascii():
        return None
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(bare)


def canonical_smiles(smiles: Iterable[str | None]) -> dict[str, str | None]:
    """Return the RDKit canonical SMILES of each distinct structure, None where `parse_smiles` returns none.

    Parameters
    ----------
    smiles : iterable of str or None
        Structures in any notation of SMILES; missing and empty ones are passed over.

    Returns
    -------
    dict
        Structure as given -> canonical SMILES, or None.

    Examples
    --------
    >>> found = canonical_smiles(["OCC", "C(C)O", "C("])
    >>> found["OCC"], found["C(C)O"], found["C("]
    ('CCO', 'CCO', None)
    """
    from rdkit import Chem

    canonical: dict[str, str | None] = {}
    for text in {s for s in smiles if isinstance(s, str) and s.strip()}:
        molecule = parse_smiles(text)
        canonical[text] = Chem.MolToSmiles(molecule) if molecule is not None else None
    return canonical


def fold_name(name: str) -> str:
    """Return what two spellings of one name share: Unicode NFC, single blanks, no case.

    >>> fold_name("Β-Estradiol 17-Acetate ") == fold_name("β-estradiol  17-acetate")
    True
    """
    # Folding can undo the composition, hence NFC again.
    return unicodedata.normalize("NFC", _composed(name).casefold())


def _composed(name: str) -> str:
    """Return a name in Unicode NFC with single blanks."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def match_compounds(spellings: pd.DataFrame, *, by: str = "structure") -> tuple[pd.DataFrame, list[str]]:
    """Group spellings into compounds and choose the name that each is shown by.

    Spellings are one compound if their names differ in case only. Different names are one compound if each
    has exactly one structure and that is the same; a name that comes with several structures is merged with
    no other.

    Parameters
    ----------
    spellings : DataFrame
        One row per distinct pair: `treatment` and `smiles` as in the file (`smiles` may be missing), and
        `n_wells`, how many wells have it.
    by : str
        `structure`, or `name`: different names stay different compounds, whatever their structures.

    Returns
    -------
    compounds : DataFrame
        `treatment` and `smiles` as given, `name` (the most frequent spelling; of equals the first in the
        alphabet) and `structure` (canonical SMILES; where a row has none, that of its compound).
    notes : list of str
        What was merged, and which structures are missing or cannot be parsed.

    Examples
    --------
    >>> import pandas as pd
    >>> spellings = pd.DataFrame(
    ...     {"treatment": ["Ethanol", "ethanol", "alcohol"], "smiles": ["CCO", "CCO", "OCC"], "n_wells": [4, 2, 2]}
    ... )
    >>> compounds, notes = match_compounds(spellings)
    >>> compounds["name"].tolist()
    ['Ethanol', 'Ethanol', 'Ethanol']
    >>> len(notes)
    2
    """
    rows = spellings.copy()
    canonical = canonical_smiles(rows["smiles"])
    rows["structure"] = [canonical.get(s) if isinstance(s, str) else None for s in rows["smiles"]]
    rows["folded"] = rows["treatment"].map(fold_name)
    structure = _sole_structure(rows)
    rows["group"] = rows["folded"].map(
        lambda name: (0, structure[name]) if by == "structure" and name in structure else (1, name)
    )
    rows["spelled"] = rows["treatment"].map(_composed)
    rows["name"] = rows["group"].map(_most_frequent(rows, "group"))
    fill = rows["folded"].map(structure)
    rows["structure"] = rows["structure"].where(rows["structure"].notna(), fill)
    unreadable = {smiles for smiles, found in canonical.items() if found is None}
    notes = (
        _notes_on_names(rows)
        + (_notes_on_twins(rows, structure) if by == "name" else [])
        + _notes_on_structures(rows, unreadable)
    )
    return rows[["treatment", "smiles", "name", "structure"]], notes


def _sole_structure(rows: pd.DataFrame) -> dict[str, str]:
    """Return the structure of each folded name that has exactly one."""
    found = defaultdict(set)
    for name, structure in zip(rows["folded"], rows["structure"], strict=True):
        if structure is not None:
            found[name].add(structure)
    return {name: next(iter(structures)) for name, structures in found.items() if len(structures) == 1}


def _most_frequent(rows: pd.DataFrame, by: str) -> pd.Series:
    """Return the spelling that most wells of each group have; of equals the first in the alphabet."""
    wells = rows.groupby([by, "spelled"])["n_wells"].sum().reset_index()
    wells["alphabet"] = wells["spelled"].map(str.casefold)
    wells = wells.sort_values(["n_wells", "alphabet", "spelled"], ascending=[False, True, True])
    return wells.drop_duplicates(by).set_index(by)["spelled"]


def _notes_on_names(rows: pd.DataFrame) -> list[str]:
    notes = []
    spelled = rows.groupby("folded")["treatment"].agg(lambda names: sorted(set(names)))
    split = [names for names in spelled if len(names) > 1]
    if split:
        pairs = listed([" = ".join(names) for names in split], 3)
        notes.append(
            f"{plural(len(split), 'treatment')} written in several letter cases, taken as one: {pairs}"
        )
    merged = rows.groupby("name")["folded"].nunique()
    spelling = _most_frequent(rows, "folded")
    for name in sorted(merged.index[merged > 1], key=str.casefold):
        names = spelling[rows.loc[rows["name"] == name, "folded"].unique()]
        others = listed(sorted(n for n in names if n != name), len(names))
        notes.append(f"treatments {others} and '{name}' share one structure: one compound, shown as '{name}'")
    return notes


def _notes_on_twins(rows: pd.DataFrame, structure: dict[str, str]) -> list[str]:
    """Return which names share a structure and were kept apart."""
    shown = rows.drop_duplicates("folded").set_index("folded")["name"]
    alike = defaultdict(list)
    for name, found in structure.items():
        alike[found].append(shown[name])
    pairs = sorted(
        " and ".join(sorted(names, key=str.casefold)) for names in alike.values() if len(names) > 1
    )
    what = plural(len(pairs), "structure")
    return (
        [f"{what} shared by several treatments, kept apart by name as asked: {listed(pairs, 3)}"]
        if pairs
        else []
    )


def _notes_on_unreadable(rows: pd.DataFrame, unreadable: set[str]) -> list[str]:
    """Tell what is too large apart from what is wrong: the one is no compound, the other is to be corrected."""
    large = {
        text for text in unreadable if len(text.split()[0]) > LONGEST_SMILES or _molecule(text) is not None
    }
    notes = []
    for texts, what in (
        (unreadable - large, "cannot be parsed"),
        (large, f"of more than {LONGEST_SMILES:,} characters or {MOST_ATOMS} heavy atoms cannot be read"),
    ):
        of = rows.loc[rows["smiles"].isin(texts)].drop_duplicates("smiles").sort_values("smiles")
        shown = [
            f"'{shorten(row.smiles, 60)}' ({shorten(row.treatment, 60)})" for row in of.head(2).itertuples()
        ]
        if shown:
            more = f" and {len(of) - 2:,} more" if len(of) > 2 else ""
            be = "is" if len(of) == 1 else "are"
            structures = f"{plural(len(of), 'structure')} {what} and {be} matched by name only"
            notes.append(f"{structures}: {', '.join(shown)}{more}")
    return notes


def _notes_on_structures(rows: pd.DataFrame, unreadable: set[str]) -> list[str]:
    notes = _notes_on_unreadable(rows, unreadable)
    several = rows.dropna(subset="structure").groupby("folded")["structure"].nunique()
    ambiguous = sorted(several.index[several > 1])
    if ambiguous:
        what = plural(len(ambiguous), "treatment")
        notes.append(f"{what} with more than one structure, kept apart by name: {listed(ambiguous)}")
    if rows["smiles"].notna().any():
        without = sorted(set(rows.loc[rows["structure"].isna() & rows["smiles"].isna(), "name"]))
        if without:
            notes.append(f"{plural(len(without), 'compound')} without a structure: {listed(without)}")
    return notes
