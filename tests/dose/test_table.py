import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

from helpers.dose import mean_effect, response_at
from helpers.dose.coverage import simulate_curves
from helpers.dose.known import Known
from helpers.dose.table import fit_curves
from helpers.errors import DataError, UsageError

DOSES = np.array([0.01, 0.03, 0.1, 0.3, 1, 3])


def simulate(n, front, back, ec50, hill, noise, *, replicates=6, seed=0, doses=DOSES):
    """One row per response of n curves; parameters are numbers or arrays of length n."""
    curve = np.repeat(np.arange(n), len(doses) * replicates)
    dose = np.tile(np.repeat(doses, replicates), n)
    parameters = [np.broadcast_to(p, n)[curve] for p in (front, back, ec50, hill)]
    response = response_at(dose, *parameters) + np.random.default_rng(seed).normal(0, noise, len(dose))
    return pd.DataFrame({"curve": curve, "dose": dose, "response": response})


@pytest.fixture(scope="module")
def flat():
    return fit_curves(simulate(4000, 0, 0, 1, 1, 1.0, seed=5))


def test_exact_curves_come_back():
    rng = np.random.default_rng(1)
    ec50, hill, back = 10 ** rng.uniform(-1.5, 0, 40), rng.uniform(0.6, 4, 40), rng.uniform(0.3, 1.2, 40)
    fitted = fit_curves(simulate(40, 0.05, back, ec50, hill, 1e-7))
    np.testing.assert_allclose(fitted["ec50"], ec50, rtol=1e-4)
    np.testing.assert_allclose(fitted["hill"], hill, rtol=1e-4)
    np.testing.assert_allclose(fitted["back"], back, rtol=1e-4)


def test_reaches_the_optimum_of_scipy():
    table = simulate(60, 0, 0.9, 0.2, 1.3, 0.1, seed=2)
    fitted = fit_curves(table)
    worse = 0
    for name, points in table.groupby("curve"):
        row = fitted.set_index("curve").loc[name]
        start = (0.0, 0.9, 0.2, 1.3)
        best, _ = curve_fit(response_at, points["dose"], points["response"], p0=start, maxfev=20_000)
        theirs = ((points["response"] - response_at(points["dose"], *best)) ** 2).sum()
        total = ((points["response"] - points["response"].mean()) ** 2).sum()
        worse += (1 - row["r2"]) * total > theirs * (1 + 1e-6)
    assert worse == 0


@pytest.mark.parametrize(
    ("name", "dose", "response", "curve"),
    [("ryegrass", "conc", "rootl", None), ("spinach", "DOSE", "SLOPE", "CURVE")],
)
def test_agrees_with_the_r_package_drc(real_data, name, dose, response, curve):
    """Estimates of drc's four-parameter log-logistic model to four digits, standard errors to three."""
    folder = real_data / "dose" / "drc"
    table = pd.read_csv(folder / f"{name}.csv")
    if curve is None:
        table["CURVE"] = "all"
    options = {"ec50_margin": 100.0, "effective_doses": (10, 90), "standard_errors": True}
    fitted = fit_curves(table, curve="CURVE", dose=dose, response=response, **options).set_index("curve")
    reference = pd.read_csv(folder / "reference.csv").query("dataset == @name")
    reference["parameter"] = reference["parameter"].replace({"ec10": "ed10", "ec90": "ed90"})
    assert len(reference) >= 4
    for row in reference.itertuples():
        mine = fitted.loc["all" if curve is None else row.curve]
        # half a unit of the fourth digit; drc prints six decimals, and its optimiser stops short of some
        assert mine[row.parameter] == pytest.approx(row.estimate, rel=1e-4, abs=1e-5), (
            row.curve,
            row.parameter,
        )
        if np.isfinite(row.std_error):
            assert mine[f"{row.parameter}_se"] == pytest.approx(row.std_error, rel=5e-4), row.parameter


@pytest.fixture(scope="module")
def viability(real_data):
    """The example that CurveCurator ships: its own fits, and ours prepared as the page on fits of one's own says."""
    folder = real_data / "dose" / "ctrp40"
    wide = pd.read_csv(folder / "input.tsv", sep="\t")
    doses = np.array(
        [0, .0012, .0024, .0049, .0097, .019, .039, .078, .16, .31, .62, 1.2, 2.5, 5, 10, 20, 40]
    )  # fmt: skip
    long = wide.melt(id_vars="Name", var_name="column", value_name="response")
    long["dose"] = doses[long["column"].str.removeprefix("Raw ").astype(int)]
    mine = fit_curves(long, curve="Name", hill_bounds=(0.2, 10.0), plateaus=(0.0, np.inf), bell=False)
    theirs = pd.read_csv(folder / "reference_fits.tsv", sep="\t").set_index("Name")
    both = mine.set_index("curve").join(theirs)
    return both


