"""Doses as they are written, and which of them are one."""

import polars as pl
import pytest

from helpers.screens.doses import in_um, merge_doses


@pytest.mark.parametrize(
    ("text", "unit", "decimal", "um"),
    [
        ("300 nM", "nM", ".", 0.3),
        ("300 nM", "uM", ".", 0.3),
        ("0.3", "uM", ".", 0.3),
        ("3", "nM", ".", 0.003),
        ("3\u00b5M", "nM", ".", 3.0),
        ("3 \u03bcM", "nM", ".", 3.0),
        ("1e-3 mM", "uM", ".", 1.0),
        ("0,3", "uM", ",", 0.3),
        ("0,3 mM", "uM", ",", 300.0),
        ("0,3", "uM", ".", None),
        ("1.000", "uM", ",", None),
        ("1,000", "uM", ".", None),
        ("300 mg", "uM", ".", None),
        ("nM", "uM", ".", None),
    ],
)
def test_a_dose_is_read_in_its_own_unit_or_not_at_all(text, unit, decimal, um):
    assert pl.DataFrame({"d": [text]}).select(in_um(pl.col("d"), unit, decimal)).item() == um


def test_doses_of_one_level_are_one_number_and_it_is_said():
    doses = [0.3, 0.1 * 3, 10.0, 9.999999, 0.301, None]
    merged, said = merge_doses(pl.DataFrame({"dose_um": doses}))
    assert merged["dose_um"].to_list() == [0.3, 0.3, 9.999999, 9.999999, 0.301, None]
    assert "0.30000000000000004 uM is read as 0.3 uM and 1 more" in said
    assert merge_doses(merged)[1] == ""
