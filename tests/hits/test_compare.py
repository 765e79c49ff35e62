import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.hits import compare_recipes, explain_choice, select_recipe
from helpers.hits.choice import MIN_NULL_RATIO, exclusions, selection_shares
from helpers.hits.compare import MEASURES, SCALES, TRUTH_MEASURES, plate_draws
from helpers.hits.evidence import (
    arm_means,
    fast_auroc,
    fast_z_prime,
    replicate_error,
    shared_agreement,
    truth_measures,
)
from helpers.hits.predictability import TESTED, site_predictability
from helpers.hits.quality import auroc, robust_z_prime
from helpers.profiles import normalize
from helpers.profiles.reference import reference_mask
from helpers.profiles.selection import controls, rows_by


def table(**columns) -> pd.DataFrame:
    """Return a comparison table of recipes a, b, c in which all is well unless said otherwise."""
    defaults = {
        "recipe": ["a", "b", "c"],
        "replicate_error": [0.1] * 3,
        "z_prime_robust": [0.5] * 3,
        "control_auroc": [1.0] * 3,
        "null_ratio": [1.0] * 3,
    }
    return pd.DataFrame(defaults | columns)


@pytest.mark.parametrize(
    ("columns", "picked"),
    [
        ({"replicate_error": [0.1, 0.05, 0.08]}, "b"),
        ({"replicate_error": [0.1004, 0.1, 0.2]}, "a"),  # within a percent: the simpler
        ({"replicate_error": [0.1, 0.05, 0.08], "null_ratio": [1.0, 0.6, 1.0]}, "c"),
        ({"replicate_error": [0.1, 0.05, 0.08], "control_auroc": [1.0, 0.7, 1.0]}, "c"),
        ({"replicate_error": [0.1, 0.05, 0.08], "null_ratio": [0.1, 0.2, 0.1]}, "b"),  # none meets it
        ({"replicate_error": [np.nan] * 3, "z_prime_robust": [0.1, 0.2, 0.3]}, "c"),
        ({"replicate_error": [np.nan] * 3, "z_prime_robust": [np.nan, 0.2, 0.2]}, "b"),
        ({"replicate_error": [0.01, 0.1, 0.2], "z_prime_robust": [np.nan, 0.2, 0.2]}, "b"),  # a has no axis
    ],
)
def test_the_rule(columns, picked):
    assert select_recipe(table(**columns)) == picked


def test_the_rule_refuses_when_nothing_works():
    with pytest.raises(DataError, match="no recipe can be used"):
        select_recipe(table(z_prime_robust=[np.nan] * 3))


def test_exclusions_say_why():
    reasons = exclusions(table(null_ratio=[1.0, MIN_NULL_RATIO - 0.01, np.nan]))
    assert reasons.tolist() == ["", "its null is narrower than what replicates show", ""]


def test_selection_shares_count_the_draws_that_allow_a_pick():
    draws = {
        "replicate_error": np.array([[0.1, 0.2], [0.2, 0.1], [0.2, 0.1], [0.1, 0.1]]),
        "z_prime_robust": np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [np.nan, np.nan]]),
        "control_auroc": np.ones((4, 2)),
        "null_ratio": np.ones((4, 2)),
    }
    assert selection_shares(["a", "b"], draws) == pytest.approx({"a": 1 / 3, "b": 2 / 3})


