"""Names and structures of one compound are recognised, those of others are not."""

import pandas as pd
import pytest

from helpers.hits.names import data_file, find_name, index_names, name_keys, parent_keys, synonyms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Remdesivir (GS-5734)", "REMDESIVIR"),
        ("(S)-crizotinib", "(s)-Crizotinib"),
        ("Lorlatinib?(PF-6463922)", "PF-06463922"),
        ("SAHA", "Vorinostat"),
        ("hydroxychloroquine sulfate", "Hydroxychloroquine"),
        ("doxycycline  hydrochloride monohydrate", "Doxycycline"),
        ("methylprednisolone-sodium-succinate", "METHYLPREDNISOLONE SODIUM SUCCINATE"),
        ("Rapamycin", "SIROLIMUS"),
        ("β-Estradiol 17-Acetate", "estradiol acetate"),
    ],
)
def test_spellings_of_one_compound_share_a_key(one, other):
    assert set(name_keys(one)) & set(name_keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("betamethasone", "betamethasone-valerate"),
        ("(S)-crizotinib", "(S)-citalopram"),
        ("1; CAL-101", "1; DRV"),
        ("quinine", "quinidine"),
        ("sodium", "sodium salicylate"),
        ("2,4-D", "2,6-D"),
    ],
)
def test_other_compounds_share_none(one, other):
    assert not set(name_keys(one)) & set(name_keys(other))


def test_a_loose_name_that_fits_two_compounds_fits_none():
    index = index_names(
        pd.Series({"a": ["gemcitabine hydrochloride"], "b": ["Gemcitabine (elaidate)"], "c": ["other"]})
    )
    assert find_name("gemcitabine", index) is None
    assert find_name("Gemcitabine HYDROCHLORIDE", index) == "a"
    assert find_name("OTHER (x y)", index) == "c"


def test_synonyms_are_one_step_and_standard_names_are_stable():
    known = synonyms()
    assert len(known) > 100
    assert not set(known.values()) & set(known), "a standard name is nobody's synonym"
    table = pd.read_csv(data_file("synonyms.csv"))
    assert not table["name"].duplicated().any()


def test_salts_charges_and_hydrates_share_a_parent():
    smiles = ["CC(=O)[O-].[Na+]", "CC(=O)O", "CC(=O)O.O", "CC(=O)O |c:1|", "CCC(=O)O", "no structure", None]
    keys = parent_keys(smiles)
    assert len({keys[s] for s in smiles[:4]}) == 1
    assert keys["CCC(=O)O"] != keys["CC(=O)O"]
    assert keys["no structure"] is None


def test_the_drug_is_the_parent_although_meglumine_has_more_atoms():
    tafamidis, meglumine = "O=C(O)c1ccc2nc(-c3cc(Cl)cc(Cl)c3)oc2c1", "CNC[C@H](O)[C@@H](O)[C@H](O)[C@H](O)CO"
    keys = parent_keys([tafamidis, f"{meglumine}.{tafamidis}"])
    assert keys[tafamidis] == keys[f"{meglumine}.{tafamidis}"]
