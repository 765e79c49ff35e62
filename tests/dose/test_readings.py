"""Two readings of a curve give one interval, or none."""

import numpy as np
import pandas as pd

from helpers.dose.readings import cover_both


def test_an_interval_covers_both_readings_or_says_that_neither_can_be_told():
    names = ["both", "one", "limit", "loose", "none"]
    points = pd.DataFrame({"treatment": np.repeat(names, 2), "dose_um": [0.01, 10.0] * 5, "rescue": 0.0})
    columns = ["curve_class", "ec50", "ec50_low", "ec50_high", "ec50_censored"]

    def table(*rows):
        return pd.DataFrame(rows, pd.Index(names, name="treatment"), columns)

    active = ("active", 1.0, 0.5, 2.0, "")
    one = table(active, active, active, active, active)
    two = table(
        ("active", 2.0, 1.0, 4.0, ""), ("inactive", np.nan, np.nan, np.nan, ""),
        ("above_range", 3.0, 3.0, np.inf, ">"), ("active", np.nan, 0.001, np.inf, ""), active,
    )  # fmt: skip
    cover_both(one, two, pd.Index(names[:4], name="treatment"), points)
    assert one.loc["both"].tolist() == ["active", 1.0, 0.5, 4.0, ""]
    assert one.loc["one", "curve_class"] == "inactive"
    assert one.loc["limit"].tolist() == ["above_range", 0.5, 0.5, np.inf, ">"]
    assert one.loc["loose", "curve_class"] == "active"
    assert np.isnan(one.loc["loose", "ec50"]), "its one limit lies below all doses"
    assert one.loc["none"].tolist() == list(active)
    tenth = ["ed10", "ed10_low", "ed10_high"]
    one, two = (
        t.assign(**dict(zip(tenth, ends, strict=True)))
        for t, ends in ((one, (2.0, 1.0, 3.0)), (two, (2.0, 0.5, 2.0)))
    )
    one["curve_class"] = "active"
    cover_both(one, two, pd.Index(names[:3], name="treatment"), points)
    assert one.loc["both", tenth].tolist() == [2, 0.5, 3]
    assert one.loc["limit", tenth].isna().all()
