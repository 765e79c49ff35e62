import itertools

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.hits import activity_map, energy_test
from helpers.hits.energy import energies
from helpers.profiles import normalize, to_wells
from helpers.screens import TwinModel, simulate_twin

KEYS = ["experiment", "treatment"]


@pytest.fixture(scope="module")
def centred(tiny_wells):
    return normalize(tiny_wells, "plate_center")


@pytest.fixture(scope="module")
def table(centred):
    return energy_test(centred)


def test_energy_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(9, 3))
    distance = np.linalg.norm(Z[:, None] - Z, axis=2)
    places = np.column_stack([np.arange(9), rng.permutation(9)])
    sizes = np.array([4, 2, 0])
    found = energies(distance, places, sizes, 4)
    for (window, column), got in np.ndenumerate(found[:2]):
        a, b = np.flatnonzero(places[:, column] < sizes[window]), np.flatnonzero(places[:, column] >= 4)
        mean = {
            pair: np.mean([distance[i, j] for i, j in itertools.product(*pair_rows)])
            for pair, pair_rows in {"ab": (a, b), "aa": (a, a), "bb": (b, b)}.items()
        }
        assert got == pytest.approx(2 * mean["ab"] - mean["aa"] - mean["bb"], rel=1e-5)
    assert (found[2] == 0).all()


def test_one_feature_is_that_of_scipy(centred):
    """With one component the energy distance is the square of scipy's."""
    from scipy.stats import energy_distance

    rng = np.random.default_rng(1)
    z = np.r_[rng.normal(0, 1, 12), rng.normal(1, 1, 50)]
    got = energies(np.abs(z[:, None] - z), np.arange(62)[:, None], np.array([12]), 12)[0, 0]
    assert got == pytest.approx(energy_distance(z[:12], z[12:]) ** 2, rel=1e-6)


def test_what_changes_cells_is_found_and_what_does_not_is_not(table, tiny_screen):
    truth = (
        tiny_screen[1].groupby(KEYS).agg(kind=("kind", "first"), toxicity=("toxicity", "max")).reset_index()
    )
    both = table.merge(truth, on=KEYS)
    assert len(both) == len(table)
    assert (both.loc[both["toxicity"] > 1, "q_value"] < 0.01).all()  # some at their highest dose alone
    inert = both[both["kind"] == "inert"]
    assert (inert["p_value"] < 0.05).mean() < 0.12
    assert (inert["q_value"] < 0.05).mean() < 0.05
    assert (both["n_plates"] == 3).mean() > 0.9


@pytest.mark.slow
def test_p_values_are_uniform_where_nothing_works():
    tables = []
    for seed in range(4):
        sites, _ = simulate_twin("tiny", seed, TwinModel().without_actives())
        tables.append(energy_test(normalize(to_wells(sites), "plate_center"), n_permutations=300, seed=seed))
    p = pd.concat(tables)["p_value"]
    for level, tolerance in ((0.05, 0.02), (0.25, 0.06), (0.5, 0.08)):
        assert (p <= level).mean() == pytest.approx(level, abs=tolerance)


def test_wells_made_quiet_by_the_recipe_give_no_p_values(tiny_wells):
    table = energy_test(normalize(tiny_wells, "sphering"), n_permutations=100)
    assert table["p_value"].isna().all()
    assert table["energy"].notna().all()


def test_many_features_do_not_make_inert_wells_differ():
    """Plates centred on few wells in many features: their errors must not choose the components."""
    rng = np.random.default_rng(0)
    n_plates, n_infected, n_compounds, n_features = 3, 20, 60, 600
    n = n_infected + 4 * n_compounds
    parts = []
    for _ in range(n_plates):
        X = rng.normal(size=(n, n_features)).astype(np.float32)
        parts.append(X - X[:n_infected].mean(axis=0))
    names = [None] * n_infected + [f"c{i % n_compounds}" for i in range(4 * n_compounds)]
    obs = pd.DataFrame(
        {
            "experiment": "E", "plate_id": np.repeat([f"E_{i}" for i in range(n_plates)], n),
            "condition": "infected", "treatment": names * n_plates, "dose_um": 1.0, "qc_flag": "",
            "row": np.tile(np.arange(n) // 40, n_plates), "col": np.tile(np.arange(n) % 40, n_plates),
        },
        index=[str(i) for i in range(n * n_plates)],
    )  # fmt: skip
    wells = ad.AnnData(np.concatenate(parts), obs=obs)
    found = energy_test(wells, n_permutations=300)["p_value"]
    assert (found <= 0.05).mean() < 0.15
    assert 0.3 < (found <= 0.5).mean() < 0.7
    found = activity_map(wells)["p_value"]
    assert (found <= 0.05).mean() < 0.15
    assert 0.3 < (found <= 0.5).mean() < 0.7


@pytest.mark.slow
def test_order_of_wells_and_seed(centred, table):
    order = np.random.default_rng(3).permutation(centred.n_obs)
    both = table.merge(energy_test(centred[order].copy()), on=KEYS)
    np.testing.assert_allclose(both["energy_x"], both["energy_y"], rtol=1e-3)
    np.testing.assert_allclose(both["p_value_x"], both["p_value_y"], atol=0.01)
    pd.testing.assert_frame_equal(table, energy_test(centred))


def test_real_plate(plate25):
    """Two features, one plate: remdesivir moves cells, oseltamivir does not."""
    table = energy_test(plate25, n_permutations=500).set_index("treatment")
    assert table.loc["Remdesivir (GS-5734)", "energy"] > table.loc["Oseltamivir carboxylate", "energy"]


def test_refusals(centred):
    with pytest.raises(DataError, match="no embeddings"):
        energy_test(centred[:, :0].copy())
    with pytest.raises(UsageError, match="n_permutations=5"):
        energy_test(centred, n_permutations=5)
