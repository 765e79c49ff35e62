"""How well the assay separates its controls, plate by plate, on an axis that the plate did not define."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.axis import score_wells
from helpers.profiles.selection import controls, rows_by

MIN_Z_PRIME = 0.0
"""A plate passes if its robust Z' is at least this: its controls' three-sigma bands do not overlap."""


def z_prime(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return Z' = 1 - 3 (sd_mock + sd_infected) / |mean_mock - mean_infected| (Zhang 1999).

    1 would be a perfect assay; below 0 the three-sigma bands of the controls overlap. Needs two wells of each kind,
    otherwise missing.

    Examples
    --------
    >>> round(z_prime([0.0, 0.1, -0.1], [1.0, 1.1, 0.9]), 2)
    0.4
    """
    return _separation(mock, infected, np.mean, lambda x: np.std(x, ddof=1))


def robust_z_prime(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return Z' with medians and scaled median absolute deviations: one failed well does not decide it."""
    return _separation(mock, infected, np.median, lambda x: stats.median_abs_deviation(x, scale="normal"))


def ssmd(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return the strictly standardised mean difference (Zhang 2007), positive if infected lies above mock."""
    if min(len(mock), len(infected)) < 2:
        return np.nan
    spread = np.sqrt(np.var(mock, ddof=1) + np.var(infected, ddof=1))
    return float((np.mean(infected) - np.mean(mock)) / spread) if spread > 0 else np.nan


def auroc(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return the chance that an infected well lies above a mock well; 0.5 = no separation, ties count half."""
    if min(len(mock), len(infected)) == 0:
        return np.nan
    return float(stats.mannwhitneyu(infected, mock).statistic / (len(mock) * len(infected)))


def assay_quality(wells: ad.AnnData, *, min_z_prime: float = MIN_Z_PRIME) -> pd.DataFrame:
    """Measure the control separation of each plate.

    Parameters
    ----------
    wells
        Wells, normalised or not, scored or not (then they are scored here).
    min_z_prime
        Robust Z' from which on a plate passes.

    Returns
    -------
    DataFrame
        The table assay_quality.csv: experiment, plate, n_mock, n_infected, z_prime, z_prime_robust, ssmd, auroc,
        passes, and `held_out`: False where the axis had to be fitted on the plate itself, so that all of these flatter
        it. Wells that failed quality control are left out; `n_failed_controls` counts them.
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
                "passes": bool(robust >= min_z_prime),
                "held_out": scored.uns["axis"][str(first["experiment"])]["held_out"],
                "n_failed_controls": int(failed[rows].sum()),
            }
        )
    return pd.DataFrame(records)


def pooled_quality(scored: ad.AnnData) -> pd.DataFrame:
    """Return the same four measures per experiment, over the wells of all its plates together."""
    on = scored.obs["on_disease"].to_numpy()
    mock, infected = controls(scored.obs, "mock"), controls(scored.obs, "infected")
    records = []
    for experiment, rows in rows_by(scored.obs, "experiment").items():
        m, i = on[rows[mock[rows]]], on[rows[infected[rows]]]
        measures = {f.__name__: f(m, i) for f in (z_prime, robust_z_prime, ssmd, auroc)}
        records.append({"experiment": experiment, **measures})
    return pd.DataFrame(records).rename(columns={"robust_z_prime": "z_prime_robust"})


def _separation(mock, infected, centre, spread) -> float:
    mock, infected = np.asarray(mock, dtype=float), np.asarray(infected, dtype=float)
    if min(len(mock), len(infected)) < 2:
        return np.nan
    gap = abs(centre(mock) - centre(infected))
    return float(1 - 3 * (spread(mock) + spread(infected)) / gap) if gap > 0 else np.nan
