"""The generative model: what is switched on must be found again in the numbers, and nothing else."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.screens.twin.compounds import draw_compounds, in_cells
from helpers.screens.twin.design import SCALES, design_wells
from helpers.screens.twin.embeddings import DIM, TwinDraw
from helpers.screens.twin.experiment import random_directions, tilt
from helpers.screens.twin.make import simulate_twin
from helpers.screens.twin.model import KINDS, TwinModel, stream

CLEAN = TwinModel(
    plate_shift=0, plate_shift_on_axis=0, plate_gain_sd=0, gradient_on_axis=0, gradient_off_axis=0,
    site_offset=0, latent_sizes=(0,), latent_on_axis=0, well_noise=0, site_noise=0, dim_share=0,
    dim_bad_plate=(0, 0), low_cell_blank=0, low_cell_other=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def tiny():
    return design_wells(SCALES["tiny"], 0)


def _wells(sites):
    """Return obs and mean embedding of each well."""
    X = sites.X.reshape(-1, 4, sites.n_vars).mean(axis=1)
    return sites.obs.iloc[::4].reset_index(drop=True), X


def _untreated(obs):
    return ((obs["condition"] == "infected") & obs["treatment"].isna()).to_numpy()


def _projected(obs, X, keep):
    """Return rescue and off-disease distance per well on the axis between mean centroids, per experiment."""
    rescue, off = np.empty(len(obs)), np.empty(len(obs))
    for _, rows in obs.groupby("experiment", observed=True).indices.items():
        own, good = obs.iloc[rows], keep[rows]
        mock = X[rows][(own["condition"] == "mock").to_numpy() & good].mean(axis=0)
        infected = X[rows][_untreated(own) & good].mean(axis=0)
        length = np.linalg.norm(infected - mock)
        axis = (infected - mock) / length
        on = (X[rows] - mock) @ axis / length
        rescue[rows] = 1 - on
        off[rows] = np.linalg.norm((X[rows] - mock) / length - np.outer(on, axis), axis=1)
    return rescue, off


def _against_truth(obs, columns, truth):
    """Return arms with the mean of each column over wells, joined to the truth."""
    keys = ["experiment", "treatment", "dose_um"]
    arms = obs.assign(**columns).dropna(subset="treatment")
    arms = (
        arms.astype({"experiment": str, "treatment": str}).groupby(keys)[list(columns)].mean().reset_index()
    )
    joined = arms.merge(truth, on=keys, suffixes=("_measured", ""), validate="one_to_one")
    assert len(joined) == len(arms) == len(truth)
    return joined


def _plate_centered(obs, X, keep):
    """Subtract each plate's median infected untreated well and a quadratic trend over scattered wells."""
    Y = X.copy()
    for _, rows in obs.groupby("plate_id", observed=True).indices.items():
        own, good = obs.iloc[rows], keep[rows]
        Y[rows] -= np.median(Y[rows][_untreated(own) & good], axis=0)
        r, c = (own["row"].to_numpy() - 16.5) / 15, (own["col"].to_numpy() - 24.5) / 23
        basis = np.column_stack([np.ones(len(rows)), r, c, r * r, c * c])
        scattered = (own["condition"] == "infected").to_numpy() & good
        beta = np.linalg.lstsq(basis[scattered], Y[rows][scattered], rcond=None)[0]
        Y[rows] -= (basis - basis[scattered].mean(axis=0)) @ beta
    return Y


@pytest.mark.slow
def test_without_noise_the_truth_is_measured_exactly():
    sites, truth = simulate_twin("tiny", seed=4, model=replace(CLEAN, phenotype_leak=0))
    obs, X = _wells(sites)
    rescue, off = _projected(obs, X, np.ones(len(obs), dtype=bool))
    arms = _against_truth(obs, {"rescue_m": rescue, "off_m": off}, truth)
    clean = arms["toxicity"] == 0
    np.testing.assert_allclose(arms.loc[clean, "rescue_m"], arms.loc[clean, "rescue"], atol=1e-4)
    np.testing.assert_allclose(arms["off_m"], arms["off_disease"], atol=2e-3)


