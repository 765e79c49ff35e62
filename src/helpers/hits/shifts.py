"""Shifts: how far all wells of a plate lie off together, and how well that is known."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.moderation import MEDIAN_VARIANCE
from helpers.profiles.selection import rows_by, treated, usable

MIN_BULK = 20
"""Treated wells from which on their median says where a plate lies ..."""
MIN_COMPOUNDS = 8
"""... if they are of so many compounds: most of a few may well do something."""


def plate_variances(
    scored: ad.AnnData, obs: pd.DataFrame, values: dict, scale: dict, pooled: float
) -> tuple[dict, dict, bool]:
    """Return plate -> variance of what its wells share, the part that controls tell, and whether plates are centred.

    Parameters
    ----------
    scored : AnnData
        Of which the recipe is read.
    obs : DataFrame
        Wells of one experiment.
    values : dict
        Plate -> rescue of its infected untreated wells.
    scale : dict
        Plate -> standard deviation of a well.
    pooled : float
        Variance of a well over all plates.
    """
    # on a single plate the origin of rescue is that plate's own centre, whatever the recipe
    centred = _centres_plates(scored) or len(rows_by(obs, "plate_id")) == 1
    own = {p: centred and p in values for p in scale}
    shared = {p: MEDIAN_VARIANCE * s**2 / len(values[p]) if own[p] else 0.0 for p, s in scale.items()}
    if not centred:
        shared = dict.fromkeys(scale, _shift_variance(values, pooled))
    return _with_bulk(obs, shared, scale, own), shared, centred


def _with_bulk(obs: pd.DataFrame, shared: dict, scale: dict, centred: dict) -> dict:
    """Return the plates' variances with what their treated wells add.

    Most compounds do nothing, so the median treated well of a plate says where the plate lies. Where that is further
    from the reference wells than chance allows, all arms of the plate are that far off together. The plates tell
    together how much that is, and each for itself; a plate that no reference wells centred is judged by its own shift.
    """
    members = obs[treated(obs) & usable(obs)]
    grouped = members.groupby("plate_id", observed=True)["rescue"]
    middle, n = grouped.median(), grouped.size()
    compounds = members.groupby("plate_id", observed=True)["treatment"].nunique()
    plates = [p for p in shared if n.get(p, 0) >= MIN_BULK and compounds.get(p, 0) >= MIN_COMPOUNDS]
    usual = 0.0
    if len(members) and not any(centred[p] for p in plates):
        usual = float(members["rescue"].median())
    square = {p: float(middle[p] - usual) ** 2 for p in plates}
    beyond = {p: square[p] - shared[p] - MEDIAN_VARIANCE * scale[p] ** 2 / n[p] for p in plates}
    common = _common([p for p in plates if centred[p]], square, beyond)
    out = {}
    for plate, variance in shared.items():
        own = max(0.0, beyond.get(plate, common))
        # a variance told from one shift is doubled, where nothing else is known of the plate
        out[plate] = variance + ((common + own) / 2 if centred[plate] else 2 * max(own, common))
    return out


def _common(plates: list, square: dict, beyond: dict) -> float:
    """Return what centred plates are usually off by, squared, beyond chance: one plate full of hits does not decide it.

    From three plates on by their median, in units of a standard deviation; of fewer, by the mean.
    """
    if len(plates) < 3:
        return max(0.0, float(np.mean([beyond[p] for p in plates]))) if plates else 0.0
    usual = float(np.median([square[p] for p in plates])) / stats.chi2.ppf(0.5, 1)
    return max(0.0, usual - float(np.median([square[p] - beyond[p] for p in plates])))


def _centres_plates(scored: ad.AnnData) -> bool:
    steps = scored.uns.get("normalization", {}).get("steps", {})
    return any(step.get("centers") == "plate_id" for step in steps.values())


def _shift_variance(values: dict, pooled: float) -> float:
    """Return how much plate means scatter beyond their wells' noise."""
    means = np.array([v.mean() for v in values.values()])
    if len(means) < 2:
        return 0.0
    noise = float(np.mean([pooled / len(v) for v in values.values()]))
    return max(0.0, float(means.var(ddof=1)) - noise)
