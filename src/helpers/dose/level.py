"""Level: whether a compound's wells as a whole lie off the infected level, and how much plates share, from controls."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.dose.known import Known
from helpers.hits.moderation import MEDIAN_VARIANCE
from helpers.hits.null import Null, fit_null
from helpers.profiles.selection import controls, rows_by

FLOOR = 1e-6
"""No p-value of a level is below this: how far out the tail of so many standard deviations reaches nobody has seen."""


def known_from_controls(
    scored: ad.AnnData, points: pd.DataFrame, experiment: str, *, min_rescue: float, seed: int
) -> Known:
    """Return what the controls of an experiment tell of its curves.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    points : DataFrame
        Responses of the experiment's curves: treatment, plate_id, rescue.
    experiment : str
        Its name.
    min_rescue : float
        A mean response up to this does not count as off the infected level.
    seed : int
        Of the null.
    """
    rows = rows_by(scored.obs, "experiment")[experiment]
    obs = scored.obs.iloc[rows]
    null = fit_null(scored, rows, seed=seed)
    shift = np.median(list(null.centre_variance.values()))
    return Known(level_p(points, null, min_rescue), float(np.sqrt(shift)), _gain_sd(obs))


def level_p(points: pd.DataFrame, null: Null, min_rescue: float) -> pd.Series:
    """Return, by treatment, the p-value of *the mean of its responses is at most `min_rescue` in size*, 1e-6 or more.

    Wells far from the infected level scatter as mock wells do. How far the bulk of a plate's compounds lies off plays
    no part: where most of them act, as those with curves of this kind do, it says nothing of the plate.

    Parameters
    ----------
    points : DataFrame
        Responses: treatment, plate_id, rescue.
    null : Null
        Of the experiment: how wells scatter, and what all wells of a plate share.
    min_rescue : float
        In units of rescue.
    """
    grouped = points.groupby(["treatment", points["plate_id"].astype(str)], observed=True)["rescue"]
    plates = grouped.agg(["size", "sum"]).reset_index()
    well = {str(plate): null.spread_gain * scale**2 for plate, scale in null.scale.items()}
    centre = {str(plate): variance for plate, variance in null.centre_variance.items()}
    plates["variance"] = plates["plate_id"].map(well) / plates["size"] + plates["plate_id"].map(centre)
    plates["part"] = plates["size"] ** 2 * plates["variance"]
    total = plates.groupby("treatment")[["size", "sum", "part"]].sum()
    mean, sd = total["sum"] / total["size"] - null.offset, np.sqrt(total["part"]) / total["size"]
    z = (mean.abs() - min_rescue) / sd
    tail = stats.t.sf(z, null.degrees) if np.isfinite(null.degrees) else stats.norm.sf(z)
    return pd.Series(np.clip(2 * tail, FLOOR, 1.0), index=total.index)


def _gain_sd(obs: pd.DataFrame) -> float | None:
    """Return how little a plate's controls tell of its window, relative to it; None where no plate has both."""
    errors = []
    for _, rows in rows_by(obs, "plate_id").items():
        plate = obs.iloc[rows]
        wells = [plate.loc[controls(plate, kind), "rescue"] for kind in ("mock", "infected")]
        if min(len(w) for w in wells) > 2:
            errors.append(MEDIAN_VARIANCE * sum(w.var(ddof=1) / len(w) for w in wells))
    return float(np.sqrt(np.median(errors))) if errors else None
