"""The disease axis, and where each well lies along it and away from it.

The axis runs from the mock centroid to the infected untreated centroid of an experiment. It is cross-fitted: a plate
is scored on the axis that the *other* plates' controls define, because an axis fitted on few wells in many
dimensions always separates those very wells. Where there are no other plates, the plate's controls are split into
halves: one gives the direction, the other the origin and the length, and the two ways are averaged. (With direction
and origin from the same wells, the error of the centre points along the axis, and every inert compound seems to
rescue.)

The projection is the reading of Heiser et al. 2020 given by third parties: u = (c1 - c0) / |c1 - c0|,
on = <x - c0, u>, off = |(x - c0) - on u|; what Recursion computed is not public. With `discriminant` for the axis a
well's position is read along another vector, :mod:`helpers.hits.discriminant`; what moves straight from infected to
mock has the same position and still no distance from the axis.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.hits.discriminant import held_out_noise
from helpers.hits.versions import (
    halves,
    measure_gaps,
    plate_centroids,
    version_from_others,
    versions_from_halves,
)
from helpers.hits.windows import Windows, shrink_windows
from helpers.profiles.selection import as_slice, controls, rows_by

AXES = ("mean_difference", "discriminant")
"""Ways to read a well's position: along the difference of the control centroids, or along the shrunken linear
discriminant.
"""
MIN_LENGTH = 3.0
"""An axis must be this many standard errors long on wells that did not define it, or there is none."""


@dataclass(frozen=True)
class Axis:
    """The disease axis of one experiment.

    Attributes
    ----------
    versions : dict
        Plate -> its one version, or the two of its halves.
    half : array
        Which half each well belongs to, shape (n_wells,): 0 or 1 for the controls of a plate that was split, -1 for
        all others.
    length : float
        Distance from mock to infected along the axis, in embedding units, on wells that did not define it.
    held_out : dict
        Plate -> whether other plates defined its axis.
    windows : Windows
        Distance from mock to infected on each plate, in which scores of that plate are expressed.

    Examples
    --------
    >>> obs = pd.DataFrame({
    ...     "experiment": "HRCE-1", "plate_id": ["HRCE-1_1"] * 4 + ["HRCE-1_2"] * 4,
    ...     "condition": ["mock", "mock", "infected", "infected"] * 2, "treatment": None, "qc_flag": "",
    ... })
    >>> X = np.array([[0, 0], [0, 1], [5, 0], [5, 1]] * 2, dtype=float)
    >>> axis = fit_axis(X, obs)
    >>> axis.versions["HRCE-1_1"][0].direction.tolist(), axis.held_out["HRCE-1_1"]
    ([1.0, 0.0], True)
    """

    versions: dict
    half: np.ndarray
    length: float
    held_out: dict
    windows: Windows


def fit_axis(
    X: np.ndarray, obs: pd.DataFrame, axis: str = "mean_difference", *, min_length: float = MIN_LENGTH
) -> Axis:
    """Fit the axis of one experiment.

    Centroids are medians per plate. The direction averages the differences of plates that have both kinds of controls,
    so that shifts between plates, which a recipe may have left in, do not get into it.

    Parameters
    ----------
    X : array
        Normalised wells of one experiment, shape (n_wells, n_features).
    obs : DataFrame
        A row of annotation for each: experiment, plate_id, condition, treatment, qc_flag; where a plate stands alone
        also row and col.
    axis : str
        One of :data:`helpers.hits.AXES`: read a well along the difference of the centroids, or along the shrunken
        linear discriminant.
    min_length : float
        Standard errors that the axis must be long on wells that did not define it.

    Returns
    -------
    Axis
        To be given to :func:`helpers.hits.project`.

    Raises
    ------
    UsageError
        If `axis` is none of :data:`helpers.hits.AXES`.
    DataError
        If no plate has both usable mock and usable infected untreated wells, or they do not separate.

    Examples
    --------
    >>> obs = pd.DataFrame({
    ...     "experiment": "HRCE-1", "plate_id": ["HRCE-1_1"] * 4 + ["HRCE-1_2"] * 4,
    ...     "condition": ["mock", "mock", "infected", "infected"] * 2, "treatment": None, "qc_flag": "",
    ... })
    >>> X = np.array([[0, 0], [0, 1], [5, 0], [5, 1]] * 2, dtype=float)
    >>> fit_axis(X, obs).length
    5.0
    """
    if axis not in AXES:
        raise UsageError(f"axis {axis!r} is unknown; choose one of {', '.join(AXES)}")
    experiment = obs["experiment"].iloc[0]
    _check_controls(obs, experiment)
    mock, infected = (plate_centroids(X, obs, controls(obs, kind)) for kind in ("mock", "infected"))
    both = [plate for plate in mock if plate in infected]
    if not both:
        raise DataError(
            f"experiment {experiment} has no plate with both mock and infected untreated wells that passed quality "
            f"control: disease and plate cannot be told apart; leave it out with the parameter experiments"
        )
    noise = held_out_noise(X, obs) if axis == "discriminant" and len(both) > 1 else {}
    versions, held_out, half = {}, {}, np.full(len(obs), -1)
    for plate, rows in rows_by(obs, "plate_id").items():
        others = [p for p in both if p != plate]
        held_out[plate] = bool(others)
        if others:
            versions[plate] = [version_from_others(X, obs, rows, others, (mock, infected), noise.get(plate))]
        else:
            half[rows] = halves(obs.iloc[rows])
            versions[plate] = versions_from_halves(X, obs, rows, half[rows], axis)
    gaps = measure_gaps(versions)
    length = _length(gaps, experiment, min_length)
    return Axis(versions, half, length, held_out, shrink_windows(_by_plate(gaps, versions), length))


def score_wells(
    wells: ad.AnnData, *, axis: str = "mean_difference", min_length: float = MIN_LENGTH
) -> ad.AnnData:
    """Score each well along and away from the disease axis of its experiment.

    Parameters
    ----------
    wells : AnnData
        Normalised wells, one row per well; failed wells are scored too but define nothing.
    axis : str
        As in :func:`helpers.hits.fit_axis`.
    min_length : float
        As in :func:`helpers.hits.fit_axis`.

    Returns
    -------
    AnnData
        A copy whose `obs` gains `on_disease` (0 = mock, 1 = infected untreated), `off_disease` (distance from the
        axis in axis lengths; it grows with noise and dimension, :func:`helpers.hits.arms.summarize_arms` has the
        unbiased version), `rescue` = 1 - on_disease and `window` (distance from mock to infected on the well's plate,
        relative to the experiment's axis). `uns["axis"]` holds, per experiment, the kind
        of axis, its length and whether other plates defined the axis of every plate.

    Raises
    ------
    DataError
        If an experiment has no axis, or the screen no embeddings.
    UsageError
        If `axis` is unknown.
    """
    if wells.n_vars == 0:
        raise DataError("the screen has no embeddings, so wells cannot be scored; add an embeddings file")
    rescue = np.full(wells.n_obs, np.nan)
    off, window = np.full(wells.n_obs, np.nan), np.full(wells.n_obs, np.nan)
    record = {}
    for experiment, rows in rows_by(wells.obs, "experiment").items():
        obs = wells.obs.iloc[rows]
        X = np.asarray(wells.X[as_slice(rows)])
        fitted = fit_axis(X, obs, axis, min_length=min_length)
        along, away = project(X, obs, fitted)
        rescue[rows] = along / fitted.length
        off[rows] = np.sqrt(np.einsum("ij,ij->i", away, away)) / fitted.length
        lengths = fitted.windows.lengths
        window[rows] = obs["plate_id"].astype(object).map(lengths).to_numpy(float) / fitted.length
        held_out = all(fitted.held_out.values())
        record[str(experiment)] = {"kind": axis, "length": fitted.length, "held_out": held_out}
    obs = wells.obs.assign(on_disease=1 - rescue, off_disease=off, rescue=rescue, window=window)
    return ad.AnnData(wells.X, obs=obs, var=wells.var.copy(), uns={**wells.uns, "axis": record})


def project(X: np.ndarray, obs: pd.DataFrame, axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """Split each well of one experiment into its part along the axis and its rejection from it.

    Parameters
    ----------
    X : array
        Wells of the experiment, shape (n_wells, n_features), in the order in which the axis was fitted.
    obs : DataFrame
        Their annotation, of which `plate_id` is read.
    axis : Axis
        From :func:`helpers.hits.fit_axis`.

    Returns
    -------
    along : array
        Distance from the infected centroid towards mock, shape (n_wells,), in embedding units of a plate whose window
        is as long as the axis: what a plate shows more or less strongly is put right by its own window.
    away : array
        Rejection from the axis, in the same units, shape (n_wells, n_features) float32.

    Examples
    --------
    >>> obs = pd.DataFrame({
    ...     "experiment": "HRCE-1", "plate_id": ["HRCE-1_1"] * 4 + ["HRCE-1_2"] * 4,
    ...     "condition": ["mock", "mock", "infected", "infected"] * 2, "treatment": None, "qc_flag": "",
    ... })
    >>> X = np.array([[0, 0], [0, 1], [5, 0], [5, 1]] * 2, dtype=float)
    >>> along, away = project(X, obs, fit_axis(X, obs))
    >>> along[:4].tolist()
    [5.0, 5.0, 0.0, 0.0]
    >>> away[:4, 1].tolist()
    [-0.5, 0.5, -0.5, 0.5]
    """
    along = np.zeros(len(X))
    away = np.zeros(X.shape, dtype=np.float32)
    for plate, rows in rows_by(obs, "plate_id").items():
        versions = axis.versions[plate]
        unit = axis.length / axis.windows.lengths[plate]
        for number, version in enumerate(versions):
            # A control of a split plate is scored on the direction of the other half, from its own half's origin.
            own = axis.half[rows] < 0
            weight = unit * np.where(own, 1 / len(versions), axis.half[rows] != number).astype(np.float32)
            offset = X[as_slice(rows)] - version.origin
            position = offset @ version.reading
            along[rows] -= weight * position
            away[as_slice(rows)] += weight[:, None] * (offset - np.outer(position, version.direction))
    return along, away


def _check_controls(obs: pd.DataFrame, experiment: str) -> None:
    for condition, name in (("mock", "mock"), ("infected", "infected untreated")):
        if not controls(obs, condition).any():
            raise DataError(
                f"experiment {experiment} has no {name} wells that passed quality control, so no disease axis can be "
                f"defined; leave it out with the parameter experiments"
            )


def axis_kind(scored: ad.AnnData, experiment: str) -> str:
    """Return which axis the wells of an experiment were scored on."""
    return scored.uns.get("axis", {}).get(str(experiment), {}).get("kind", AXES[0])


def _by_plate(gaps: pd.DataFrame, plates: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Return plate -> gap and variance; of a plate that was split, those of the mean of its two halves."""
    grouped = gaps.groupby("plate")
    table = grouped["gap"].mean().to_frame("gap")
    table["variance"] = grouped["variance"].sum() / grouped.size() ** 2
    return {plate: tuple(table.loc[plate]) if plate in table.index else (np.nan, np.nan) for plate in plates}


def _length(gaps: pd.DataFrame, experiment: str, min_length: float) -> float:
    """Return the median gap over plates and halves, after testing that it is there at all."""
    if gaps.empty:
        raise DataError(f"experiment {experiment}: no plate has both controls to measure the disease axis on")
    length = float(gaps["gap"].median())
    # over windows of any size: how many standard errors the gaps are long, taken together
    standardized = gaps["gap"] / np.sqrt(gaps["variance"].clip(lower=1e-300))
    errors = float(standardized.sum() / np.sqrt(len(gaps)))
    if not (length > 0 and errors > min_length):
        raise DataError(
            f"experiment {experiment}: mock and infected wells do not separate on wells that did not define the axis "
            f"(distance {length:.3g}, {errors:.2g} standard errors), so rescue cannot be told from these data; leave "
            f"the experiment out with the parameter experiments"
        )
    return length