@pytest.mark.slow
def test_toxicity_mimics_rescue_but_is_none():
    sites, truth = simulate_twin("tiny", seed=4, model=CLEAN)
    obs, X = _wells(sites)
    rescue, _ = _projected(obs, X, np.ones(len(obs), dtype=bool))
    arms = _against_truth(obs, {"measured": rescue}, truth)
    strong = arms[(arms["kind"] == "toxic") & (arms["toxicity"] > 0.5)]
    assert len(strong) > 5
    assert (strong["rescue"] == 0).all()
    share = strong["measured"] / strong["toxicity"]
    assert share.between(0.19, 0.61).all()


def test_rescue_follows_the_hill_curve_of_the_truth():
    _, truth = simulate_twin("tiny", seed=1)
    active = truth[truth["emax"] != 0]
    curve = active["emax"] / (1 + (active["ec50_um"] / active["dose_um"]) ** active["hill"])
    np.testing.assert_allclose(active["rescue"], curve, atol=1e-4)
    assert (truth.loc[truth["emax"] == 0, "rescue"] == 0).all()
    assert truth.loc[truth["emax"] == 0, "ec50_um"].isna().all()
    assert (truth.loc[truth["kind"] == "inert", ["off_disease", "toxicity"]] == 0).all(axis=None)


@pytest.mark.slow
def test_normalising_the_plate_cuts_the_error_of_the_raw_projection():
    raw_error, error, z = [], [], []
    for seed in range(3):
        sites, truth = simulate_twin("tiny", seed=seed)
        obs, X = _wells(sites)
        world = TwinDraw(design_wells(SCALES["tiny"], seed), TwinModel(), seed, 64)
        dim = _dim_wells(world, seed)
        everything, good = np.ones(len(obs), dtype=bool), ~obs["well_id"].isin(dim).to_numpy()
        raw, _ = _projected(obs, X, everything)
        normal, _ = _projected(obs, _plate_centered(obs, X, good), good)
        arms = _against_truth(obs, {"raw": raw, "normal": np.where(good, normal, np.nan)}, truth)
        arms = arms[arms["toxicity"] < 0.05]
        raw_error.append(np.sqrt(np.mean((arms["raw"] - arms["rescue"]) ** 2)))
        error.append(np.sqrt(np.mean((arms["normal"] - arms["rescue"]) ** 2)))
        z += _robust_z_prime(obs, normal, good)
    assert 0.07 < np.mean(raw_error) < 0.13
    assert 0.03 < np.mean(error) < 0.045
    assert 0.3 < np.median(z) < 0.6


def _dim_wells(world, seed):
    plates = design_wells(SCALES["tiny"], seed).groupby(["experiment", "plate"])
    return {well for _, wells in plates for well in wells["well_id"][world.fates(wells) == DIM]}


def _robust_z_prime(obs, rescue, keep):
    def centre_and_spread(values):
        return np.median(values), 1.4826 * np.median(np.abs(values - np.median(values)))

    scores = []
    for _, rows in obs.groupby("plate_id", observed=True).indices.items():
        own, good = obs.iloc[rows], keep[rows]
        mock, mock_sd = centre_and_spread(rescue[rows][(own["condition"] == "mock").to_numpy() & good])
        infected, infected_sd = centre_and_spread(rescue[rows][_untreated(own) & good])
        scores.append(1 - 3 * (mock_sd + infected_sd) / abs(mock - infected))
    return scores


def test_tilted_directions_have_the_cosine_asked_for():
    rng = np.random.default_rng(0)
    axis, directions = random_directions(rng, 1, 50)[0], random_directions(rng, 7, 50)
    cosines = np.linspace(-0.9, 0.9, 7)
    turned = tilt(directions, axis, cosines)
    np.testing.assert_allclose(turned @ axis, cosines, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-6)


def test_axes_of_one_cell_line_are_close_and_those_of_two_lines_less_so():
    world = TwinDraw(design_wells(SCALES["small"], 0), TwinModel(), 0, 1024)
    hrce_1, hrce_2, vero = (world.experiment(name).axis for name in ("HRCE-1", "HRCE-2", "VERO-1"))
    assert hrce_1 @ hrce_2 == pytest.approx(0.95, abs=0.03)
    assert hrce_1 @ vero == pytest.approx(0.70, abs=0.06)


