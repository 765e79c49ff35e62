"""Spectrum: variances of wells along the directions in which they vary, and what can be made of them."""

from dataclasses import dataclass

import numpy as np

from helpers.errors import DataError, UsageError
from helpers.profiles.linalg import SymmetricMap, second_moments


@dataclass(frozen=True)
class Spectrum:
    """A covariance by its eigenvalues, most of which are zero where wells are fewer than features.

    Attributes
    ----------
    variances : array
        Eigenvalues above rounding error, shape (k,), largest first.
    axes : array
        Their eigenvectors as columns, shape (n_features, k).
    mean : float
        Mean variance of a feature.
    """

    variances: np.ndarray
    axes: np.ndarray
    mean: float

    def shrunk(self, weight: float) -> tuple[np.ndarray, float]:
        """Return the variances, and that of all other directions, after mixing with the identity.

        Without any weight on the identity, other directions get the variance of the quietest one that is known (as in
        pycytominer's `spherize`).
        """
        variances = (1 - weight) * self.variances + weight * self.mean
        return variances, weight * self.mean if weight > 0 else float(variances.min())

    def whitening(self, weight: float, *, unit: bool = False) -> SymmetricMap:
        """Return the inverse square root of the shrunk covariance.

        Parameters
        ----------
        weight : float
            Of the identity, in [0, 1].
        unit : bool
            Scale the map so that its gains have a mean square of 1 over all directions.
        """
        variances, rest = self.shrunk(weight)
        if unit:
            n_features = len(self.axes)
            scale = ((1 / variances).sum() + (n_features - len(variances)) / rest) / n_features
            variances, rest = variances * scale, rest * scale
        return SymmetricMap(self.axes, variances**-0.5, rest**-0.5)

    def precision(self, weight: float) -> SymmetricMap:
        """Return the inverse of the shrunk covariance."""
        variances, rest = self.shrunk(weight)
        return SymmetricMap(self.axes, 1 / variances, 1 / rest)


def fit_spectrum(residuals: np.ndarray, degrees: int) -> Spectrum:
    """Return the spectrum of centred wells, shape (n_wells, n_features), with `degrees` degrees of freedom.

    Raises
    ------
    DataError
        If the wells do not differ at all.
    """
    variances, axes = second_moments(residuals, degrees)
    if not variances.sum() > 0:
        raise DataError("the reference wells do not differ from each other, so there is nothing to whiten by")
    return Spectrum(variances, axes, float(variances.sum()) / residuals.shape[1])


def within_residuals(X: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, int]:
    """Return wells minus the mean of their group, shape of `X`, and the degrees of freedom that are left."""
    out = np.array(X, dtype=np.float32)
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    for group in range(n_groups):
        out[groups == group] -= X[groups == group].mean(axis=0)
    return out, max(len(X) - n_groups, 1)


def check_regulariser(regulariser: str | float, words: tuple[str, ...]) -> None:
    """Refuse a regulariser that is neither one of the words nor a number in [0, 1].

    Raises
    ------
    UsageError
        Naming what is allowed.
    """
    if regulariser not in words and (isinstance(regulariser, str) or not 0 <= regulariser <= 1):
        raise UsageError(
            f"regulariser {regulariser!r} is unknown; give {' or '.join(words)} or a number from 0 to 1"
        )


def ledoit_wolf_weight(residuals: np.ndarray) -> float:
    """Return the weight of the identity after Ledoit & Wolf 2004 (doi:10.1016/S0047-259X(03)00096-4)."""
    n, d = residuals.shape
    variances, _ = second_moments(residuals, n)
    square, mean = float((variances**2).sum()), float(variances.sum()) / d
    distance = square / d - mean**2
    norms = np.einsum("ij,ij->i", residuals, residuals, dtype=np.float64)
    noise = (float((norms**2).mean()) - square) / (n * d)
    return float(np.clip(noise / distance, 0.0, 1.0)) if distance > 1e-12 * mean**2 else 1.0
