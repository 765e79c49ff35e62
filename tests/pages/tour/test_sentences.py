"""Sentences and small tables on design, quality and normalisation, against numbers counted by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.tour import design, sentences
from pages.tour.tour import three_plates


@pytest.fixture
def wells() -> pd.DataFrame:
    return three_plates()


def test_design_sentence(wells):
    text = sentences.design(wells)
    for part in (
        "**26 wells**",
        "3 plates",
        "2 experiments (E-1 and E-2)",
        "8 to 10 wells a plate",
        "104 sites",
    ):
        assert part in text
    assert "2 compounds fill 8 treated wells (31 % of all); 9 infected wells stayed untreated." in text


def test_design_without_treatments(wells):
    assert "No well is treated" in sentences.design(wells[wells["treatment"].isna()])


def test_controls_are_placed(wells):
    places = design.control_places(wells).set_index("condition")
    assert places.loc["mock"].tolist() == ["2", "E-F", "8", 0]
    assert places.loc["infected, untreated", "rows"] == "B, I, AD"
    text = sentences.controls(design.control_places(wells))
    assert "mock wells stand in rows E-F of columns 8 (2 a plate)" in text


def test_stray_controls_are_counted_apart(wells):
    moved = wells.copy()
    moved.loc[moved.index[0], ["row", "col"]] = [30, 40]
    infected = (moved["condition"] == "infected") & moved["treatment"].isna()
    moved.loc[infected, "col"] = range(10, 10 + infected.sum())
    places = design.control_places(moved).set_index("condition")
    assert places.loc["mock"].tolist() == ["2", "E-F", "8", 1]
    assert places.loc["infected, untreated"].tolist() == ["3", "scattered", "scattered", 9]
    text = sentences.controls(design.control_places(moved))
    assert "and 1 elsewhere" in text
    assert "infected, untreated wells are scattered (3 a plate)" in text


def test_doses(wells):
    sets = design.dose_sets(wells)
    assert sets[["experiment", "doses_um", "n_compounds"]].to_numpy().tolist() == [
        ["E-1", (0.1, 1.0), 1],
        ["E-1", (10.0,), 1],
        ["E-2", (0.1, 1.0), 1],
    ]
    text = sentences.doses(wells)
    assert "from 0.1 to 10 µM, 3 levels in all, in 2 different sets of doses" in text, (
        "two experiments share one"
    )
    assert "The commonest, 0.1 and 1 µM, was given to 1 compound in E-1 and 1 compound in E-2." in text
    assert "gives no doses" in sentences.doses(wells.assign(dose_um=np.nan))


def test_replicates_count_plates_as_clusters(wells):
    arms = design.arm_sizes(wells).set_index(["experiment", "treatment", "dose_um"])
    assert arms.loc[("E-1", "A", 0.1)].tolist() == [2, 2]
    assert arms.loc[("E-1", "B", 10.0)].tolist() == [2, 1]
    assert "5 arms" in sentences.replicates(wells)
    on_one = "3 arms (60 %) stand on one plate only, in E-1 (1 compound) and E-2 (1 compound)"
    assert on_one in sentences.replicates(wells)
    assert "one on each: 3 independent draws" in sentences.replicates(
        pd.concat([wells.assign(plate_id=f"E-1_{i}", experiment="E-1") for i in (1, 2, 3)]).query("treatment == 'A'")
        .drop_duplicates(["treatment", "dose_um", "plate_id"])
    )  # fmt: skip
    one_plate = wells[wells["plate_id"] == "E-2_10"]
    assert "plate-to-plate variation cannot be seen" in sentences.replicates(one_plate)
    assert "no arms" in sentences.replicates(wells[wells["treatment"].isna()])


def test_spellings(wells):
    table = design.spellings(wells)
    assert table.to_numpy().tolist() == [["A", "A (4), a (2)", 2]]
    assert "Of 2 compounds, 1 is spelt in more than one way" in sentences.names(wells)
    assert "1 in E-1 and E-2" in sentences.names(wells)
    assert "none is spelt" in sentences.names(wells[wells["treatment"] != "A"])
    assert "No treatment is named" in sentences.names(wells[wells["treatment"].isna()])


def test_notes_become_a_list():
    assert sentences.notes({"notes": ["a", "b_c"]}).endswith("- a\n- b_c")
    assert "nothing odd" in sentences.notes({})
