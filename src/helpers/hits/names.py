"""Which names and structures mean one compound, when two sources were written by different people.

A screen calls a compound ``Remdesivir (GS-5734)``, a database ``REMDESIVIR``, a list of mechanisms ``remdesivir``; one
gives the free base where the other gives a salt. Names are compared by their keys, structures by the InChIKey of the
parent.
"""

import csv
import functools
import re
from collections.abc import Iterable
from importlib import resources

import pandas as pd

from helpers.screens.compounds import fold_name, parse_smiles

SALTS = frozenset({
    "2hcl", "besylate", "bitartrate", "calcium", "dihydrochloride", "disodium", "fumarate", "hcl",
    "hemifumarate", "hemisulfate", "hydrate", "hydrobromide", "hydrochloride", "magnesium", "maleate",
    "mesylate", "monohydrate", "oxalate", "phosphate", "potassium", "salt", "sodium", "sulfate", "sulphate",
    "tartrate", "tosylate", "trihydrate", "trisodium",
})  # fmt: skip
"""Words at the end of a name that tell the salt or the hydrate, not the compound."""

SHORTEST = 3
"""Shorter names are labels of a table, such as ``1``, and match nothing."""

_BRACKETS = re.compile(r"\s*\(([^()]*)\)")
# A list of names: commas and semicolons with a blank behind, so that 2,4-D stays whole.
_SEPARATORS = re.compile(r"[;,]\s+")


def name_keys(name: str) -> list[str]:
    """Return the keys of a name, the strictest first; two names mean one compound if they share a key.

    The keys are the name without regard to case, hyphens and synonyms; then its parts, where it lists several names or
    has one in brackets; then these without the words of a salt.

    Parameters
    ----------
    name : str
        As one source spells it.

    Returns
    -------
    list of str
        Each key once; none for names of fewer than three letters.

    Examples
    --------
    >>> name_keys("Remdesivir (GS-5734)")[:2]
    ['remdesivir (gs 5734)', 'remdesivir']
    >>> bool(set(name_keys("BYL719")) & set(name_keys("Alpelisib")))
    True
    """
    spelt = [name]
    for part in _SEPARATORS.split(name):
        bare = _BRACKETS.sub(" ", part)
        # What is in brackets is another name only if a name stands before it: (S)-crizotinib has none there.
        inside = _BRACKETS.findall(part) if not part.lstrip().startswith("(") and bare.strip() else []
        spelt += [part, bare, *(piece for text in inside for piece in _SEPARATORS.split(text))]
    folded = [_fold(text) for text in spelt]
    folded += [_without_salt(text) for text in folded]
    known = synonyms()
    keys = [known.get(text, text) for text in folded if len(text) >= SHORTEST]
    return list(dict.fromkeys(keys))


def _fold(text: str) -> str:
    """Return a name without case, with a blank for every hyphen, dash and run of blanks."""
    return " ".join(re.sub(r"[-‐‑–_]", " ", fold_name(text)).split())


def _without_salt(text: str) -> str:
    words = text.split()
    while len(words) > 1 and words[-1] in SALTS:
        words.pop()
    return " ".join(words)


@functools.cache
def synonyms() -> dict[str, str]:
    """Return the folded standard name of each folded other name in the shipped list."""
    text = data_file("synonyms.csv").read_text(encoding="utf-8")
    return {_fold(row["name"]): _fold(row["standard"]) for row in csv.DictReader(text.splitlines())}


@functools.cache
def known_structures() -> dict[str, str]:
    """Return names by InChIKey of the parent, for compounds of the screen that ChEMBL gives no drug's name."""
    text = data_file("structures.csv").read_text(encoding="utf-8")
    return {row["inchikey"]: row["name"] for row in csv.DictReader(text.splitlines())}


def data_file(name: str):
    """Return a file that ships with this floor, as something that can be read."""
    return resources.files("helpers.hits") / "data" / name


def index_names(names: pd.Series) -> dict[str, object]:
    """Return label by key of the names of a table, without the keys that two labels share by their looser forms.

    Parameters
    ----------
    names : Series
        Label -> list of names of that compound.
    """
    strict, loose, clash = {}, {}, set()
    for label, spelt in names.items():
        for name in spelt:
            keys = name_keys(name)
            for i, key in enumerate(keys):
                if i == 0:
                    strict.setdefault(key, label)
                elif loose.setdefault(key, label) != label:
                    clash.add(key)
    return {key: label for key, label in loose.items() if key not in clash} | strict


def find_name(name: str, index: dict[str, object]) -> object | None:
    """Return the label that a name has in an index, by its strictest key that is there."""
    return next((index[key] for key in name_keys(name) if key in index), None)


def parent_keys(smiles: Iterable[str | None]) -> dict[str, str | None]:
    """Return the standard InChIKey of the parent of each distinct structure, None where it cannot be read.

    The parent is the largest organic fragment by heavy atoms with its charges taken away, so a salt, its hydrate and
    the free base share a key. What `helpers.screens.compounds.parse_smiles` does not read has none.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem.MolStandardize import rdMolStandardize

    settings = rdMolStandardize.CleanupParameters()
    # By default hydrogens count, and meglumine would win over its drug.
    settings.largestFragmentChooserCountHeavyAtomsOnly = True
    settings.largestFragmentChooserUseAtomCount = True
    chooser, uncharger = rdMolStandardize.LargestFragmentChooser(settings), rdMolStandardize.Uncharger()
    keys = {}
    with rdBase.BlockLogs():
        for text in {s for s in smiles if isinstance(s, str) and s.strip()}:
            molecule = parse_smiles(text)
            parent = None if molecule is None else uncharger.uncharge(chooser.choose(molecule))
            keys[text] = (Chem.MolToInchiKey(parent) or None) if parent is not None else None
    return keys
