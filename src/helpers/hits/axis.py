"""The disease axis, and where each well lies along it and away from it.

The axis runs from the mock centroid to the infected untreated centroid of an experiment. It is cross-fitted over
plates: a well is scored on the axis that the *other* plates' controls define, because an axis fitted on few
wells in many dimensions always separates those very wells. Its length is measured on held-out plates for the same
reason.

The projection is the reading of Heiser et al. 2020 given by third parties: u = (c1 - c0) / |c1 - c0|,
on = <x - c0, u>, off = |(x - c0) - on u|; what Recursion computed is not public.
"""

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.profiles.selection import as_slice, controls, rows_by


@dataclass(frozen=True)
class Axis:
    """The disease axis of one experiment, one version for each of its plates.

    Attributes
    ----------
    directions
        Plate -> unit vector from mock to infected, shape (n_features,), fitted without that plate if others exist.
    origins
        Plate -> infected untreated centroid that goes with it (rescue = 0).
    length
        Distance from mock to infected along the axis, in embedding units, on plates that did not define it.
    held_out
        False if only one plate has controls, so that the axis had to be fitted on the wells it scores.
    """

    directions: dict
    origins: dict
    length: float
    held_out: bool


def fit_axis(X: np.ndarray, obs: pd.DataFrame) -> Axis:
    """Fit the axis of one experiment from per-plate median controls.

    Medians per plate, averaged over plates by their number of wells, keep both stray wells and odd plates from
    steering the axis.

    Raises
    ------
    DataError
        If the experiment has no usable mock or no usable infected untreated wells, or they coincide.
    """
    experiment = obs["experiment"].iloc[0]
    mock, infected = (_plate_centroids(X, obs, c) for c in ("mock", "infected"))
    for name, centroids in (("mock", mock), ("infected untreated", infected)):
        if not centroids:
            raise DataError(
                f"experiment {experiment} has no {name} wells that passed quality control, so no disease axis can be "
                f"defined; leave it out with the parameter experiments"
            )
    plates = list(rows_by(obs, "plate_id"))
    versions = {plate: _axis_without(plate, mock, infected) for plate in plates}
    held_out = len(mock) > 1 and len(infected) > 1
    gaps = {
        plate: float((infected[plate][0] - mock[plate][0]) @ versions[plate][1])
        for plate in plates
        if plate in mock and plate in infected
    }
    length = _pooled_length(gaps, mock) if gaps else float(np.linalg.norm(_mean(infected) - _mean(mock)))
    if not length > 0:
        raise DataError(
            f"experiment {experiment}: mock and infected wells do not separate on plates that did not define the "
            f"axis (length {length:.3g}), so rescue cannot be told from these data; leave the experiment out"
        )
    return Axis(
        {p: v[1] for p, v in versions.items()}, {p: v[0] for p, v in versions.items()}, length, held_out
    )


def score_wells(wells: ad.AnnData) -> ad.AnnData:
    """Score each well along and away from the disease axis of its experiment.

    Parameters
    ----------
    wells
        Normalised wells, one row per well; failed wells are scored too but define nothing.

    Returns
    -------
    AnnData
        A copy whose `obs` gains `on_disease` (0 = mock, 1 = infected untreated), `off_disease` (distance from the
        axis in axis lengths; it grows with noise and dimension, :func:`helpers.hits.arms.summarize_arms` has the
        unbiased version) and `rescue` = 1 - on_disease. `uns["axis"]` holds, per experiment, the length and
        whether it was held out.

    Raises
    ------
    DataError
        If an experiment has no axis, or the screen no embeddings.
    """
    if wells.n_vars == 0:
        raise DataError("the screen has no embeddings, so wells cannot be scored; add an embeddings file")
    rescue = np.full(wells.n_obs, np.nan)
    off = np.full(wells.n_obs, np.nan)
    record = {}
    for experiment, rows in rows_by(wells.obs, "experiment").items():
        obs = wells.obs.iloc[rows]
        X = np.asarray(wells.X[as_slice(rows)])
        axis = fit_axis(X, obs)
        along, away = project(X, obs, axis)
        rescue[rows] = along / axis.length
        off[rows] = np.sqrt(np.einsum("ij,ij->i", away, away)) / axis.length
        record[str(experiment)] = {"length": axis.length, "held_out": axis.held_out}
    obs = wells.obs.assign(on_disease=1 - rescue, off_disease=off, rescue=rescue)
    return ad.AnnData(wells.X, obs=obs, var=wells.var.copy(), uns={**wells.uns, "axis": record})


def project(X: np.ndarray, obs: pd.DataFrame, axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """Split each well of one experiment into its part along the axis and its rejection from it.

    Returns
    -------
    along
        Distance from the infected centroid towards mock, embedding units, shape (n_wells,).
    away
        Rejection from the axis, embedding units, shape (n_wells, n_features) float32.
    """
    along = np.empty(len(X))
    away = np.empty(X.shape, dtype=np.float32)
    for plate, rows in rows_by(obs, "plate_id").items():
        direction = axis.directions[plate]
        offset = X[as_slice(rows)] - axis.origins[plate]
        position = offset @ direction
        along[rows] = -position
        away[as_slice(rows)] = offset - np.outer(position, direction)
    return along, away


def _plate_centroids(X: np.ndarray, obs: pd.DataFrame, condition: str) -> dict:
    """Return plate -> (median well, number of wells) for plates that have usable controls."""
    chosen = controls(obs, condition)
    centroids = {}
    for plate, rows in rows_by(obs, "plate_id").items():
        mine = rows[chosen[rows]]
        if len(mine):
            centroids[plate] = (np.median(X[as_slice(mine)], axis=0), len(mine))
    return centroids


def _axis_without(plate: str, mock: dict, infected: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return infected centroid and unit direction from the other plates, from all if no others exist."""
    centre_mock, centre_infected = _mean(mock, without=plate), _mean(infected, without=plate)
    difference = centre_infected - centre_mock
    return centre_infected, (difference / max(float(np.linalg.norm(difference)), 1e-12)).astype(np.float32)


def _mean(centroids: dict, without: str | None = None) -> np.ndarray:
    used = {plate: c for plate, c in centroids.items() if plate != without} or centroids
    return np.average([c for c, _ in used.values()], axis=0, weights=[n for _, n in used.values()])


def _pooled_length(gaps: dict, mock: dict) -> float:
    return float(np.average(list(gaps.values()), weights=[mock[plate][1] for plate in gaps]))