def test_agrees_with_curvecurator_on_the_pec50_of_real_curves(viability):
    """Where the two differ, an end of the curve was not seen, the slope is steep, or it fits interpolated points."""
    good = viability[viability["Curve Regulation"].isin(["up", "down"]) & (viability["Curve R2"] > 0.8)]
    difference = (6 - np.log10(good["ec50_fit"]) - good["pEC50"]).abs()
    assert len(difference) > 200
    assert difference.median() < 0.02
    assert (difference <= 0.2).mean() >= 0.95
    far = good[difference > 0.2]
    unseen = far["curve_class"].isin(["below_range", "above_range"])
    steep = far[["hill", "Curve Slope"]].max(axis=1) > 4
    interpolated = far["Curve R2"] > far["r2"] + 0.05  # no curve explains so much of the responses themselves
    assert (unseen | steep | interpolated).all()
    assert interpolated.sum() <= 1


def test_agrees_with_curvecurator_on_which_real_curves_are_regulated(viability):
    """Its verdict: significant, and a log2 fold change of .45 or more; the two differ near that limit only."""
    judged = viability[viability["Curve Regulation"].isin(["up", "down", "not"])]
    # curves count from dose 0, the lowest that was tested; flat ones have no front
    fold = np.log2(np.maximum(judged["front"] + judged["effect"], 1e-3) / judged["front"]).abs().fillna(0.0)
    same = ((judged["q_value"] <= 0.05) & (fold >= 0.45)) == (judged["Curve Regulation"] != "not")
    assert len(judged) == 500
    assert same.mean() >= 0.98
    assert ((fold[~same] - 0.45).abs() < 0.1).all()


def test_flat_curves_are_significant_at_the_nominal_rate(flat):
    for level, tolerance in ((0.05, 0.01), (0.01, 0.005)):
        assert (flat["p_value"] <= level).mean() == pytest.approx(level, abs=tolerance)


def test_a_flat_curve_gets_no_ec50(flat):
    assert (flat["curve_class"] == "inactive").mean() > 0.995
    inactive = flat[flat["curve_class"] == "inactive"]
    assert inactive[["ec50", "ec50_low", "ec50_high"]].isna().all(axis=None)


@pytest.mark.parametrize("replicates", [2, 6])
def test_ec50_intervals_cover(replicates):
    rng = np.random.default_rng(3)
    ec50, hill = 10 ** rng.uniform(-1.3, 0, 1500), 10 ** rng.uniform(0, 0.4, 1500)
    fitted = fit_curves(simulate(1500, 0, 0.8, ec50, hill, 0.12, replicates=replicates, seed=4))
    known = fitted["ec50_low"].notna()
    covered = (fitted["ec50_low"] <= ec50) & (ec50 <= fitted["ec50_high"])
    assert known.mean() > 0.97
    assert 0.93 < covered[known].mean() < 0.985


def test_ec50_outside_the_doses_is_censored_on_the_right_side():
    with_zero = np.append(
        0, DOSES
    )  # below the lowest dose only an untreated response tells where the curve starts
    low = fit_curves(simulate(200, 0, 1, 0.003, 1.5, 0.05, seed=6, doses=with_zero))
    high = fit_curves(simulate(200, 0, 1, 15.0, 1.5, 0.03, seed=7))
    assert (low["ec50_censored"][low["curve_class"] != "inactive"] == "<").mean() > 0.95
    assert (high["ec50_censored"][high["curve_class"] != "inactive"] == ">").mean() > 0.9
    censored = high[high["ec50_censored"] == ">"]
    assert (censored["ec50"] < 15.0).mean() > 0.93  # the limit is a true statement
    assert np.isinf(censored["ec50_high"]).all()


def test_a_step_is_placed_between_two_doses():
    table = simulate(50, 0, 1, 0.17, 40.0, 0.02, seed=8)
    fitted = fit_curves(table)
    assert (fitted["curve_class"] == "step").all()
    assert (fitted["ec50_low"] == 0.1).all()
    assert (fitted["ec50_high"] == 0.3).all()


