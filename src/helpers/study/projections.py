"""Wells in few dimensions: a sample of them on principal components and on a map of neighbours."""

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from helpers.profiles.projection import N_COMPONENTS, map_neighbors, principal_components, sample_wells

KEPT = 4
"""Principal components that are kept of the ones in which neighbours are sought."""


@dataclass(frozen=True)
class Projection:
    """Wells in few dimensions.

    Attributes
    ----------
    points : DataFrame
        Columns of wells with pc_1, pc_2, ... and umap_1, umap_2 where there is a map; ``attrs["explained"]`` as in
        :func:`helpers.profiles.projection.principal_components`.
    neighbors : DataFrame
        As in :func:`helpers.profiles.projection.neighbor_shares`.
    n_wells : int
        How many wells the screen has; `points` may be a sample of them.

    Examples
    --------
    >>> found = Projection(points=pd.DataFrame({"pc_1": [0.1, 0.3]}), neighbors=pd.DataFrame(), n_wells=10)
    >>> f"{len(found.points)} of {found.n_wells} wells"
    '2 of 10 wells'
    """

    points: pd.DataFrame
    neighbors: pd.DataFrame
    n_wells: int


def project_wells(
    wells: ad.AnnData, *, max_wells: int, center_by: str | None = None, seed: int = 0
) -> Projection:
    """Return wells on principal components and on a map of neighbours.

    Parameters
    ----------
    wells : AnnData
        Not normalised, or normalised.
    max_wells : int
        Of more wells, so many are drawn at random.
    center_by : str, optional
        As in :func:`helpers.profiles.projection.principal_components`.
    seed : int
        Of the draw and of the map's layout.

    Returns
    -------
    Projection
        Points and neighbours; without a map where there are too few wells or components.
    """
    sample = sample_wells(wells, max_wells, seed=seed)
    components = principal_components(sample, N_COMPONENTS, center_by=center_by)
    layout, neighbors = map_neighbors(components, seed=seed)
    names = [name for name in components if name.startswith("pc_")][:KEPT]
    places = pd.concat([components[names], layout], axis=1).astype(np.float32)
    # A user's table may well hold components of its own.
    points = sample.obs.drop(columns=list(places), errors="ignore").join(places)
    points.attrs["explained"] = components.attrs["explained"][:KEPT]
    return Projection(points, neighbors, wells.n_obs)
