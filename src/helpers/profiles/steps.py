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
from helpers.profiles.selection import as_slice, controls, rows_by, scattered


class Step(Protocol):
    """What a recipe is made of."""

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Step":
        """Learn from the reference wells."""

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Return the normalised embeddings."""

    def record(self) -> dict:
        """Return what the step used as reference, for provenance."""


@dataclass
class Center:
    """Subtract the median infected untreated well of each plate or experiment, per feature.

    The infected untreated wells are the only wells without a compound that are scattered over the plate. The
    median of n wells has 1.57 times the variance of a mean, in return for which a few unnoticed failures do no harm.

    Parameters
    ----------
    by
        `plate_id` or `experiment`.
    min_reference
        With fewer reference wells in a group than this there is no median worth subtracting.

    Raises
    ------
    DataError
        In `fit`, naming the group that has too few reference wells.
    """

    by: str = "plate_id"
    min_reference: int = 3
    centers_: dict = field(default_factory=dict, repr=False)
    n_reference_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Center":
        """Take the median reference well of every group."""
        reference = controls(obs, "infected")
        for group, rows in rows_by(obs, self.by).items():
            chosen = rows[reference[rows]]
            if len(chosen) < self.min_reference:
                raise DataError(
                    f"{self.by.removesuffix('_id')} {group} has {len(chosen)} infected untreated wells that passed "
                    f"quality control, centring needs {self.min_reference}: use recipe raw, or leave it out"
                )
            self.centers_[group] = np.median(X[as_slice(chosen)], axis=0)
            self.n_reference_[str(group)] = len(chosen)
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Subtract each group's centre."""
        out = np.empty(X.shape, dtype=np.float32)
        for group, rows in rows_by(obs, self.by).items():
            out[as_slice(rows)] = X[as_slice(rows)] - self.centers_[group]
        return out

    def record(self) -> dict:
        """Return the reference and how many wells of it each group had."""
        return {
            "step": f"center by {self.by}",
            "reference": "infected untreated wells",
            "n": self.n_reference_,
        }


@dataclass
class PositionTrend:
    """Subtract a smooth row and column trend from each plate, estimated on the wells that are scattered.

    The trend is a quadratic in row and column (five terms), fitted with weights that take wells far from the rest
    out of the fit (Huber weights on the residual norm), because scattered wells include treated ones. It is
    shrunk by the positive-part Stein factor: where position explains no more than chance would, nothing is
    subtracted. It is zero on average over the scattered wells, so it does not move the plate as a whole.

    Parameters
    ----------
    min_wells
        Plates with fewer scattered wells than this keep their positions as they are.
    """

    min_wells: int = 100
    trends_: dict = field(default_factory=dict, repr=False)
    shrinkage_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "PositionTrend":
        """Estimate the trend of every plate that has enough scattered wells."""
        reference = scattered(obs)
        for plate, rows in rows_by(obs, "plate_id").items():
            chosen = rows[reference[rows]]
            if len(chosen) < self.min_wells:
                continue
            basis, origin = position_basis(obs.iloc[chosen])
            coefficients, shrinkage = _robust_trend(basis, X[as_slice(chosen)])
            self.trends_[plate] = (origin, (shrinkage * coefficients).astype(np.float32))
            self.shrinkage_[str(plate)] = round(shrinkage, 4)
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Subtract each plate's trend at the wells' positions."""
        out = np.array(X, dtype=np.float32)
        for plate, rows in rows_by(obs, "plate_id").items():
            if plate in self.trends_:
                origin, coefficients = self.trends_[plate]
                basis, _ = position_basis(obs.iloc[rows], origin)
                out[as_slice(rows)] -= basis @ coefficients
        return out

    def record(self) -> dict:
        """Return the reference and how much of the estimated trend each plate kept (0 = none)."""
        return {"step": "position trend", "reference": "scattered infected wells", "kept": self.shrinkage_}


def position_basis(obs: pd.DataFrame, origin: tuple | None = None) -> tuple[np.ndarray, tuple]:
    """Return row, column, their squares and product, (n_wells, 5) float32, and the origin they refer to."""
    row, col = obs["row"].to_numpy(float), obs["col"].to_numpy(float)
    if origin is None:
        scale = np.array([max(np.ptp(row), 1.0), max(np.ptp(col), 1.0)]) / 2
        middle = np.array([row.mean(), col.mean()])
    else:
        middle, scale, _ = origin
    r, c = (row - middle[0]) / scale[0], (col - middle[1]) / scale[1]
    terms = np.column_stack([r, c, r * r, c * c, r * c])
    offset = terms.mean(axis=0) if origin is None else origin[2]
    return (terms - offset).astype(np.float32), (middle, scale, offset)


def _robust_trend(basis: np.ndarray, X: np.ndarray, n_rounds: int = 3) -> tuple[np.ndarray, float]:
    """Return trend coefficients (5, n_features) and the share of them to keep, in [0, 1]."""
    weights = np.ones(len(X), dtype=np.float32)
    for _ in range(n_rounds):
        design = np.column_stack([np.ones(len(X), dtype=np.float32), basis])
        weighted = design * weights[:, None]
        coefficients = np.linalg.pinv(weighted.T @ design) @ (weighted.T @ X)
        residual = X - design @ coefficients
        norm = np.sqrt(np.einsum("ij,ij->i", residual, residual))
        weights = np.minimum(1.0, 1.5 * np.median(norm) / np.maximum(norm, 1e-12)).astype(np.float32)
    fitted = basis @ coefficients[1:]
    return coefficients[1:], _stein_factor(fitted, residual, weights, n_terms=basis.shape[1])


def _stein_factor(fitted: np.ndarray, residual: np.ndarray, weights: np.ndarray, n_terms: int) -> float:
    """Return max(0, 1 - 1/F), F = variance explained per term over residual variance, all features pooled."""
    degrees = max(len(fitted) - n_terms - 1, 1)
    explained = float(np.einsum("i,ij,ij->", weights, fitted, fitted)) / n_terms
    noise = float(np.einsum("i,ij,ij->", weights, residual, residual)) / degrees
    return max(0.0, 1.0 - noise / explained) if explained > 0 else 0.0
