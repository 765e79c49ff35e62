"""The plate's geometry, against RxRx19a's own metadata where there is some."""

import numpy as np
import pandas as pd
import pytest

from helpers.screens import layout
from helpers.screens.facts import CONDITIONS


def test_row_labels_run_like_spreadsheet_columns():
    assert [layout.row_label(n) for n in (1, 26, 27, 32)] == ["A", "Z", "AA", "AF"]
    assert [layout.row_number(layout.row_label(n)) for n in range(1, 33)] == list(range(1, 33))


def test_well_names_round_trip():
    assert layout.parse_well("AA02") == (27, 2)
    assert layout.well_name(27, 2) == "AA02"
    for well in layout.plate_wells():
        assert layout.well_name(*layout.parse_well(well)) == well


@pytest.mark.parametrize("well", ["", "AG02", "A49", "A00", "aa02", "A-1", "02AA", "A002", "AA02 ", "A٣"])
def test_bad_wells_are_refused_with_the_allowed_form(well):
    with pytest.raises(ValueError, match="AA02"):
        layout.parse_well(well)


def test_positions_off_the_plate_are_refused():
    with pytest.raises(ValueError, match="AF"):
        layout.row_label(33)
    with pytest.raises(ValueError, match="48"):
        layout.well_name(1, 49)
    with pytest.raises(ValueError, match="AF"):
        layout.row_number("BA")


def test_a_plate_has_1340_wells_40_mock_40_uv_30_blank_and_1230_scattered():
    rows, cols = np.array([layout.parse_well(w) for w in layout.plate_wells()]).T
    kinds, counts = np.unique(layout.control_conditions(rows, cols).astype(str), return_counts=True)
    assert dict(zip(kinds.tolist(), counts.tolist(), strict=True)) == {
        "mock": 40,
        "uv": 40,
        "blank": 30,
        "None": 1230,
    }
    assert layout.scattered(rows, cols).sum() == 1230
    assert layout.control_condition(5, 8) == "mock"
    assert layout.control_condition(5, 9) is None
    assert not layout.scattered(9, 8)
    assert not layout.scattered(1, 9)


def test_the_real_vero_plates_fit_the_layout(real_data):
    sites = pd.read_csv(real_data / "screens/vero1_design/metadata.csv", dtype=str, keep_default_na=False)
    for _, plate in sites.drop_duplicates("well_id").groupby("plate"):
        assert plate["well"].tolist() == sorted(layout.plate_wells())
        rows, cols = np.array([layout.parse_well(w) for w in plate["well"]]).T
        expected = pd.Series(layout.control_conditions(rows, cols)).fillna("infected")
        assert plate["disease_condition"].map(CONDITIONS).tolist() == expected.tolist()
