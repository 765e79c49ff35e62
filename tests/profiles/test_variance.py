import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.profiles.variance import decompose_variance, site_agreement

SIZES = {"experiment": 2.0, "plate": 1.2, "condition": 1.5, "position": 0.8, "arm": 1.0, "well": 1.6}


def made_up(sizes, seed, *, plates=12, p=200):
    """Wells of two experiments with independent effects; `sizes` are their standard deviations per feature."""
    rng = np.random.default_rng(seed)
    frames, parts = [], {name: [] for name in SIZES}
    arms = rng.normal(size=(2, 40, p))
    for e in range(2):
        conditions, shift = rng.normal(size=(2, p)), rng.normal(size=p)
        for k in range(plates):
            n = 360
            arm = np.where(np.arange(n) < 240, np.arange(n) % 40, -1)
            condition = np.where(np.arange(n) >= 300, 1, 0)
            row, col = rng.integers(2, 32, n), rng.integers(2, 48, n)
            tilt = ((row - 16) / 9)[:, None] * rng.normal(size=p)
            frames.append(
                pd.DataFrame(
                    {
                        "experiment": f"E{e}", "plate_id": f"E{e}_{k}", "row": row, "col": col,
                        "condition": np.where(condition == 1, "mock", "infected"),
                        "treatment": np.where(arm >= 0, [f"t{a}" for a in arm], None), "dose_um": 1.0, "qc_flag": "",
                    }
                )
            )  # fmt: skip
            parts["experiment"].append(np.tile(shift, (n, 1)))
            parts["plate"].append(np.tile(rng.normal(size=p), (n, 1)))
            parts["condition"].append(conditions[condition])
            parts["position"].append(tilt)
            parts["arm"].append(np.where((arm >= 0)[:, None], arms[e][arm], 0))
            parts["well"].append(rng.normal(size=(n, p)))
    parts = {name: sizes.get(name, 0) * np.concatenate(part) for name, part in parts.items()}
    obs = pd.concat(frames, ignore_index=True)
    obs["condition"] = pd.Categorical(obs["condition"], ["mock", "uv", "infected", "blank"])
    obs.index = obs.index.astype(str)
    wells = ad.AnnData(sum(parts.values()).astype(np.float32), obs=obs)
    return wells, parts


def true_shares(parts, obs):
    """Shares of the realised effects; the mean that conditions and arms have in an experiment belongs to it."""
    experiment = obs["experiment"].to_numpy()
    within = {}
    parts = dict(parts)
    means = [
        pd.DataFrame(parts[n]).groupby(experiment).transform("mean").to_numpy() for n in ("condition", "arm")
    ]
    parts["experiment"] = parts["experiment"] + sum(means)
    for name, part in parts.items():
        centred = part - part.mean(axis=0)
        if name in ("plate", "condition", "arm"):
            centred = part - pd.DataFrame(part).groupby(experiment).transform("mean").to_numpy()
        within[name] = (centred**2).sum()
    total = sum(within.values())
    return {name: value / total for name, value in within.items()}


@pytest.mark.parametrize("seed", [0, 1])
def test_known_shares_are_recovered(seed):
    wells, parts = made_up(SIZES, seed)
    found = decompose_variance(wells).set_index("factor")["share"]
    expected = true_shares(parts, wells.obs)
    for name, share in expected.items():
        assert found[name] == pytest.approx(share, abs=0.02), name
    assert found.sum() == pytest.approx(1)


def test_factors_without_effect_get_nothing():
    """Forty arms, 120 position terms and 22 plates explain plenty by chance; none of it may be credited."""
    wells, _ = made_up({"well": 1.0}, seed=3)
    found = decompose_variance(wells).set_index("factor")["share"]
    assert found.drop("well").max() < 0.01
    assert found["well"] > 0.98


def test_experiments_on_different_plates_differ_by_chance():
    """With plate effects only, the experiment is tested against the plates and gets (nearly) nothing on average."""
    shares = [
        decompose_variance(made_up({"plate": 1.0, "well": 0.5}, seed, plates=4, p=30)[0]).set_index("factor")[
            "share"
        ]
        for seed in range(6)
    ]
    shares = [share["experiment"] for share in shares]
    assert np.mean(shares) < 0.06


def test_a_single_experiment_has_no_experiment_share():
    wells, _ = made_up(SIZES, seed=0)
    alone = wells[wells.obs["experiment"] == "E0"].copy()
    assert "experiment" not in set(decompose_variance(alone)["factor"])


@pytest.mark.parametrize(("between", "within"), [(1.0, 1.0), (2.0, 0.5), (0.0, 1.0)])
def test_agreement_of_sites_is_the_intraclass_correlation(between, within):
    rng = np.random.default_rng(0)
    n = 400
    obs = pd.DataFrame(
        {
            "experiment": "E", "plate_id": np.repeat(["E_1", "E_2"], 2 * n), "site": np.tile([1, 2, 3, 4], n),
            "well_id": np.repeat([f"w{i}" for i in range(n)], 4),
        }
    )  # fmt: skip
    obs.index = obs.index.astype(str)
    corners = np.tile(rng.normal(0, 3, (4, 20)), (n, 1))  # a site's own look is no disagreement
    X = np.repeat(rng.normal(0, between, (n, 20)), 4, axis=0) + rng.normal(0, within, (4 * n, 20)) + corners
    icc = site_agreement(ad.AnnData(X.astype(np.float32), obs=obs))["icc"].iloc[0]
    assert icc == pytest.approx(between**2 / (between**2 + within**2), abs=0.03)
