"""Coordinates of wells in few dimensions, and what their neighbourhood in many dimensions is made of."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from helpers.profiles.linalg import principal_axes
from helpers.profiles.selection import rows_by, well_kind

N_NEIGHBORS = 15
N_COMPONENTS = 50
"""Principal components in which neighbours are sought."""
N_EPOCHS = 100
"""Rounds of UMAP's layout, alike for small and large tables: from the components on, more change little."""
FEWEST_WELLS = 3 * N_NEIGHBORS
"""Of fewer wells a map of neighbours would show the number of neighbours and little else."""


def principal_components(
    wells: AnnData, n_components: int = 2, *, center_by: str | None = None
) -> pd.DataFrame:
    """Project wells on the first principal components of the wells that passed quality control.

    Flagged wells are projected, but take no part in the fit: a few percent of failed wells would otherwise
    be the first component.

    Parameters
    ----------
    wells : AnnData
        One row per well; `X` holds the embedding, obs may hold qc_flag.
    n_components : int
        How many components; fewer are returned where there are fewer features or wells.
    center_by : str, optional
        A column of obs, such as ``experiment``: the mean of each of its groups is subtracted first, so that what
        lies between the groups is no component.

    Returns
    -------
    DataFrame
        `wells.obs` with columns pc_1, pc_2, ... in the embedding's units. ``attrs["explained"]`` lists the
        share of variance of each.
    """
    table = wells.obs.copy()
    n_components = min(n_components, wells.n_vars, max(wells.n_obs - 1, 0))
    table.attrs["explained"] = []
    if n_components < 1:
        return table
    fine = _fine(table, n_components)
    X = _centered(np.asarray(wells.X, np.float32), table, fine, center_by)
    scores = X @ principal_axes(X[fine], n_components)
    total = float(np.square(X[fine], dtype=np.float64).sum())
    for i, column in enumerate(scores.T, start=1):
        table[f"pc_{i}"] = column
    parts = np.square(scores[fine], dtype=np.float64).sum(axis=0)
    table.attrs["explained"] = [float(part / total) if total > 0 else 0.0 for part in parts]
    return table


def _fine(table: pd.DataFrame, n_components: int) -> np.ndarray:
    """Return which wells components are fitted on; all where too few passed quality control."""
    if "qc_flag" not in table:
        return np.ones(len(table), bool)
    fine = (table["qc_flag"].astype(str) == "").to_numpy()
    return fine if fine.sum() > n_components else np.ones(len(table), bool)


def _centered(X: np.ndarray, table: pd.DataFrame, fine: np.ndarray, by: str | None) -> np.ndarray:
    """Subtract the mean of the wells that passed, over all or group by group."""
    if by is None:
        return X - X[fine].mean(axis=0)
    out = np.empty_like(X)
    for rows in rows_by(table, by).values():
        reference = rows[fine[rows]] if fine[rows].any() else rows
        out[rows] = X[rows] - X[reference].mean(axis=0)
    return out


def sample_wells(wells: AnnData, most: int, *, seed: int = 0) -> AnnData:
    """Return at most so many wells, drawn at random and left in their order."""
    if wells.n_obs <= most:
        return wells
    rows = np.random.default_rng(seed).choice(wells.n_obs, most, replace=False)
    return wells[np.sort(rows)].copy()  # a view would gather its rows again at every access


def map_neighbors(components: pd.DataFrame, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay wells out so that neighbours stay neighbours (UMAP), and say of what kind neighbours are.

    UMAP keeps who is near whom; distances between far groups, their sizes and their densities mean nothing in it.
    The neighbours come from scikit-learn and the start from the principal components, which spares most of UMAP's
    compilation.

    Parameters
    ----------
    components : DataFrame
        From :func:`helpers.profiles.projection.principal_components`: neighbours are sought in all its components.
    seed : int
        Of the layout.

    Returns
    -------
    points : DataFrame
        Columns umap_1, umap_2 without a unit, index of `components`; empty columns with fewer than three components or
        too few wells.
    neighbors : DataFrame
        See :func:`helpers.profiles.projection.neighbor_shares`.
    """
    names = [name for name in components if name.startswith("pc_")]
    if len(names) < 3 or len(components) < FEWEST_WELLS:
        return pd.DataFrame(index=components.index), neighbor_shares(components, None)
    from sklearn.neighbors import NearestNeighbors

    Z = components[names].to_numpy(np.float32)
    search = NearestNeighbors(n_neighbors=N_NEIGHBORS, algorithm="brute").fit(Z)
    distances, indices = search.kneighbors(Z)
    layout = _umap_layout(Z, indices, distances, seed)
    points = pd.DataFrame(layout, columns=["umap_1", "umap_2"], index=components.index)
    return points, neighbor_shares(components, indices[:, 1:])


def _umap_layout(Z: np.ndarray, indices: np.ndarray, distances: np.ndarray, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        # It warns that precomputed neighbours cannot place further wells, and on import of absent extras.
        warnings.simplefilter("ignore")
        from umap import UMAP

        known = (indices.astype(np.int32), distances.astype(np.float32))
        model = UMAP(
            n_neighbors=N_NEIGHBORS,
            min_dist=0.3,
            n_epochs=N_EPOCHS,
            init="pca",
            precomputed_knn=known,
            random_state=seed,
            n_jobs=1,
        )
        return model.fit_transform(Z)


def neighbor_shares(
    components: pd.DataFrame,
    neighbors: np.ndarray | None,
    columns: Sequence[str] = ("experiment", "plate", "condition"),
) -> pd.DataFrame:
    """Return how often a well's neighbours share its experiment, plate or condition.

    Parameters
    ----------
    components : DataFrame
        Wells.
    neighbors : int array, shape (n_wells, k), or None
        Rows of each well's neighbours, without itself.
    columns : sequence of str
        Columns to compare; `plate` is the plate of the experiment, `condition` tells treated wells apart.

    Returns
    -------
    DataFrame
        column, share (of neighbours that share it), chance (share among wells drawn at random); columns with a
        single value are left out.
    """
    records = []
    for column in columns if neighbors is not None else ():
        labels = {"plate": "plate_id"}.get(column, column)
        values = well_kind(components) if column == "condition" else components[labels]
        codes, levels = pd.factorize(values)
        if len(levels) > 1:
            counts = np.bincount(codes[codes >= 0])
            same = float((codes[neighbors] == codes[:, None]).mean())
            records.append((column, same, float(np.square(counts / counts.sum()).sum())))
    return pd.DataFrame(records, columns=["column", "share", "chance"])
