"""Between experiments: compounds that were screened twice, and how well their rescue agrees.

Both sides are measured with error, so the slope is Deming's (errors in both; Linnet 1993,
doi:10.1093/clinchem/39.3.424), and a correlation is held against the most that their errors allow: the noise ceiling,
the root of the product of the two reliabilities (Spearman 1904, doi:10.2307/1412159). Doses of a compound go together,
so intervals resample compounds.
"""

import itertools

import numpy as np
import pandas as pd

from helpers.hits.distance import ARM_KEY

MIN_COMPOUNDS = 3
MIN_ARMS = 5
MIN_FOR_INTERVAL = 20
"""Compounds from which on a bootstrap over them covers: of 95 % intervals of the slope, 79 % with 3, 90 % with 15."""
ESTIMATES = ("slope", "correlation", "ceiling", "corrected")
COLUMNS = ["experiment_a", "experiment_b", "same_cells", "n_compounds", "n_arms"]


def shared_arms(arms: pd.DataFrame) -> pd.DataFrame:
    """Return arms that two experiments share, one row for each pair of experiments, compound and dose.

    Parameters
    ----------
    arms : DataFrame
        From :func:`helpers.hits.call_hits`.

    Returns
    -------
    DataFrame
        experiment_a, experiment_b, treatment, dose_um, and of each experiment rescue, rescue_se, rescue_low and
        rescue_high with `_a` or `_b` behind. Arms whose wells all failed are left out.
    """
    numbers = ["rescue", "rescue_se", "rescue_low", "rescue_high"]
    known = arms.loc[arms["rescue"].notna() & arms["rescue_se"].notna(), ["experiment", *ARM_KEY, *numbers]]
    by_name = {str(name): table for name, table in known.groupby("experiment", observed=True, sort=True)}
    parts = [
        by_name[a]
        .merge(by_name[b], on=ARM_KEY, suffixes=("_a", "_b"))
        .assign(experiment_a=a, experiment_b=b)
        .drop(columns="experiment", errors="ignore")
        for a, b in itertools.combinations(by_name, 2)
    ]
    columns = ["experiment_a", "experiment_b", *ARM_KEY, *(f"{n}_{side}" for side in "ab" for n in numbers)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table[columns].sort_values(["experiment_a", "experiment_b", *ARM_KEY], ignore_index=True)


def experiment_agreement(
    arms: pd.DataFrame,
    cell_types: dict[str, str] | None = None,
    *,
    n_bootstrap: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how the rescue of shared arms agrees, for every pair of experiments that share compounds.

    Parameters
    ----------
    arms : DataFrame
        From :func:`helpers.hits.call_hits`.
    cell_types : dict, optional
        Experiment -> cell line; `same_cells` is missing without it.
    n_bootstrap : int
        Draws of compounds for the intervals.
    level : float
        Of the intervals.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        One row per pair: experiment_a, experiment_b, same_cells, n_compounds, n_arms, slope (Deming, b on a: 1 = the
        same size of effect), correlation (Pearson), ceiling (the correlation that noise alone would leave of perfect
        agreement), corrected (correlation over ceiling), each with `_low` and `_high`. Missing with fewer than three
        compounds or five arms, and where noise leaves nothing to compare (a ceiling of 0); intervals are missing with
        fewer than twenty compounds.

    Examples
    --------
    >>> one = pd.DataFrame({
    ...     "experiment": "HRCE-1", "treatment": list("aabbcc"), "dose_um": [1.0, 3.0] * 3,
    ...     "rescue": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "rescue_se": 0.01, "rescue_low": 0.0, "rescue_high": 1.0,
    ... })
    >>> two = one.assign(experiment="HRCE-2", rescue=2 * one["rescue"])
    >>> experiment_agreement(pd.concat([one, two]))[["n_compounds", "n_arms", "slope", "correlation"]].round(2)
       n_compounds  n_arms  slope  correlation
    0            3       6    2.0          1.0
    """
    records = []
    for (a, b), table in shared_arms(arms).groupby(["experiment_a", "experiment_b"], sort=True):
        cells = None if cell_types is None else cell_types[a] == cell_types[b]
        record = dict(zip(COLUMNS, (a, b, cells, table["treatment"].nunique(), len(table)), strict=True))
        records.append(record | _estimates(table, n_bootstrap, level, seed))
    names = [f"{name}{end}" for name in ESTIMATES for end in ("", "_low", "_high")]
    return pd.DataFrame(records, columns=[*COLUMNS, *names])


def _estimates(table: pd.DataFrame, n_bootstrap: int, level: float, seed: int) -> dict:
    """Return the estimates of one pair with their intervals, from sums over compounds."""
    if table["treatment"].nunique() < MIN_COMPOUNDS or len(table) < MIN_ARMS:
        return {}
    x, y = table["rescue_a"], table["rescue_b"]
    terms = pd.DataFrame(
        {"n": 1.0, "x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y}
        | {"ex": table["rescue_se_a"] ** 2, "ey": table["rescue_se_b"] ** 2}
    )
    sums = terms.groupby(table["treatment"].astype(str), sort=True).sum().to_numpy()
    rng = np.random.default_rng([seed, 13])
    weights = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=n_bootstrap)
    found = agreement_from_sums(np.ones((1, len(sums))) @ sums)
    drawn = agreement_from_sums(weights @ sums)
    out = {}
    for name, value, values in zip(ESTIMATES, found, drawn, strict=True):
        values = values[np.isfinite(values)]
        out[name] = float(value[0])
        if len(values) > n_bootstrap / 2 and len(sums) >= MIN_FOR_INTERVAL:
            out[f"{name}_low"], out[f"{name}_high"] = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return out


def agreement_from_sums(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return slope, correlation, ceiling and corrected correlation.

    Parameters
    ----------
    sums : array
        Sums of 1, x, y, xx, yy, xy and of the two squared standard errors, shape (n_draws, 8).
    """
    n, x, y, xx, yy, xy, ex, ey = np.asarray(sums, dtype=float).T
    with np.errstate(invalid="ignore", divide="ignore"):
        vx, vy, cov = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2, xy / n - x * y / n**2
        ratio = np.where(ex > 0, ey / ex, 1.0)
        half = vy - ratio * vx
        slope = (half + np.sqrt(half**2 + 4 * ratio * cov**2)) / (2 * cov)
        correlation = cov / np.sqrt(vx * vy)
        ceiling = np.sqrt(np.clip(1 - ex / n / vx, 0, 1) * np.clip(1 - ey / n / vy, 0, 1))
        corrected = np.where(ceiling > 0, correlation / ceiling, np.nan)
    return slope, correlation, ceiling, corrected
