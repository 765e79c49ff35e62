import numpy as np
import pandas as pd
import pytest

from helpers.hits import score_wells
from helpers.hits.quality import (
    MIN_CONTROLS,
    assay_quality,
    auroc,
    pooled_quality,
    robust_z_prime,
    ssmd,
    z_prime,
)
from helpers.profiles import normalize, to_wells
from helpers.profiles.selection import controls
from helpers.screens import open_screen

MOCK, INFECTED = np.array([0.0, 0.2, -0.1, 0.1]), np.array([1.0, 0.7, 1.2, 0.9, 1.1])


def test_textbook_formulas():
    """Written out by hand from Zhang 1999 and Zhang 2007."""
    sm, si = MOCK.std(ddof=1), INFECTED.std(ddof=1)
    gap = INFECTED.mean() - MOCK.mean()
    assert z_prime(MOCK, INFECTED) == pytest.approx(1 - 3 * (sm + si) / gap)
    assert ssmd(MOCK, INFECTED) == pytest.approx(gap / np.sqrt(sm**2 + si**2))
    mad = 1.482602218505602
    robust = 1 - 3 * mad * (0.1 + 0.1) / (1.0 - 0.05)
    assert robust_z_prime(MOCK, INFECTED) == pytest.approx(robust)


def test_auroc_counts_pairs():
    pairs = [(m < i) + 0.5 * (m == i) for m in (0, 1, 2) for i in (1, 2, 2, 5)]
    assert auroc([0, 1, 2], [1, 2, 2, 5]) == pytest.approx(np.mean(pairs))


def test_one_well_of_a_kind_has_no_spread():
    assert np.isnan(z_prime([0.1], INFECTED))
    assert np.isnan(ssmd([0.1], INFECTED))
    assert np.isnan(auroc([], INFECTED))


def test_each_plate_is_measured_on_its_own_good_wells(tiny_scored):
    table = assay_quality(tiny_scored)
    assert len(table) == tiny_scored.obs["plate_id"].nunique()
    obs = tiny_scored.obs
    first = obs[
        (obs["plate_id"] == obs["plate_id"].iloc[0]) & (obs["qc_flag"] == "") & obs["treatment"].isna()
    ]
    on = first.groupby("condition", observed=True)["on_disease"]
    expected = z_prime(on.get_group("mock"), on.get_group("infected"))
    assert table["z_prime"].iloc[0] == pytest.approx(expected)
    assert table["n_mock"].iloc[0] == (first["condition"] == "mock").sum()
    assert table["held_out"].all()
    assert (table["passes"] == (table["z_prime_robust"] >= 0)).all()
    assert (table["mock_rescue"] - 1).abs().max() < 0.1
    assert table["infected_rescue"].abs().max() < 0.1
    assert table["window"].between(0.7, 1.4).all()


def test_failed_wells_would_ruin_the_plain_measure(tiny_scored):
    """What is left out matters: with the failed controls put back plain Z' falls on the worst plate."""
    with_failed = tiny_scored.copy()
    with_failed.obs["qc_flag"] = ""
    clean, spoiled = assay_quality(tiny_scored), assay_quality(with_failed)
    worst = clean["n_failed_controls"].idxmax()
    assert spoiled.loc[worst, "z_prime"] < clean.loc[worst, "z_prime"] - 0.2


def test_real_screen_over_all_plates(a549):
    """The pooled plain Z' of the published A549 screen, computed on its raw score, is 0.546."""
    pooled = pooled_quality(a549).iloc[0]
    assert 0.45 < pooled["z_prime"] < 0.65 or 0.45 < pooled["z_prime_robust"] < 0.65


def test_table_has_the_promised_columns(tiny_scored):
    expected = [
        "experiment",
        "plate",
        "n_mock",
        "n_infected",
        "z_prime",
        "z_prime_robust",
        "ssmd",
        "auroc",
        "passes",
    ]
    table = assay_quality(tiny_scored)
    assert set(expected) <= set(table.columns)
    assert isinstance(table, pd.DataFrame)


def test_a_plate_without_controls_is_unknown_and_not_failed(tiny_scored):
    """Others stand in for it: that it has no mock wells says nothing against it."""
    scored = tiny_scored.copy()
    ids = scored.obs["plate_id"].astype(str)
    first, second = ids.unique()[:2]
    mock = (scored.obs["condition"] == "mock").to_numpy()
    one = np.flatnonzero(mock & (ids == second).to_numpy())[1:]
    keep = np.setdiff1d(np.flatnonzero(~(mock & (ids == first).to_numpy())), one)
    table = assay_quality(scored[keep].copy())
    table.index = table["experiment"].astype(str) + "_" + table["plate"].astype(str)
    assert table.loc[[first, second], "passes"].isna().all()
    assert (
        table["reason"].to_dict() | {first: "no mock well", second: "one mock well"}
        == table["reason"].to_dict()
    )
    assert table["passes"].notna().sum() == len(table) - 2


def test_a_plate_whose_controls_stand_elsewhere_does_not_pass(tiny_scored):
    scored = tiny_scored.copy()
    plate = scored.obs["plate_id"].iloc[0]
    mine = ((scored.obs["condition"] == "mock") & (scored.obs["plate_id"] == plate)).to_numpy()
    scored.obs.loc[mine, "on_disease"] += 0.35
    row = assay_quality(scored, min_z_prime=-5).iloc[0]
    assert not row["passes"]
    assert row["reason"].startswith("median mock well at rescue 0.6")


def test_windows_that_differ_24_fold_put_every_mock_median_at_one(real_data):
    """Primary CLL: plates were not seeded alike; what a plate shows is in units of its own window."""
    wells = to_wells(open_screen(real_data / "screens" / "cll_ctg"))
    scored = score_wells(normalize(wells, "percent_of_control"))
    table = assay_quality(scored)
    # one plate has no mock well; the others stand in
    assert (table["mock_rescue"].dropna() - 1).abs().max() < 0.1
    # three mock wells a plate do not tell how far they scatter
    assert table["passes"].isna().equals(table["n_mock"] < MIN_CONTROLS)
    raw = pd.Series(np.asarray(wells.X)[:, 0], wells.obs_names)
    ids = wells.obs["plate_id"].astype(str)
    untreated = controls(wells.obs, "infected")
    share = raw / ids.map(raw[untreated].groupby(ids[untreated]).median())
    chosen = scored.obs["treatment"].astype(str).str.contains("venetoclax", case=False)
    chosen &= np.isclose(scored.obs["dose_um"].astype(float), 0.08)
    assert chosen.sum() >= 10
    # where nothing is left alive, percent of control and rescue add up to one
    assert (scored.obs["rescue"][chosen] - (1 - share[chosen])).abs().max() < 0.1


def test_three_wells_do_not_tell_how_far_they_scatter(tiny_scored):
    """With three wells of each kind a true Z' of -0.5 would pass on half of all plates."""
    scored = tiny_scored.copy()
    plate = scored.obs["plate_id"].iloc[0]
    mock = np.flatnonzero(
        ((scored.obs["condition"] == "mock") & (scored.obs["plate_id"] == plate)).to_numpy()
    )
    fine = mock[(scored.obs["qc_flag"].iloc[mock] == "").to_numpy()]
    keep = np.setdiff1d(np.arange(scored.n_obs), fine[3:])
    row = assay_quality(scored[keep].copy()).iloc[0]
    assert pd.isna(row["passes"])
    assert row["reason"] == "three mock wells"
