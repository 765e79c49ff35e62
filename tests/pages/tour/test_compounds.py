"""Compounds: counted by hand, found by any spelling, and never silently renamed."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.pages.tour import compounds
from pages.tour.tour import screen


@pytest.fixture
def wells() -> pd.DataFrame:
    return screen()


def test_every_compound_is_described(wells):
    table = compounds.compound_table(wells).set_index("compound")
    assert table.loc["A"].tolist() == ["E-1, E-2", 2, 0.1, 1.0, 4, 6, 3, 0, "yes", "a, alpha"]
    assert table.loc["B"].tolist() == ["E-1", 1, 1.0, 1.0, 1, 1, 1, 0, "no", ""]
    assert compounds.compound_table(wells[wells["treatment"].isna()]).empty


def test_compounds_are_found_by_any_spelling(wells):
    chosen = compounds.choose_compounds(wells, "b, ALPHA")
    assert chosen["treatment"].tolist() == ["B", "A"]
    assert chosen["smiles"].tolist() == [None, "CCO"]
    with pytest.raises(UsageError, match="no compound 'alphq' in this screen; close: A"):
        compounds.choose_compounds(wells, "alphq")


def test_those_with_most_arms_are_the_default_and_it_is_said(wells):
    assert compounds.choose_compounds(wells, n=1)["treatment"].tolist() == ["A"]
    assert "the 2 with most arms" in compounds.shown_compounds(wells)
    assert compounds.shown_compounds(wells, "B") == "Shown as asked for (`show_compounds`): B."


def test_replicates_per_compound(wells):
    table = compounds.replicates_table(wells).set_index("experiment")
    assert table.loc["E-1"].tolist() == [2, "1.5 (1 to 2)", "2.5 (1 to 4)", "2 (1 to 2)", "1.5 (1 to 2)", "1"]
    assert table.loc["E-2", "plates per compound"] == "1"


def test_wells_that_stay_from_plate_to_plate(wells):
    assert compounds.kept_positions(wells) == 0
    fixed = wells.assign(
        col=np.where(wells["treatment"].notna(), (wells["dose_um"] * 10).fillna(0), wells["col"])
    )
    assert compounds.kept_positions(fixed) == 1
    assert "repeats with the compound" in compounds.spread_over_plates(fixed)
    assert "does not repeat with the compound" in compounds.spread_over_plates(wells)
    one = wells[wells["plate_id"] == "E-2_10"]
    assert np.isnan(compounds.kept_positions(one))
    assert "No arm stands on more than one plate" in compounds.spread_over_plates(one)


def test_names_that_share_a_structure_are_listed(wells):
    assert compounds.synonyms(wells).to_numpy().tolist() == [["A", "A (4) = alpha (2)"]]
    text = compounds.structures_found(wells)
    assert "Of 2 compounds, 1 have a structure in the files; 1 compound has none: B" in text
    assert (
        "1 structure came under several names, which were joined (wells in brackets): A (4) = alpha (2)"
        in text
    )


def test_structures_left_apart_are_said(wells):
    both = wells.assign(smiles=np.where(wells["treatment"].notna(), "CCO", None))
    assert "Left apart, although they share a structure, as one name has several: A and B." in (
        compounds.structures_found(both)
    )
    assert "no structures" in compounds.structures_found(wells.assign(smiles=None))


def test_synonyms_of_the_two_releases_are_spoken_of_for_rxrx19a_only(wells):
    named = wells.assign(
        treatment_raw=wells["treatment_raw"].astype(object).where(wells["treatment"] != "B", "cal-101")
    )
    assert compounds.known_synonyms(named, "user") == ""
    assert "CAL-101 (1 well) and Idelalisib (no wells)" in compounds.known_synonyms(named, "rxrx19a")
    assert "none is in this file" in compounds.known_synonyms(wells, "rxrx19a")


def test_structures_of_the_best_hits_come_once_and_in_order():
    wells = pd.DataFrame(
        {"treatment": ["A, b", "C", "D", None], "smiles": ["CCO", "CC", None, None], "experiment": "E"}
    )
    rows = [
        ("C", "rescue", 0.9),
        ("A, b", "rescue", 0.5),
        ("C", "rescue", 0.4),
        ("D", "toxic", 0.99),
        ("D", "rescue", 0.1),
    ]
    hits = pd.DataFrame(rows, columns=["treatment", "call", "score"])
    best = compounds.structures_of_hits(wells, hits, 3)
    assert best["treatment"].tolist() == ["C", "A, b", "D"]
    assert best["smiles"].tolist()[:2] == ["CC", "CCO"]
    assert best["smiles"].isna()[2]
    assert compounds.structures_of_hits(wells, hits.head(0)).empty
