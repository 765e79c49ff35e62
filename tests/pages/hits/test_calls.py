"""Calls in words, against calls and a truth counted by hand."""

import numpy as np
import pandas as pd

from helpers.pages.hits import calls


def test_calls_are_counted(hits):
    text = calls.calls(hits, 0.05, 0.1)
    assert "above 0.1 at a false discovery rate of 5 %" in text
    assert "in E 2 `rescue`, 1 `rescue_off_target` and 1 `inactive`" in text
    assert "by itself" not in text
    twice = pd.concat([hits, hits.assign(experiment="F").head(1)])
    assert "5 calls of 4 compounds, and the 3 calls of `rescue` are of 2 compounds" in calls.calls(
        twice, 0.05, 0.1
    )


def test_best_hits_are_named_by_rank(hits):
    assert "E: a (0.95 at 1 µM) and C (0.3 at no stated dose)" in calls.top_hits(hits)
    assert calls.top_hits(hits.assign(call="inactive")) == "No compound is called `rescue`."


def test_off_axis_counts(hits):
    assert calls.off_axis(hits).startswith("1 call is `rescue_off_target`")
    assert "No calls are `toxic`" in calls.off_axis(hits)


def test_one_plate_is_stated():
    arms = pd.DataFrame({"n_plates": [1, 1]})
    assert "cannot be seen" in calls.plates_limit(arms)
    assert "3 plates as a rule" in calls.plates_limit(pd.DataFrame({"n_plates": [3, 3, 2]}))
    some = calls.plates_limit(pd.DataFrame({"n_plates": [3, 3, 3, 1]}))
    assert "For 1 arm (25 %) that stand on one plate the wells are all there is" in some


def test_truth_of_calls_without_regard_to_case(hits, known):
    text = calls.truth_calls(hits, known, 0.1)
    assert "1 of 1 with a true rescue of at least 0.5" in text
    assert "0 of 1 with a true rescue of 0.25 to 0.5" in text
    assert "Of 2 calls of `rescue`, 1 (50 %) went to compounds" in text
    assert "Of 1 call of `rescue_off_target`, 1 did" in text
    assert "not known" in calls.truth_calls(hits, None, 0.1)
    toxic = calls.truth_calls(hits, known.assign(kind="toxic"), 0.1)
    assert "toxic and do not rescue: 2 `rescue`, 1 `rescue_off_target` and 1 `inactive`" in toxic


def test_noise_of_wells_is_set_against_arms():
    wells = pd.DataFrame(
        {
            "experiment": ["E", "E", "E", "E"], "condition": ["infected"] * 3 + ["mock"], "treatment": None,
            "qc_flag": ["", "", "bad", ""], "off_disease": [2.0, 2.2, 90.0, 50.0],
        }
    )  # fmt: skip
    arms = pd.DataFrame({"off_disease": [0.0, 0.0, 0.4, np.nan]})
    text = calls.well_noise(wells, arms, 1024)
    assert "1,024 features" in text
    assert "2.1 in E" in text
    assert "median arm stands at 0, and 67 % of the arms at 0" in text
    assert "one feature" in calls.well_noise(wells, arms, 1)
    assert "nothing to compare" in calls.well_noise(wells.assign(off_disease=np.nan), arms, 5)


def test_the_dose_that_decides_need_not_be_that_of_the_largest_rescue(hits):
    arms = pd.DataFrame(
        {
            "experiment": "E",
            "treatment": ["a", "a", "C", "D"],
            "dose_um": [1.0, 9.0, 1.0, 1.0],
            "rescue": [0.95, 1.7, 0.3, 1.2],
        }
    )
    text = calls.deciding_dose(hits, arms)
    assert text.startswith("Of 2 calls of `rescue`, 1 has a larger rescue at another dose")
    assert "none stands past mock" in text
    past = calls.deciding_dose(hits.assign(rescue_max=1.8), arms)
    assert "none has a larger" in past
    assert "2 stand past mock" in past
    assert calls.deciding_dose(hits.assign(call="inactive"), arms) == ""
