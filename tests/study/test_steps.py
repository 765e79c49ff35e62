"""The steps of a study: the promised tables, read back as they were computed, and settings that reach them."""

import numpy as np
import pandas as pd
import pytest

from helpers import dose, hits, profiles, screens, study
from helpers.dose.promises import judge_worlds
from helpers.errors import DataError, UsageError
from helpers.study import steps
from helpers.study.absent import empty_table
from study.same import assert_same

pytestmark = pytest.mark.slow

TABLES = {
    "arms": "experiment treatment dose_um n_wells n_plates rescue rescue_low rescue_high off_disease p_value q_value",
    "hits": "experiment treatment call rescue_max dose_at_max_um score p_value q_value rank",
    "quality": "experiment plate n_mock n_infected z_prime z_prime_robust ssmd auroc passes",
    "recipes": "recipe plate_predictability experiment_predictability replicate_map control_auroc z_prime_robust "
    "uv_mock_gap selected",
    "curves": "experiment treatment curve_class ec50_um ec50_low_um ec50_high_um ec50_censored hill front back r2 "
    "f_value p_value q_value relevance",
    "wells_table": "experiment plate well row col condition treatment dose_um n_sites qc_flag on_disease off_disease "
    "rescue",
}


@pytest.fixture(scope="module")
def recipes(wells, source):
    return study.compare_recipes(
        wells, ("raw", "plate_center"), truth=study.known_truth(wells), n_bootstrap=50
    )


@pytest.fixture(scope="module")
def curves(few_scored):
    return study.fit_screen(few_scored, arms=study.call_hits(few_scored)[0])


@pytest.fixture(scope="module")
def tables(called, scored, recipes, curves) -> dict[str, pd.DataFrame]:
    return {
        "arms": called[0],
        "hits": called[1],
        "quality": study.assay_quality(scored),
        "recipes": recipes,
        "curves": curves,
        "wells_table": study.wells_table(scored),
    }


@pytest.mark.parametrize("name", list(TABLES))
def test_tables_have_the_promised_columns(tables, name):
    assert set(TABLES[name].split()) <= set(tables[name].columns)
    assert len(tables[name])


@pytest.mark.parametrize("name", [name for name in TABLES if name != "wells_table"])
def test_tables_without_rows_have_the_columns_of_computed_ones(tables, name):
    assert set(empty_table(name)) <= set(tables[name])


CHEAP = {
    "to_wells": lambda have: ((have["sites"],), {}),
    "normalize": lambda have: ((have["wells"], "recommended"), {"seed": 1}),
    "score_wells": lambda have: ((have["normalized"],), {"axis": "discriminant"}),
    "assay_quality": lambda have: ((have["scored"],), {"min_z_prime": 0.3}),
    "call_hits": lambda have: ((have["few_scored"],), {"null_draws": 2000, "top_k": 5}),
    "compare_recipes": lambda have: ((have["few"], ("raw", "plate_center")), {"n_bootstrap": 20}),
    "activity_map": lambda have: ((have["few_scored"],), {"null_size": 100}),
    "energy_test": lambda have: ((have["few_scored"],), {"n_permutations": 100}),
    "ranking_sensitivity": lambda have: ((have["few"], ("plate_center",)), {"top_k": 5, "null_draws": 2000}),
    "experiment_agreement": lambda have: (
        (have["arms"], {"HRCE-1": "HRCE", "HRCE-2": "HRCE"}),
        {"n_bootstrap": 50},
    ),
    "decompose_stages": lambda have: (({"raw": have["wells"], "plate_center": have["normalized"]},), {}),
    "agreement_on_some": lambda have: ((have["sites"],), {"seed": 2}),
    "sites_named_on_some": lambda have: ((have["sites"],), {}),
    "project_wells": lambda have: ((have["few"],), {"max_wells": 300, "center_by": "experiment"}),
    "coverage_by_noise": lambda _: ((20,), {}),
}


@pytest.fixture(scope="module")
def have(sites, wells, normalized, scored, few, few_scored, called) -> dict:
    return {
        "sites": sites,
        "wells": wells,
        "normalized": normalized,
        "scored": scored,
        "few": few,
        "few_scored": few_scored,
        "arms": called[0],
    }


