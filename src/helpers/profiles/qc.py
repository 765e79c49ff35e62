"""Quality control of wells: which are not to be trusted, and why."""

import anndata as ad
import numpy as np

from helpers.errors import UsageError
from helpers.profiles.failures import find_failures
from helpers.profiles.residuals import find_residuals
from helpers.profiles.selection import as_slice, plate_order, rows_by

RATE = 1e-4
"""Share of good wells whose distance noise alone may carry beyond the limit."""
MOST_RATE = 0.005
MIN_SITES = 0.5
"""A well with less than this share of the usual number of sites is not judged."""
FEW_SITES = f"few sites: fewer than {MIN_SITES:.0%} of what a well has"


def flag_wells(wells: ad.AnnData, *, failures: bool = True, rate: float = RATE) -> np.ndarray:
    """Return the reason for which each well is not to be trusted, "" where there is none.

    Each experiment is judged by itself, on wells that were not normalised; see :mod:`helpers.profiles.failures` for
    the rules. The names of the controls do not matter: with mock and infected exchanged the flags are the same.

    Parameters
    ----------
    wells : AnnData
        One row per well; `obs` with experiment, plate_id, row, col, condition, treatment, dose_um, and n_sites if
        known.
    failures : bool
        Look for failed wells among the embeddings; False leaves all of them in.
    rate : float
        Share of good wells whose distance noise alone may carry beyond the limit, above 0 and at most 0.005; a smaller
        one fails fewer wells.

    Returns
    -------
    ndarray of str, shape (n_wells,)

    Raises
    ------
    UsageError
        If `rate` is outside its range.

    Examples
    --------
    >>> from helpers.profiles import to_wells
    >>> from helpers.screens import simulate_twin
    >>> wells = to_wells(simulate_twin("tiny", seed=0)[0])
    >>> bool((flag_wells(wells) == wells.obs["qc_flag"]).all())
    True
    """
    if not 0 < rate <= MOST_RATE:
        raise UsageError(
            f"qc_rate={rate} is not allowed; choose a share of good wells, above 0 and at most {MOST_RATE}"
        )
    flags = np.full(wells.n_obs, "", dtype=object)
    if wells.n_vars and failures:
        for rows in rows_by(wells.obs, "experiment").values():
            rows = rows[
                plate_order(wells.obs.iloc[rows])
            ]  # pairs of replicates may not hang on the table's order
            obs = wells.obs.iloc[rows]
            residuals = find_residuals(np.asarray(wells.X[as_slice(rows)]), obs)
            if residuals is not None:
                flags[rows] = find_failures(residuals, obs, rate=rate)
    if "n_sites" in wells.obs:
        n_sites = wells.obs["n_sites"].to_numpy()
        flags[n_sites < MIN_SITES * np.median(n_sites)] = FEW_SITES
    return flags
