"""Steps of which normalisation recipes are made; each learns from reference wells only and records which.

A step has `fit(X, obs)`, which returns the step itself with fitted values in names that end in `_`, and
`transform(X, obs)`, which returns a new float32 matrix. `X` has shape (n_wells, n_features), `obs` one row per well.
No step sees which compound a well got.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.profiles.reference import BatchStep
from helpers.profiles.selection import as_slice, rows_by, treated, usable
from helpers.screens.spread import live_scale

MAD_SCALE = np.float32(1.482602218505602)
"""Standard deviations per median absolute deviation, for Gaussian values."""

MIN_BULK = 20
"""Treated wells from which on their median says where a plate lies."""


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
    With fewer than three reference wells there is no median worth subtracting; `pooled` then centres the plate on its
    treated wells, most of which do nothing, less what these differ from reference wells by on other plates. Parameters
    as in :class:`helpers.profiles.reference.BatchStep`.
    """

    centers_: dict = field(default_factory=dict, repr=False)
    bulk_: list = field(default_factory=list, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Center":
        """Take the median reference well of every group."""
        batches = self.find(obs, "centring")
        self.centers_ = {batch: np.median(X[as_slice(rows)], axis=0) for batch, rows in batches}
        for batch in batches.pooled:
            self._centre_on_bulk(batch, X, obs)
        return self

    def _centre_on_bulk(self, batch: str, X: np.ndarray, obs: pd.DataFrame) -> None:
        """Take the plate's median treated well for its centre, put right by what the two differ by on other plates."""
        rows = {str(name): mine for name, mine in self.batches_.rows.items()}
        experiment = obs["experiment"].iloc[rows[batch][0]]
        chosen = treated(obs) & usable(obs)
        differences = [
            np.median(X[mine[chosen[mine]]], axis=0) - center
            for name, center in self.centers_.items()
            if str(name) not in self.batches_.pooled
            and obs["experiment"].iloc[(mine := rows[str(name)])[0]] == experiment
            and chosen[mine].sum() >= MIN_BULK
        ]
        mine = rows[batch][chosen[rows[batch]]]
        if len(mine) >= MIN_BULK and differences:
            name = next(name for name in self.centers_ if str(name) == batch)
            self.centers_[name] = np.median(X[mine], axis=0) - np.mean(differences, axis=0)
            self.bulk_.append(batch)

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Subtract each group's centre."""
        out = np.empty(X.shape, dtype=np.float32)
        for group, rows in rows_by(obs, self.by).items():
            out[as_slice(rows)] = X[as_slice(rows)] - self.centers_[group]
        return out

    def record(self) -> dict:
        """Return the reference, how many wells of it each group had, and which were centred on their treated wells."""
        return self.note("center", **({"bulk": self.bulk_} if self.bulk_ else {}))


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


@dataclass
class PercentOfControl(BatchStep):
    """Divide each feature by the median reference well of the plate: 1 is as in untreated wells.

    The normalisation of viability and counting assays, whose plates were not seeded alike. Features must be positive
    in reference wells. A plate without enough of them takes the median of the other plates', put right by how much
    brighter or fuller the plate is as a whole.

    Parameters
    ----------
    log : bool
        Take the natural logarithm of the shares: 0 is as in untreated cells. What multiplies then adds. All values must
        be positive.
    by : str
        As in :class:`helpers.profiles.reference.BatchStep`.
    reference : str
        As there.
    min_reference : int
        As there.
    pooled : bool
        As there.
    """

    log: bool = False
    centers_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "PercentOfControl":
        """Take the median reference well of every plate."""
        batches = self.find(obs, "percent of control")
        chosen = usable(obs)
        bulk = {batch: np.median(X[mine[chosen[mine]]], axis=0) for batch, mine in batches.rows.items()}
        for batch, rows in batches:
            center = np.median(X[rows], axis=0)
            if str(batch) in batches.pooled:
                others = obs[self.by].iloc[rows].unique()
                center = center * bulk[batch] / np.mean([bulk[other] for other in others], axis=0)
            self.centers_[batch] = center
        for batch, center in self.centers_.items():
            self._check(center, f"the median reference well of {batch}")
        if self.log:
            self._check(X.min(axis=0), "a well")
        return self

    def _check(self, values: np.ndarray, where: str) -> None:
        """Refuse features that are not positive."""
        wrong = np.flatnonzero(~(values > 0))
        if len(wrong):
            raise DataError(
                f"percent of control needs positive features; number {wrong[0] + 1} of {len(values)} is "
                f"{values[wrong[0]]:.3g} in {where}: use a recipe that subtracts, such as plate_center"
            )

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Divide each plate by its centre."""
        out = np.empty(X.shape, dtype=np.float32)
        for batch, rows in rows_by(obs, self.by).items():
            out[as_slice(rows)] = X[as_slice(rows)] / self.centers_[batch]
        return np.log(out, out=out) if self.log else out

    def record(self) -> dict:
        """Return the reference and how many wells of it each plate had."""
        return self.note("log percent of control" if self.log else "percent of control")


def mean_and_sd(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (denominator n) per feature, spread 1 where there is none."""
    return X.mean(axis=0, dtype=np.float64).astype(np.float32), live_scale(X.std(axis=0, dtype=np.float64), X)


def median_and_mad(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return median and scaled median absolute deviation per feature, spread 1 where there is none."""
    center = np.median(X, axis=0)
    return center, live_scale(MAD_SCALE * np.median(np.abs(X - center), axis=0), X)
