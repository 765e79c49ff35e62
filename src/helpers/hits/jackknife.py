"""Intervals of a measure over plates: what it does when one plate after the other is left out.

Drawing plates anew would not do. Where an experiment has few plates, a draw often holds the same plate twice, so that
plates seem to differ less than they do, and lacks others with all the arms that only they hold: for a spread over
plates or a correlation over arms, most draws then lie on one side of the estimate. With one plate left out nothing is
counted twice, and arms keep their other replicates.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

SCALES: dict[str, tuple[Callable, Callable]] = {
    "plain": (lambda x: x, lambda x: x),
    "ratio": (np.log, np.exp),
    "correlation": (np.arctanh, np.tanh),
    "window": (lambda x: np.log(1 - x), lambda x: 1 - np.exp(x)),
}
"""Scale -> there and back. On these a measure's error depends little on its size, and no interval leaves its range.

`ratio` is for what is above 0, `correlation` for what is between -1 and 1, `window` for what is at most 1, like Z'.
"""

LEAST_DEGREES = 1.05
"""With fewer degrees of freedom the interval hangs on how two plates differ and nothing else; with little more it is
wide, and says so."""


def jackknife_interval(
    measure: Callable[[dict], float],
    strata: Sequence[Sequence],
    *,
    scale: str = "plain",
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the interval of a measure over other plates, from leaving out one plate at a time.

    The variance of an experiment of n plates is (n - 1) / n times the sum of the squared changes, as in the
    stratified jackknife; changes are taken from the estimate and not from their own mean, which is on the safe side
    where the measure is biased. An experiment with one plate counts by what the measure does without it, one with two
    whose measure needs both is taken to vary like the others. Degrees of freedom follow Satterthwaite 1946,
    doi:10.2307/3002019. In simulated screens the intervals that are given hold the expected measure at least as often
    as they say; the exception are experiments of two plates that differ much between screens, where two that happen
    to agree promise too much.

    Parameters
    ----------
    measure : callable
        Takes plate -> how often it counts, see :data:`helpers.hits.evidence.Measure`.
    strata : sequence of sequences
        The plates of each experiment.
    scale : str
        One of :data:`helpers.hits.jackknife.SCALES`, on which the interval is symmetric.
    bounds : tuple of float
        Range of the measure; the interval is cut there.
    level : float
        Of the interval.

    Returns
    -------
    low, high : float
        Missing where they cannot be told: no experiment has two plates; the measure is missing, at an end of its scale
        or not defined without some plate of several; no plate changes it; or fewer than
        :data:`helpers.hits.jackknife.LEAST_DEGREES` degrees of freedom are left.
    """
    there, back = SCALES[scale]
    unknown = (np.nan, np.nan)
    if max(map(len, strata), default=0) < 2:
        return unknown
    plain = {plate: 1 for plates in strata for plate in plates}
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = there(measure(plain))
        if not np.isfinite(estimate):
            return unknown
        changes = [
            np.array([there(measure(plain | {plate: 0})) - estimate for plate in plates]) for plates in strata
        ]
    error, degrees = _error(changes)
    if not np.isfinite(error) or error < 1e-9 or degrees < LEAST_DEGREES:
        return unknown
    reach = stats.t.ppf(0.5 + level / 2, degrees) * error
    ends = sorted(back(np.array([estimate - reach, estimate + reach])))
    low, high = np.clip(ends, *bounds)
    return float(low), float(high)


def _error(changes: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return standard error and degrees of freedom from the changes without each plate, an array per experiment."""
    n = np.array([len(each) for each in changes])
    factors = np.where(n > 1, (n - 1) / np.maximum(n, 1), 1.0)
    variances = factors * np.array([np.sum(each**2) for each in changes])
    degrees = np.maximum(n - 1, 1)
    unknown = np.array([_needs_both(each) for each in changes])
    if unknown.any() and not unknown.all():
        plate = np.average(variances[~unknown] * n[~unknown], weights=degrees[~unknown])
        variances[unknown], degrees[unknown] = plate / n[unknown], degrees[~unknown].sum()
    total = variances.sum()
    if not total > 0:
        return float(total), np.nan  # nan stays nan
    return float(np.sqrt(total)), float(total**2 / np.sum(variances**2 / degrees))


def _needs_both(changes: np.ndarray) -> bool:
    """Return whether a measure is lost without either of an experiment's two plates, as all that compares plates is.

    It is missing then, or the experiment has dropped out of a mean, and the change is the same without either.
    """
    if len(changes) != 2:
        return False
    return bool(np.isnan(changes).all() or np.isclose(*changes, rtol=1e-9, atol=1e-12))


def strata_of(obs: pd.DataFrame) -> list[list]:
    """Return the plates of each experiment of wells."""
    pairs = obs[["experiment", "plate_id"]].astype(str).drop_duplicates().sort_values("plate_id")
    return [list(plates) for _, plates in pairs.groupby("experiment")["plate_id"]]
