"""Names of plates, wells and sites are as different as what they name."""

import itertools

import polars as pl

from helpers.screens.ids import find_separator, joined


def test_names_are_those_of_the_release_where_they_tell_apart():
    table = pl.DataFrame(
        {
            "experiment": ["HRCE-1", "HRCE-2", None],
            "plate": ["25"] * 3,
            "well": ["AA02"] * 3,
            "site": ["1"] * 3,
        }
    )
    separator = find_separator(table)
    assert separator == "_"
    assert table.select(joined("site_id", separator))["site_id"].to_list() == [
        "HRCE-1_25_AA02_1",
        "HRCE-2_25_AA02_1",
        None,
    ]


def test_two_plates_never_share_a_name():
    table = pl.DataFrame({"experiment": ["U2OS_24h", "U2OS"], "plate": ["P1", "24h_P1"]})
    separator = find_separator(table, ("plate_id",))
    assert table.select(joined("plate_id", separator))["plate_id"].to_list() == ["U2OS_24h/P1", "U2OS/24h_P1"]
    words = ["".join(letters) for n in range(1, 4) for letters in itertools.product("a_/|:~", repeat=n)]
    every = pl.DataFrame({"experiment": words}).join(pl.DataFrame({"plate": words}), how="cross")
    separator = find_separator(every, ("plate_id",))
    assert every.select(joined("plate_id", separator).n_unique()).item() == every.height