def made_arms(n_arms=400, n_plates=3, shift=0.0, noise=0.3, seed=0) -> pd.DataFrame:
    """Return two wells of every arm on every plate, inert but for what the plates add."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [range(n_arms), range(n_plates), range(2)], names=["arm", "plate", "well"]
    )
    obs = index.to_frame(index=False)
    shifts = shift * rng.normal(size=n_plates)
    obs["rescue"] = noise * rng.normal(size=len(obs)) + shifts[obs["plate"]]
    obs["treatment"] = "t" + obs["arm"].astype(str)
    obs["plate_id"] = "P" + obs["plate"].astype(str)
    return obs.assign(dose_um=1.0, condition="infected", qc_flag="")


def test_replicate_error_is_the_error_of_an_arm():
    """Six wells with a spread of 0.3 on three plates: 0.3 / sqrt(6)."""
    obs = made_arms()
    error = replicate_error(arm_means(obs), obs)(dict.fromkeys(["P0", "P1", "P2"], 1))
    assert error == pytest.approx(0.3 / np.sqrt(6), rel=0.05)


def test_replicate_error_sees_what_plates_do_not_share():
    """Over many screens, plates that shift by 0.2 add a variance of 0.04 / 3."""
    squares = []
    for seed in range(60):
        obs = made_arms(n_arms=60, shift=0.2, seed=seed)
        squares.append(replicate_error(arm_means(obs), obs)(dict.fromkeys(["P0", "P1", "P2"], 1)) ** 2)
    assert np.mean(squares) == pytest.approx(0.09 / 6 + 0.04 / 3, rel=0.15)


def test_replicate_error_does_not_mind_a_few_toxic_arms():
    obs = made_arms()
    plain = dict.fromkeys(["P0", "P1", "P2"], 1)
    before = replicate_error(arm_means(obs), obs)(plain)
    toxic = (obs["arm"] < 20).to_numpy()
    obs.loc[toxic, "rescue"] += np.random.default_rng(1).normal(0, 5, toxic.sum())
    assert replicate_error(arm_means(obs), obs)(plain) == pytest.approx(before, rel=0.15)


def test_replicate_error_takes_wells_where_there_is_one_plate():
    obs = made_arms(n_plates=1)
    assert replicate_error(arm_means(obs), obs)({"P0": 1}) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


def test_a_plate_drawn_twice_is_no_replicate():
    obs = made_arms(n_plates=2)
    measure = replicate_error(arm_means(obs), obs)
    assert np.isnan(measure({"P0": 2, "P1": 0}))
    assert np.isfinite(measure({"P0": 1, "P1": 1}))


def test_fast_measures_are_the_slow_ones():
    rng = np.random.default_rng(0)
    mock, infected = rng.normal(0, 1, 40).round(1), rng.normal(2, 1, 55).round(1)
    assert fast_auroc(mock, infected) == pytest.approx(auroc(mock, infected))
    assert fast_z_prime(mock, infected) == pytest.approx(robust_z_prime(mock, infected), rel=1e-5)


def test_agreement_of_experiments_is_the_correlation_of_shared_arms():
    rng = np.random.default_rng(0)
    true = rng.normal(size=200)
    index = pd.MultiIndex.from_arrays(
        [[f"t{i}" for i in range(200)], [1.0] * 200], names=["treatment", "dose_um"]
    )
    one, two = (pd.DataFrame({plate: true + rng.normal(size=200)}, index=index) for plate in ("P", "Q"))
    expected = np.corrcoef(one["P"][:150], two["Q"][:150])[0, 1]
    assert shared_agreement([one, two.iloc[:150]])({"P": 1, "Q": 1}) == pytest.approx(expected)


def test_error_to_truth_leaves_toxic_arms_out():
    index = pd.MultiIndex.from_arrays([["a", "b", "c"], [1.0] * 3], names=["treatment", "dose_um"])
    means = pd.DataFrame({"P": [0.1, 0.5, 9.0], "Q": [0.3, np.nan, 9.0]}, index=index)
    truth = pd.DataFrame(
        {
            "experiment": "E",
            "treatment": ["a", "b", "c"],
            "dose_um": 1.0,
            "rescue": [0.0, 0.5, 0.0],
            "toxicity": [0, 0, 1],
        }
    )
    measures = truth_measures({"E": means}, truth)
    assert measures["truth_rmse"]({"P": 1, "Q": 1}) == pytest.approx(0.2 / np.sqrt(2))
    assert measures["truth_rmse"]({"P": 2, "Q": 0}) == pytest.approx(0.1 / np.sqrt(2))


def test_draws_keep_every_experiment_its_number_of_plates(tiny_wells):
    draws = plate_draws(tiny_wells.obs, 20, seed=0)
    assert len(draws) == 20
    for draw in draws:
        for experiment, n_plates in (("HRCE-1", 6), ("HRCE-2", 3)):
            assert sum(n for plate, n in draw.items() if str(plate).startswith(experiment)) == n_plates
    one = tiny_wells[(tiny_wells.obs["plate_id"] == "HRCE-1_1").to_numpy()]
    assert plate_draws(one.obs, 20, seed=0) == []


@pytest.fixture(scope="module")
def compared(tiny_screen, tiny_wells):
    recipes = ("raw", "plate_center", "sphering", "recommended")
    return compare_recipes(tiny_wells, recipes, truth=tiny_screen[1]).set_index("recipe", drop=False)


def test_the_pick_is_near_the_best_to_truth(compared):
    picked = compared.loc[compared["selected"], "truth_rmse"].item()
    assert picked <= 1.1 * compared["truth_rmse"].min()
    assert compared.loc["recommended", "truth_rmse"] < compared.loc["plate_center", "truth_rmse"]
    assert compared.loc["recommended", "z_prime_robust"] > compared.loc["raw", "z_prime_robust"] + 0.2


def test_whitening_on_the_nulls_wells_is_found_out(compared):
    assert compared.loc["sphering", "null_ratio"] < MIN_NULL_RATIO < compared.loc["recommended", "null_ratio"]
    assert "null" in compared.loc["sphering", "excluded"]


def test_every_interval_holds_its_estimate_or_is_missing(compared):
    for name in (*MEASURES, *TRUTH_MEASURES):
        low, value, high = (compared[f"{name}{end}"] for end in ("_low", "", "_high"))
        assert (low.isna() == high.isna()).all(), name
        assert ((low <= value) & (value <= high) | low.isna()).all(), name
    assert set(SCALES) == {*MEASURES, *TRUTH_MEASURES}
    row = compared.loc["recommended"]
    assert row["replicate_error_low"] < row["replicate_error"] < row["replicate_error_high"]


def test_a_measure_that_no_plate_changes_has_no_interval(compared):
    """Controls that separate on every plate do not say how often they will not."""
    assert compared.loc["raw", "plate_predictability"] == 1
    assert np.isnan(compared.loc["raw", "plate_predictability_low"])


def test_the_choice_is_explained(compared):
    text = " ".join(explain_choice(compared))
    picked = compared.loc[compared["selected"], "recipe"].item()
    assert f"picks {picked}" in text
    assert "bootstrap" in text


def oracle_rmse(tiny_screen, tiny_wells) -> float:
    """Return the error that is left where the axis and the noise's covariance are known, and only these."""
    from helpers.screens.twin.make import _plan
    from helpers.screens.twin.model import TwinModel

    model = TwinModel()
    draw = _plan("tiny", 0, None, model).draw
    obs = tiny_wells.obs.copy()
    X = normalize(tiny_wells, "plate_center").X / model.axis_length
    obs["rescue"] = np.nan
    for name, rows in rows_by(obs, "experiment").items():
        experiment = draw.experiment(str(name))
        noise = model.well_noise**2 + model.site_noise**2 / 4
        covariance = experiment.latent.T @ experiment.latent + noise * np.eye(X.shape[1])
        reading = np.linalg.solve(covariance, experiment.axis.astype(float))
        obs.iloc[rows, obs.columns.get_loc("rescue")] = -(X[rows] @ reading) / (reading @ experiment.axis)
    tables = {str(name): arm_means(obs.iloc[rows]) for name, rows in rows_by(obs, "experiment").items()}
    plain = dict.fromkeys(obs["plate_id"].unique(), 1)
    return truth_measures(tables, tiny_screen[1])["truth_rmse"](plain)


