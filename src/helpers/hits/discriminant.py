"""The linear discriminant: read the disease where wells of one kind differ least among themselves.

The mean difference d from mock to infected reads a well along d itself, noise and all. Fisher's discriminant (Fisher
1936, doi:10.1111/j.1469-1809.1936.tb02137.x) reads along S^-1 d, S the covariance of wells within plate and
condition: directions in which wells of one kind scatter count less. Embeddings have more features than a plate has
controls, so S is shrunk towards a multiple of the identity by the oracle approximating weight (Chen et al. 2010,
doi:10.1109/TSP.2010.2053029).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg

from helpers.profiles.reference import reference_mask
from helpers.profiles.selection import controls, rows_by
from helpers.profiles.spectrum import within_residuals
from helpers.profiles.whitening import deal_plates

MIN_DEGREES = 4
"""With fewer degrees of freedom nothing is known about any covariance, and the mean difference is read as it is."""


@dataclass(frozen=True)
class Noise:
    """Squares and products of the residuals of wells, summed.

    Attributes
    ----------
    scatter : array
        Shape (n_features, n_features), float64.
    degrees : int
        Degrees of freedom.
    """

    scatter: np.ndarray
    degrees: int

    def reading(self, difference: np.ndarray) -> np.ndarray:
        """Return the vector along which wells are read, shape (n_features,), float32.

        Scaled so that a step of length 1 along `difference` reads as 1: positions stay in embedding units.
        """
        unit = np.asarray(difference, dtype=np.float64) / max(float(np.linalg.norm(difference)), 1e-12)
        if self.degrees < MIN_DEGREES or not np.trace(self.scatter) > 0:
            return unit.astype(np.float32)
        solved = linalg.cho_solve(self._factor, unit)
        return (solved / (solved @ unit)).astype(np.float32)

    @cached_property
    def _factor(self) -> tuple:
        """The shrunken covariance's Cholesky factor: plates of a fold share it."""
        return linalg.cho_factor(
            shrunk_covariance(self.scatter / self.degrees, self.degrees), overwrite_a=True
        )


def shrunk_covariance(covariance: np.ndarray, n: int) -> np.ndarray:
    """Return a covariance mixed with the identity by the oracle approximating weight.

    Parameters
    ----------
    covariance : array
        Of centred data, shape (n_features, n_features).
    n : int
        Degrees of freedom that it rests on.
    """
    p = len(covariance)
    mean = np.trace(covariance) / p
    square = float(np.mean(covariance**2))
    numerator, denominator = square + mean**2, (n + 1) * (square - mean**2 / p)
    weight = 1.0 if denominator <= 0 else min(numerator / denominator, 1.0)
    out = (1 - weight) * covariance
    # a little of the identity always, so that features without noise do not make it singular
    out.flat[:: p + 1] += max(weight, 1e-6) * mean
    return out


def noise_of(X: np.ndarray, obs: pd.DataFrame) -> Noise:
    """Return the noise of all control wells given, within plate and condition."""
    groups = obs.groupby(["plate_id", "condition"], observed=True).ngroup().to_numpy()
    residuals, _ = within_residuals(X, groups)
    residuals = residuals.astype(np.float64)
    return Noise(residuals.T @ residuals, max(len(X) - len(np.unique(groups)), 0))


def held_out_noise(X: np.ndarray, obs: pd.DataFrame) -> dict[str, Noise]:
    """Return plate -> the noise of control wells of *other* plates of the experiment.

    Plates are dealt into five folds, and a plate gets what the other folds say, so that no well is read along a vector
    that knows its own noise: infected untreated wells would look quieter than treated ones and the null be too narrow.
    """
    chosen = np.flatnonzero(reference_mask(obs, "controls") | controls(obs, "uv"))
    fold_of = deal_plates(obs["plate_id"])
    folds = obs["plate_id"].iloc[chosen].map(fold_of).to_numpy(dtype=int)
    parts = {f: noise_of(X[chosen[folds == f]], obs.iloc[chosen[folds == f]]) for f in np.unique(folds)}
    scatter = sum(part.scatter for part in parts.values())
    degrees = sum(part.degrees for part in parts.values())
    outside = {fold: Noise(scatter - part.scatter, degrees - part.degrees) for fold, part in parts.items()}
    everything = Noise(scatter, degrees)
    return {plate: outside.get(fold_of[plate], everything) for plate in rows_by(obs, "plate_id")}
