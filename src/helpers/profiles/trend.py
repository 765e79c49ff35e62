"""Position: how embeddings drift over the rows and columns of a plate, and what is left without the drift."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import UsageError
from helpers.profiles.selection import as_slice, rows_by, scattered

COLLINEAR = 1e-5
"""Relative size below which a direction of the trend is rounding in single precision, not position."""
POSITION_MODELS = ("trend", "row_column", "none")


@dataclass
class PositionTrend:
    """Subtract a smooth row and column trend from each plate, estimated on the wells that are scattered.

    The trend is a quadratic in row and column (five terms), fitted with weights that take wells far from the rest
    out of the fit (Huber weights on the residual norm), because scattered wells include treated ones. It is
    shrunk by the positive-part Stein factor: where position explains no more than chance would, nothing is
    subtracted. It is zero on average over the scattered wells, so it does not move the plate as a whole.

    Parameters
    ----------
    min_wells : int
        Plates with fewer scattered wells than this keep their positions as they are.
    model : str
        `trend`, `row_column` (an effect of its own for every row and every column that holds scattered wells, none for
        others; finer, and shrunk harder) or `none`.
    """

    min_wells: int = 60
    model: str = "trend"
    trends_: dict = field(default_factory=dict, repr=False)
    shrinkage_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "PositionTrend":
        """Estimate the trend of every plate that has enough scattered wells."""
        if self.model not in POSITION_MODELS:
            raise UsageError(
                f"position model {self.model!r} is unknown; choose one of {', '.join(POSITION_MODELS)}"
            )
        reference = scattered(obs)
        for plate, rows in rows_by(obs, "plate_id").items() if self.model != "none" else ():
            chosen = rows[reference[rows]]
            if len(chosen) < self.min_wells:
                continue
            basis, origin = self._basis(obs.iloc[chosen])
            coefficients, shrinkage = _robust_trend(basis, X[as_slice(chosen)])
            self.trends_[plate] = (origin, (shrinkage * coefficients).astype(np.float32))
            self.shrinkage_[str(plate)] = round(float(shrinkage), 4)
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Subtract each plate's trend at the wells' positions."""
        out = np.array(X, dtype=np.float32)
        for plate, rows in rows_by(obs, "plate_id").items():
            if plate in self.trends_:
                origin, coefficients = self.trends_[plate]
                basis, _ = self._basis(obs.iloc[rows], origin)
                out[as_slice(rows)] -= basis @ coefficients
        return out

    def _basis(self, obs: pd.DataFrame, origin: tuple | None = None) -> tuple[np.ndarray, tuple]:
        return (position_basis if self.model == "trend" else row_column_basis)(obs, origin)

    def record(self) -> dict:
        """Return the reference and how much of the estimated trend each plate kept (0 = none)."""
        return {
            "step": f"position {self.model}",
            "reference": "scattered infected wells",
            "kept": self.shrinkage_,
        }


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


def row_column_basis(obs: pd.DataFrame, origin: tuple | None = None) -> tuple[np.ndarray, tuple]:
    """Return centred indicators of row and column, float32, and the rows, columns and means they refer to."""
    row, col = obs["row"].to_numpy(), obs["col"].to_numpy()
    rows, cols = (np.unique(row), np.unique(col)) if origin is None else origin[:2]
    terms = np.hstack([row[:, None] == rows, col[:, None] == cols]).astype(np.float32)
    offset = terms.mean(axis=0) if origin is None else origin[2]
    blocks = ((slice(0, len(rows)), np.isin(row, rows)), (slice(len(rows), None), np.isin(col, cols)))
    centred = terms - offset
    for columns, known in blocks:  # a row or column without scattered wells has no effect that could be known
        centred[~known, columns] = 0
    return centred, (rows, cols, offset)


def _robust_trend(basis: np.ndarray, X: np.ndarray, n_rounds: int = 3) -> tuple[np.ndarray, float]:
    """Return trend coefficients (n_terms, n_features) and the share of them to keep, in [0, 1]."""
    weights = np.ones(len(X), dtype=np.float32)
    for _ in range(n_rounds):
        design = np.column_stack([np.ones(len(X), dtype=np.float32), basis])
        weighted = design * weights[:, None]
        # terms may be collinear: on two rows a row's square is a constant, and indicators add up to one
        inverse = np.linalg.pinv(weighted.T @ design, rcond=COLLINEAR, hermitian=True)
        coefficients = inverse @ (weighted.T @ X)
        residual = X - design @ coefficients
        norm = np.sqrt(np.einsum("ij,ij->i", residual, residual))
        weights = np.minimum(1.0, 1.5 * np.median(norm) / np.maximum(norm, 1e-12)).astype(np.float32)
    fitted = basis @ coefficients[1:]
    return coefficients[1:], _stein_factor(fitted, residual, weights, n_terms=np.linalg.matrix_rank(basis))


def _stein_factor(fitted: np.ndarray, residual: np.ndarray, weights: np.ndarray, n_terms: int) -> float:
    """Return max(0, 1 - 1/F), F = variance explained per term over residual variance, all features pooled."""
    degrees = max(len(fitted) - n_terms - 1, 1)
    explained = float(np.einsum("i,ij,ij->", weights, fitted, fitted)) / n_terms
    noise = float(np.einsum("i,ij,ij->", weights, residual, residual)) / degrees
    return max(0.0, 1.0 - noise / explained) if explained > 0 else 0.0
