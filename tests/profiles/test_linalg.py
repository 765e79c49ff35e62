"""Linear algebra on tall matrices: axes, moments and symmetric maps agree with the plain definitions."""

import numpy as np
import pytest

from helpers.profiles.linalg import SymmetricMap, principal_axes, second_moments


@pytest.fixture
def X() -> np.ndarray:  # noqa: N802
    rng = np.random.default_rng(0)
    return (rng.standard_normal((200, 6)) * [5, 3, 2, 1, 0.5, 0.1] + 10).astype(np.float32)


def test_axes_are_those_of_the_singular_values(X):
    axes = principal_axes(X, 3, center=True)
    assert axes.dtype == np.float32
    _, _, known = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(np.sum(axes * known[:3].T, axis=0)), 1, atol=1e-4)
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0) > 0).all(), "signs are fixed"
    assert principal_axes(X, 99).shape == (6, 6)
    uncentred = principal_axes(X, 1)[:, 0]
    assert abs(uncentred @ np.ones(6)) / np.sqrt(6) > 0.95, "without centring the mean leads"


@pytest.mark.parametrize("shape", [(200, 6), (4, 6)])
def test_moments_are_eigenvalues_of_the_scatter(X, shape):
    Y = X[: shape[0]] - X[: shape[0]].mean(axis=0)
    values, axes = second_moments(Y, shape[0] - 1)
    full = np.linalg.eigvalsh(Y.T.astype(float) @ Y / (shape[0] - 1))[::-1]
    np.testing.assert_allclose(values, full[: len(values)], rtol=1e-4)
    assert len(values) == min(shape[0] - 1, shape[1]), "what is rounding error is left out"
    np.testing.assert_allclose(axes.T @ axes, np.eye(len(values)), atol=1e-4)


@pytest.mark.parametrize("k", [2, 6])
def test_a_map_is_the_matrix_it_stands_for(X, k):
    axes, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))
    axes, gains, base = axes[:, :k].astype(np.float32), np.linspace(2, 3, k), 0.5
    matrix = base * np.eye(6) + axes @ np.diag(gains - base) @ axes.T
    applied = SymmetricMap(axes, gains, base).apply(X)
    assert applied.dtype == np.float32
    np.testing.assert_allclose(applied, X @ matrix, rtol=1e-4, atol=1e-3)
