"""Steps of which normalisation recipes are made; each learns from reference wells only and records which.

A step has `fit(X, obs)`, which returns the step itself with fitted values in names that end in `_`, and
`transform(X, obs)`, which returns a new float32 matrix. `X` has shape (n_wells, n_features), `obs` one row per well.
No step sees which compound a well got.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from helpers.profiles.reference import BatchStep
from helpers.profiles.selection import as_slice, rows_by

MAD_SCALE = np.float32(1.482602218505602)
"""Standard deviations per median absolute deviation, for Gaussian values."""


class Step(Protocol):
    """What a recipe is made of."""

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Step":
        """Learn from the reference wells."""

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Return the normalised embeddings."""

    def record(self) -> dict:
        """Return what the step used as reference, for provenance."""


@dataclass
class Center(BatchStep):
    """Subtract the median reference well of each plate or experiment, per feature.

    The infected untreated wells are the only wells without a compound that are scattered over the plate. The
    median of n wells has 1.57 times the variance of a mean, in return for which a few unnoticed failures do no harm.
    With fewer than three reference wells there is no median worth subtracting. Parameters as in
    :class:`helpers.profiles.reference.BatchStep`.
    """

    centers_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Center":
        """Take the median reference well of every group."""
        batches = self.find(obs, "centring")
        self.centers_ = {batch: np.median(X[as_slice(rows)], axis=0) for batch, rows in batches}
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Subtract each group's centre."""
        out = np.empty(X.shape, dtype=np.float32)
        for group, rows in rows_by(obs, self.by).items():
            out[as_slice(rows)] = X[as_slice(rows)] - self.centers_[group]
        return out

    def record(self) -> dict:
        """Return the reference and how many wells of it each group had."""
        return self.note("center")


@dataclass
class Standardize(BatchStep):
    """Subtract the centre of each batch's reference wells and divide by their spread, per feature.

    Mean and standard deviation (denominator n) as pycytominer's `standardize`, or median and median absolute deviation
    times 1.4826 as its `mad_robustize`. A feature without spread is only centred. With reference wells of a single
    condition the disease is in no spread; still, every feature is divided by an estimate of its own, so a plate's axis
    turns a little against the others'.

    Parameters
    ----------
    robust : bool
        Median and MAD instead of mean and standard deviation.
    min_reference : int
        A spread needs more wells than a centre: that of 8 wells is off by a quarter.
    by : str
        As in :class:`helpers.profiles.reference.BatchStep`.
    reference : str
        As there.
    pooled : bool
        As there.
    """

    min_reference: int = 8
    robust: bool = False
    centers_: dict = field(default_factory=dict, repr=False)
    scales_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Standardize":
        """Estimate centre and spread of every batch."""
        estimate = median_and_mad if self.robust else mean_and_sd
        for batch, rows in self.find(obs, "a spread"):
            self.centers_[batch], self.scales_[batch] = estimate(X[as_slice(rows)])
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Centre and scale each batch."""
        out = np.empty(X.shape, dtype=np.float32)
        for batch, rows in rows_by(obs, self.by).items():
            place = as_slice(rows)
            if isinstance(place, slice):  # in place: no copy of a plate is made
                np.subtract(X[place], self.centers_[batch], out=out[place])
                out[place] /= self.scales_[batch]
            else:
                out[place] = (X[place] - self.centers_[batch]) / self.scales_[batch]
        return out

    def record(self) -> dict:
        """Return the reference and how many wells of it each batch had."""
        return self.note("median and MAD" if self.robust else "mean and SD")


def mean_and_sd(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (denominator n) per feature, spread 1 where there is none."""
    return X.mean(axis=0, dtype=np.float64).astype(np.float32), _live(X.std(axis=0, dtype=np.float64), X)


def median_and_mad(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return median and scaled median absolute deviation per feature, spread 1 where there is none."""
    center = np.median(X, axis=0)
    return center, _live(MAD_SCALE * np.median(np.abs(X - center), axis=0), X)


def _live(scale: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Replace spreads that are only rounding error by 1."""
    noise = 10 * np.finfo(np.float32).eps * np.abs(X).max(axis=0)
    return np.where(scale > noise, scale, 1.0).astype(np.float32)
