"""Wells in units of noise, relative to the bulk of their plates."""

import numpy as np
import pandas as pd
import pytest

from helpers.profiles.residuals import find_residuals, nearest_half, stabilize


@pytest.fixture
def screen():
    """Return two plates of 96 wells, 60 compounds of one well a plate, in five features of unlike noise."""
    rng = np.random.default_rng(0)
    tables = []
    for plate in ("P1", "P2"):
        kinds = ["mock"] * 12 + ["infected"] * 24 + ["infected"] * 60
        names = [None] * 36 + [f"c{i}" for i in range(60)]
        place = rng.permutation(96)
        tables.append(
            pd.DataFrame({
                "plate_id": plate, "condition": kinds, "treatment": names, "dose_um": 1.0, "qc_flag": "",
                "row": place // 12 + 1, "col": place % 12 + 1,
            })
        )  # fmt: skip
    obs = pd.concat(tables, ignore_index=True)
    obs.index = obs.index.astype(str)
    noise = rng.normal(size=(len(obs), 5)) * np.array([1, 2, 5, 10, 0.1])
    return noise + np.where(obs["plate_id"] == "P1", 100.0, -50.0)[:, None], obs


def test_noise_has_one_unit_in_every_direction_and_plates_lie_on_each_other(screen):
    X, obs = screen
    residuals = find_residuals(X.astype(np.float32), obs)
    spread = residuals.noise.std(axis=0)
    assert (abs(spread - 1) < 0.35).all()
    first = (obs["plate_id"] == "P1").to_numpy()
    apart = np.median(residuals.positions[first], axis=0) - np.median(residuals.positions[~first], axis=0)
    assert np.abs(apart).max() < 0.4


def test_a_quarter_of_failed_wells_hardly_changes_the_unit(screen):
    X, obs = screen
    rng = np.random.default_rng(1)
    bad = X.copy()
    rows = rng.choice(len(X), len(X) // 5, replace=False)
    bad[rows] += 300 * rng.normal(size=(len(rows), 5))
    clean, dirty = (find_residuals(values.astype(np.float32), obs).noise for values in (X, bad))
    ratio = np.median(np.abs(dirty), axis=0) / np.median(np.abs(clean), axis=0)
    assert (ratio < 1.8).all()


def test_wells_that_do_not_differ_have_no_unit(screen):
    _, obs = screen
    assert find_residuals(np.ones((len(obs), 3), np.float32), obs) is None


def test_only_features_that_vary_with_their_mean_become_logarithms():
    rng = np.random.default_rng(2)
    obs = pd.DataFrame({"condition": ["mock"] * 40 + ["infected"] * 40, "treatment": None})
    level = np.r_[np.full(40, 4000.0), np.full(40, 400.0)]
    counts = level * np.exp(rng.normal(0, 0.1, 80))
    steady = 100 + level / 100 + rng.normal(0, 1, 80)
    signed = rng.normal(0, 1, 80)
    out = stabilize(np.column_stack([counts, steady, signed]), obs)
    np.testing.assert_allclose(out[:, 0], np.log(counts), rtol=1e-5)
    np.testing.assert_allclose(out[:, 1], steady, rtol=1e-5)
    np.testing.assert_allclose(out[:, 2], signed, rtol=1e-5)


def test_failures_are_in_the_farther_half():
    good = np.random.default_rng(3).normal(size=(20, 3))
    wells = np.r_[good, np.full((15, 3), 50.0)]
    assert np.abs(nearest_half(wells)).max() < 1