def test_units_scale():
    table = simulate(20, 0, 1, 0.2, 1.5, 0.05, seed=9)
    micro, nano = fit_curves(table), fit_curves(table.assign(dose=table["dose"] * 1000))
    np.testing.assert_allclose(nano["ec50"], micro["ec50"] * 1000, rtol=1e-5)
    np.testing.assert_allclose(nano["ec50_low"], micro["ec50_low"] * 1000, rtol=1e-3)


def test_a_large_common_level_costs_no_digits():
    table = simulate(10, 0, 1, 0.2, 1.5, 0.08, seed=11)
    plain, lifted = fit_curves(table), fit_curves(table.assign(response=table["response"] + 1e6))
    np.testing.assert_allclose(lifted["ec50"], plain["ec50"], rtol=1e-4)
    np.testing.assert_allclose(np.log10(lifted["p_value"]), np.log10(plain["p_value"]), atol=1e-3)
    np.testing.assert_allclose(lifted["back"] - 1e6, plain["back"], atol=1e-4)


def test_bounds_on_the_plateaus_do_not_make_flat_curves_significant():
    flat = fit_curves(simulate(1500, 0.5, 0.5, 1, 1, 0.05, seed=12), plateaus=(0.0, 1.0))
    assert (flat["p_value"] <= 0.05).mean() < 0.065


def test_plateau_bounds_hold():
    table = simulate(50, 0, 3.0, 2.0, 1.0, 0.1, seed=10)
    assert (fit_curves(table, plateaus=(-np.inf, 1.25))["back"].dropna() <= 1.25 + 1e-9).all()


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"curve": "a", "dose": [1, 1, 1, 3, 3, 3], "response": [0, 0.1, 0, 1, 0.9, 1]}),
        pd.DataFrame({"curve": "a", "dose": DOSES, "response": 0.7}),
        pd.DataFrame({"curve": "a", "dose": DOSES[:4], "response": [0, 0.3, 0.8, 1]}),
        pd.DataFrame({"curve": "a", "dose": DOSES, "response": np.nan}),
        pd.DataFrame({"curve": "a", "dose": 0.0, "response": [0.1, 0.2, 0.3, 0.4, 0.5]}),
    ],
    ids=["two doses", "constant", "four points", "all missing", "no dose above zero"],
)
def test_too_little_data_gives_no_number(table):
    fitted = fit_curves(table)
    assert fitted["curve_class"].tolist() == ["not_fitted"]
    assert fitted[["ec50", "ec50_low", "ec50_high", "hill", "p_value"]].isna().all(axis=None)


def test_a_bad_curve_does_not_disturb_the_others():
    good = simulate(3, 0, 1, 0.2, 1.5, 0.05).astype({"curve": str})
    bad = pd.DataFrame({"curve": "bad", "dose": [1.0, 3.0], "response": [0.1, np.nan]})
    alone, together = fit_curves(good), fit_curves(pd.concat([good, bad]))
    np.testing.assert_allclose(alone["ec50"], together["ec50"][:3])
    assert together.loc[3, "n_points"] == 1


def test_weights_count_like_repeats():
    once = simulate(1, 0, 1, 0.2, 1.5, 0.05, replicates=1)
    repeats = np.array([1, 2, 3, 1, 2, 3])
    repeated = fit_curves(once.loc[once.index.repeat(repeats)])
    weighted = fit_curves(once.assign(w=repeats), weight="w")
    np.testing.assert_allclose(
        weighted[["ec50", "hill", "back"]], repeated[["ec50", "hill", "back"]], rtol=1e-5
    )


