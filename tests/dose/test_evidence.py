"""Columns that speak of harm: each says what was seen, and nothing where nothing was."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.evidence import harm_evidence


def screen(**columns):
    wells = [
        ("E_1", None, np.nan, 100.0), ("E_1", None, np.nan, 120.0), ("E_1", None, np.nan, 110.0),
        ("E_2", None, np.nan, 50.0), ("E_1", "kills", 1.0, 110.0), ("E_1", "kills", 10.0, 11.0),
        ("E_2", "kills", 10.0, 5.0), ("E_2", "none", 1.0, 50.0), ("E_2", "saves", 1.0, 100.0),
    ]  # fmt: skip
    obs = pd.DataFrame(wells, columns=["plate_id", "treatment", "dose_um", "count"])
    obs = obs.assign(experiment="E", condition="infected", qc_flag="", rescue=0.0)
    obs = obs.drop(columns="count").assign(**dict.fromkeys(columns, obs["count"]))
    obs.index = obs.index.astype(str)
    return ad.AnnData(np.zeros((len(obs), 1)), obs=obs)


TOXIC = pd.DataFrame(
    {
        "experiment": "E",
        "treatment": "kills",
        "dose_um": [10.0, 1.0, 3.0],
        "reason": ["far", "begun", "begun"],
    }
)


def test_cells_left_are_told_per_plate_and_reasons_by_dose():
    found = harm_evidence(screen(Count_Cells=True), TOXIC).set_index("treatment")
    assert found["cells_top"].round(6).to_dict() == {"kills": 0.1, "none": 1.0, "saves": 2.0}
    assert found["toxic_reason"].to_dict() == {"kills": "begun, far", "none": "", "saves": ""}


def test_a_screen_without_counts_has_none():
    found = harm_evidence(screen(), TOXIC.head(0))
    assert found["cells_top"].isna().all()
    assert set(found["treatment"]) == {"kills", "none", "saves"}


def test_failed_wells_do_not_count():
    wells = screen(n_cells=True)
    wells.obs.loc["6", "qc_flag"] = "failed"
    wells.obs.loc["6", "n_cells"] = 5000.0
    assert harm_evidence(wells, TOXIC).set_index("treatment").loc["kills", "cells_top"] == 0.1