def test_experiments_are_separate_islands(tiny):
    world = TwinDraw(tiny, TwinModel(), 0, 64)
    gap = world.experiment("HRCE-1").centre - world.experiment("HRCE-2").centre
    assert np.linalg.norm(gap) > 5


def test_a_plate_does_not_depend_on_which_were_made_before(tiny):
    plate = tiny[(tiny["experiment"] == "HRCE-2") & (tiny["plate"] == "3")]
    other = tiny[(tiny["experiment"] == "HRCE-1") & (tiny["plate"] == "1")]
    where = np.repeat(np.arange(1340), 4), np.tile([1, 2, 3, 4], 1340)
    fresh = TwinDraw(tiny, TwinModel(), 0, 64).plate(plate, *where)
    used = TwinDraw(tiny, TwinModel(), 0, 64)
    used.plate(other, *where)
    np.testing.assert_array_equal(used.plate(plate, *where), fresh)


@pytest.mark.slow
def test_failed_wells_come_at_their_shares_and_far_out():
    wells = design_wells(SCALES["small"], 0)
    world = TwinDraw(wells, TwinModel(), 0, 1024)
    plates = wells.groupby(["experiment", "plate"])
    wells["fate"] = np.concatenate([pd.Series(world.fates(p), index=p.index) for _, p in plates])
    scattered = wells[wells["condition"] == "infected"]
    assert (scattered["fate"] == DIM).mean() == pytest.approx(0.03, abs=0.01)
    assert (wells.loc[wells["condition"] == "blank", "fate"] == "low_cells").mean() == pytest.approx(
        0.27, abs=0.06
    )
    mock = wells[wells["condition"] == "mock"]
    dim_mock = (mock["fate"] == DIM).groupby([mock["experiment"], mock["plate"]]).mean()
    for experiment, shares in dim_mock.groupby("experiment"):
        worst = shares.idxmax()
        assert worst == (experiment, world.experiment(experiment).bad_plate)
        assert 0.15 < shares.max() < 0.6
        assert shares.drop(worst).max() < 0.2


def test_dim_wells_move_along_one_direction_common_to_all_experiments():
    model = replace(CLEAN, dim_share=0.05, dim_spread=0.0)
    wells = design_wells(SCALES["tiny"], 0)
    world, clean = TwinDraw(wells, model, 0, 64), TwinDraw(wells, CLEAN, 0, 64)
    where = np.arange(1340), np.ones(1340, dtype=int)
    means = []
    for _, plate in wells.groupby(["experiment", "plate"]):
        moved = (world.plate(plate, *where) - clean.plate(plate, *where)) / model.axis_length
        size, dim = np.linalg.norm(moved, axis=1), world.fates(plate) == DIM
        assert size[~dim].max() < 1e-3
        assert ((size[dim] > 2.5) & (size[dim] < 5)).all()
        means.append(moved[dim].mean(axis=0))
    means = np.array(means) / np.linalg.norm(means, axis=1, keepdims=True)
    assert (means @ means.T).min() > 0.98


@pytest.mark.slow
def test_kinds_are_dealt_in_their_shares():
    wells = design_wells(SCALES["full"], 0)
    compounds = draw_compounds(wells, TwinModel(), 0)
    eight = wells[wells["compound"] >= 0].groupby("compound")["dose_um"].nunique() >= 8
    shares = compounds.loc[~eight, "kind"].value_counts(normalize=True)
    expected = TwinModel().shares()
    for kind in KINDS:
        assert shares[kind] == pytest.approx(expected[kind], abs=1e-3), kind
    assert compounds["treatment"].is_unique
    classes = (
        compounds.loc[compounds["kind"] == "class"].groupby("mechanism_class")["emax"].agg(["mean", "size"])
    )
    assert classes.index.tolist() == list("ABCDEFGH")
    np.testing.assert_allclose(classes["mean"], TwinModel().class_emax, atol=0.05)
    assert classes["size"].min() >= 16


