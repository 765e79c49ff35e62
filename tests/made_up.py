"""Made-up tables of the contract, for tests that need neither a fit nor a twin."""

import numpy as np
import pandas as pd

from helpers.screens.layout import control_condition, parse_well, plate_wells

DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
COMPOUNDS = tuple(f"TWN-{i:04d}" for i in range(1, 61))


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


def made_up_wells() -> pd.DataFrame:
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


def made_up_arms(wells: pd.DataFrame) -> pd.DataFrame:
    """Return `arms.csv` of made-up wells."""
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


def made_up_hits(arms: pd.DataFrame) -> pd.DataFrame:
    """Return `hits.csv` of made-up arms, with every call present."""
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
