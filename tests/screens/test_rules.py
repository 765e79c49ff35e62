"""Rules of rows: each slip is reported once, where it stands, and the good rows go on."""

from pathlib import Path

import polars as pl
import pytest

from helpers.screens.ids import joined
from helpers.screens.rules import check_rows, typed
from helpers.screens.source import FILE, Source, key
from helpers.screens.tables import LINE

ACTIVE, MOCK = "Active SARS-CoV-2", "Mock"


def rows(**changes) -> pl.DataFrame:
    """Return four sites: of a mock, an untreated and two treated wells; a change is a (row, value)."""
    wells = ["E08", "C02", "F03", "F04"]
    table = {
        "experiment": ["E"] * 4,
        "plate": ["1"] * 4,
        "well": wells,
        "site": ["1"] * 4,
        "cell_type": ["HRCE"] * 4,
        "well_id": [f"E_1_{well}" for well in wells],
        "site_id": [f"E_1_{well}_1" for well in wells],
        "disease_condition": [MOCK, ACTIVE, ACTIVE, ACTIVE],
        "treatment": [None, None, "A", "B"],
        "treatment_conc": [None, None, "0.1", "10"],
    }
    for name, (row, value) in changes.items():
        table[name][row] = value
    frame = pl.DataFrame(table, schema=dict.fromkeys(table, pl.String))
    return frame.with_columns(pl.Series(LINE, [2, 3, 4, 5]), pl.lit("m.csv").alias(FILE)).with_columns(
        key(("site_id",))
    )


def check(source_kwargs: dict | None = None, **changes):
    source = Source(Path(), "mine", metadata=rows(**changes), **(source_kwargs or {}))
    return check_rows(typed(source), source)


def test_good_rows_have_no_problem_and_their_meaning():
    problems, good = check()
    assert problems == []
    assert good["dose_um"].to_list() == [None, None, 0.1, 10.0]
    assert good["condition"].to_list() == ["mock", "infected", "infected", "infected"]
    assert good.select("row", "col").rows() == [(5, 8), (3, 2), (6, 3), (6, 4)]
    assert good["SMILES"].to_list() == [None] * 4


def test_doses_are_turned_into_micromolar():
    _, good = check({"dose_unit": "nM"}, treatment_conc=(2, "3"))
    assert good["dose_um"].to_list() == [None, None, 0.003, 0.01]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"experiment": (1, None)}, "line 3: experiment is empty"),
        ({"well": (2, "Z99")}, "line 4: well 'Z99' is no well"),
        ({"site": (0, "0")}, "line 2: site '0' is no site"),
        ({"well_id": (1, "E_1_C03")}, "line 3: well_id 'E_1_C03' contradicts .* which give 'E_1_C02'"),
        ({"site_id": (1, "E_1_C02_2")}, "line 3: site_id 'E_1_C02_2' contradicts"),
        ({"site_id": (1, "E_1_E08_1")}, "lines 2, 3: site_id 'E_1_E08_1' is there 2 times"),
        ({"disease_condition": (1, "active sars-cov-2")}, "is unknown; is 'Active SARS-CoV-2' meant"),
        ({"treatment_conc": (2, "lots")}, "line 4: treatment_conc 'lots' is no number"),
        ({"treatment_conc": (2, "-1")}, "line 4: treatment_conc '-1' is not above 0"),
        ({"treatment": (2, None)}, "line 4: treatment_conc '0.1' without treatment"),
        ({"treatment_conc": (2, None)}, "line 4: treatment 'A' without treatment_conc"),
        ({"disease_condition": (2, MOCK)}, r"line 4: treatment 'A' on a control well \(mock\)"),
    ],
)
def test_a_slip_is_one_line_and_the_others_stay(changes, said):
    problems, good = check(**changes)
    assert len(problems) == 1
    assert problems[0].level == "fatal"
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(str(problems[0]))
    bad = 2 if "there 2 times" in said else 1
    assert good.height == 4 - bad


def test_a_screen_without_doses_needs_none():
    table = rows(treatment_conc=(2, None)).with_columns(treatment_conc=pl.lit(None, dtype=pl.String))
    source = Source(Path(), "mine", metadata=table)
    assert check_rows(typed(source), source)[0] == []


def test_sites_of_a_well_share_what_was_done_to_it():
    second = rows(treatment=(2, "b")).with_columns(
        site=pl.lit("2"), site_id=pl.col("well_id") + "_2", treatment_conc=pl.lit(None, dtype=pl.String)
    )
    first = rows().with_columns(treatment_conc=pl.lit(None, dtype=pl.String))
    source = Source(Path(), "mine", metadata=pl.concat([first, second]))
    (problem,), good = check_rows(typed(source), source)
    assert "well E_1_F03 has several values of treatment ('A', 'b'; 1 well affected)" in str(problem)
    assert good.height == 6


def test_a_well_id_that_fits_two_plates_is_named():
    table = rows().with_columns(
        experiment=pl.Series(["U2OS_24h", "U2OS", "E", "E"]),
        plate=pl.Series(["P1", "24h_P1", "1", "1"]),
        well=pl.Series(["E08", "E08", "F03", "F04"]),
        site=pl.Series(["1", "2", "1", "1"]),
    )
    table = table.with_columns(joined(name, "_") for name in ("well_id", "site_id"))
    source = Source(Path(), "mine", metadata=table)
    problems, good = check_rows(typed(source), source)
    said = "m.csv, lines 2, 3: well_id 'U2OS_24h_P1_E08' names wells of several plates"
    assert [str(problem).split(";")[0] for problem in problems] == [said]
    assert good.height == 2
    assert typed(source)["plate_id"].to_list()[:2] == ["U2OS_24h/P1", "U2OS/24h_P1"]
