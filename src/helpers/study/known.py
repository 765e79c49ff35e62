"""What is known of a screen from beside it: the truth of a twin, and which of its wells were made to fail."""

import anndata as ad
import pandas as pd

from helpers.screens import read_truth
from helpers.screens.provenance import screen_folder


def known_truth(wells: ad.AnnData) -> pd.DataFrame | None:
    """Return the truth of a twin for the experiments at hand, None for a real screen.

    Parameters
    ----------
    wells : AnnData
        Of the screen; `uns["screen"]` says where its files are.

    Returns
    -------
    DataFrame or None
        One row per experiment, treatment and dose, see :func:`helpers.screens.read_truth`.
    """
    folder = screen_folder(wells)
    truth = read_truth(folder) if folder else None
    if truth is None:
        return None
    mine = truth["experiment"].isin(wells.obs["experiment"].astype(str).unique())
    return truth[mine].reset_index(drop=True)


def known_failures(wells: ad.AnnData) -> pd.DataFrame | None:
    """Return the wells that a twin made fail, None for a real screen.

    Parameters
    ----------
    wells : AnnData
        Of the screen; `uns["screen"]` says where its files are.

    Returns
    -------
    DataFrame or None
        well_id, reason.

    Examples
    --------
    >>> wells = ad.AnnData(uns={"screen": {"kind": "user", "path": "."}})
    >>> known_failures(wells) is None
    True
    """
    folder = screen_folder(wells)
    path = folder / "failed_wells.csv" if folder else None
    if path is None or wells.uns["screen"]["kind"] != "twin" or not path.is_file():
        return None
    return pd.read_csv(path, keep_default_na=False)
