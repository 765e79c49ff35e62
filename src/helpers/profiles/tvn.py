"""Typical variation normalisation: what varies among controls is made alike in all directions and all batches."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.profiles.linalg import SymmetricMap, second_moments
from helpers.profiles.reference import BatchStep
from helpers.profiles.selection import as_slice, rows_by
from helpers.profiles.steps import mean_and_sd

RIDGE = 0.5
"""Added to every variance before alignment, in squared units of a control's spread, as published."""


@dataclass
class TypicalVariation(BatchStep):
    """Typical variation normalisation (TVN).

    Ando et al. 2017 (doi:10.1101/161422), in the form of Celik et al. 2024 (EFAAR,
    doi:10.1371/journal.pcbi.1012463): centre and scale on all controls; rotate to the controls' principal components;
    centre and scale every batch on its own controls; then align covariances (CORAL), X S^-1/2 T^1/2 with S the
    covariance of the batch's controls and T that of all controls, half the identity added to both.

    Parameters
    ----------
    n_components : int, optional
        How many components to keep; None keeps all, as published.
    by : str
        As in :class:`helpers.profiles.reference.BatchStep`.
    reference : str
        As there. The published form has one kind of control; with `controls` the disease would be a part of typical
        variation.
    min_reference : int
        As there.
    pooled : bool
        As there.
    """

    min_reference: int = 10
    n_components: int | None = None
    overall_: tuple = field(default=(), repr=False)
    axes_: np.ndarray | None = field(default=None, repr=False)
    moments_: dict = field(default_factory=dict, repr=False)
    maps_: dict = field(default_factory=dict, repr=False)
    target_: SymmetricMap | None = field(default=None, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "TypicalVariation":
        """Learn the scale, the components and every batch's alignment."""
        batches = self.find(obs, "tvn")
        rows = np.unique(np.concatenate(list(batches.reference.values())))
        self.overall_ = mean_and_sd(X[rows])
        scaled = self._scale(X[rows])
        self.axes_ = second_moments(scaled, len(scaled) - 1)[1][:, : self.n_components]
        scores = scaled @ self.axes_
        place = np.full(len(X), -1)
        place[rows] = np.arange(len(rows))
        aligned = []
        for batch, mine in batches:
            own = scores[place[mine]]
            self.moments_[batch] = mean_and_sd(own)
            own = (own - self.moments_[batch][0]) / self.moments_[batch][1]
            self.maps_[batch] = covariance_power(own, -0.5)
            aligned.append(own)
        self.target_ = covariance_power(np.concatenate(aligned), 0.5)
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Return the aligned components, shape (n_wells, k)."""
        out = np.empty((len(X), self.axes_.shape[1]), dtype=np.float32)
        for batch, rows in rows_by(obs, self.by).items():
            center, scale = self.moments_[batch]
            scores = (self._scale(X[as_slice(rows)]) @ self.axes_ - center) / scale
            out[as_slice(rows)] = self.target_.apply(self.maps_[batch].apply(scores))
        return out

    def _scale(self, X: np.ndarray) -> np.ndarray:
        return (X - self.overall_[0]) / self.overall_[1]

    def record(self) -> dict:
        """Return the reference, how many wells of it each batch had, and the number of components."""
        return self.note("typical variation", components=self.axes_.shape[1])


def covariance_power(X: np.ndarray, power: float) -> SymmetricMap:
    """Return a power of the covariance of `X` (denominator n - 1) plus half the identity."""
    variances, axes = second_moments(X - X.mean(axis=0), max(len(X) - 1, 1))
    return SymmetricMap(axes, (variances + RIDGE) ** power, RIDGE**power)
