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


def q_values_together(*families: pd.Series) -> list[pd.Series]:
    """Return the q-values of several tests of each compound, as one family.

    The two one-sided tests of a compound cannot both be true discoveries, and taken together they keep the rate over
    both directions (Benjamini & Yekutieli 2005, doi:10.1198/016214504000001907).

    Parameters
    ----------
    *families : Series
        P-values of one test each, of the same compounds; missing ones stay missing and do not count.

    Examples
    --------
    >>> rescues, worsens = pd.Series([0.01, 0.9]), pd.Series([0.99, 0.02])
    >>> [q.round(2).tolist() for q in q_values_together(rescues, worsens)]
    [[0.04, 0.99], [0.99, 0.04]]
    """
    joint = q_values(pd.concat(families, ignore_index=True)).to_numpy()
    parts = np.split(joint, np.cumsum([len(p) for p in families])[:-1])
    return [pd.Series(part, index=p.index) for part, p in zip(parts, families, strict=True)]
