"""Potencies in words, on curves made up by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.dose import potency


def curve(experiment: str, treatment: str, ec50: float, **values) -> dict:
    row = {"experiment": experiment, "treatment": treatment, "curve_class": "active", "ec50_um": ec50}
    row |= {"ec50_low_um": ec50 / 2, "ec50_high_um": ec50 * 2, "n_toxic_doses": 0, "n_dropped_doses": 0}
    everything = dict.fromkeys(("ec50_all_um", "ec50_all_low_um", "ec50_all_high_um"), np.nan)
    return row | everything | values


def with_all(ec50: float, low: float = 0.5, high: float = 2.0) -> dict:
    return {"ec50_all_um": ec50, "ec50_all_low_um": low * ec50, "ec50_all_high_um": high * ec50}


@pytest.fixture
def curves() -> pd.DataFrame:
    rows = [
        curve("E-1", "A", 1.0),
        curve("E-2", "A", 2.0),
        curve("E-1", "B", 1.0, n_toxic_doses=2, n_dropped_doses=2, **with_all(4.0)),
        curve("E-2", "B", 8.0),
        curve("E-1", "C", 1.0, ec50_high_um=np.inf),
        curve("E-2", "C", 1.0),
        curve("E-1", "D", np.nan, curve_class="toxic_top", n_toxic_doses=3),
    ]
    return pd.DataFrame(rows)


def test_only_potencies_with_limits_in_both_are_compared(curves):
    shared = potency.shared_potencies(curves)
    assert shared["treatment"].tolist() == ["A", "B"]
    assert shared[["ec50_um_a", "ec50_um_b"]].to_numpy().tolist() == [[1.0, 2.0], [1.0, 8.0]]
    text = potency.say_shared(shared)
    assert (
        "E-1 and E-2: 2 compounds, the EC50s apart by a factor of 4 (median)" in text
    )  # of 2 and 8, in logarithms
    assert "overlap in 50 %" in text
    assert "No compound has an EC50" in potency.say_shared(potency.shared_potencies(curves.head(0)))


def test_toxic_tops_say_what_they_change(curves):
    more = [
        curve("E-1", "F", 1.0, n_toxic_doses=1, n_dropped_doses=1, **with_all(9.0, low=0.0)),  # only a bound
        curve("E-1", "G", 1.0, n_toxic_doses=1, n_dropped_doses=1, **with_all(9.0)),
        curve("E-1", "H", np.nan, n_toxic_doses=2, n_dropped_doses=2, curve_class="toxic_top"),
    ]
    curves = pd.concat([curves, pd.DataFrame(more)], ignore_index=True)
    assert potency.toxic_tops(curves)["treatment"].tolist() == ["G", "B", "D", "F", "H"]
    text = potency.say_toxic(curves)
    assert "5 curves of 10 have doses at the top" in text
    assert "3 have a curve without them, 1 does nothing sure below them, 1 has too few doses below" in text
    assert "Of 2 curves with an EC50 both ways" in text
    assert "for 2 (G in E-1 (9-fold) and B in E-1 (4-fold)); for 1 in all the two intervals exclude" in text
    assert "At no dose" in potency.say_toxic(curves.assign(n_toxic_doses=0))


def test_coverage_is_named_by_noise_and_interval():
    table = pd.DataFrame(
        {
            "noise": "alike",
            "interval": ["plates", "wells"],
            "coverage": [0.95, 0.5],
            "n_curves": 300,
            "fold": [3.0, 2.0],
        }
    )
    assert (
        "alike: 95 % of those with plates (ends a factor of 3 apart) and 50 % of those with wells"
        in potency.say_coverage(table)
    )


def test_what_wells_as_independent_do_wrong_is_said_where_they_do():
    table = pd.DataFrame(
        {
            "noise": ["wells", "wells", "shifts", "shifts", "other\nEC50", "other\nEC50"],
            "interval": ["plates", "wells as independent"] * 3,
            "coverage": [0.95, 0.95, 0.95, 0.98, 0.95, 0.6],
            "n_curves": 300,
            "fold": [2.0, 2.0, 2.0, 5.0, 3.0, 2.0],
        }
    )
    text = potency.say_coverage(table)
    assert "With shifts wells as independent are the wider interval" in text
    assert "With other EC50 they are too short" in text
    assert text.count("too short") == 1
