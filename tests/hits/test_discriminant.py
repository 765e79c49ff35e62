import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import OAS

from helpers.errors import UsageError
from helpers.hits import call_hits, fit_axis, score_wells
from helpers.hits.discriminant import Noise, held_out_noise, noise_of, shrunk_covariance
from helpers.profiles import normalize
from helpers.profiles.selection import controls, rows_by


@pytest.fixture(scope="module")
def centred(tiny_wells):
    return normalize(tiny_wells, "plate_center")


@pytest.fixture(scope="module")
def first(centred):
    rows = rows_by(centred.obs, "experiment")["HRCE-1"]
    return np.asarray(centred.X[rows]), centred.obs.iloc[rows]


def correlated(n=4_000, seed=0):
    """Two features whose noise is correlated, and wells of two plates and two conditions."""
    rng = np.random.default_rng(seed)
    X = rng.multivariate_normal([0, 0], [[1.0, 0.8], [0.8, 1.0]], size=n)
    obs = pd.DataFrame(
        {"plate_id": np.arange(n) % 2, "condition": np.where(np.arange(n) < n / 2, "mock", "uv")}
    )
    return X.astype(np.float32), obs


def test_shrinkage_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for n, p in ((12, 30), (200, 10)):
        X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p))
        expected = OAS(assume_centered=True).fit(X).covariance_
        np.testing.assert_allclose(
            shrunk_covariance(X.T @ X / n, n), expected, rtol=1e-4, atol=1e-4 * expected.max()
        )


def test_reading_is_fishers():
    X, obs = correlated()
    noise = noise_of(X, obs)
    assert noise.degrees == len(X) - 4
    reading = noise.reading(np.array([3.0, 0.0]))
    exact = np.linalg.solve([[1.0, 0.8], [0.8, 1.0]], [1.0, 0.0])
    np.testing.assert_allclose(reading, exact / exact[0], atol=0.05)
    assert reading @ [1, 0] == pytest.approx(1)
    # noise along the reading: 1 - 0.8^2 of that along the difference
    assert (X @ reading).var() / X[:, 0].var() == pytest.approx(1 - 0.8**2, abs=0.03)


def test_without_noise_to_learn_from_the_difference_is_read():
    np.testing.assert_allclose(Noise(np.zeros((2, 2)), 0).reading(np.array([3.0, 4.0])), [0.6, 0.8])
    np.testing.assert_allclose(Noise(np.zeros((2, 2)), 50).reading(np.array([3.0, 4.0])), [0.6, 0.8])


def test_no_well_is_read_along_a_vector_that_knows_it(first):
    """Spoiling the controls of one plate changes what other plates are read along, never its own."""
    X, obs = first
    plate = str(obs["plate_id"].iloc[0])
    mine = (obs["plate_id"] == plate).to_numpy() & (controls(obs, "infected") | controls(obs, "mock"))
    spoiled = X.copy()
    spoiled[mine] += np.random.default_rng(0).normal(0, 5, size=(mine.sum(), X.shape[1])).astype(np.float32)
    before, after = (held_out_noise(x, obs) for x in (X, spoiled))
    np.testing.assert_allclose(before[plate].scatter, after[plate].scatter, rtol=1e-6, atol=1e-2)
    other = next(p for p in before if p != plate)
    assert not np.allclose(before[other].scatter, after[other].scatter, rtol=0.1)


def test_what_moves_from_infected_to_mock_rescues_and_stays_on_the_axis(first):
    X, obs = first
    fitted = fit_axis(X, obs, "discriminant")
    for versions in fitted.versions.values():
        for version in versions:
            assert version.direction @ version.reading == pytest.approx(1, abs=1e-4)
            assert not np.allclose(version.direction, version.reading, atol=0.01)


@pytest.mark.slow
def test_the_discriminant_is_quieter_and_as_true(centred, tiny_scored, tiny_screen):
    truth = tiny_screen[1]
    scored = score_wells(centred, axis="discriminant")
    assert scored.uns["axis"]["HRCE-1"]["kind"] == "discriminant"
    noise = [s.obs.loc[controls(s.obs, "infected"), "rescue"].std() for s in (tiny_scored, scored)]
    assert noise[1] < 0.95 * noise[0]
    arms, _ = call_hits(scored, rank_draws=0)
    both = arms.merge(truth, on=["experiment", "treatment", "dose_um"], suffixes=("", "_true"))
    both = both[(both["toxicity"] < 0.05) & (both["n_wells"] > 0)]
    strong = both[both["rescue_true"] > 0.5]
    assert (strong["rescue"] - strong["rescue_true"]).mean() == pytest.approx(0, abs=0.03)
    assert 0.9 < both["rescue_true"].between(both["rescue_low"], both["rescue_high"]).mean() < 0.98


def test_one_plate_is_split_into_halves(centred):
    alone = centred[centred.obs["plate_id"] == centred.obs["plate_id"].iloc[0]].copy()
    scored = score_wells(alone, axis="discriminant")
    on = scored.obs["on_disease"]
    assert on[controls(scored.obs, "infected")].median() == pytest.approx(1, abs=0.1)
    assert on[controls(scored.obs, "mock")].median() == pytest.approx(0, abs=0.1)


def test_unknown_axis(centred):
    with pytest.raises(
        UsageError, match="axis 'lda' is unknown; choose one of mean_difference, discriminant"
    ):
        score_wells(centred, axis="lda")