def test_a_million_units_of_weight_change_nothing():
    table = simulate(6, 0, 1, 0.2, 1.5, 0.05, seed=3).assign(plate=lambda t: np.tile([0, 1, 2], len(t) // 3))
    for options in ({}, {"cluster": "plate"}):
        plain = fit_curves(table.assign(w=1.0), weight="w", **options)
        scaled = fit_curves(table.assign(w=1e6), weight="w", **options)
        np.testing.assert_allclose(plain["ec50_high"], scaled["ec50_high"], rtol=1e-4)


def test_a_front_must_be_one_number_for_each_curve():
    table = simulate(2, 0, 1, 0.2, 1.5, 0.05)
    with pytest.raises(DataError, match="holds several"):
        fit_curves(table.assign(start=np.arange(len(table))), front="start")
    with pytest.raises(DataError, match="holds none"):
        fit_curves(table.assign(start=np.nan), front="start")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": "wald"}, "choose profile or bootstrap"),
        ({"loss": "huber"}, "choose squares or robust"),
        ({"min_doses": 3}, "min_doses=3"),
        ({"effective_doses": (0.1, 100)}, "percentages"),
        ({"interval": "bootstrap", "bootstrap_draws": 3}, "at least 50"),
        ({"permutations": -1}, "permutations=-1"),
        ({"cluster": "batch"}, "no column batch"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        fit_curves(simulate(1, 0, 1, 0.2, 1.5, 0.05), **options)


def test_bad_calls():
    table = simulate(1, 0, 1, 0.2, 1.5, 0.05)
    with pytest.raises(UsageError, match="no column conc"):
        fit_curves(table, dose="conc")
    with pytest.raises(UsageError, match="alpha=0"):
        fit_curves(table, alpha=0)
    with pytest.raises(UsageError, match="hill_bounds"):
        fit_curves(table, hill_bounds=(2, 1))
    with pytest.raises(DataError, match=r"dose -0\.01"):
        fit_curves(table.assign(dose=-table["dose"]))


def test_doses_that_differ_by_rounding_are_one_dose():
    table = simulate(1, 0, 1, 0.1, 1.5, 0.03)
    rounded = table.assign(
        dose=np.where(np.arange(len(table)) % 2, table["dose"], table["dose"] * (1 + 3e-16))
    )
    assert (rounded["dose"] != table["dose"]).any()
    pd.testing.assert_frame_equal(fit_curves(rounded), fit_curves(table))


def test_limits_that_leave_no_curve_are_no_fit():
    percent = simulate(1, 0, 100, 0.1, 1.5, 3)
    with pytest.warns(UserWarning, match="looks like a fraction"):
        found = fit_curves(percent, plateaus=(0, 1)).iloc[0]
    assert found["curve_class"] == "not_fitted"
    assert np.isnan(found["ec50"])
    with pytest.raises(UsageError, match="plateaus"):
        fit_curves(percent, plateaus=(1, 0))


def test_an_effect_counts_from_where_it_was_seen():
    """Below the lowest dose front is an extrapolation of any size; a change of .02 does not become large by it."""
    potent = simulate(200, 0, 0.05, 0.008, 1.2, 0.005)
    found = fit_curves(potent, min_effect=0.1)
    unseen = found["curve_class"] == "below_range"
    assert unseen.mean() > 0.5
    assert found["relevance"].max() < 1
    assert found.loc[unseen, "activity_area"].isna().all()
    seen = fit_curves(simulate(50, 0.2, 1.2, 0.2, 1.5, 0.01))
    np.testing.assert_allclose(seen["activity_area"], mean_effect(0.01, 3, 0, 1, 0.2, 1.5), atol=0.03)


def test_a_flat_curve_has_no_parameters_but_an_effect(flat):
    inactive = flat[flat["curve_class"] == "inactive"]
    shape = ["ec50_fit", "hill", "hill_low", "hill_high", "front", "back", "back_low", "back_high"]
    assert inactive[shape].isna().all(axis=None)
    assert not inactive["at_bound"].any()
    assert inactive["effect"].notna().all()


EXACT = {
    "half": ([0, 0, 0, 0, 0.5, 1, 1, 1], "step", 1.0),
    "fall": ([100, 100, 100, 60, 20, 20, 20, 20], "step", 0.3),
    "early": ([0, 0.5, 1, 1, 1, 1, 1, 1], "step", 0.03),
    "jump": ([0, 0, 0, 0, 1, 1, 1, 1], "step", None),
    "top": ([0, 0, 0, 0, 0, 0, 0, 1], "above_range", None),
    "two tops": ([0, 0, 0, 0, 0, 0, 1, 100], "above_range", None),
    "start": ([1, 0, 0, 0, 0, 0, 0, 0], "below_range", None),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_data_are_no_worse_than_noisy_ones(name):
    response, klass, ec50 = EXACT[name]
    doses = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
    row = fit_curves(pd.DataFrame({"curve": name, "dose": doses, "response": response})).iloc[0]
    assert row["converged"]
    assert row["curve_class"] == klass
    if ec50 is not None:
        assert row["ec50"] == pytest.approx(ec50, rel=0.01)
        assert row["ec50_low"] < ec50 < row["ec50_high"]
    if klass == "above_range":
        assert 10 <= row["ec50"] <= 30
        assert np.isnan(row["back"])
    rng = np.random.default_rng(0)
    noisy = np.array(response) + rng.normal(0, 1e-6, 8)
    other = fit_curves(pd.DataFrame({"curve": name, "dose": doses, "response": noisy})).iloc[0]
    assert other["curve_class"] == klass


def test_tables_of_mortality_are_fitted():
    """Shares of ten animals, many of them 0 or 1: of such tables none with a good fit is without one."""
    rng = np.random.default_rng(5)
    doses = np.array([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
    parts = []
    for i, ec50 in enumerate(10 ** rng.uniform(-1.5, 1.0, 200)):
        share = rng.binomial(10, response_at(doses, 0, 1, ec50, rng.uniform(1, 6))) / 10
        parts.append(pd.DataFrame({"curve": i, "dose": doses, "response": share}))
    found = fit_curves(pd.concat(parts))
    good = found["r2"] > 0.9
    assert good.sum() > 150
    assert (found.loc[good, "curve_class"] != "not_fitted").all()
    assert found.loc[good, "converged"].all()


def test_limits_lie_where_doses_do():
    rng = np.random.default_rng(8)
    n = 600
    table = simulate(n, 0, 0.8, 10 ** rng.uniform(-4, 3, n), 10 ** rng.uniform(-0.3, 0.6, n), 0.1, seed=2)
    found = fit_curves(table)
    limit = found["ec50_censored"] != ""
    assert limit.sum() > 100
    assert found.loc[limit, "ec50"].between(min(DOSES), max(DOSES)).all()
    assert (found["ec50_low"].dropna()[lambda x: x > 0] >= min(DOSES) / 10 * 0.99).all()
    assert (found["ec50_high"].dropna()[np.isfinite] <= max(DOSES) * 10 * 1.01).all()
    assert found.loc[limit, ["hill", "hill_low", "hill_high"]].isna().all(axis=None)
    assert found.loc[found["ec50_censored"] == ">", "back"].isna().all()
    assert found.loc[found["ec50_censored"] == "<", "front"].isna().all()


def test_a_curve_without_one_dose_is_fitted_with_those_that_have_it():
    """Missing doses are weights of zero: no number differs, and the null is near that of its own design."""
    whole = simulate(60, 0, 0.8, 0.2, 1.5, 0.1, seed=3)
    lacking = simulate(60, 0, 0.8, 0.2, 1.5, 0.1, seed=4).assign(curve=lambda t: t["curve"] + 60)
    lacking = lacking[(lacking["dose"] != 0.1) | (lacking["curve"] % 3 > 0)]
    lacking = lacking[(lacking["dose"] != 0.3) | (lacking["curve"] % 3 > 1)]
    alone = fit_curves(lacking).set_index("curve")
    together = fit_curves(pd.concat([whole, lacking])).set_index("curve").loc[alone.index]
    active = (alone["q_value"] <= 0.05) & (together["q_value"] <= 0.05)
    assert active.mean() > 0.9
    for name in ("ec50_fit", "ec50_low", "ec50_high", "front", "back", "hill", "r2"):
        np.testing.assert_allclose(together.loc[active, name], alone.loc[active, name], rtol=1e-6, atol=1e-8)
    near = alone["p_value"] > 1e-4
    logs = np.log10(together.loc[near, "p_value"] / alone.loc[near, "p_value"])
    assert logs.abs().max() < 0.3 if near.any() else True


def test_a_shared_null_holds_for_curves_that_lost_doses():
    rng = np.random.default_rng(11)
    flat = simulate(3000, 0, 0, 0.1, 1, 0.1, seed=12)
    lost = rng.random(len(flat)) < 0.08
    inner = flat["dose"].between(min(DOSES) * 1.1, max(DOSES) * 0.9)
    found = fit_curves(flat[~(lost & inner)])
    assert found["n_points"].nunique() > 2
    for level, tolerance in ((0.05, 0.012), (0.01, 0.006)):
        assert (found["p_value"] <= level).mean() == pytest.approx(level, abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [None, "plate"])
@pytest.mark.parametrize("n_doses", [4, 7, 16])
def test_to_know_the_front_never_costs_power(n_doses, cluster):
    many = {
        "doses": tuple(np.geomspace(0.01, 10, n_doses)), "n_plates": 3 if cluster else 1,
        "n_wells": 1 if cluster else 2, "well_sd": 0.2, "shift_sd": 0.1 if cluster else 0.0,
    }  # fmt: skip
    flat, _ = simulate_curves(1200, back=(0, 1e-9), seed=n_doses, **many)
    acting, _ = simulate_curves(600, ec50=(0.02, 5.0), back=(0.3, 0.8), seed=n_doses + 1, **many)
    power = []
    for front in (None, 0.0):
        nominal = (fit_curves(flat, cluster=cluster, front=front)["p_value"] <= 0.05).mean()
        assert nominal == pytest.approx(0.05, abs=0.02)
        power.append((fit_curves(acting, cluster=cluster, front=front)["p_value"] <= 0.05).mean())
    assert power[1] >= power[0]


@pytest.mark.parametrize("cluster", [None, "plate"])
def test_a_compound_that_does_all_it_can_at_every_dose_is_below_the_doses(cluster):
    table, _ = simulate_curves(3, ec50=(5e-4, 1e-3), back=(0.9, 1.0), well_sd=0.05, shift_sd=0.05, seed=1)
    found = fit_curves(table, cluster=cluster, front=0.0)
    assert (found["curve_class"] == "below_range").all()
    assert (found["ec50"] == 0.01).all(), "not below the lowest dose, where nothing was seen"
    blind = fit_curves(table, cluster=cluster)
    assert (blind["curve_class"] == "inactive").all()


def test_what_other_wells_tell_takes_the_place_of_plates_left_free():
    table, truth = simulate_curves(6, n_plates=2, well_sd=0.05, shift_sd=0.05, gain_sd=0.05, seed=4)
    known = fit_curves(table, cluster="plate", known=Known(None, 0.05, 0.05))
    inside = known["ec50_low"].le(truth["ec50"]) & truth["ec50"].le(known["ec50_high"])
    assert inside.mean() >= 5 / 6
    free, loose = (fit_curves(table, cluster="plate", known=k) for k in (Known(), Known(None, 50.0, 50.0)))
    np.testing.assert_allclose(loose["ec50_fit"], free["ec50_fit"], rtol=0.02)
    assert (np.log(known["ec50_fit"] / free["ec50_fit"]).abs() > 1e-3).any()
    level = fit_curves(table.assign(response=0.7), cluster="plate", known=Known(pd.Series({0: 1e-9})))
    assert (level["curve_class"] == "not_fitted").all(), "a p-value makes no curve of equal responses"


def test_a_known_back_is_kept_and_makes_the_ec50_surer():
    table = simulate(40, 0, 1, 2.0, 1.5, 0.08, replicates=2, seed=21)
    free, given = fit_curves(table), fit_curves(table, back=1.0)
    told = given["curve_class"] != "inactive"
    np.testing.assert_allclose(given.loc[told, ["back", "back_low", "back_high"]], 1.0, rtol=1e-9)
    two = [np.isfinite(f["ec50_high"]) & (f["ec50_low"] > 0) for f in (free, given)]
    assert two[1].mean() > two[0].mean() + 0.2
    inside = (given["ec50_low"] <= 2.0) & (given["ec50_high"] >= 2.0)
    assert inside[given["ec50_low"].notna()].mean() > 0.85
    column = fit_curves(table.assign(end=1.0), back="end")
    pd.testing.assert_frame_equal(column, given)
    both = fit_curves(table, front=0.0, back=1.0, standard_errors=True)
    assert (both["front"] == 0).all()
    assert both["front_se"].isna().all()
    assert both["back_se"].isna().all()
    assert both["ec50_se"].notna().mean() > 0.8


def test_front_and_back_have_limits_of_their_own():
    table = simulate(30, 0.2, 1.0, 0.3, 1.5, 0.05, seed=22)
    found = fit_curves(table, front_limits=(-0.1, 0.1))
    assert found["front"].between(-0.1 - 1e-9, 0.1 + 1e-9).all()
    assert (found["back"] > 0.8).all()
    other = fit_curves(table, back_limits=(0.0, 0.9))
    assert (other["back"] <= 0.9 + 1e-9).all()
    assert (other["front"] - 0.2).abs().median() < 0.05
    with pytest.raises(UsageError, match="back_limits"):
        fit_curves(table, back_limits=(1.0, 0.0))
