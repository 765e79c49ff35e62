import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from helpers.hits import call_hits, experiment_agreement, shared_arms
from helpers.hits.between import agreement_from_sums


def paired(slope=1.0, se=(0.05, 0.05), n=60, doses=6, seed=0, spread=0.3):
    """Arms of two experiments whose true rescue differs by a factor."""
    rng = np.random.default_rng(seed)
    true = np.repeat(rng.normal(0, spread, n), doses) * np.tile(np.linspace(0, 1, doses), n)
    names, dose = np.repeat([f"c{i}" for i in range(n)], doses), np.tile(10.0 ** np.arange(doses), n)
    parts = []
    for name, factor, error in (("A", 1.0, se[0]), ("B", slope, se[1])):
        rescue = factor * true + rng.normal(0, error, len(true))
        table = pd.DataFrame({"experiment": name, "treatment": names, "dose_um": dose, "rescue": rescue})
        parts.append(
            table.assign(rescue_se=error, rescue_low=rescue - 2 * error, rescue_high=rescue + 2 * error)
        )
    return pd.concat(parts, ignore_index=True)


def test_slope_comes_back_where_least_squares_flattens_it():
    slopes, flat = [], []
    for seed in range(20):
        arms = paired(slope=1.4, se=(0.15, 0.1), seed=seed)
        table = shared_arms(arms)
        slopes.append(experiment_agreement(arms, n_bootstrap=2)["slope"].iloc[0])
        flat.append(np.polyfit(table["rescue_a"], table["rescue_b"], 1)[0])
    assert np.mean(slopes) == pytest.approx(1.4, abs=0.03)
    assert np.mean(flat) < 1.1


def test_slope_is_that_of_orthogonal_regression():
    arms = paired(slope=0.7, se=(0.1, 0.2))
    table = shared_arms(arms)
    x, y = table["rescue_a"].to_numpy(), table["rescue_b"].to_numpy()

    def misfit(line):
        return ((y - line[0] * x - line[1]) ** 2).sum() / (0.2**2 + line[0] ** 2 * 0.1**2)

    best = optimize.minimize(misfit, [1.0, 0.0], options={"gtol": 1e-8}).x[0]
    assert experiment_agreement(arms)["slope"].iloc[0] == pytest.approx(best, rel=1e-3)


def test_perfect_agreement_reaches_the_ceiling_and_half_of_it_does_not():
    arms = paired(se=(0.15, 0.15), n=200)
    found = experiment_agreement(arms).iloc[0]
    assert found["correlation"] < 0.85
    assert found["corrected"] == pytest.approx(1, abs=0.06)
    other = arms["experiment"] == "B"
    rng = np.random.default_rng(1)
    true_b = arms.loc[other, "rescue"] + rng.normal(0, arms.loc[other, "rescue"].std(), other.sum())
    arms.loc[other, "rescue"] = true_b
    assert experiment_agreement(arms).iloc[0]["corrected"] < 0.8


@pytest.mark.slow
def test_intervals_over_compounds_cover():
    held = [
        (t := experiment_agreement(paired(slope=1.2, seed=seed), n_bootstrap=200).iloc[0])["slope_low"] <= 1.2
        and t["slope_high"] >= 1.2
        for seed in range(100)
    ]
    assert 0.88 <= np.mean(held) <= 0.99


def test_sums_do_not_care_how_arms_are_grouped():
    sums = np.random.default_rng(0).uniform(1, 2, size=(5, 8)).cumsum(axis=1)
    together = agreement_from_sums(sums.sum(axis=0)[None])
    split = agreement_from_sums((sums[:2].sum(axis=0) + sums[2:].sum(axis=0))[None])
    np.testing.assert_allclose(together, split)


@pytest.mark.slow
def test_the_twins_experiments_agree(tiny_scored):
    arms, _ = call_hits(tiny_scored, rank_draws=0)
    cells = {"HRCE-1": "HRCE", "HRCE-2": "HRCE"}
    found = experiment_agreement(arms, cells)
    row = found.iloc[0]
    assert row["same_cells"]
    assert row["n_compounds"] == 20
    assert row["n_arms"] == len(shared_arms(arms))
    assert row["slope_low"] < 1.1
    assert row["slope_high"] > 0.9
    assert row["corrected"] > 0.9
    assert not experiment_agreement(arms, {"HRCE-1": "HRCE", "HRCE-2": "other"}).iloc[0]["same_cells"]
    shuffled = arms.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(experiment_agreement(shuffled, cells), found)


def test_too_little_to_compare_says_nothing():
    arms = paired(n=2)
    row = experiment_agreement(arms).iloc[0]
    assert row["n_compounds"] == 2
    assert np.isnan(row["slope"])
    single = experiment_agreement(arms[arms["experiment"] == "A"])
    assert not len(single)
    assert "slope_low" in single
