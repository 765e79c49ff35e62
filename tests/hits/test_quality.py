import numpy as np
import pandas as pd
import pytest

from helpers.hits.quality import assay_quality, auroc, pooled_quality, robust_z_prime, ssmd, z_prime

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