def test_recommended_is_near_what_knowing_axis_and_noise_allows(compared, tiny_screen, tiny_wells):
    """What is left beyond that are noise of wells, gains of plates, and effects that lean on the axis."""
    floor = oracle_rmse(tiny_screen, tiny_wells)
    assert floor > 0.3 * compared.loc["raw", "truth_rmse"]
    assert compared.loc["recommended", "truth_rmse"] < 1.12 * floor


def test_site_predictability_is_that_of_a_known_offset():
    """Sites of one offset cannot be told apart, far offsets always; no shift of a plate matters."""
    rng = np.random.default_rng(0)
    plate, well, site = (a.ravel() for a in np.meshgrid(range(2), range(150), range(4), indexing="ij"))
    obs = pd.DataFrame({"plate_id": plate.astype(str), "row": well // 20, "col": well % 20, "site": site + 1})
    noise = rng.normal(size=(300, 8)).repeat(4, axis=0) + 0.5 * rng.normal(size=(1200, 8))
    noise += 30 * plate[:, None]
    offsets = rng.normal(size=(4, 8))
    assert site_predictability(noise, obs) == pytest.approx(0, abs=0.1)
    assert site_predictability(noise + 6 * offsets[site], obs) > 0.95
    middle = site_predictability(noise + 0.8 * offsets[site], obs)
    assert 0.2 < middle < 0.95
    order = rng.permutation(len(obs))
    assert site_predictability((noise + 0.8 * offsets[site])[order], obs.iloc[order]) == pytest.approx(
        middle, abs=1e-6
    )
    assert np.isnan(site_predictability(noise[:4], obs.iloc[:4]))


@pytest.mark.parametrize("reference", ["mock", "uninfected", "controls"])
def test_plates_are_named_on_wells_that_are_no_reference(tiny_wells, reference):
    """Wells that their plate was centred on would be named worse than by chance."""
    tested = TESTED[reference]
    assert not (reference_mask(tiny_wells.obs, reference) & controls(tiny_wells.obs, tested)).any()
    table = compare_recipes(tiny_wells, ("plate_center",), n_bootstrap=0, reference=reference)
    assert table["plate_predictability"].item() > 0


@pytest.mark.slow
def test_settings_reach_the_comparison(tiny_wells):
    """Centred on mock wells, a plate's infected wells are no longer at zero."""
    recipes = ("plate_center",)
    own, other = (
        compare_recipes(tiny_wells, recipes, n_bootstrap=0, **settings)
        for settings in ({}, {"reference": "mock"})
    )
    assert own["replicate_error"].item() != other["replicate_error"].item()


@pytest.mark.slow
def test_truth_has_no_say(tiny_screen, tiny_wells):
    recipes = ("raw", "plate_center")
    lie = tiny_screen[1].assign(rescue=lambda t: t["rescue"].to_numpy()[::-1])
    without = compare_recipes(tiny_wells, recipes, n_bootstrap=20)
    told = compare_recipes(tiny_wells, recipes, n_bootstrap=20, truth=lie)
    pd.testing.assert_frame_equal(told[without.columns], without)


@pytest.mark.slow
def test_the_table_repeats_itself_and_minds_no_order(tiny_wells):
    order = np.random.default_rng(3).permutation(tiny_wells.n_obs)
    recipes = ("plate_center",)
    straight = compare_recipes(tiny_wells, recipes, n_bootstrap=10)
    again = compare_recipes(tiny_wells, recipes, n_bootstrap=10)
    pd.testing.assert_frame_equal(straight, again)
    shuffled = compare_recipes(tiny_wells[order].copy(), recipes, n_bootstrap=10)
    pd.testing.assert_frame_equal(shuffled, straight)


def test_confounded_plates_end_in_a_statement(tiny_wells):
    """Mock wells on plates of their own: no plate tells the disease from itself."""
    plates = tiny_wells.obs["plate_id"].astype(str)
    mock = (tiny_wells.obs["condition"] == "mock").to_numpy()
    own = plates.str.endswith("_1").to_numpy()
    confounded = tiny_wells[mock == own].copy()
    with pytest.raises(DataError, match="no plate with both mock and infected untreated wells"):
        compare_recipes(confounded, ("raw", "experiment_center"))


def test_one_plate_gives_numbers_but_no_intervals(tiny_wells):
    one = tiny_wells[(tiny_wells.obs["plate_id"] == "HRCE-1_1").to_numpy()].copy()
    result = compare_recipes(one, ("raw", "plate_center", "recommended"))
    assert result["selected"].sum() == 1
    assert result["selection_share"].isna().all()
    assert result["replicate_error_low"].isna().all()
    assert "cannot be told" in " ".join(explain_choice(result))


def test_two_features_and_three_reference_wells(tiny_wells):
    keep = rows_by(tiny_wells.obs, "plate_id")["HRCE-1_1"]
    infected = keep[(tiny_wells.obs["condition"].iloc[keep] == "infected").to_numpy()]
    infected = infected[tiny_wells.obs["treatment"].iloc[infected].isna().to_numpy()]
    flat = tiny_wells[np.setdiff1d(np.arange(tiny_wells.n_obs), infected[3:])][:, :2].copy()
    result = compare_recipes(flat, ("plate_center", "plate_standard"), n_bootstrap=5, pooled=False)
    result = result.set_index("recipe")
    assert "HRCE-1_1 has" in result.loc["plate_standard", "reason"]
    assert result.loc["plate_center", "selected"]


@pytest.mark.slow
def test_experiments_with_unequal_numbers_of_plates_can_be_compared(tiny_wells):
    plates = tiny_wells.obs["plate_id"].astype(str)
    fewer = tiny_wells[(plates != plates.iloc[0]).to_numpy()].copy()
    table = compare_recipes(fewer, ("raw", "plate_center"), n_bootstrap=0)
    assert table["experiment_predictability"].notna().all()