def test_a_compound_acts_alike_in_both_hrce_experiments_and_differs_in_vero(tiny):
    compounds = draw_compounds(tiny, TwinModel(), 0)
    assert in_cells(compounds, "HRCE", TwinModel(), 0) is compounds
    vero = in_cells(compounds, "VERO", TwinModel(), 0)
    acts = compounds["emax"] != 0
    fold = np.log10(vero["ec50_um"] / compounds["ec50_um"])[acts]
    assert 0.15 < fold.std() < 0.5
    assert vero["emax"].max() <= 1
    _, truth = simulate_twin("tiny", seed=0)
    both = truth.pivot_table(index=["treatment", "dose_um"], columns="experiment", values="rescue").dropna()
    assert len(both) >= 20 * 6 - 12
    np.testing.assert_array_equal(both["HRCE-1"], both["HRCE-2"])


def test_a_twin_without_actives_has_no_effect_at_all():
    _, truth = simulate_twin("tiny", seed=0, model=TwinModel().without_actives())
    assert set(truth["kind"]) == {"inert"}
    assert (truth[["rescue", "off_disease", "toxicity", "emax"]] == 0).all(axis=None)


def test_the_model_describes_every_parameter():
    table = TwinModel(axis_length=5.0).describe()
    assert table.columns.tolist() == ["name", "value", "unit", "basis", "help"]
    assert table["name"].tolist() == list(TwinModel.__dataclass_fields__)
    assert table.set_index("name").loc["axis_length", "value"] == 5.0
    assert set(table["basis"]) == {"fact", "invented"}
    assert (table[["unit", "help"]] != "").all(axis=None)


def test_impossible_models_are_refused():
    with pytest.raises(UsageError, match="sum to at most 1"):
        TwinModel(share_toxic=0.9)
    with pytest.raises(UsageError, match="class_emax"):
        TwinModel(class_emax=(0.1,))
    with pytest.raises(UsageError, match=r"'vero_axis_cosine' .* at least -axis_cosine \(-0.95\)"):
        TwinModel(vero_axis_cosine=-0.96)


def test_every_assumption_has_its_range():
    """Beyond either end of what its unit allows, every one of them is refused with that range."""
    for item in fields(TwinModel):
        if "choices" in item.metadata:
            with pytest.raises(
                UsageError, match=f"'{item.name}' of the twin = 'none' is not allowed; allowed: "
            ):
                TwinModel(**{item.name: "none"})
            continue
        low, high, closed = item.metadata["allowed"]
        for bad in (low - 1e-9 if closed else low, high * 1.001, float("nan"), float("inf")):
            value = (bad,) * len(item.default) if isinstance(item.default, tuple) else bad
            with pytest.raises(UsageError, match=f"'{item.name}' of the twin = .* allowed: {low:g} <"):
                TwinModel(**{item.name: value})
    with pytest.raises(UsageError, match=r"'dim_size' .* allowed: a pair \(low, high\)"):
        TwinModel(dim_size=(2.0, 1.0))


@pytest.mark.parametrize(
    ("name", "bad", "allowed"),
    [
        ("dim_share", 7, "0 <= x <= 1"),
        ("blank_infected", -0.1, "0 <= x <= 1"),
        ("dim_cosine", -1.1, "-1 <= x <= 1"),
        ("well_noise", -0.01, "0 <= x"),
        ("class_emax_sd", -0.01, "0 <= x"),
        ("plate_shift", -1, "0 <= x"),
        ("axis_length", 0, "0 < x"),
        ("axis_cosine", 0, "0 < x <= 1"),
        ("hill", (0, 1), "0 < x"),
    ],
)
def test_shares_sizes_and_cosines_keep_their_ranges(name, bad, allowed):
    with pytest.raises(UsageError, match=f"'{name}' of the twin = .* is not allowed; allowed: {allowed}"):
        TwinModel(**{name: bad})


def test_streams_depend_on_seed_and_on_every_key():
    draws = [stream(*key).random() for key in ((0, "a", "b"), (0, "a", "c"), (0, "b", "a"), (1, "a", "b"))]
    assert len(set(draws)) == 4
    assert stream(0, "a", "b").random() == draws[0]
