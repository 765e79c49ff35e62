"""Typical variation normalisation: controls of all batches get one centre, one spread and one covariance."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.profiles.tvn import RIDGE, TypicalVariation, covariance_power

PLATES = ("E_1", "E_2", "E_3")


@pytest.fixture(scope="module")
def made_up() -> tuple[np.ndarray, pd.DataFrame]:
    """Return three plates whose infected untreated wells have centres and covariances of their own."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"plate_id": np.repeat(PLATES, 400), "experiment": "E"})
    kind = np.tile(np.repeat(["mock", "infected", "treated"], [50, 250, 100]), 3)
    obs["condition"] = np.where(kind == "mock", "mock", "infected")
    obs["treatment"] = np.where(kind == "treated", "A", None)
    obs["qc_flag"] = ""
    X = rng.standard_normal((len(obs), 5))
    for number, plate in enumerate(PLATES):
        mine = (obs["plate_id"] == plate).to_numpy()
        X[mine] = X[mine] @ (np.eye(5) + 0.4 * rng.standard_normal((5, 5))) + 10 * number
    X[kind == "mock", 0] += 4
    return X.astype(np.float32), obs


def reference(obs: pd.DataFrame, plate: str) -> np.ndarray:
    return (
        (obs["plate_id"] == plate) & (obs["condition"] == "infected") & obs["treatment"].isna()
    ).to_numpy()


def test_reference_wells_of_all_plates_are_made_alike(made_up):
    X, obs = made_up
    out = TypicalVariation().fit(X, obs).transform(X, obs)
    assert out.shape == X.shape
    assert out.dtype == np.float32
    covariances = []
    for plate in PLATES:
        own = out[reference(obs, plate)]
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=0.05)
        covariances.append(np.cov(own.T))
    raw = [np.cov(X[reference(obs, plate)].T) for plate in PLATES]
    apart = [np.linalg.norm(c[i] - c[j]) for c in (raw, covariances) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert max(apart[3:]) < 0.35 * min(apart[:3])


def test_components_can_be_kept_and_are_recorded(made_up):
    X, obs = made_up
    step = TypicalVariation(n_components=2).fit(X, obs)
    assert step.transform(X, obs).shape == (len(X), 2)
    assert step.record()["components"] == 2


def test_wells_that_are_no_reference_have_no_say(made_up):
    X, obs = made_up
    moved = X.copy()
    others = ~np.any([reference(obs, plate) for plate in PLATES], axis=0)
    moved[others] += 100
    one, two = (TypicalVariation().fit(data, obs).transform(X, obs) for data in (X, moved))
    np.testing.assert_array_equal(one, two)


def test_a_plate_with_few_reference_wells_is_refused(made_up):
    X, obs = made_up
    few = ~(reference(obs, "E_2") & (np.cumsum(reference(obs, "E_2")) > 5))
    with pytest.raises(DataError, match="E_2"):
        TypicalVariation().fit(X[few], obs[few].reset_index(drop=True))


@pytest.mark.parametrize("power", [-0.5, 0.5])
def test_the_power_of_a_covariance_is_that_of_its_matrix(power):
    X = np.random.default_rng(1).standard_normal((30, 4)) @ np.diag([1, 2, 3, 4])
    values, vectors = np.linalg.eigh(np.cov(X.T) + RIDGE * np.eye(4))
    known = vectors @ np.diag(values**power) @ vectors.T
    np.testing.assert_allclose(
        covariance_power(X, power).apply(np.eye(4, dtype=np.float32)), known, atol=1e-4
    )