@pytest.mark.parametrize("name", list(CHEAP))
def test_what_is_read_back_is_what_the_plain_function_returns(have, name):
    step = getattr(study, name)
    args, keywords = CHEAP[name](have)
    first, again = step(*args, **keywords), step(*args, **keywords)
    assert step.known(*args, **keywords)
    plain = step.__wrapped__(*args, **keywords)
    assert_same(first, plain)
    assert_same(again, plain)


def test_curves_are_read_back_as_they_were_fitted(few_scored, curves):
    arms = study.call_hits(few_scored)[0]
    assert_same(curves, dose.fit_screen(few_scored, arms=arms))


def test_the_calibration_is_read_back_as_it_was_computed():
    assert_same(study.calibration_study(2), hits.calibration_study(2))


def test_a_world_is_read_back_as_it_was_judged():
    given = {"worlds": ("small_plates",), "recipes": ("plate_center",)}
    assert_same(study.judge_worlds(1, **given), judge_worlds(1, **given))


def test_a_screen_is_read_back_as_it_was_opened(source, sites):
    assert_same(sites, screens.open_screen(source))


def test_every_step_is_tested_here():
    named = {name for name, step in vars(steps).items() if callable(step) and hasattr(step, "known")}
    assert named == {*CHEAP, "open_screen", "fit_screen", "calibration_study", "judge_worlds", "pick_recipe"}
    assert all(getattr(study, name) is getattr(steps, name) for name in named)


def test_steps_give_what_the_plain_chain_gives(source, called):
    wells = profiles.to_wells(screens.open_screen(source))
    scored = hits.score_wells(profiles.normalize(wells, "plate_center"))
    assert_same(called, hits.call_hits(scored))


def test_remembered_and_fresh_results_are_equal(source, called, curves, empty_memory):
    wells = study.to_wells(study.open_screen(source))
    fresh = study.score_wells(study.normalize(wells, "plate_center"))
    assert_same(study.call_hits(fresh), called)
    few = study.to_wells(study.open_screen(source, experiments="HRCE-2"))
    few = study.score_wells(study.normalize(few, "plate_center"))
    assert_same(study.fit_screen(few, arms=study.call_hits(few)[0]), curves)


def test_one_recipe_wins_and_it_is_not_raw(recipes):
    table = recipes.set_index("recipe")
    assert table["selected"].sum() == 1
    assert not table.loc["raw", "selected"]
    assert table.loc["plate_center", "plate_predictability"] < table.loc["raw", "plate_predictability"]
    assert table.loc["plate_center", "replicate_map"] > table.loc["raw", "replicate_map"]


def test_parameters_reach_the_steps(few):
    assert few.obs["experiment"].unique().tolist() == ["HRCE-2"]
    normalized = study.normalize(few, "experiment_center")
    assert normalized.uns["normalization"]["recipe"] == "experiment_center"
    scored = study.score_wells(normalized)
    _, one = study.call_hits(scored, min_rescue=0.3, fdr=0.01)
    _, other = study.call_hits(scored)
    assert (one["call"] == "rescue").sum() < (other["call"] == "rescue").sum()


def test_settings_of_the_calls_reach_them(normalized, called):
    scored = study.score_wells(normalized, axis="discriminant")
    assert scored.uns["axis"]["HRCE-1"]["kind"] == "discriminant"
    arms, other = study.call_hits(scored, statistic="trend", top_k=3, null_draws=2_000, off_limit=0.9)
    assert (arms["off_limit"] < called[0]["off_limit"]).all()
    per_experiment = other.groupby("experiment")["top_k_probability"].sum()
    np.testing.assert_allclose(per_experiment, 3)


