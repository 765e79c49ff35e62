"""Multiple testing: q-values by the procedure of Benjamini and Hochberg."""

import numpy as np
import pandas as pd
from scipy import stats


def q_values(p: pd.Series) -> pd.Series:
    """Return q-values: calling everything with q up to a rate keeps the expected share of false calls at that rate.

    Parameters
    ----------
    p : Series
        P-values; missing ones stay missing and do not count.

    Returns
    -------
    Series
        Of the same index, float.

    Notes
    -----
    Benjamini and Hochberg 1995, by :func:`scipy.stats.false_discovery_control`.

    Examples
    --------
    >>> q_values(pd.Series([0.01, 0.04, None, 0.02])).tolist()
    [0.03, 0.04, nan, 0.03]
    """
    q = pd.Series(np.nan, index=p.index, dtype=float)
    known = p.notna()
    if known.any():
        q[known] = stats.false_discovery_control(p[known].to_numpy(dtype=float))
    return q
