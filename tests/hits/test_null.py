import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import DataError
from helpers.hits.null import fit_null
from helpers.hits.robust import draw_in
from helpers.hits.tail import Tail


def test_wells_that_a_recipe_was_fitted_on_are_not_taken_for_quiet(tiny_scored, tiny_wells):
    """Sphering whitens the null's own wells: treated wells differ more, and their noise is taken."""
    from helpers.hits import score_wells
    from helpers.profiles import normalize

    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    assert fit_null(tiny_scored, rows).excess == 1
    sphered = score_wells(normalize(tiny_wells, "sphering"))
    trusting, null = fit_null(sphered, rows, inflate=False), fit_null(sphered, rows)
    assert null.excess > 1.5
    for plate, scale in null.scale.items():
        assert scale == pytest.approx(np.sqrt(null.excess) * trusting.scale[plate])


def test_number_of_draws(tiny_scored):
    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    assert len(fit_null(tiny_scored, rows, n_draws=2_000).tail(6, 6, 3).draws) == 2_000


def test_tail_goes_on_beyond_its_draws_and_errs_on_the_safe_side():
    tail = Tail(np.random.default_rng(0).normal(size=40_000))
    for z in (1.0, 2.0, 3.0, 4.0, 4.5):
        excess = np.log10(tail.p_value(z)) - np.log10(stats.norm.sf(z))
        assert -0.1 < excess < 0.8
    assert tail.fitted(np.array([0.0, 4.5])).tolist() == [False, True]


def test_tail_is_never_zero_and_falls():
    p = Tail(np.random.default_rng(1).normal(size=40_000)).p_value(np.linspace(0, 40, 200))
    assert (np.diff(p) <= 0).all()
    assert p.min() > 0


@pytest.mark.parametrize("n_wells", [2, 3, 6])
def test_means_of_wells_drawn_in_scatter_less_where_tails_are_heavy(tiny_scored, n_wells):
    """Efficiency is what the intervals of arms are narrower by; with Gaussian wells hardly at all."""
    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    null = fit_null(tiny_scored, rows)
    null.residuals = np.random.default_rng(0).normal(size=20_000)
    gaussian = null.efficiency(n_wells)
    null.efficiencies_.clear()
    null.residuals = np.random.default_rng(0).standard_t(3, size=20_000) / np.sqrt(3)
    assert null.efficiency(n_wells) < 0.85 * gaussian
    # of two wells the one nearer to none counts, where they disagree
    assert (0.6 if n_wells == 2 else 0.93) < gaussian < 1.02


def test_one_control_well_a_plate_leaves_the_noise_to_treated_wells(tiny_scored):
    """Controls of one kind and plate are thinned to one: no plate tells noise by its controls."""
    full = tiny_scored[(tiny_scored.obs["experiment"] == "HRCE-1").to_numpy()].copy()
    obs = full.obs
    infected = (obs["treatment"].isna() & (obs["condition"] == "infected")).to_numpy()
    first = ~obs[infected]["plate_id"].duplicated()
    keep = ~infected
    keep[np.flatnonzero(infected)[first.to_numpy()]] = True
    thin = full[keep].copy()
    null, other = (fit_null(s, np.arange(s.n_obs)) for s in (thin, full))
    assert set(null.n_reference.values()) == {1}
    for plate, scale in null.scale.items():
        assert scale == pytest.approx(other.scale[plate], rel=0.25)
    bare = thin[thin.obs["treatment"].isna().to_numpy()].copy()
    with pytest.raises(DataError, match="no plate with two infected untreated wells, and too few treated"):
        fit_null(bare, np.arange(bare.n_obs))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["plate_center", "sphering", "tvn", "recommended"])
def test_no_recipe_makes_the_null_too_narrow(recipe):
    """Two twins without active compounds: wells of the null took part in fitting some of these recipes."""
    from helpers.hits import call_hits, score_wells
    from helpers.profiles import normalize, to_wells
    from helpers.screens import TwinModel, simulate_twin

    p, calls = [], []
    for seed in range(2):
        sites, _ = simulate_twin("tiny", seed, TwinModel().without_actives())
        scored = score_wells(normalize(to_wells(sites), recipe, seed=seed))
        p.append(call_hits(scored, min_rescue=0, seed=seed, rank_draws=0)[0]["p_value"])
        calls.append(call_hits(scored, seed=seed, rank_draws=0)[1]["call"])
    assert (pd.concat(p) <= 0.05).mean() < 0.07
    assert (pd.concat(calls) != "inactive").mean() < 0.01


def test_controls_that_do_not_scatter_leave_the_noise_to_replicates():
    """A virus that kills every cell: infected wells are all alike, and that is no reason to call nothing tested."""
    import anndata as ad

    from helpers.hits import call_hits, score_wells

    rng = np.random.default_rng(0)
    one = pd.DataFrame({
        "experiment": "E", "condition": ["mock"] * 8 + ["infected"] * 96,
        "treatment": [None] * 24 + [f"c{i}" for i in range(80)], "dose_um": 1.0, "qc_flag": "", "n_sites": 4,
        "row": np.arange(104) // 12 + 1, "col": np.arange(104) % 12 + 1,
    })  # fmt: skip
    obs = pd.concat([one.assign(plate_id=p, plate=p) for p in ("P1", "P2", "P3")], ignore_index=True)
    obs.index = obs.index.astype(str)
    X = rng.normal(0, 0.01, (len(obs), 3))
    X[(obs["condition"] == "mock").to_numpy(), 0] += 10
    X[obs["treatment"].isin(["c1", "c2", "c3"]).to_numpy(), 0] += 6
    X[((obs["condition"] == "infected") & obs["treatment"].isna()).to_numpy()] = 0
    hits = call_hits(score_wells(ad.AnnData(X.astype(np.float32), obs=obs)), rank_draws=0)[1]
    assert set(hits.loc[hits["call"] == "rescue", "treatment"]) == {"c1", "c2", "c3"}
    assert (hits["call"] == "inactive").sum() == 77


def test_skewed_noise_has_a_tail_of_its_own_on_either_side(tiny_scored):
    """Exponential noise towards worse: small p-values of worsening are as seldom as they say."""
    rows = np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())
    null = fit_null(tiny_scored, rows)
    rng = np.random.default_rng(0)
    null.residuals = 1 - rng.exponential(size=20_000)
    null.degrees = np.inf
    null.plate_variance = dict.fromkeys(null.plate_variance, 0.0)
    means = draw_in(1 - rng.exponential(size=(100_000, 2)), 1.0).mean(axis=1)
    z = means * np.sqrt(2)
    better, worse = (null.tail(1, 2, 2, worse=side) for side in (False, True))
    assert (better.p_value(z) <= 0.001).mean() < 0.002
    assert (worse.p_value(-z) <= 0.001).mean() < 0.002
    assert (better.p_value(-z) <= 0.001).mean() > 0.005
