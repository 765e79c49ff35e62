"""A small screen counted by hand, for the sentences of the tour."""

import numpy as np
import pandas as pd

COLUMNS = [
    "experiment", "plate", "row", "col", "condition", "treatment", "treatment_raw", "dose_um", "smiles", "on_disease",
]  # fmt: skip


def screen() -> pd.DataFrame:
    """Return two experiments of two and one plates.

    Per plate: 4 mock, 3 UV, 4 infected and 1 blank well; compound A in two doses, one well each, spelt `a` on the
    second plate and `alpha` in E-2; compound B, without a structure, on the first plate only. One mock well failed.
    """
    rows = []
    for experiment, plate in (("E-1", 1), ("E-1", 2), ("E-2", 10)):
        for condition, row, scores in (
            ("mock", 5, (-0.1, 0.0, 0.1, 0.9)), ("uv", 13, (0.0, 0.1, 0.2)), ("infected", 9, (0.9, 1.0, 1.0, 1.1)),
            ("blank", 2, (0.1,)),
        ):  # fmt: skip
            rows += [
                (experiment, plate, row, 8 + i, condition, None, None, np.nan, None, s)
                for i, s in enumerate(scores)
            ]
        raw = "alpha" if experiment == "E-2" else "a" if plate == 2 else "A"
        rows += [
            (experiment, plate, 20, 3 + i + plate % 2, "infected", "A", raw, d, "CCO", 0.5)
            for i, d in enumerate((0.1, 1))
        ]
    rows.append(("E-1", 1, 21, 3, "infected", "B", "B", 1.0, None, 1.0))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["plate_id"] = table["experiment"] + "_" + table["plate"].astype(str)
    table["well"] = "R" + table["row"].astype(str) + "C" + table["col"].astype(str)
    table["qc_flag"] = np.where(table["on_disease"] == 0.9, "far out", "")
    table.loc[table["condition"] == "infected", "qc_flag"] = ""
    table["rescue"], table["off_disease"] = (
        1 - table["on_disease"],
        np.where(table["qc_flag"] != "", 5.0, 0.5),
    )
    for column in ("experiment", "plate_id", "treatment", "treatment_raw", "smiles"):
        table[column] = table[column].astype("category")
    table["condition"] = pd.Categorical(table["condition"], ["mock", "uv", "infected", "blank"])
    return table.assign(n_sites=4, cell_type="HRCE").set_index(
        table["plate_id"].astype(str) + "_" + table["well"]
    )


def three_plates() -> pd.DataFrame:
    """Return two experiments with two plates and one; compound A is spelt twice and stands in both."""
    rows = []
    for experiment, plate in (("E-1", 1), ("E-1", 2), ("E-2", 10)):
        rows += [
            (experiment, plate, 5, 8, "mock", None, None, np.nan),
            (experiment, plate, 6, 8, "mock", None, None, np.nan),
        ]
        rows += [(experiment, plate, 13, 16, "uv", None, None, np.nan)]
        rows += [(experiment, plate, r, 3, "infected", None, None, np.nan) for r in (2, 9, 30)]
        rows += [
            (experiment, plate, 4, 20 + i, "infected", "A", "a" if plate == 2 else "A", d)
            for i, d in enumerate((0.1, 1.0))
        ]
    rows += [("E-1", 1, 7, 7, "infected", "B", "B", 10.0), ("E-1", 1, 7, 9, "infected", "B", "B", 10.0)]
    columns = ["experiment", "plate", "row", "col", "condition", "treatment", "treatment_raw", "dose_um"]
    table = pd.DataFrame(rows, columns=columns)
    table["plate_id"] = table["experiment"] + "_" + table["plate"].astype(str)
    table["well"] = "R" + table["row"].astype(str) + "C" + table["col"].astype(str)
    table["qc_flag"] = np.where((table["row"] == 5) & (table["plate"] == 2), "far out", "")
    table["rescue"] = table["condition"].map({"mock": 1.0, "uv": 1.0, "infected": 0.0})
    return table.assign(n_sites=4, cell_type="HRCE")


def quality(z: tuple[float, ...] = (0.5, 0.2, -0.1), minimum: float = 0.0) -> pd.DataFrame:
    """Return `assay_quality.csv` of the screen."""
    z = np.asarray(z)
    return pd.DataFrame(
        {
            "experiment": ["E-1", "E-1", "E-2"], "plate": [1, 2, 10], "n_mock": 3, "n_infected": 4, "z_prime": z - 0.1,
            "z_prime_robust": z, "ssmd": 6.0, "auroc": 1.0, "passes": z >= minimum, "held_out": [True, True, False],
            "n_failed_controls": [1, 1, 1], "window": [0.8, 1.0, 1.25], "mock_rescue": [1.0, 0.9, 1.05],
            "infected_rescue": [0.0, 0.02, -0.01], "reason": ["" if v >= minimum else f"robust Z′ {v:.2f}" for v in z],
        }
    )  # fmt: skip
