"""Made-up tables of the contract, so that figures are tested without fitting anything."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from made_up import made_up_arms, made_up_hits, made_up_wells

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed_figures():
    """Close what a test drew."""
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def wells() -> pd.DataFrame:
    """Return scored wells: two experiments of two plates."""
    return made_up_wells()


@pytest.fixture(scope="session")
def arms(wells) -> pd.DataFrame:
    """Return `arms.csv` of the made-up wells."""
    return made_up_arms(wells)


@pytest.fixture(scope="session")
def hits(arms) -> pd.DataFrame:
    """Return `hits.csv` of the made-up arms, with every call present."""
    return made_up_hits(arms)


@pytest.fixture(scope="session")
def quality(wells) -> pd.DataFrame:
    """Return `assay_quality.csv` of the made-up wells."""
    pairs = wells[["experiment", "plate"]].drop_duplicates().reset_index(drop=True)
    n = len(pairs)
    return pairs.assign(
        n_mock=40,
        n_infected=510,
        z_prime=np.linspace(0.2, 0.5, n),
        z_prime_robust=np.linspace(0.3, 0.6, n),
        ssmd=9.0,
        auroc=np.linspace(0.98, 1.0, n),
        passes=[False] + [True] * (n - 1),
    )


@pytest.fixture(scope="session")
def recipes() -> pd.DataFrame:
    """Return a `normalization.csv`."""
    return pd.DataFrame(
        {
            "recipe": ["raw", "experiment_center", "plate_center"],
            "plate_predictability": [0.98, 0.91, 0.35],
            "experiment_predictability": [1.0, 0.6, 0.52],
            "replicate_map": [0.11, 0.16, 0.34],
            "control_auroc": [0.96, 0.97, 0.999],
            "z_prime_robust": [-0.4, 0.05, 0.52],
            "uv_mock_gap": [0.3, 0.22, 0.1],
            "selected": [False, False, True],
        }
    )


@pytest.fixture(scope="session")
def curves() -> pd.DataFrame:
    """Return a `dose_response.csv` with one curve of each kind."""
    rows = [
        ("HRCE-1", "TWN-0060", "active", 0.2, 0.12, 0.34, "", 1.0, 0.0, 1.0),
        ("HRCE-1", "TWN-0050", "step", 0.1732, 0.1, 0.3, "", 20.0, 0.0, 0.8),
        ("HRCE-1", "TWN-0040", "below_range", 0.01, 0.0, 0.02, "<", 1.0, 0.0, 0.6),
        ("VERO-1", "TWN-0030", "above_range", 3.0, 1.2, np.inf, ">", 1.0, 0.0, 0.9),
        ("VERO-1", "TWN-0001", "inactive", np.nan, np.nan, np.nan, "", 2.0, 0.0, 0.01),
    ]
    columns = ["experiment", "treatment", "curve_class", "ec50_um", "ec50_low_um", "ec50_high_um"]
    table = pd.DataFrame(rows, columns=[*columns, "ec50_censored", "hill", "front", "back"])
    return table.assign(r2=0.9, f_value=20.0, p_value=1e-4, q_value=1e-3, relevance=4.0)
