"""The design as small tables, against numbers counted by hand."""

import pandas as pd
import pytest

from helpers.pages.tour import design
from pages.tour.tour import three_plates


@pytest.fixture
def wells() -> pd.DataFrame:
    return three_plates()


def test_design_counts(wells):
    table = design.design_table(wells).set_index("experiment")
    assert table.loc["E-1", ["plates", "compounds", "wells", "mock", "infected, treated"]].tolist() == [
        2,
        2,
        18,
        4,
        6,
    ]
    assert table.loc["E-2", ["plates", "compounds", "wells", "blank"]].tolist() == [1, 1, 8, 0]


def test_vero_controls_stand_where_the_facts_put_them(real_data):
    from helpers.profiles import to_wells
    from helpers.screens import open_screen

    wells = to_wells(open_screen(str(real_data / "screens" / "vero1_design"))).obs
    places = design.control_places(wells).set_index("condition")
    columns = "8, 16, 24, 32, 40"
    assert places.loc["mock"].tolist() == ["40", "E-H, Q-T", columns, 0]
    assert places.loc["UV-inactivated"].tolist() == ["40", "M-P, Y-AB", columns, 0]
    assert places.loc["blank"].tolist() == ["30", "B-D, AC-AE", columns, 0]
    assert places.loc["infected, untreated"].tolist() == ["206", "scattered", "scattered", 412]
