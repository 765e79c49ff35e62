"""How well the assay separates its controls, plate by plate, on an axis that the plate did not define."""

from collections.abc import Callable

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.axis import score_wells
from helpers.profiles.selection import controls, rows_by

MIN_Z_PRIME = 0.0
"""A plate passes if its robust Z' is at least this: its controls' three-sigma bands do not overlap."""
MIN_CONTROLS = 4
"""Fewer wells of a kind do not tell how far they scatter: their median absolute deviation comes out far too small."""
MAX_OFF = 0.25
"""... and if its median mock well has a rescue within this of 1, its median infected untreated one within it of 0."""


def z_prime(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return Z', the window between the controls' three-sigma bands relative to the distance of their means.

    Z' = 1 - 3 (sd_mock + sd_infected) / abs(mean_mock - mean_infected), of Zhang et al. 1999
    (doi:10.1177/108705719900400206). 1 would be a perfect assay; below 0 the bands overlap.

    Parameters
    ----------
    mock, infected : array_like
        Position of the control wells of either kind along the axis, shapes (n_mock,) and (n_infected,), any unit.

    Returns
    -------
    float
        At most 1; missing with fewer than two wells of a kind, or where the means are equal.

    Examples
    --------
    >>> round(z_prime([0.0, 0.1, -0.1], [1.0, 1.1, 0.9]), 2)
    0.4
    """
    return _separation(mock, infected, np.mean, lambda x: np.std(x, ddof=1))


def robust_z_prime(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return Z' with medians and scaled median absolute deviations: one failed well does not decide it.

    Parameters
    ----------
    mock, infected : array_like
        Position of the control wells of either kind along the axis, shapes (n_mock,) and (n_infected,), any unit.

    Returns
    -------
    float
        As :func:`helpers.hits.z_prime`, with median for mean.

    Examples
    --------
    >>> mock, infected = [0.0, 0.1, -0.1, 5.0], [1.0, 1.1, 0.9, 1.0]
    >>> round(robust_z_prime(mock, infected), 2), round(z_prime(mock, infected), 2)
    (0.3, -30.0)
    """
    return _separation(mock, infected, np.median, lambda x: stats.median_abs_deviation(x, scale="normal"))


def ssmd(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return the strictly standardised mean difference, positive if infected lies above mock.

    (mean_infected - mean_mock) / sqrt(var_mock + var_infected), of Zhang 2007 (doi:10.1016/j.ygeno.2006.12.014).

    Parameters
    ----------
    mock, infected : array_like
        Position of the control wells of either kind along the axis, shapes (n_mock,) and (n_infected,), any unit.

    Returns
    -------
    float
        In standard deviations; missing with fewer than two wells of a kind, or without any spread.

    Examples
    --------
    >>> round(ssmd([0.0, 0.1, -0.1], [1.0, 1.1, 0.9]), 2)
    7.07
    """
    if min(len(mock), len(infected)) < 2:
        return np.nan
    spread = np.sqrt(np.var(mock, ddof=1) + np.var(infected, ddof=1))
    return float((np.mean(infected) - np.mean(mock)) / spread) if spread > 0 else np.nan


def auroc(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return the chance that an infected well lies above a mock well; ties count half.

    Parameters
    ----------
    mock, infected : array_like
        Position of the control wells of either kind along the axis, shapes (n_mock,) and (n_infected,), any unit.

    Returns
    -------
    float
        0 to 1, 0.5 = no separation; missing without wells of a kind.

    Examples
    --------
    >>> auroc([0, 1, 2], [2, 3])
    0.9166666666666666
    """
    if min(len(mock), len(infected)) == 0:
        return np.nan
    return float(stats.mannwhitneyu(infected, mock).statistic / (len(mock) * len(infected)))


def assay_quality(wells: ad.AnnData, *, min_z_prime: float = MIN_Z_PRIME) -> pd.DataFrame:
    """Measure the control separation of each plate.

    Parameters
    ----------
    wells : AnnData
        Wells, normalised or not, scored or not (then they are scored here).
    min_z_prime : float
        Robust Z' from which on a plate passes.

    Returns
    -------
    DataFrame
        The table assay_quality.csv: experiment, plate, n_mock, n_infected, z_prime, z_prime_robust, ssmd, auroc,
        passes, `reason` (why it does not pass, or why that is unknown), `window` (distance from mock to infected
        relative to the experiment's, as scores take it), `mock_rescue` and `infected_rescue` (of the median well),
        and `held_out`: False where the axis had to be fitted on the plate itself, so that all of these flatter it.
        `passes` is missing where a plate has fewer than four wells of a kind: that it lacks controls says nothing
        against it, and it is scored by those of other plates. Wells that failed quality control are left out;
        `n_failed_controls` counts them.

    Raises
    ------
    DataError
        If wells that were not scored cannot be: see :func:`helpers.hits.score_wells`.
    """
    scored = wells if "on_disease" in wells.obs else score_wells(wells)
    mock, infected = controls(scored.obs, "mock"), controls(scored.obs, "infected")
    control = scored.obs["treatment"].isna() & scored.obs["condition"].isin(["mock", "infected"])
    failed = (control & (scored.obs["qc_flag"] != "")).to_numpy()
    on = scored.obs["on_disease"].to_numpy()
    records = []
    for rows in rows_by(scored.obs, "plate_id").values():
        first = scored.obs.iloc[rows[0]]
        m, i = on[rows[mock[rows]]], on[rows[infected[rows]]]
        robust = robust_z_prime(m, i)
        passes, reason = _judge(m, i, robust, min_z_prime)
        records.append(
            {
                "experiment": first["experiment"],
                "plate": first["plate"],
                "n_mock": len(m),
                "n_infected": len(i),
                "z_prime": z_prime(m, i),
                "z_prime_robust": robust,
                "ssmd": ssmd(m, i),
                "auroc": auroc(m, i),
                "passes": passes,
                "reason": reason,
                "window": float(scored.obs["window"].iloc[rows[0]]) if "window" in scored.obs else np.nan,
                "mock_rescue": 1 - _median(m),
                "infected_rescue": 1 - _median(i),
                "held_out": scored.uns["axis"][str(first["experiment"])]["held_out"],
                "n_failed_controls": int(failed[rows].sum()),
            }
        )
    return pd.DataFrame(records).astype({"passes": "boolean"})


def _judge(
    mock: np.ndarray, infected: np.ndarray, robust: float, min_z_prime: float
) -> tuple[bool | None, str]:
    """Return whether a plate passes, None where that is unknown, and why it does not."""
    few = [
        f"{('no', 'one', 'two', 'three')[len(x)]} {name} well{'s' if len(x) > 1 else ''}"
        for name, x in (("mock", mock), ("infected untreated", infected))
        if len(x) < MIN_CONTROLS
    ]
    # where the wells do not scatter at all there is no Z' either, and nothing against the plate
    if few or np.isnan(robust):
        return None, " and ".join(few) or "controls do not scatter"
    stand = (("mock", mock, 0.0), ("infected untreated", infected, 1.0))
    off = [
        f"median {name} well at rescue {1 - np.median(x):.2f}"
        for name, x, at in stand
        if abs(np.median(x) - at) > MAX_OFF
    ]
    overlap = [f"robust Z' {robust:.2f}"] if robust < min_z_prime else []
    return not off and not overlap, "; ".join([*overlap, *off])


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else np.nan


def pooled_quality(scored: ad.AnnData) -> pd.DataFrame:
    """Measure the control separation of each experiment, over the wells of all its plates together.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.

    Returns
    -------
    DataFrame
        experiment, z_prime, z_prime_robust, ssmd, auroc; without the wells that failed quality control.

    Examples
    --------
    >>> import anndata as ad
    >>> wells = ad.AnnData(obs=pd.DataFrame({
    ...     "experiment": "HRCE-1", "condition": ["mock"] * 3 + ["infected"] * 3, "treatment": None, "qc_flag": "",
    ...     "on_disease": [0.0, 0.1, -0.1, 1.0, 1.1, 0.9],
    ... }, index=list("abcdef")))
    >>> pooled_quality(wells).round(2)
      experiment  z_prime  z_prime_robust  ssmd  auroc
    0     HRCE-1      0.4            0.11  7.07    1.0
    """
    on = scored.obs["on_disease"].to_numpy()
    mock, infected = controls(scored.obs, "mock"), controls(scored.obs, "infected")
    records = []
    for experiment, rows in rows_by(scored.obs, "experiment").items():
        m, i = on[rows[mock[rows]]], on[rows[infected[rows]]]
        measures = {f.__name__: f(m, i) for f in (z_prime, robust_z_prime, ssmd, auroc)}
        records.append({"experiment": experiment, **measures})
    return pd.DataFrame(records).rename(columns={"robust_z_prime": "z_prime_robust"})


def _separation(mock: np.ndarray, infected: np.ndarray, centre: Callable, spread: Callable) -> float:
    mock, infected = np.asarray(mock, dtype=float), np.asarray(infected, dtype=float)
    if min(len(mock), len(infected)) < 2:
        return np.nan
    gap = abs(centre(mock) - centre(infected))
    return float(1 - 3 * (spread(mock) + spread(infected)) / gap) if gap > 0 else np.nan
