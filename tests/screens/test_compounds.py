import subprocess
import sys
import time

import pandas as pd
import pytest

from helpers.screens import canonical_smiles, match_compounds
from helpers.screens.compounds import fold_name

IDELALISIB = "CC[C@H](NC1=C2N=CNC2=NC=N1)C1=NC2=CC=CC(F)=C2C(=O)N1C1=CC=CC=C1"


def spellings(*rows):
    return pd.DataFrame(rows, columns=["treatment", "smiles", "n_wells"])


def shown(*rows):
    compounds, notes = match_compounds(spellings(*rows))
    return dict(zip(compounds["treatment"], compounds["name"], strict=True)), notes


def test_structures_are_compared_not_their_text():
    texts = ["OCC", "CCO |c:1,t:2|", "C(C)O\t|$;;$|", "c1ccccc1", "C1=CC=CC=C1 |c:0,2,4|"]
    found = canonical_smiles(texts)
    assert [found[text] for text in texts] == ["CCO"] * 3 + ["c1ccccc1"] * 2
    assert canonical_smiles(["C[C@H](O)F"]) != canonical_smiles(["C[C@@H](O)F"])


def test_what_cannot_be_parsed_is_none_and_rdkit_is_silent():
    code = "from helpers.screens import canonical_smiles as f; print(f(['C1CC', 'not a smiles', None, ' ']))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr == ""
    assert "'C1CC': None" in answer.stdout
    assert "'not a smiles': None" in answer.stdout


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Remdesivir", "REMDESIVIR"),
        ("β-Estradiol 17-acetate", "Β-estradiol 17-ACETATE"),
        ("(+)-cedrol", " (+)-Cedrol "),
        ("Caf\u00e9", "CAFE\u0301"),
        ("Straße", "STRASSE"),
        ("a  b", "A B"),
    ],
)
def test_names_are_folded(one, other):
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("(+)-cedrol", "(-)-cedrol"), ("TWN-1", "TWN-01"), ("α-x", "a-x")]
)
def test_other_names_stay_apart(one, other):
    assert fold_name(one) != fold_name(other)


def test_the_most_frequent_spelling_is_shown():
    names, notes = shown(("Albuterol", None, 3), ("albuterol", None, 6), ("ALBUTEROL", None, 3))
    assert set(names.values()) == {"albuterol"}
    assert notes == [
        "1 treatment written in several letter cases, taken as one: 'ALBUTEROL = Albuterol = albuterol'"
    ]


def test_wells_of_one_spelling_count_together_over_its_structures():
    names, _ = shown(("Drug", "CCO", 2), ("Drug", None, 2), ("drug", "CCO", 3))
    assert set(names.values()) == {"Drug"}


def test_a_tie_does_not_depend_on_the_order_of_rows():
    rows = [("drug", None, 4), ("Drug", None, 4), ("DRUG", None, 4)]
    assert {*shown(*rows)[0].values()} == {*shown(*rows[::-1])[0].values()} == {"DRUG"}


def test_synonyms_with_one_structure_are_one_compound():
    rows = [
        ("CAL-101", IDELALISIB, 12),
        ("Idelalisib", IDELALISIB + " |c:5,t:3|", 36),
        ("remdesivir", "CCO", 6),
    ]
    compounds, notes = match_compounds(spellings(*rows))
    assert list(compounds["name"]) == ["Idelalisib", "Idelalisib", "remdesivir"]
    assert compounds["structure"].nunique() == 2
    assert notes == [
        "treatments 'CAL-101' and 'Idelalisib' share one structure: one compound, shown as 'Idelalisib'"
    ]


def test_three_synonyms_and_a_case_split_are_one():
    names, notes = shown(("a", "CCO", 1), ("A", None, 5), ("b", "OCC", 2), ("c", "C(O)C", 3))
    assert set(names.values()) == {"A"}
    assert len(notes) == 2


def test_a_name_with_two_structures_is_merged_with_nothing():
    rows = [("x", "CCO", 5), ("x", "CCC", 5), ("y", "CCO", 9), ("z", "CCC", 9)]
    names, notes = shown(*rows)
    assert names == {"x": "x", "y": "y", "z": "z"}
    assert notes == ["1 treatment with more than one structure, kept apart by name: 'x'"]


def test_structures_that_are_missing_or_wrong():
    rows = [("x", None, 1), ("y", "nonsense", 1), ("Y", "CCO", 1), ("z", "nonsense", 1)]
    compounds, notes = match_compounds(spellings(*rows))
    assert [None if pd.isna(s) else s for s in compounds["structure"]] == [None, "CCO", "CCO", None]
    assert list(compounds["name"]) == ["x", "Y", "Y", "z"]
    assert "1 compound without a structure: 'x'" in notes
    assert "1 structure cannot be parsed and is matched by name only: 'nonsense' (y)" in notes


def test_no_treatments_at_all():
    compounds, notes = match_compounds(spellings())
    assert (len(compounds), notes) == (0, [])


def test_real_design_has_thirty_two_compounds(real_data):
    table = pd.read_csv(real_data / "screens" / "vero1_design" / "metadata.csv").dropna(subset="treatment")
    counts = table.groupby(["treatment", "SMILES"]).size().rename("n_wells").reset_index()
    compounds, notes = match_compounds(counts.rename(columns={"SMILES": "smiles"}))
    assert compounds["name"].nunique() == compounds["structure"].nunique() == 32
    assert compounds["structure"].notna().all()
    assert notes == []
    assert not compounds["structure"].str.contains("|", regex=False).any()


@pytest.mark.parametrize(
    "text", ["C" * 100_000, "C(" * 50_000, "C1CC1" * 3_000, "[" * 100_000, "C" * 1_000, "C.C" * 500]
)
def test_what_is_larger_than_any_compound_is_left_to_its_name_at_once(text):
    clock = time.monotonic()
    _, notes = match_compounds(spellings(("Big", text, 1), ("Small", "CCO", 2)))
    assert time.monotonic() - clock < 1
    assert len(notes) == 1
    assert notes[0].startswith(
        "1 structure of more than 4,000 characters or 999 heavy atoms cannot be read and is matched by name only: "
    )
    assert notes[0].endswith(" (Big)")
    assert len(notes[0]) < 250


def test_several_unreadable_structures_are_counted_with_their_compounds():
    _, notes = match_compounds(spellings(("A", "C(", 1), ("B", "C1", 1), ("D", "(((", 2), ("E", "CÄ", 2)))
    assert (
        "4 structures cannot be parsed and are matched by name only: '(((' (D), 'C(' (A) and 2 more" in notes
    )
