"""Made-up tables of the contract, so that figures are tested without fitting anything."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers.screens.layout import control_condition, parse_well, plate_wells

mpl.use("Agg")

DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
COMPOUNDS = tuple(f"TWN-{i:04d}" for i in range(1, 61))


@pytest.fixture(autouse=True)
def closed_figures():
    """Close what a test drew."""
    yield
    plt.close("all")


def made_up_plate(experiment: str, plate: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return one plate of RxRx19a's layout; the n-th compound rescues by n / 60 at its highest dose."""
    positions = [parse_well(well) for well in plate_wells()]
    table = pd.DataFrame(positions, columns=["row", "col"])
    condition = [control_condition(r, c) for r, c in positions]
    table["condition"] = [c or "infected" for c in condition]
    free = rng.permutation([i for i, c in enumerate(condition) if c is None])
    arms = [(t, d) for t in COMPOUNDS for d in DOSES for _ in range(2)]
    table["treatment"], table["dose_um"] = None, np.nan
    table.loc[free[: len(arms)], "treatment"] = [t for t, _ in arms]
    table.loc[free[: len(arms)], "dose_um"] = [d for _, d in arms]
    strength = table["treatment"].map({t: i / len(COMPOUNDS) for i, t in enumerate(COMPOUNDS)}).fillna(0.0)
    dose = table["dose_um"].fillna(0.0)
    level = table["condition"].map({"mock": 1.0, "uv": 0.9, "infected": 0.0, "blank": 0.5}).astype(float)
    table["rescue"] = level + strength * dose / (dose + 0.2) + 0.08 * rng.standard_normal(len(table))
    table["rescue"] += 0.004 * (table["row"] - 16)
    table["on_disease"] = 1 - table["rescue"]
    table["off_disease"] = 0.4 + 0.1 * rng.standard_normal(len(table)) ** 2
    table["qc_flag"] = np.where(rng.random(len(table)) < 0.02, "far from the plate's bulk", "")
    table["n_sites"] = 4
    table["well"] = plate_wells()
    return table.assign(experiment=experiment, plate=plate, plate_id=f"{experiment}_{plate}")


@pytest.fixture(scope="session")
def wells() -> pd.DataFrame:
    """Return scored wells: two experiments of two plates."""
    rng = np.random.default_rng(0)
    plates = [made_up_plate(e, p, rng) for e in ("HRCE-1", "VERO-1") for p in (1, 2)]
    table = pd.concat(plates, ignore_index=True)
    for column in ("experiment", "plate", "plate_id", "well", "treatment"):
        table[column] = table[column].astype("category")
    table["condition"] = pd.Categorical(table["condition"], ["mock", "uv", "infected", "blank"])
    return table.set_index(table["plate_id"].astype(str) + "_" + table["well"].astype(str)).rename_axis(
        "well_id"
    )


@pytest.fixture(scope="session")
def arms(wells) -> pd.DataFrame:
    """Return `arms.csv` of the made-up wells."""
    grouped = wells.groupby(["experiment", "treatment", "dose_um"], observed=True)
    table = grouped.agg(
        n_wells=("rescue", "size"),
        n_plates=("plate", "nunique"),
        rescue=("rescue", "mean"),
        off_disease=("off_disease", "mean"),
    ).reset_index()
    table["rescue_low"], table["rescue_high"] = table["rescue"] - 0.1, table["rescue"] + 0.1
    table["p_value"] = 10 ** -np.clip(table["rescue"] * 8, 0, 6)
    table["q_value"] = np.minimum(table["p_value"] * 2, 1.0)
    return table


@pytest.fixture(scope="session")
def hits(arms) -> pd.DataFrame:
    """Return `hits.csv` of the made-up arms, with every call present."""
    best = arms.loc[arms.groupby(["experiment", "treatment"], observed=True)["rescue"].idxmax()].copy()
    best["rescue_max"], best["dose_at_max_um"] = best["rescue"], best["dose_um"]
    best["rank"] = best.groupby("experiment", observed=True)["rescue"].rank(ascending=False).astype(int)
    calls = ["rescue", "rescue_off_target", "toxic", "worsens", "inactive"]
    best["call"] = np.where(best["rescue"] > 0.4, np.array(calls * 24)[: len(best)], "inactive")
    best["score"] = best["rescue_max"].clip(-1, 1)
    columns = [
        "experiment",
        "treatment",
        "call",
        "rescue_max",
        "dose_at_max_um",
        "score",
        "p_value",
        "q_value",
    ]
    return best[[*columns, "rank"]].sort_values(["experiment", "rank"]).reset_index(drop=True)


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
