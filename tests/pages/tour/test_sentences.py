"""Sentences and small tables on design, quality and normalisation, against numbers counted by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.publish import sentences, summaries


@pytest.fixture
def wells() -> pd.DataFrame:
    """Return two experiments with one and two plates; compound A is spelt twice and stands in both."""
    rows = []
    for experiment, plate in (("E-1", 1), ("E-1", 2), ("E-2", 10)):
        rows += [
            (experiment, plate, 5, 8, "mock", None, None, np.nan),
            (experiment, plate, 6, 8, "mock", None, None, np.nan),
        ]
        rows += [(experiment, plate, 13, 16, "uv", None, None, np.nan)]
        rows += [(experiment, plate, r, 3, "infected", None, None, np.nan) for r in (2, 9, 30)]
        rows += [
            (experiment, plate, 4, 20 + i, "infected", "A", "a" if plate == 2 else "A", d)
            for i, d in enumerate((0.1, 1.0))
        ]
    rows += [("E-1", 1, 7, 7, "infected", "B", "B", 10.0), ("E-1", 1, 7, 9, "infected", "B", "B", 10.0)]
    columns = ["experiment", "plate", "row", "col", "condition", "treatment", "treatment_raw", "dose_um"]
    table = pd.DataFrame(rows, columns=columns)
    table["plate_id"] = table["experiment"] + "_" + table["plate"].astype(str)
    table["well"] = "R" + table["row"].astype(str) + "C" + table["col"].astype(str)
    table["qc_flag"] = np.where((table["row"] == 5) & (table["plate"] == 2), "far out", "")
    table["rescue"] = table["condition"].map({"mock": 1.0, "uv": 1.0, "infected": 0.0})
    return table.assign(n_sites=4, cell_type="HRCE")


def test_design_counts(wells):
    table = summaries.design_table(wells).set_index("experiment")
    assert table.loc["E-1", ["plates", "compounds", "wells", "mock", "infected, treated"]].tolist() == [
        2,
        2,
        18,
        4,
        6,
    ]
    assert table.loc["E-2", ["plates", "compounds", "wells", "blank"]].tolist() == [1, 1, 8, 0]


def test_design_sentence(wells):
    text = sentences.design(wells, 104)
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
    places = summaries.control_places(wells).set_index("condition")
    assert places.loc["mock"].tolist() == ["2", "E-F", "8", 0]
    assert places.loc["infected, untreated", "rows"] == "B, I, AD"
    text = sentences.controls(summaries.control_places(wells))
    assert "mock wells stand in rows E-F of columns 8 (2 a plate)" in text


def test_stray_controls_are_counted_apart(wells):
    moved = wells.copy()
    moved.loc[moved.index[0], ["row", "col"]] = [30, 40]
    infected = (moved["condition"] == "infected") & moved["treatment"].isna()
    moved.loc[infected, "col"] = range(10, 10 + infected.sum())
    places = summaries.control_places(moved).set_index("condition")
    assert places.loc["mock"].tolist() == ["2", "E-F", "8", 1]
    assert places.loc["infected, untreated"].tolist() == ["3", "scattered", "scattered", 9]
    text = sentences.controls(summaries.control_places(moved))
    assert "and 1 elsewhere" in text
    assert "infected, untreated wells are scattered (3 a plate)" in text


def test_vero_controls_stand_where_the_facts_put_them(real_data):
    from helpers.profiles import to_wells
    from helpers.screens import open_screen

    wells = to_wells(open_screen(str(real_data / "screens" / "vero1_design"))).obs
    places = summaries.control_places(wells).set_index("condition")
    columns = "8, 16, 24, 32, 40"
    assert places.loc["mock"].tolist() == ["40", "E-H, Q-T", columns, 0]
    assert places.loc["UV-inactivated"].tolist() == ["40", "M-P, Y-AB", columns, 0]
    assert places.loc["blank"].tolist() == ["30", "B-D, AC-AE", columns, 0]
    assert places.loc["infected, untreated"].tolist() == ["206", "scattered", "scattered", 412]


def test_doses(wells):
    sets = summaries.dose_sets(wells)
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
    arms = summaries.arm_sizes(wells).set_index(["experiment", "treatment", "dose_um"])
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
    table = summaries.spellings(wells)
    assert table.to_numpy().tolist() == [["A", "A (4), a (2)", 2]]
    assert "Of 2 compounds, 1 is spelt in more than one way" in sentences.names(wells)
    assert "1 in E-1 and E-2" in sentences.names(wells)
    assert "none is spelt" in sentences.names(wells[wells["treatment"] != "A"])
    assert "No treatment is named" in sentences.names(wells[wells["treatment"].isna()])


def test_plates_are_chosen_by_number_or_id(wells):
    assert summaries.choose_plates(wells, "all") is wells
    assert set(summaries.choose_plates(wells, "2, E-2_10")["plate_id"]) == {"E-1_2", "E-2_10"}
    with pytest.raises(UsageError, match="no plate 7; valid: all, E-1_1, E-1_2, E-2_10"):
        summaries.choose_plates(wells, "7")


def test_recipe_choice_compares_with_raw():
    table = pd.DataFrame(
        {
            "recipe": ["raw", "plate_center"], "plate_predictability": [0.9, 0.1], "replicate_map": [np.nan, np.nan],
            "z_prime_robust": [-0.4, 0.5], "selected": [False, True],
        }
    )  # fmt: skip
    text = sentences.recipe_choice(table)
    assert "**`plate_center`**" in text
    assert "plate predictability is 0.1 (raw: 0.9) and robust Z′ is 0.5 (raw: −0.4)" in text
    assert "mAP" not in text
    assert "No recipe could be selected" in sentences.recipe_choice(table.head(0))


def test_spread_of_plates(wells):
    shifted = wells.assign(rescue=wells["rescue"] + (wells["plate"] == 2) * 0.5)
    text = sentences.plate_spread({"raw": shifted, "plate_center": wells})
    assert "span 0.5 with `raw` and 0 with `plate_center`" in text
    assert "one plate only" in sentences.plate_spread({"raw": wells[wells["plate"] == 10]})
    assert "no embeddings" in sentences.plate_spread({"raw": wells.assign(rescue=np.nan)})


def test_position_effect_needs_wells(wells):
    assert "cannot be told from noise" in sentences.position_effect(wells, wells)
    many = pd.concat([wells] * 10)
    text = sentences.position_effect(many.assign(rescue=0.01 * many["row"]), many)
    assert (
        "between the rows with the lowest and the highest median it differs by 0.28 before and 0 after"
        in text
    )
    assert "before and by 0 (0 to 0) after: only the change before is more than noise can do" in text


def test_a_wiggle_is_not_called_a_slope(wells):
    rng = np.random.default_rng(0)
    many = pd.concat([wells] * 40)
    noise = many.assign(rescue=rng.standard_normal(len(many)))
    assert sentences.position_effect(noise, noise).count("neither is more than noise can do") == 2


def test_what_lacks_is_listed():
    assert sentences.lacking([]).startswith("This screen has all")
    assert "No embeddings. No doses. The parts" in sentences.lacking(["No embeddings.", "No doses."])


def test_notes_become_a_list():
    assert sentences.notes({"notes": ["a", "b_c"]}).endswith("- a\n- b\\_c")
    assert "nothing odd" in sentences.notes({})


def test_worst_plate(wells):
    quality = pd.DataFrame({"experiment": ["E-1", "E-2"], "plate": [2, 10], "z_prime_robust": [0.1, 0.5]})
    assert set(summaries.worst_plate(wells, quality)["plate_id"]) == {"E-1_2"}
    assert set(summaries.worst_plate(wells, quality.head(0))["plate_id"]) == {"E-1_1"}


def test_before_and_after_are_two_maps_of_one_plate(wells):
    table = summaries.one_plate_by_recipe({"raw": wells, "plate_center": wells}, "2", "plate_center")
    assert list(table["experiment"].cat.categories) == ["raw:", "plate_center:"]
    assert len(table) == 16
    assert table.index.is_unique
    assert len(summaries.one_plate_by_recipe({"raw": wells}, "2", "raw")) == 8
