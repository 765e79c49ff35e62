"""Agreement of sites, on some plates of every experiment."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.study.agreement import MOST_PLATES, agreement_on_some, sites_named_on_some, some_plates


def made_up(n_plates: int, icc: float) -> ad.AnnData:
    """Return sites of wells whose variance lies between wells to the share `icc`."""
    rng = np.random.default_rng(0)
    plate, well, site = (a.ravel() for a in np.meshgrid(range(n_plates), range(300), range(4), indexing="ij"))
    obs = pd.DataFrame({"experiment": "E", "plate_id": [f"E_{p}" for p in plate], "site": site})
    obs["well_id"] = obs["plate_id"] + "_" + pd.Series(well).astype(str)
    between = rng.standard_normal((n_plates * 300, 6)).repeat(4, axis=0)
    X = np.sqrt(icc) * between + np.sqrt(1 - icc) * rng.standard_normal((len(obs), 6))
    X += 50 * plate[:, None]
    return ad.AnnData(X.astype(np.float32), obs=obs.set_index(obs["well_id"] + "_" + obs["site"].astype(str)))


def test_a_known_agreement_is_recovered_from_some_plates():
    table = agreement_on_some(made_up(9, 0.4))
    assert table["icc"].tolist() == pytest.approx([0.4], abs=0.03)
    assert table[["experiment", "n_plates", "sites_per_well"]].to_numpy().tolist() == [
        ["E", MOST_PLATES, 4.0]
    ]


def test_plates_are_spread_over_the_order():
    sites = made_up(9, 0.4)
    assert sites.obs["plate_id"].iloc[some_plates(sites.obs)].unique().tolist() == [
        "E_0",
        "E_3",
        "E_5",
        "E_8",
    ]
    assert len(some_plates(made_up(2, 0.4).obs)) == 2400


def test_wells_and_designs_have_none():
    sites = made_up(2, 0.4)
    assert agreement_on_some(sites[:, :0]).empty
    one = sites[(sites.obs["site"] == 0).to_numpy()]
    assert agreement_on_some(one).empty


def test_sites_are_named_per_experiment_where_there_are_sites(tiny_screen):
    table = sites_named_on_some(tiny_screen[0])
    assert table["experiment"].tolist() == ["HRCE-1", "HRCE-2"]
    assert table["predictability"].between(0.5, 1).all()
    assert sites_named_on_some(tiny_screen[0][:, :0].copy()).empty
    one = tiny_screen[0][(tiny_screen[0].obs["site"] == 1).to_numpy()].copy()
    assert sites_named_on_some(one).empty
