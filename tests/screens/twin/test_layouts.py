"""Plates of the twin: where controls stand, and what a screen with too few of them lacks."""

import pandas as pd
import pytest

from helpers.screens.twin.layouts import LAYOUTS


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_wells_stand_once_inside_the_plate(name):
    layout = LAYOUTS[name]
    wells = layout.positions()
    assert not wells["well"].duplicated().any()
    assert not wells.duplicated(["row", "col"]).any()
    assert wells["row"].between(1, layout.rows).all()
    assert wells["col"].between(1, layout.cols).all()
    assert wells["well"].is_monotonic_increasing
    assert (wells.loc[wells["free"], "condition"] == "infected").all()


def test_a_small_plate_has_its_controls_in_the_outer_columns():
    wells = LAYOUTS["plates_384"].positions()
    controls = wells[~wells["free"]]
    assert set(controls["col"]) == {1, 24}
    assert controls["condition"].value_counts().to_dict() == {"infected": 16, "mock": 8}


def test_nothing_stands_where_nothing_was_placed():
    wells = LAYOUTS["plates_384"].positions().assign(compound=-1)
    wells.loc[wells.index[wells["free"]][:5], "compound"] = 7
    kept = LAYOUTS["plates_384"].prune(wells)
    assert (kept["compound"] == 7).sum() == 5
    assert len(kept) == 24 + 5


def test_a_confounded_screen_lacks_controls():
    one = LAYOUTS["confounded"].positions().assign(experiment="E", compound=-1)
    one.loc[one["free"] & (one["row"] > 4), "compound"] = 1
    plates = pd.concat([one.assign(plate=str(plate)) for plate in range(1, 5)], ignore_index=True)
    kept = LAYOUTS["confounded"].prune(plates)
    mock = kept[kept["condition"] == "mock"].groupby("plate").size()
    assert mock.to_dict() == {"1": 1, "3": 1, "4": 1}
    untreated = kept[(kept["condition"] == "infected") & (kept["compound"] < 0)].groupby("plate").size()
    assert set(untreated.index) == {"1", "2", "4"}
    assert "uv" not in set(kept["condition"])
