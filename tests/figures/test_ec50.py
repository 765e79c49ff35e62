"""The words for an EC50 say what is known about it, and nothing more."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures.ec50 import ec50_text


def curve(**changes):
    """Return a row of dose_response.csv."""
    values = {
        "experiment": "HRCE-1", "treatment": "TWN-0060", "curve_class": "active", "ec50_um": 0.2, "ec50_low_um": 0.12,
        "ec50_high_um": 0.34, "ec50_censored": "", "hill": 1.0, "front": 0.0, "back": 1.0,
    }  # fmt: skip
    return pd.Series({**values, **changes})


FLAT = {"curve_class": "inactive", "ec50_um": np.nan, "ec50_low_um": np.nan, "ec50_high_um": np.nan}


STEP = {"curve_class": "step", "ec50_um": 0.17, "ec50_low_um": 0.1, "ec50_high_um": 0.3}


BELOW = {
    "curve_class": "below_range",
    "ec50_um": 0.03,
    "ec50_low_um": 0.0,
    "ec50_high_um": 0.03,
    "ec50_censored": "<",
}


ABOVE = {
    "curve_class": "above_range",
    "ec50_um": 1.0,
    "ec50_low_um": 1.0,
    "ec50_high_um": np.inf,
    "ec50_censored": ">",
}


LOOSE = {"ec50_um": np.nan, "ec50_low_um": 0.0, "ec50_high_um": np.inf}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "EC50 0.2 µM (0.12 to 0.34)"),
        ({"ec50_um": 0.2345}, "EC50 0.23 µM (0.12 to 0.34)"),
        ({"ec50_high_um": np.inf}, "EC50 0.2 µM (0.12 to ∞)"),
        ({"ec50_low_um": np.nan, "ec50_high_um": np.nan}, "EC50 0.2 µM"),
        (STEP, "EC50 between 0.1 and 0.3 µM"),
        (BELOW, "EC50 < 0.03 µM"),
        (ABOVE, "EC50 > 1 µM"),
        (LOOSE, "EC50 without limits"),
        (FLAT, "no EC50"),
        ({**FLAT, "ec50_censored": None}, "no EC50"),
    ],
)
def test_ec50_in_words(changes, text):
    assert ec50_text(curve(**changes)) == text
