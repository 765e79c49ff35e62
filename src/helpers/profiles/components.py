"""Principal components, and plates or experiments aligned among them by Harmony."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.profiles.linalg import principal_axes
from helpers.profiles.selection import as_slice, rows_by, usable

N_COMPONENTS = 50


@dataclass
class Components:
    """Keep the leading principal components of all wells that passed quality control; no labels are used.

    The average well is subtracted; lengths and angles among the wells are kept but for what the other components hold.

    Parameters
    ----------
    n_components : int
        How many at most.
    """

    n_components: int = N_COMPONENTS
    mean_: np.ndarray | None = field(default=None, repr=False)
    axes_: np.ndarray | None = field(default=None, repr=False)
    share_: float = field(default=np.nan, repr=False)
    n_: int = field(default=0, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Components":
        """Find the axes.

        Raises
        ------
        DataError
            If fewer than three wells passed quality control.
        """
        keep = usable(obs)
        self.n_ = int(keep.sum())
        if self.n_ < 3:
            raise DataError(
                f"only {self.n_} wells passed quality control: too few for principal components; use recipe raw"
            )
        centred = X[keep]
        self.mean_ = centred.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = centred - self.mean_
        self.axes_ = principal_axes(centred, min(self.n_components, self.n_ - 1))
        kept = np.einsum("ij,ij->", centred @ self.axes_, centred @ self.axes_, dtype=np.float64)
        total = np.einsum("ij,ij->", centred, centred, dtype=np.float64)
        self.share_ = float(kept / total) if total > 0 else 1.0
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:  # noqa: ARG002
        """Return the wells' components, shape (n_wells, k)."""
        return (X - self.mean_) @ self.axes_

    def record(self) -> dict:
        """Return how many wells and components there were, and the share of the variance that they hold."""
        return {
            "step": "principal components",
            "reference": "all wells that passed quality control",
            "n": {"all": self.n_},
            "components": self.axes_.shape[1],
            "variance_share": round(self.share_, 4),
        }


@dataclass
class Harmony:
    """Align plates or experiments with Harmony (Korsunsky et al. 2019, doi:10.1038/s41592-019-0619-0).

    Wells are clustered softly so that every cluster mixes batches, and each cluster's batches are moved onto each
    other. It takes every well as a sample of the same biology, controls or not, so it has no reference wells and cannot
    be applied to wells that it was not fitted on. Plates are aligned within their experiment, experiments within their
    cell line (all together where `obs` names none): two cell lines are no batches.

    Parameters
    ----------
    by : str
        `plate_id` or `experiment`.
    seed : int
        Of the clustering.
    """

    by: str = "plate_id"
    seed: int = 0
    n_: dict = field(default_factory=dict, repr=False)
    single_: list = field(default_factory=list, repr=False)
    fitted_: np.ndarray | None = field(default=None, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Harmony":
        """Align the batches of every group that has several."""
        self.fitted_ = np.array(X, dtype=np.float32)
        keep = usable(obs)
        for group, rows in self._groups(obs).items():
            batches = obs[self.by].iloc[rows].astype(str).to_numpy()
            self.n_[str(group)] = int(keep[rows].sum())
            if len(set(batches)) < 2:
                self.single_.append(str(group))
            else:
                self.fitted_[as_slice(rows)] = align_batches(X[as_slice(rows)], batches, seed=self.seed)
        return self

    def _groups(self, obs: pd.DataFrame) -> dict:
        """Return the rows of what the batches may be aligned within."""
        if self.by == "plate_id":
            return rows_by(obs, "experiment")
        if "cell_type" in obs and obs["cell_type"].notna().all():
            return rows_by(obs, "cell_type")
        return {"all": np.arange(len(obs))}

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:  # noqa: ARG002
        """Return the aligned wells; they must be those it was fitted on.

        Raises
        ------
        DataError
            For any others.
        """
        if X.shape != self.fitted_.shape:
            raise DataError("harmony can only return the wells that it was fitted on")
        return self.fitted_

    def record(self) -> dict:
        """Return how many usable wells of each group were aligned, and the groups with a single batch."""
        over = {"plate_id": "plates", "experiment": "experiments"}[self.by]
        record = {"step": f"harmony over {over}", "reference": "all wells", "n": self.n_}
        return record | ({"not_aligned": self.single_} if self.single_ else {})


def align_batches(X: np.ndarray, batches: np.ndarray, *, seed: int) -> np.ndarray:
    """Return `X`, shape (n_wells, k), with its batches aligned by harmonypy with its own defaults."""
    import logging

    import harmonypy

    logging.getLogger("harmonypy").setLevel(logging.WARNING)
    result = harmonypy.run_harmony(
        X, pd.DataFrame({"batch": batches}), "batch", random_state=seed, verbose=False
    )
    aligned = np.asarray(result.Z_corr, dtype=np.float32)
    return aligned if aligned.shape == X.shape else aligned.T  # releases before 2 return (k, n_wells)
