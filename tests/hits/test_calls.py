import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.hits import score_wells
from helpers.hits.calls import call_hits
from helpers.hits.rule import on_target_score
from helpers.profiles import normalize, to_wells
from helpers.screens import TwinModel, simulate_twin

ARM = ["experiment", "treatment", "dose_um"]


def analyse(scale, seed, model=None, recipe="plate_center"):
    sites, truth = simulate_twin(scale, seed, model)
    return (*call_hits(score_wells(normalize(to_wells(sites), recipe)), seed=seed), truth)


def rescue_error(arms, truth):
    both = arms.merge(truth, on=ARM, suffixes=("", "_true"))
    both = both[(both["toxicity"] < 0.05) & (both["n_wells"] > 0)]
    return np.sqrt(((both["rescue"] - both["rescue_true"]) ** 2).mean())


def against_truth(hits, truth):
    return hits.merge(truth.groupby(ARM[:2])["rescue"].max().reset_index(), on=ARM[:2])


@pytest.fixture(scope="module")
def tiny(tiny_scored, tiny_screen):
    arms, hits = call_hits(tiny_scored)
    return arms, hits, tiny_screen[1]


def test_there_is_one_row_for_each_arm_and_compound(tiny):
    arms, hits, truth = tiny
    assert set(map(tuple, arms[ARM].to_numpy())) == set(map(tuple, truth[ARM].to_numpy()))
    assert not arms.duplicated(ARM).any()
    assert len(hits) == len(truth.drop_duplicates(ARM[:2]))
    for _, group in hits.groupby("experiment"):
        assert sorted(group["rank"]) == list(range(1, len(group) + 1))
        assert group.sort_values("rank")["score"].is_monotonic_decreasing


def test_intervals_of_rescue_cover(tiny):
    arms, _, truth = tiny
    both = arms.merge(truth, on=ARM, suffixes=("", "_true"))
    both = both[both["toxicity"] < 0.05]
    covered = (both["rescue_low"] <= both["rescue_true"]) & (both["rescue_true"] <= both["rescue_high"])
    assert 0.91 < covered.mean() < 0.98


def test_off_disease_is_the_length_of_the_effect_not_of_the_noise(tiny):
    """Where nothing is off the axis the estimate is near 0, although each well's distance is far from it."""
    arms, _, truth = tiny
    both = arms.merge(truth, on=ARM, suffixes=("", "_true"))
    inert = both[both["off_disease_true"] < 0.02]
    assert inert["off_disease"].median() < 0.06
    strong = both[both["off_disease_true"] > 0.5]
    error = strong["off_disease"] - strong["off_disease_true"]
    assert abs(error.mean()) < 0.05
    assert (error.abs() < 0.25).mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("quantile", [0.95, 0.999])
def test_noise_alone_passes_its_limit_off_the_axis_as_often_as_promised(quantile):
    """Taken as Gaussian from the wells' own plates, 12 in 1,000 arms without effect were beyond a limit for one."""
    sites, _ = simulate_twin("tiny", 10, TwinModel().without_actives())
    scored = score_wells(normalize(to_wells(sites), "plate_center"))
    arms, _ = call_hits(scored, off_limit=quantile, rank_draws=0, null_draws=2_000)
    arms = arms[arms["n_plates"] > 1]
    # the rate is shared out over the doses of a compound
    doses = arms.groupby(["experiment", "treatment"])["dose_um"].transform("size")
    expected = float(((1 - quantile) / doses).mean())
    beyond = (arms["off_disease"] > arms["off_limit"]).mean()
    assert 0.3 * expected < beyond + 0.0004 < 1.6 * expected + 0.002


