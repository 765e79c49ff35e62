"""Weights of responses from how much replicates scatter, pooled over the curves of a table."""

import numpy as np
import pandas as pd

from helpers.errors import UsageError
from helpers.hits.moderation import moderate
from helpers.screens.doses import same_doses

ENOUGH = 50
"""Degrees of freedom from which on a variance counts as known; responses are pooled until a weight rests on as many."""
KINDS = ("dose", "level")


def replicate_weights(
    table: pd.DataFrame,
    *,
    by: str = "dose",
    curve: str = "curve",
    dose: str = "dose",
    response: str = "response",
    cluster: str | None = None,
) -> pd.Series:
    """Return a weight for each response, the inverse of the variance of replicates like it.

    The variance of two or three replicates is worth little: with weights taken from it, a test rejects flat curves far
    more often than it says. So replicates are pooled over the curves of the table, those at equal doses, or those whose
    mean is about as high, and what is left of chance is pulled towards their common variance
    (:mod:`helpers.hits.moderation`): where all scatter alike all weights come out equal.

    Parameters
    ----------
    table : DataFrame
        One row per response.
    by : str
        `dose`: the error hangs on the dose. `level`: it hangs on the size of the response, as that of counts does.
    curve, dose, response : str
        Columns, as in :func:`helpers.dose.fit_curves`.
    cluster : str, optional
        Column of the plate: only responses of one plate then count as replicates, so that shifts of plates are not
        taken for noise.

    Returns
    -------
    Series
        Index of the table, mean 1. Give it to :func:`helpers.dose.fit_curves` as a column, ``weight=``.

    Raises
    ------
    UsageError
        For a column that does not exist, an unknown `by`, or a table without replicates.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "curve": "a", "dose": [1.0] * 4 + [2.0] * 4 + [4.0] * 4,
    ...     "response": [0.0, 0.1, 0.2, 0.3, 0.0, 0.1, 0.2, 0.3, 0.0, 0.1, 0.2, 0.3],
    ... })
    >>> replicate_weights(table).round(6).unique().tolist()
    [1.0]
    """
    if by not in KINDS:
        raise UsageError(f"by={by!r} is unknown; choose {' or '.join(KINDS)}")
    keys = [name for name in (curve, dose, cluster) if name is not None]
    missing = [str(name) for name in (*keys, response) if name not in table.columns]
    if missing:
        raise UsageError(
            f"no column {', '.join(missing)} in the table; it has {', '.join(map(str, table.columns))}"
        )
    doses = pd.Series(same_doses(table[dose].to_numpy(float)), index=table.index)
    groups = (
        table[response]
        .astype(float)
        .groupby([doses if name == dose else table[name] for name in keys], dropna=False)
    )
    found = pd.DataFrame(
        {"degrees": groups.count() - 1, "mean": groups.mean(), "variance": groups.var(ddof=1)}
    )
    found["dose"] = found.index.get_level_values(1)
    found = found.assign(degrees=found["degrees"].clip(lower=0.0), variance=found["variance"].fillna(0.0))
    if not (found["degrees"] > 0).any():
        raise UsageError("no dose of any curve has replicates, so nothing tells how much responses scatter")
    pool = _pools(found.sort_values("dose" if by == "dose" else "mean", kind="stable"), by).reindex(
        found.index
    )
    weights = 1 / _pooled(found, pool.to_numpy())
    each = pd.Series(weights[groups.ngroup().to_numpy()], index=table.index)
    return each / each.mean()


def _pools(found: pd.DataFrame, by: str) -> pd.Series:
    """Return which pool each group of replicates belongs to, groups in order of dose or level."""
    unit = (
        found["dose"].rank(method="dense") if by == "dose" else pd.Series(np.arange(len(found)), found.index)
    )
    degrees = found["degrees"].groupby(unit.to_numpy()).sum()
    pools, total, current = {}, 0.0, 0
    for name, more in degrees.items():
        if total >= ENOUGH:
            current, total = current + 1, 0.0
        pools[name] = current
        total += more
    if total < ENOUGH and current:  # what is left over joins its neighbours
        pools = {name: min(number, current - 1) for name, number in pools.items()}
    return unit.map(pools)


def _pooled(found: pd.DataFrame, pool: np.ndarray) -> np.ndarray:
    """Return the moderated variance of each group's pool."""
    degrees = np.bincount(pool, found["degrees"])
    variances = np.bincount(pool, found["degrees"] * found["variance"]) / np.maximum(degrees, 1)
    common = float((variances * degrees).sum() / degrees.sum())
    if common == 0:
        return np.ones(len(pool))
    moderated, _ = moderate(variances, degrees, common, degrees.sum())
    return np.maximum(moderated, 1e-6 * common)[pool]
