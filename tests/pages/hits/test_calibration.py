"""The words about the calibration: numbers of a study made up by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.calibration import Calibration
from helpers.pages.hits import calibration


@pytest.fixture
def study() -> Calibration:
    levels = {"level": ["arms", "compounds"], "n_twins": 3, "n": [2000, 300], "p_value": [0.4, 0.001]}
    return Calibration(
        pd.DataFrame(),
        pd.DataFrame(
            {
                **levels,
                "ks_p": [0.5, 0.6],
                "rejected_05": [0.048, 0.09],
                "rejected_01": [0.01, 0.02],
                "n_independent": 12,
                "too_often_p": [0.4, 0.2],
            }
        ),
        pd.DataFrame(
            {
                "fdr": [0.05, 0.2],
                "fdp": [0.012, 0.1],
                "power_strong": [1.0, 1.0],
                "power_medium": [0.9, np.nan],
            }
        ),
        pd.DataFrame(
            {
                "true_rescue": ["all", "(-0.01, 0.01]", "(0.25, 0.5]", "(-inf, -0.01]", "(0.5, inf]"],
                "n": [1000, 700, 100, 100, 100],
                "coverage": [0.95, 0.94, 0.96, 0.97, 0.98],
                "coverage_se": 0.01,
            }
        ),
    )


def test_ranges_go_from_low_to_high_in_words(study):
    table = calibration.coverage_ranges(study.coverage)
    assert table["rescue"].tolist() == ["below −0.01", "none", "0.25 to 0.5", "above 0.5"]
    assert table["coverage"].tolist() == [0.97, 0.94, 0.96, 0.98]


def test_a_spread_that_is_not_uniform_is_said(study):
    text = calibration.nulls(study)
    assert "On 3 simulated screens" in text
    assert "4.8 % of the 2,000 p-values of arms are at most 0.05 and 1 % at most 0.01" in text
    assert "9 % of the 300 p-values of compounds are at most 0.05 and 2 % at most 0.01" in text
    assert "One of each experiment, 12 in all, are independent" in text
    assert "**those of compounds promise too much**" in text
    study.uniformity["p_value"] = 0.5
    assert "no sign, in so many screens, that they promise too much" in calibration.nulls(study)
    # flips of few twins reach no small p-value; that all of them reject too often is seen all the same
    study.uniformity["too_often_p"] = [0.4, 1e-9]
    assert "**those of compounds promise too much**" in calibration.nulls(study)
    study.uniformity["rejected_05"], study.uniformity["ks_p"] = 0.001, 1e-6
    assert "those of arms and compounds are not uniform, but seldom small" in calibration.nulls(study)


def test_rates_power_and_coverage_are_named(study):
    text = calibration.promises(study)
    assert "on average 1.2 % at a rate of 0.05 and 10 % at a rate of 0.2 truly rescue nowhere" in text
    assert "At 0.05, 100 % of the compounds that truly rescue by half or more were called, and 90 %" in text
    assert "1,000 arms that are not toxic hold the true rescue in 95 %" in text
