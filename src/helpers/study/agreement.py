"""What only sites can tell, measured on some plates of every experiment: how far they agree and how they differ."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.hits.predictability import site_predictability
from helpers.profiles.selection import rows_by
from helpers.profiles.variance import site_agreement

MOST_PLATES = 4
"""Plates of an experiment that are used, evenly spread over its order: thousands of wells are enough for one number."""

COLUMNS = ["experiment", "n_plates", "icc", "sites_per_well"]


def agreement_on_some(sites: ad.AnnData, *, seed: int = 0) -> pd.DataFrame:
    """Return the intraclass correlation of sites within wells, per experiment.

    Parameters
    ----------
    sites : AnnData
        One row per site, or per well where the screen has no sites.
    seed : int
        As in :func:`helpers.profiles.variance.site_agreement`.

    Returns
    -------
    DataFrame
        experiment, n_plates (that were used), icc, sites_per_well; no rows without embeddings or without sites.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> obs = pd.DataFrame({
    ...     "experiment": "A", "plate_id": "A_1", "well_id": np.repeat(np.arange(50), 2), "site": np.tile([1, 2], 50),
    ... }, index=np.arange(100).astype(str))
    >>> wells = rng.normal(size=(50, 4)).repeat(2, axis=0)
    >>> agreement_on_some(ad.AnnData(wells + 0.01 * rng.normal(size=wells.shape), obs=obs)).round(2)
      experiment  n_plates  icc  sites_per_well
    0          A         1  1.0             2.0
    """
    if sites.n_vars == 0 or "site" not in sites.obs or not sites.obs["well_id"].duplicated().any():
        return pd.DataFrame(
            {name: pd.Series(dtype=object if name == "experiment" else float) for name in COLUMNS}
        )
    rows = some_plates(sites.obs)
    some = sites[rows].copy()  # a view would gather its rows again at every access
    n_plates = some.obs.groupby(some.obs["experiment"].astype(str))["plate_id"].nunique()
    table = site_agreement(some, seed=seed)
    table["experiment"] = table["experiment"].astype(str)
    return table.assign(n_plates=table["experiment"].map(n_plates))[COLUMNS]


MOST_WELLS = 1000
"""Wells of an experiment on which the number of a site is named."""


def sites_named_on_some(sites: ad.AnnData) -> pd.DataFrame:
    """Return how well the number of a site can be told from its embedding, per experiment.

    Measured on the same plates as :func:`helpers.study.agreement_on_some`, and of these on at most
    :data:`helpers.study.agreement.MOST_WELLS` wells, evenly spread over each plate.

    Parameters
    ----------
    sites : AnnData
        One row per site, or per well where the screen has no sites.

    Returns
    -------
    DataFrame
        experiment, predictability (0 = chance, 1 = always); no rows without embeddings or without sites.

    Examples
    --------
    >>> sites_named_on_some(ad.AnnData(obs=pd.DataFrame({"well_id": ["A01", "A01"]}, index=["1", "2"])))
    Empty DataFrame
    Columns: [experiment, predictability]
    Index: []
    """
    if sites.n_vars == 0 or "site" not in sites.obs or not sites.obs["well_id"].duplicated().any():
        return pd.DataFrame({"experiment": pd.Series(dtype=object), "predictability": pd.Series(dtype=float)})
    rows = some_plates(sites.obs)
    records = []
    for experiment, mine in rows_by(sites.obs.iloc[rows], "experiment").items():
        chosen = rows[mine]
        obs = sites.obs.iloc[chosen]
        place = obs.groupby(["plate_id", "row", "col"], observed=True).ngroup().to_numpy()
        step = int(np.ceil((place.max() + 1) / MOST_WELLS))
        keep = np.sort(chosen[place % step == 0])
        value = site_predictability(np.asarray(sites.X[keep]), sites.obs.iloc[keep])
        records.append((str(experiment), value))
    return pd.DataFrame(records, columns=["experiment", "predictability"])


def some_plates(obs: pd.DataFrame, most: int = MOST_PLATES) -> np.ndarray:
    """Return the rows of at most so many plates of every experiment, evenly spread over their order."""
    chosen = []
    for rows in rows_by(obs, "experiment").values():
        plates = list(rows_by(obs.iloc[rows], "plate_id").values())
        take = np.unique(np.linspace(0, len(plates) - 1, min(most, len(plates))).round().astype(int))
        chosen += [rows[plates[i]] for i in take]
    return np.sort(np.concatenate(chosen))