def test_cross_checks_are_tables(wells, few, few_scored, called):
    arms, hits_table = called
    checks = {
        "activity": study.activity_map(few_scored, null_size=100),
        "energy": study.energy_test(few_scored, n_permutations=100),
        "sensitivity": study.ranking_sensitivity(
            wells,
            ("plate_center", "plate_robust"),
            reference=hits_table,
            reference_is=("plate_center", "mean_difference"),
        ),
        "shared": study.shared_arms(arms),
        "agreement": study.experiment_agreement(arms, {"HRCE-1": "HRCE", "HRCE-2": "HRCE"}),
    }
    for name, table in checks.items():
        assert set(empty_table(name)) == set(table)
    assert len(checks["energy"]) == len(study.call_hits(few_scored)[1])
    own = checks["sensitivity"].query("recipe == 'plate_center' and axis == 'mean_difference'")
    np.testing.assert_allclose(own["spearman"], 1, atol=1e-6)
    assert checks["agreement"].loc[0, "n_compounds"] > 10


def test_plates_can_be_left_out(source):
    wells = study.to_wells(study.open_screen(source, exclude_plates="HRCE-1_2, HRCE-2_1"))
    left = [f"HRCE-1_{plate}" for plate in (1, 3, 4, 5, 6)] + ["HRCE-2_2", "HRCE-2_3"]
    assert set(wells.obs["plate_id"]) == set(left)
    scored = study.score_wells(study.normalize(wells, "plate_center"))
    arms = study.call_hits(scored)[0].set_index("experiment")["n_plates"]
    assert arms["HRCE-2"].max() == 2
    assert set(arms["HRCE-1"]) >= {2, 3}  # half of its arms had wells on plate 2
    with pytest.raises(UsageError, match=r"no plate HRCE-9_9; valid: HRCE-1_1"):
        study.open_screen(source, exclude_plates="HRCE-9_9")


def test_a_design_goes_through_all_steps_and_gives_tables_without_rows(real_data):
    wells = study.to_wells(study.open_screen(str(real_data / "screens" / "vero1_design")))
    assert not study.has_part(wells, "embeddings")
    normalized = study.normalize(wells, "recommended")
    scored = study.score_wells(normalized)
    assert scored.obs[["on_disease", "off_disease", "rescue"]].isna().all(axis=None)
    assert len(scored) == len(wells)
    arms, called = study.call_hits(scored)
    found = {
        "quality": study.assay_quality(scored),
        "arms": arms,
        "hits": called,
        "curves": study.fit_screen(scored, arms=arms),
        "recipes": study.compare_recipes(wells, ("raw", "plate_center")),
        "activity": study.activity_map(normalized),
        "energy": study.energy_test(normalized),
        "sensitivity": study.ranking_sensitivity(wells, reference=called),
        "variance": study.decompose_stages({"raw": wells, "plate_center": normalized}),
    }
    for name, table in found.items():
        assert table.empty, name
        assert set(empty_table(name)) <= set(table), name
    table = study.wells_table(scored)
    assert len(table) == len(wells)
    assert table["rescue"].isna().all()


def test_without_arms_there_is_nothing_to_compare_between_experiments():
    arms = empty_table("arms")
    for name, table in (
        ("shared", study.shared_arms(arms)),
        ("agreement", study.experiment_agreement(arms, {"HRCE-1": "HRCE", "HRCE-2": "HRCE"})),
    ):
        assert table.empty
        assert set(empty_table(name)) <= set(table)


def test_a_screen_without_doses_has_calls_and_no_curves(few_scored):
    bare = few_scored.copy()
    bare.obs["dose_um"] = np.nan
    assert study.fit_screen(bare).empty
    assert len(study.call_hits(bare, null_draws=2000)[1])


def test_a_screen_without_treatments_has_quality_and_no_calls(few_scored):
    bare = few_scored[few_scored.obs["treatment"].isna().to_numpy()].copy()
    arms, called = study.call_hits(bare)
    assert arms.empty
    assert called.empty
    assert len(study.assay_quality(bare)) == 3


def test_a_step_that_cannot_be_done_says_why_and_is_asked_again(few, empty_memory):
    obs = few.obs
    untreated = (obs["condition"] == "infected").to_numpy() & obs["treatment"].isna().to_numpy()
    first = (obs["plate_id"] == "HRCE-2_1").to_numpy()
    lacking = few[~(untreated & first & (np.cumsum(untreated & first) > 3))].copy()
    for _ in range(2):
        with pytest.raises(DataError, match="a spread needs 8"):
            study.normalize(lacking, "plate_standard", pooled=False)
    assert not study.normalize.known(lacking, "plate_standard", pooled=False)
