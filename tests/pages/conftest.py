"""Small tables of every room: a twin's truth, calls and curves, made up by hand."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module", autouse=True)
def own_memory(memory_home):
    """Keep what steps remember out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", str(memory_home))
        yield


@pytest.fixture
def known() -> pd.DataFrame:
    """Return a twin's truth: A rescues fully, B weakly, C not at all; D is toxic."""
    rows = [
        ("E", "A", 0.1, "rescuing", 0.4, 0.0, 0.9, 0.2), ("E", "A", 1.0, "rescuing", 0.9, 0.0, 0.9, 0.2),
        ("E", "B", 1.0, "class", 0.3, 0.0, 0.3, 0.5), ("E", "C", 1.0, "inert", 0.0, 0.0, 0.0, np.nan),
        ("E", "D", 1.0, "toxic", 0.0, 2.0, 0.0, np.nan),
    ]  # fmt: skip
    columns = ["experiment", "treatment", "dose_um", "kind", "rescue", "toxicity", "emax", "ec50_um"]
    return pd.DataFrame(rows, columns=columns).assign(off_disease=0.0, hill=1.0)


@pytest.fixture
def hits() -> pd.DataFrame:
    """Return calls: A and C called, B missed, D off target."""
    return pd.DataFrame(
        {
            "experiment": "E", "treatment": ["a", "B", "C", "D"],
            "call": ["rescue", "inactive", "rescue", "rescue_off_target"], "rescue_max": [0.95, 0.2, 0.3, 1.2],
            "dose_at_max_um": [1.0, 1.0, np.nan, 1.0], "score": [0.9, 0.1, 0.3, 0.5],
            "q_value": [1e-9, 0.3, 0.04, 0.01], "rank": [1, 4, 3, 2],
        }
    )  # fmt: skip


def curve(treatment, klass, ec50=np.nan, low=np.nan, high=np.nan, censored="", back=1.0, relevance=1.0):
    """Return a row of dose_response.csv."""
    return {
        "experiment": "E", "treatment": treatment, "curve_class": klass, "ec50_um": ec50, "ec50_low_um": low,
        "ec50_high_um": high, "ec50_censored": censored, "hill": 1.5, "front": 0.0, "back": back, "r2": 0.8,
        "relevance": relevance,
    }  # fmt: skip


@pytest.fixture
def curves() -> pd.DataFrame:
    """Return one curve of each class."""
    return pd.DataFrame(
        [
            curve("A", "active", 0.4, 0.1, 0.8, relevance=3.0),
            curve("B", "step", 0.55, 0.3, 1.0, relevance=5.0),
            curve("C", "inactive", relevance=0.1),
            curve("D", "below_range", 0.03, 0.0, 0.03, "<", relevance=2.0),
            curve("E", "above_range", 3.0, 3.0, np.inf, ">", back=-2.0, relevance=9.0),
            curve("F", "not_fitted", relevance=np.nan),
        ]
    )
