"""What is known of a screen from beside it: the truth of a twin, and which of its wells were made to fail."""

import anndata as ad
import pandas as pd

from helpers.screens import read_truth
from helpers.screens.locate import resolve_source


def known_truth(source: str, wells: ad.AnnData) -> pd.DataFrame | None:
    """Return the truth of a twin for the experiments at hand, None for a real screen.

    Parameters
    ----------
    source : str
        ``twin``, ``rxrx19a`` or a folder.
    wells : AnnData
        Of that screen.

    Returns
    -------
    DataFrame or None
        One row per experiment, treatment and dose, see :func:`helpers.screens.read_truth`.
    """
    truth = read_truth(source)
    if truth is None:
        return None
    mine = truth["experiment"].isin(wells.obs["experiment"].astype(str).unique())
    return truth[mine].reset_index(drop=True)


def known_failures(source: str, wells: ad.AnnData) -> pd.DataFrame | None:
    """Return the wells that a twin made fail, None for a real screen.

    Parameters
    ----------
    source : str
        ``twin``, ``rxrx19a`` or a folder.
    wells : AnnData
        Of that screen.

    Returns
    -------
    DataFrame or None
        well_id, reason.

    Raises
    ------
    DataError
        If RxRx19a was not downloaded.
    UsageError
        If there is no such folder.

    Examples
    --------
    >>> wells = ad.AnnData(uns={"screen": {"kind": "user"}})
    >>> known_failures(".", wells) is None
    True
    """
    path = resolve_source(source) / "failed_wells.csv"
    if wells.uns["screen"]["kind"] != "twin" or not path.is_file():
        return None
    return pd.read_csv(path, keep_default_na=False)
