"""What is counted of curves is counted right; how much of it holds is the business of `make worlds`."""

import numpy as np
import pandas as pd
import pytest

from helpers.dose import promises
from helpers.dose.promises import ALL_PROMISES, CURVE_PROMISES, judge_curves, judge_worlds
from helpers.hits.promises import judge_world, stored_promises, summarize_promises
from helpers.screens.twin.worlds import WORLDS


def test_curves_are_held_against_the_truth(monkeypatch):
    curves = pd.DataFrame(
        [
            ("located", "active", 1.0, 0.5, 2.0),
            ("wrong", "active", 9.0, 8.0, 10.0),
            ("limit", "below_range", 2.0, 0.0, 2.0),
            ("flat", "inactive", np.nan, np.nan, np.nan),
            ("harmful", "active", 1.0, 0.5, 2.0),
            ("toxic", "toxic_top", np.nan, np.nan, np.nan),
            ("imitator", "active", 1.0, 0.5, 2.0),
            ("inert", "worsening", np.nan, np.nan, np.nan),
        ],
        columns=["treatment", "curve_class", "ec50_um", "ec50_low_um", "ec50_high_um"],
    ).assign(experiment="E")
    monkeypatch.setattr(promises, "fit_screen", lambda *_, **__: curves)
    kinds = ["rescuing"] * 4 + ["rescuing_toxic", "toxic", "toxic", "inert"]
    truth = pd.DataFrame(
        {
            "experiment": "E", "treatment": np.repeat(curves["treatment"], 2), "dose_um": [0.1, 10.0] * 8,
            "kind": np.repeat(kinds, 2), "rescue": [0.0, 0.9] * 4 + [0.0, 0.9] + [0.0, 0.0] * 3,
            "toxicity": [0.0, 0.0] * 4 + [0.0, 2.0] * 3 + [0.0, 0.0],
            "emax": np.repeat([0.9] * 5 + [0.0] * 3, 2), "ec50_um": np.repeat([1.0] * 5 + [np.nan] * 3, 2),
        }
    )  # fmt: skip
    found = {name: (value, n) for name, value, n in judge_curves(None, truth, None, None, seed=0)}
    assert found["located"] == (0.5, 4)
    assert found["ec50_coverage"] == (pytest.approx(2 / 3), 3), "the flat one has no interval"
    assert found["harmful_coverage"] == (1.0, 1)
    assert found["toxic_named"] == (0.5, 2)
    assert found["flat_called"] == (1.0, 1)
    assert found["ec50_error"] == (pytest.approx(np.log10(9) / 2), 2)
    assert set(found) == set(CURVE_PROMISES)


@pytest.mark.slow
def test_worlds_are_judged_one_by_one():
    table = judge_worlds(1, worlds=("small_plates",), recipes=("plate_center",), seed=3)
    parts = [
        judge_world("small_plates", seed, recipes=("plate_center",), further=judge_curves) for seed in (3,)
    ]
    pd.testing.assert_frame_equal(table, summarize_promises(pd.concat(parts, ignore_index=True)))
    assert (table["n_seeds"] == 1).all()
    assert {"ec50_coverage", "toxic_named"} <= set(table["promise"])


def test_the_large_study_is_whole():
    table = stored_promises()
    assert list(dict.fromkeys(table["world"])) == list(WORLDS)
    assert (table["n_seeds"] >= 10).all()
    assert table["value"].between(0, 1).mean() > 0.95
    assert (table["se"] >= 0).all()
    assert set(table["promise"]) == set(ALL_PROMISES)
