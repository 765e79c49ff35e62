"""Ways to score a plate: by the other plates' controls, or by the two halves of its own."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.versions import (
    halves,
    measure_gaps,
    plate_centroids,
    version_from_others,
    versions_from_halves,
)


@pytest.fixture
def plates():
    """Return three plates in two dimensions whose windows along the first are 4, 5 and 6."""
    rng = np.random.default_rng(0)
    parts, tables = [], []
    for number, gap in enumerate((4.0, 5.0, 6.0)):
        kinds = ["mock"] * 8 + ["infected"] * 8
        X = rng.normal(0, 0.01, (16, 2))
        X[8:, 0] += gap
        parts.append(X)
        tables.append(
            pd.DataFrame({
                "plate_id": f"P{number}", "condition": kinds, "treatment": None, "qc_flag": "",
                "row": np.arange(16), "col": 1,
            })
        )  # fmt: skip
    return np.concatenate(parts), pd.concat(tables, ignore_index=True)


def test_a_plate_is_measured_on_the_direction_of_the_others(plates):
    X, obs = plates
    centroids = tuple(
        plate_centroids(X, obs, (obs["condition"] == kind).to_numpy()) for kind in ("mock", "infected")
    )
    X_turned = X.copy()
    X_turned[:16, 1] += np.r_[np.zeros(8), np.full(8, 100.0)]  # the first plate itself points elsewhere
    rows = np.arange(16)
    version = version_from_others(X_turned, obs, rows, ["P1", "P2"], centroids, None)
    np.testing.assert_allclose(version.direction, [1, 0], atol=0.01)
    np.testing.assert_allclose(version.origin, [5.5, 0], atol=0.05)
    gaps = measure_gaps({"P0": [version]})
    assert gaps["gap"].iloc[0] == pytest.approx(4.0, abs=0.05)
    assert gaps["variance"].iloc[0] == pytest.approx(2 * np.pi / 2 * 0.01**2 / 8, rel=1.0)


def test_halves_take_turns_by_position_and_not_by_row_of_the_table(plates):
    _, obs = plates
    one = obs[obs["plate_id"] == "P0"]
    half = halves(one)
    assert half[:8].tolist() == [0, 1] * 4
    turned = halves(one.iloc[::-1])
    assert turned[::-1].tolist() == half.tolist()


def test_a_half_gets_its_origin_from_the_other_half(plates):
    X, obs = plates
    rows = np.arange(16)
    half = halves(obs.iloc[rows])
    first, second = versions_from_halves(X, obs, rows, half, "mean_difference")
    infected = rows[8:]
    np.testing.assert_allclose(first.origin, np.median(X[infected[half[8:] == 1]], axis=0))
    np.testing.assert_allclose(second.origin, np.median(X[infected[half[8:] == 0]], axis=0))
