"""Small examples on a page: which they are, in words, and whether two ways of computing gave the same numbers."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.pages.words import names_listed

MADE_UP = (
    "(This screen has nothing on which it could be shown, so the numbers of this example are made up. They are used "
    "nowhere else.)"
)


def same_numbers(mine: object, theirs: object) -> bool:
    """Return whether two arrays hold the same numbers, but for what single precision rounds off.

    Parameters
    ----------
    mine, theirs : array-like
        Of one shape; what is missing must be missing in both.

    Examples
    --------
    >>> same_numbers([0.1, 0.2], [0.1000001, 0.2])
    True
    >>> same_numbers([0.1, 0.2], [0.1, 0.21])
    False
    """
    mine, theirs = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
    if mine.shape != theirs.shape:
        return False
    size = np.nanmax(np.abs(theirs)) if np.isfinite(theirs).any() else 0.0
    return bool(np.allclose(mine, theirs, rtol=1e-4, atol=1e-5 * size, equal_nan=True))


def example_named(example: ad.AnnData) -> str:
    """Say which plates an example is made of."""
    if example.uns["example"] == "made up":
        return MADE_UP
    plates = names_listed(example.obs["plate_id"].astype(str).unique())
    return f"(The example is made of the plates {plates}.)"


def points_named(points: pd.DataFrame) -> str:
    """Say if the points of an example were measured or made up."""
    return MADE_UP if points.attrs["example"] == "made up" else ""