@pytest.mark.slow
def test_same_call_same_bytes(tiny_scored, tiny):
    arms, hits = call_hits(tiny_scored)
    pd.testing.assert_frame_equal(arms, tiny[0], check_exact=True)
    pd.testing.assert_frame_equal(hits, tiny[1], check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_small_twin_is_measured_well_and_no_strong_rescuer_missed(seed):
    sites, truth = simulate_twin("small", seed)
    wells = to_wells(sites)
    del sites
    errors = {}
    for recipe in ("raw", "plate_center"):
        arms, hits = call_hits(score_wells(normalize(wells, recipe)), seed=seed)
        errors[recipe] = rescue_error(arms, truth)
    assert errors["plate_center"] <= 0.5 * errors["raw"]
    best = truth.groupby(ARM[:2]).agg(rescue=("rescue", "max"), kind=("kind", "first")).reset_index()
    both = hits.merge(best, on=ARM[:2])
    rescued = both["call"] == "rescue"
    assert rescued[both["rescue"] >= 0.5].all()
    assert rescued[both["rescue"].between(0.25, 0.5, inclusive="left")].mean() >= 0.85
    assert (both.loc[rescued, "rescue"] <= 0.1).mean() <= 0.05
    imitators = both.loc[both["kind"] == "toxic", "call"]
    assert imitators.isin(["toxic", "rescue_off_target"]).mean() >= 0.9


def test_real_plate(plate25):
    arms, hits = call_hits(plate25)
    calls = hits.set_index("treatment")["call"]
    assert calls["Remdesivir (GS-5734)"] == "rescue"
    assert calls["Oseltamivir carboxylate"] == "inactive"
    assert (arms["interval_basis"].isin(["wells", ""])).all()  # one plate: nothing is said about plates
    doses = arms[arms["treatment"] == "Remdesivir (GS-5734)"].set_index("dose_um")
    assert (doses.loc[doses.index >= 0.3, "p_value"] < 0.05).all()
    assert (doses.loc[doses.index >= 0.3, "rescue_low"] > 0).all()
    assert (doses.loc[doses.index <= 0.1, "p_value"] > 0.05).all()
    assert hits["top_k_probability"].isna().all()
    failed = arms.set_index(["treatment", "dose_um"]).loc[("Oseltamivir carboxylate", 10.0)]
    assert failed["n_wells"] == 0
    assert np.isnan(failed["rescue"])


@pytest.mark.slow
def test_remdesivir_leads_the_real_a549_screen(a549):
    _, hits = call_hits(a549)
    best = hits.sort_values("rescue_max", ascending=False)["treatment"].str.lower().tolist()
    assert best.index("remdesivir") < 0.1 * len(best)


def test_score_is_the_rescue_of_what_moves_along_the_axis():
    score = on_target_score(pd.Series([0.5, 0.5, -0.4, 1.4, 0.0]), pd.Series([0.0, 0.5, 0.3, 0.0, 0.0]))
    np.testing.assert_allclose(score, [0.5, 0.5 * np.sqrt(0.5), -0.32, 1.0, 0.0])


def test_bad_thresholds(tiny_scored):
    with pytest.raises(UsageError, match=r"fdr=1\.5"):
        call_hits(tiny_scored, fdr=1.5)
    with pytest.raises(UsageError, match="min_rescue=-1"):
        call_hits(tiny_scored, min_rescue=-1)


def test_nothing_to_call(tiny_scored):
    with pytest.raises(DataError, match="no experiment of this screen has treated wells"):
        call_hits(tiny_scored[tiny_scored.obs["treatment"].isna().to_numpy()])


@pytest.mark.slow
def test_the_order_of_the_wells_does_not_matter(tiny_scored, tiny):
    order = np.random.default_rng(5).permutation(tiny_scored.n_obs)
    arms, hits = call_hits(tiny_scored[order].copy())
    columns = ["rescue", "rescue_low", "p_value", "off_disease", "off_limit", "off_square_sd"]
    both = arms.merge(tiny[0], on=ARM, suffixes=("", "_straight"))
    for column in columns:
        np.testing.assert_allclose(both[column], both[f"{column}_straight"], rtol=1e-4, atol=1e-5)
    calls = hits.merge(tiny[1], on=ARM[:2])
    assert (calls["call_x"] == calls["call_y"]).all()
    for column in ("score_low", "score_high", "top_k_probability"):
        np.testing.assert_allclose(calls[f"{column}_x"], calls[f"{column}_y"], atol=0.01)


@pytest.mark.slow
def test_the_order_of_categories_does_not_matter(tiny_scored, tiny):
    """Categories are not always alphabetic: those of screens put together are in order of appearance."""
    other = tiny_scored.copy()
    for column in ("treatment", "plate_id", "experiment"):
        values = other.obs[column].astype("category").cat
        other.obs[column] = values.reorder_categories(values.categories[::-1])
    found = call_hits(other)
    for straight, turned, keys in zip(tiny, found, (ARM, ARM[:2]), strict=False):
        pd.testing.assert_frame_equal(
            straight.sort_values(keys, ignore_index=True), turned.sort_values(keys, ignore_index=True)
        )


@pytest.mark.slow
@pytest.mark.parametrize("share", ["all", "some"])
def test_wells_without_a_dose_are_one_arm_of_their_compound(tiny_scored, tiny, share):
    dosed = tiny_scored.copy()
    best = tiny[1].query("call == 'rescue'").groupby("experiment").head(1)
    names = best["treatment"].tolist()
    treated = dosed.obs["treatment"].notna()
    chosen = treated if share == "all" else dosed.obs["treatment"].isin(names)
    dosed.obs.loc[chosen, "dose_um"] = np.nan
    arms, hits = call_hits(dosed)
    mine = arms[arms["treatment"].isin(names)]
    assert mine["dose_um"].isna().all()
    assert (mine["n_wells"] > 20).all()
    assert len(arms) == len(arms.drop_duplicates(ARM))
    assert len(hits) == len(tiny[1])
    assert hits["p_value"].notna().all()


@pytest.mark.slow
def test_one_plate_without_effects_shows_none():
    """With direction and origin from the same wells each inert compound would rescue by a tenth and more."""
    sites, _ = simulate_twin("tiny", 0, TwinModel().without_actives())
    wells = to_wells(sites)
    means, calls = [], []
    for plate in wells.obs["plate_id"].unique():
        alone = wells[wells.obs["plate_id"] == plate].copy()
        arms, hits = call_hits(score_wells(normalize(alone, "plate_center")))
        means.append(arms["rescue"].mean())
        calls.append((hits["call"] == "inactive").mean())
    assert abs(np.mean(means)) < 0.02
    assert np.mean(calls) > 0.97


@pytest.mark.slow
def test_a_compound_whose_wells_all_failed_is_said_to_be_untested(tiny_scored):
    lost = tiny_scored.copy()
    name = lost.obs["treatment"].dropna().iloc[0]
    lost.obs.loc[lost.obs["treatment"] == name, "qc_flag"] = "failed"
    _, hits = call_hits(lost)
    row = hits[hits["treatment"] == name]
    assert (row["note"] == "all wells failed").all()
    assert row["p_value"].isna().all()


def test_the_test_on_target_is_never_easier_than_that_of_all_doses(tiny_scored):
    _, hits = call_hits(tiny_scored, min_rescue=0.0, rank_draws=0, null_draws=2_000)
    known = hits.dropna(subset=["p_value"])
    assert (known["p_on_target"] >= known["p_value"]).all()


def test_a_compound_whose_toxicity_cannot_be_judged_says_so(tiny_scored):
    """One well a dose: nothing tells poison from a failed well, and `inactive` must not be read as harmless."""
    scored = tiny_scored.copy()
    first = sorted(scored.obs["treatment"].dropna().astype(str).unique())[0]
    mine = scored.obs[(scored.obs["treatment"] == first).to_numpy()]
    extra = mine.groupby(["experiment", "dose_um"], observed=True).cumcount() > 0
    scored = scored[~scored.obs_names.isin(mine.index[extra.to_numpy()])].copy()
    hits = call_hits(scored, rank_draws=0, null_draws=2_000)[1].set_index("treatment")
    assert hits.loc[[first], "note"].str.contains("cannot be called toxic").all()
    assert not hits.drop(index=first)["note"].str.contains("toxic").any()
