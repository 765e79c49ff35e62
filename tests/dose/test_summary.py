"""The summary counts classes and EC50s, in either table."""

import numpy as np
import pandas as pd
import pytest

from helpers.dose import SCREEN_CLASSES, fit_curves, summary
from helpers.dose.coverage import simulate_curves
from helpers.dose.summary import MEANING
from helpers.errors import UsageError


def test_every_class_has_its_words():
    assert set(MEANING) == set(SCREEN_CLASSES)


def test_numbers_are_those_of_the_table():
    table, _ = simulate_curves(60, ec50=(0.001, 30.0), seed=4)
    curves = fit_curves(table)
    found = summary(curves).set_index("curve_class")
    assert found["n_curves"].to_dict() == curves["curve_class"].value_counts().to_dict()
    assert found["n_curves"].sum() == 60
    active = curves[(curves["curve_class"] == "active") & curves["ec50"].notna()]
    both = active[(active["ec50_low"] > 0) & np.isfinite(active["ec50_high"])]
    assert found.loc["active", "n_located"] == len(both)
    assert found.loc["active", "ec50_median"] == both["ec50"].median()
    assert (found.loc[["below_range", "above_range"], "n_located"] == 0).all()


def test_tables_of_screens_have_their_unit():
    curves = pd.DataFrame(
        {
            "curve_class": ["toxic_top", "active"], "ec50_um": [np.nan, 0.3], "ec50_low_um": [np.nan, 0.1],
            "ec50_high_um": [np.nan, 0.9], "ec50_censored": "", "r2": [0.2, 0.9],
        }
    )  # fmt: skip
    found = summary(curves)
    assert found["curve_class"].tolist() == ["active", "toxic_top"]
    assert found["ec50_median_um"].tolist()[0] == 0.3


def test_another_table_is_refused():
    with pytest.raises(UsageError, match="no column curve_class, ec50, ec50_low"):
        summary(pd.DataFrame({"r2": [1.0]}))
