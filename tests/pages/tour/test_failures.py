"""Failed wells in words: thresholds as in the code, counts as counted by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.tour import failures
from helpers.profiles import qc
from helpers.profiles.failures import MIN_PLATES, SUPPORT
from pages.tour.tour import screen


@pytest.fixture
def wells() -> pd.DataFrame:
    return screen()


def test_the_rule_states_the_thresholds_of_the_code():
    text = failures.rule(1024)
    assert f"a share of {qc.RATE:g} of good wells" in text
    assert f"at least {100 * SUPPORT:.0f} % as far in the same direction" in text
    assert f"on {MIN_PLATES} plates or more" in text
    assert f"fewer than {100 * qc.MIN_SITES:.0f} % of the usual number of sites" in text
    assert "0.001 of good wells" in failures.rule(2, rate=0.001)
    assert "switched off (`qc`)" in failures.rule(1024, qc=False)
    assert "cannot be told" in failures.rule(0)


def test_compounds_that_lost_most_wells_are_named():
    wells = pd.DataFrame({
        "experiment": "E", "treatment": ["a"] * 4 + ["b"] * 2 + ["c"] * 3 + [None],
        "qc_flag": ["x", "x", "", "", "x", "x", "x", "", "", "x"],
    })  # fmt: skip
    table = failures.lost_compounds(wells)
    assert table["treatment"].tolist() == ["b", "a"]
    assert table["share (%)"].tolist() == [100.0, 50.0]
    text = failures.lost(table)
    assert text.startswith("2 compounds lost 50 % or more of their wells")
    assert "1 of them have no usable well left" in text
    assert "No compound lost" in failures.lost(table.head(0))


def test_failures_are_counted_by_kind(wells):
    table = failures.count_failed(wells).set_index("kind")
    assert table.loc["mock"].tolist() == [12, 3, 25.0]
    text = failures.counted(wells, 8)
    assert "**3 wells** (7 %)" in text
    assert "3 of 12 mock" in text
    assert "The reason: far out (3)." in text
    assert "The reason: far out (3)." in failures.counted(
        wells.replace({"qc_flag": {"far out": "failed: far out"}}), 8
    )
    assert "Failed mock and UV wells: E-1_1 R5C11, E-1_2 R5C11 and E-2_10 R5C11." in text
    assert "No well failed quality control." in failures.counted(wells.assign(qc_flag=""), 8)
    assert failures.counted(wells.assign(qc_flag=""), 0) == failures.NOT_FLAGGED


def test_many_failed_controls_are_counted_by_plate(wells):
    text = failures.failed_controls(wells.assign(qc_flag="x"))
    assert text == "Failed mock and UV wells by plate: E-1_1 (7), E-1_2 (7) and E-2_10 (7)."


def test_places_are_compared_with_the_rim(wells):
    assert "They stand on 3 of 3 plates; 1 on the median plate" in failures.placed(wells)
    rim = wells.assign(qc_flag=np.where(wells["row"] <= 3, "x", ""))
    assert "100 % failed" not in failures.placed(rim)
    assert "of the others 0 %" in failures.placed(rim)
    assert "no pattern" in failures.placed(wells.assign(qc_flag=""))


def test_looks_are_told_by_the_distance_from_the_axis(wells):
    text = failures.looks(wells)
    assert "the median failed well lies 5 axis lengths **off**" in text
    assert "the median well that passed 0.5" in text
    assert "failed mock well stands at 0.9, the median mock well that passed at 0" in text
    assert "one feature" in failures.looks(wells.assign(off_disease=0.0))
    assert "cannot be said" in failures.looks(wells.assign(off_disease=np.nan))


def test_flags_are_compared_with_what_a_twin_knows(wells):
    truth = pd.DataFrame({"well_id": [wells.index[3], wells.index[0], "elsewhere"], "reason": "dim"})
    text = failures.compared(wells, truth)
    assert "Found were 1 of 2 dim." in text
    assert "Of the 41 wells that it left alone, 2 were flagged (4.9 %)." in text
    odd = truth.assign(reason=["odd", "low_cells", "dim"])
    told = failures.compared(wells, odd)
    assert "Found were 0 of 1 with too few cells and 1 of 1 in a direction of their own." in told
    assert "cannot be checked" in failures.compared(wells, None)
    assert (
        failures.missed(wells, truth)
        == "a mild failure can pass too: of 2 wells that the twin made fail, 1 passed (50 %)."
    )
    assert "nobody has counted" in failures.missed(wells, None)
    assert "all 1 well" in failures.missed(wells, truth.head(1))
    assert "made no well fail" in failures.missed(wells, truth.tail(1))
