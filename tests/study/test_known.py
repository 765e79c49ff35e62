"""What is known from beside a screen: the truth of a twin, and the wells that it made fail."""

import pandas as pd
import pytest

from helpers import study
from helpers.study.known import known_failures, known_truth


@pytest.mark.slow
def test_truth_belongs_to_the_experiments_at_hand(source, wells):
    only = study.to_wells(study.open_screen(source, experiments="HRCE-1"))
    truth = known_truth(only)
    assert truth["experiment"].unique().tolist() == ["HRCE-1"]
    assert truth.index.tolist() == list(range(len(truth)))
    everywhere = known_truth(wells)
    assert set(everywhere["experiment"]) == {"HRCE-1", "HRCE-2"}
    named = wells.obs["treatment"].dropna().astype(str).str.casefold()
    assert set(named) <= set(everywhere["treatment"].str.casefold())


def test_a_measured_screen_has_no_truth(real_data):
    folder = str(real_data / "screens" / "hrce1_plate25")
    wells = study.to_wells(study.open_screen(folder))
    assert known_truth(wells) is None
    assert known_failures(wells) is None


def test_failures_that_a_twin_made_are_known(wells, tiny_folder):
    table = known_failures(wells)
    pd.testing.assert_frame_equal(table, pd.read_csv(tiny_folder / "failed_wells.csv", keep_default_na=False))
    assert set(table["well_id"]) <= set(wells.obs_names)
    assert {"well_id", "reason"} <= set(table)
