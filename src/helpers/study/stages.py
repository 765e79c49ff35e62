"""Stages: the wells of a screen scored under several recipes, to be compared on a page."""

import contextlib
from collections.abc import Sequence

import anndata as ad
import pandas as pd

from helpers.errors import DataError
from helpers.study.absent import unscored
from helpers.study.steps import normalize, score_wells


def scored_stages(
    wells: ad.AnnData, names: Sequence[str], *, seed: int = 0, **settings: object
) -> dict[str, pd.DataFrame]:
    """Return the scored wells under some recipes.

    Parameters
    ----------
    wells : AnnData
        Not normalised.
    names : sequence of str
        Recipes; one that cannot be used here is left out, for the comparison table says why. Of `raw` and of the last
        one, which a page compares, wells are kept without scores.
    seed : int
        Of the recipes.
    **settings
        Of the recipes, see :class:`helpers.profiles.normalize.Settings`.

    Returns
    -------
    dict
        Recipe -> one row per well with its scores, in the order of `names`.

    Examples
    --------
    >>> from helpers.profiles import to_wells
    >>> from helpers.screens import simulate_twin
    >>> wells = to_wells(simulate_twin("tiny", seed=0)[0])
    >>> list(scored_stages(wells, ["raw", "plate_center"]))
    ['raw', 'plate_center']
    """
    tables = {}
    for name in dict.fromkeys(names):
        with contextlib.suppress(DataError):
            tables[name] = score_wells(normalize(wells, name, seed=seed, **settings)).obs
        if name in ("raw", names[-1]) and name not in tables:
            tables[name] = unscored(wells).obs
    return tables
