"""The cells of RxRx19a are described for RxRx19a and its twins, and for nobody else's screen."""

import pandas as pd
import pytest

from helpers.pages.tour import assay


@pytest.fixture
def wells() -> pd.DataFrame:
    return pd.DataFrame({"experiment": pd.Categorical(["VERO-1", "HRCE-2", "HRCE-1", "HRCE-1"])})


@pytest.mark.parametrize("kind", ["rxrx19a", "twin"])
def test_cells_are_named_with_dose_and_time(wells, kind):
    text = assay.cells(wells, kind)
    assert (
        "**HRCE** cells (HRCE-1 and HRCE-2) were infected at a multiplicity of 0.4 and read 96 hours" in text
    )
    assert "**Vero** cells (VERO-1) were infected at a multiplicity of 0.08 and read 48 hours later" in text
    assert "no vehicle control" in text
    assert ("its cells are numbers" in text) == (kind == "twin")


def test_only_cells_that_are_there_are_described(wells):
    assert "Vero" not in assay.cells(wells[wells["experiment"] != "VERO-1"], "rxrx19a")


def test_a_screen_of_the_users_own_is_told_nothing(wells):
    assert assay.cells(wells, "user") == ""
    assert assay.cells(wells.assign(experiment="A549-1"), "twin") == ""
