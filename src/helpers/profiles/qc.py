"""Failed wells: found by how far they lie from their plate's bulk, in the direction in which wells fail.

A plate's mock wells cannot tell which of them failed: on one published plate half of them did. What stands firm
is the bulk of the plate. So wells *without* a compound are judged first, by their robust distance from where
their condition stands relative to the bulk; a compound cannot excuse them. The direction in which they fail is
then used to
judge treated wells, which may be far away for a good reason: they fail only if they lie far out in *that* direction.
"""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.profiles.linalg import principal_axes
from helpers.profiles.selection import as_slice, rows_by

FAILED = "failed: far out where wells without a compound fail"
FEW_SITES = "few sites: fewer than half of what a well has"

N_COMPONENTS = 10
"""Principal components in which distances are taken; failures are large, so the first ones hold them."""
TAIL = 0.999
"""Quantile of the chi-square distribution beyond which a distance is large ..."""
MARGIN = 4.0
"""... after the squared distance was divided by this: real clouds have heavier tails than a Gaussian."""
REACH = 0.5
"""A treated well fails if it lies at least this share as far out as untreated failures do (their median) ..."""
COSINE = 0.7
"""... and points the same way, at least to this cosine."""


def flag_wells(wells: ad.AnnData) -> np.ndarray:
    """Return the reason for which each well is not to be trusted, "" where there is none.

    Each experiment is judged by itself. Positions are taken relative to the plate's bulk (the median of its
    wells), in the first ten principal components, each in units of its robust spread.

    Parameters
    ----------
    wells : AnnData
        One row per well, not normalised: `obs` has experiment, plate_id, condition, treatment, and n_sites if wells
        with few sites are to be found; without embeddings only these are.

    Returns
    -------
    array of str
        Shape (n_wells,).

    Examples
    --------
    >>> import pandas as pd
    >>> obs = pd.DataFrame({"n_sites": [4, 4, 4, 1]}, index=["a", "b", "c", "d"])
    >>> flag_wells(ad.AnnData(obs=obs)).tolist()
    ['', '', '', 'few sites: fewer than half of what a well has']
    """
    flags = np.full(wells.n_obs, "", dtype=object)
    if "n_sites" in wells.obs:
        flags[_few_sites(wells.obs["n_sites"].to_numpy())] = FEW_SITES
    if wells.n_vars == 0:
        return flags
    for rows in rows_by(wells.obs, "experiment").values():
        obs = wells.obs.iloc[rows]
        failed = find_failed(np.asarray(wells.X[as_slice(rows)]), obs)
        flags[rows[failed & (flags[rows] == "")]] = FAILED
    return flags


def find_failed(X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
    """Return which wells of one experiment failed, shape (n_wells,) of bool."""
    Z = bulk_scores(X, obs)
    failed = np.zeros(len(X), dtype=bool)
    if Z.shape[1] == 0:
        return failed
    residual = Z.copy()
    judged = np.zeros(len(X), dtype=bool)
    for condition in ("mock", "uv", "infected"):
        rows = np.flatnonzero((obs["condition"] == condition).to_numpy() & obs["treatment"].isna().to_numpy())
        if len(rows) >= 3:
            residual[rows] -= _centre_nearest_bulk(Z[rows])
            judged[rows] = True
    distance = np.einsum("ij,ij->i", residual, residual)
    limit = _distance_limit(distance[judged], Z.shape[1])
    failed[judged] = distance[judged] > limit
    if failed.sum() < 2:
        return failed  # one stray well shows no direction in which wells fail
    direction = _main_direction(residual[failed])
    reach = Z @ direction
    far = reach > max(REACH * np.median(reach[failed]), np.sqrt(limit))
    aligned = reach > COSINE * np.linalg.norm(Z, axis=1)
    failed[~judged] = (far & aligned)[~judged]
    return failed


def bulk_scores(X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
    """Return positions relative to each plate's bulk, in robust units along the main components.

    Parameters
    ----------
    X : array
        Wells of one experiment, shape (n_wells, n_features).
    obs : DataFrame
        Their metadata; wells of unknown condition do not define the bulk.

    Returns
    -------
    ndarray, shape (n_wells, k), k at most 10: components without spread are dropped.
    """
    known = (obs["condition"] != "blank").to_numpy()
    R = np.empty(X.shape, dtype=np.float32)
    for rows in rows_by(obs, "plate_id").values():
        bulk = rows[known[rows]] if known[rows].any() else rows
        R[as_slice(rows)] = X[as_slice(rows)] - np.median(X[as_slice(bulk)], axis=0)
    Z = R @ principal_axes(R[known] if not known.all() else R, N_COMPONENTS)
    spread = stats.median_abs_deviation(Z[known], axis=0, scale="normal")
    live = spread > 1e-6 * max(float(spread.max(initial=0.0)), 1e-12)
    return Z[:, live] / spread[live]


def _centre_nearest_bulk(Z: np.ndarray) -> np.ndarray:
    """Return the median of the half of the wells nearest to the bulk: failures are always the farther ones."""
    distance = np.linalg.norm(Z, axis=1)
    nearest = np.argsort(distance, kind="stable")[: (len(Z) + 1) // 2]
    return np.median(Z[nearest], axis=0)


def _distance_limit(distance: np.ndarray, k: int) -> float:
    """Return the squared distance beyond which an untreated well has failed."""
    if len(distance) == 0:
        return np.inf
    inflation = max(1.0, float(np.median(distance)) / stats.chi2.median(k))
    return float(MARGIN * inflation * stats.chi2.ppf(TAIL, k))


def _main_direction(residual: np.ndarray) -> np.ndarray:
    """Return the unit vector along which the failures lie, pointing outwards."""
    direction = np.linalg.svd(residual, full_matrices=False)[2][0]
    return direction * np.sign(np.median(residual @ direction))


def _few_sites(n_sites: np.ndarray) -> np.ndarray:
    return n_sites < 0.5 * np.median(n_sites)
