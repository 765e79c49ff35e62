"""Linear algebra on tall float32 matrices, sized for 76,380 wells x 1,024 features."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg


def principal_axes(X: np.ndarray, n_components: int, *, center: bool = False) -> np.ndarray:
    """Return the leading principal axes of `X` as columns, shape (n_features, k).

    The eigenvectors of the covariance are five times faster here than an SVD of the wells. Signs are fixed (the
    entry of largest size is positive), so the same data give the same axes.

    Parameters
    ----------
    X : array
        Shape (n_wells, n_features).
    n_components : int
        How many axes at most; fewer if there are fewer features.
    center : bool
        Subtract the mean first; without it `X` is taken to be centred by the caller.
    """
    if center:
        X = X - X.mean(axis=0)
    gram = (X.T @ X).astype(np.float64) / max(len(X), 1)
    n, k = len(gram), min(n_components, len(gram))
    _, vectors = linalg.eigh(gram, subset_by_index=(n - k, n - 1))
    axes = vectors[:, ::-1]
    peaks = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return (axes * np.where(peaks < 0, -1.0, 1.0)).astype(np.float32)


@dataclass(frozen=True)
class SymmetricMap:
    """A symmetric matrix that is a multiple of the identity but for a few directions.

    Plates have tens of reference wells and embeddings a thousand features: applying such a matrix costs a tenth of
    what a full one does, and it is never written out.

    Attributes
    ----------
    axes : array
        Orthonormal columns, shape (n_features, k), float32.
    gains : array
        Factor along each of them, shape (k,).
    base : float
        Factor in all other directions.
    """

    axes: np.ndarray
    gains: np.ndarray
    base: float

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Return `X` times the matrix, float32."""
        if (
            self.axes.shape[0] == self.axes.shape[1]
        ):  # all directions are named: subtracting the base only loses digits
            return (X @ self.axes * self.gains.astype(np.float32)) @ self.axes.T
        out = (X @ self.axes * (self.gains - self.base).astype(np.float32)) @ self.axes.T
        out += np.float32(self.base) * X
        return out


def second_moments(X: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues above rounding error of X'X / degrees, largest first, and their axes as columns.

    Through the smaller of the two Gram matrices, in float64: wells are few where features are many.
    """
    X = X.astype(np.float64)
    tall = X.shape[0] >= X.shape[1]
    values, vectors = np.linalg.eigh(X.T @ X if tall else X @ X.T)
    keep = np.flatnonzero(values > 1e-10 * max(values[-1], 1e-300))[::-1]
    values, vectors = values[keep], vectors[:, keep]
    axes = vectors if tall else X.T @ (vectors / np.sqrt(values))
    return values / degrees, axes.astype(np.float32)
