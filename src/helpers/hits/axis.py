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

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataError, UsageError
from helpers.hits.discriminant import Noise, held_out_noise, noise_of
from helpers.profiles.selection import as_slice, controls, rows_by

AXES = ("mean_difference", "discriminant")
"""Ways to read a well's position: along the difference of the control centroids, or along the shrunken linear
discriminant.
"""
MIN_LENGTH = 3.0
"""An axis must be this many standard errors long on wells that did not define it, or there is none."""


@dataclass(frozen=True)
class Version:
    """One way to score the wells of a plate: a direction, and the origin that goes with it.

    Attributes
    ----------
    direction : array
        Unit vector from mock to infected, shape (n_features,).
    reading : array
        Vector along which positions are read, shape (n_features,); its product with `direction` is 1. The direction
        itself for `mean_difference`.
    origin : array
        Infected untreated centroid (rescue = 0), shape (n_features,).
    gap, gap_variance : float
        Distance from mock to infected along the direction on wells that did not define it, and its variance; missing
        where the plate lacks a kind of control.
    """

    direction: np.ndarray
    reading: np.ndarray
    origin: np.ndarray
    gap: float
    gap_variance: float


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
    gain_variance : float
        How much the strength of effects varies from plate to plate: variance of the plates' own lengths relative to
        the length, without their noise; 0 where fewer than three plates tell.

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
    gain_variance: float = 0.0


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
    mock, infected = (_plate_centroids(X, obs, controls(obs, kind)) for kind in ("mock", "infected"))
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
            versions[plate] = [_version_from_others(X, obs, rows, others, (mock, infected), noise.get(plate))]
        else:
            half[rows] = _halves(obs.iloc[rows])
            versions[plate] = _versions_from_halves(X, obs, rows, half[rows], axis)
    length = _length(versions, experiment, min_length)
    return Axis(versions, half, length, held_out, _gain_variance(versions, length))


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
        unbiased version) and `rescue` = 1 - on_disease. `uns["axis"]` holds, per experiment, the kind
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
    off = np.full(wells.n_obs, np.nan)
    record = {}
    for experiment, rows in rows_by(wells.obs, "experiment").items():
        obs = wells.obs.iloc[rows]
        X = np.asarray(wells.X[as_slice(rows)])
        fitted = fit_axis(X, obs, axis, min_length=min_length)
        along, away = project(X, obs, fitted)
        rescue[rows] = along / fitted.length
        off[rows] = np.sqrt(np.einsum("ij,ij->i", away, away)) / fitted.length
        held_out = all(fitted.held_out.values())
        record[str(experiment)] = {"kind": axis, "length": fitted.length, "held_out": held_out}
    obs = wells.obs.assign(on_disease=1 - rescue, off_disease=off, rescue=rescue)
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
        Distance from the infected centroid towards mock, embedding units, shape (n_wells,).
    away : array
        Rejection from the axis, embedding units, shape (n_wells, n_features) float32.

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
        for number, version in enumerate(versions):
            # A control of a split plate is scored on the direction of the other half, from its own half's origin.
            own = axis.half[rows] < 0
            weight = np.where(own, 1 / len(versions), axis.half[rows] != number).astype(np.float32)
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


def _plate_centroids(X: np.ndarray, obs: pd.DataFrame, chosen: np.ndarray) -> dict:
    """Return plate -> (median of the chosen wells, their number) for plates that have any."""
    centroids = {}
    for plate, rows in rows_by(obs, "plate_id").items():
        mine = rows[chosen[rows]]
        if len(mine):
            centroids[plate] = (np.median(X[as_slice(mine)], axis=0), len(mine))
    return centroids


def axis_kind(scored: ad.AnnData, experiment: str) -> str:
    """Return which axis the wells of an experiment were scored on."""
    return scored.uns.get("axis", {}).get(str(experiment), {}).get("kind", AXES[0])


def _version_from_others(
    X: np.ndarray,
    obs: pd.DataFrame,
    rows: np.ndarray,
    others: list,
    centroids: tuple[dict, dict],
    noise: Noise | None,
) -> Version:
    """Return the version of a plate that other plates define."""
    mock, infected = centroids
    weights = [1 / (1 / mock[p][1] + 1 / infected[p][1]) for p in others]
    difference = np.average([infected[p][0] - mock[p][0] for p in others], axis=0, weights=weights)
    direction = _unit(difference)
    origin = np.average([infected[p][0] for p in others], axis=0, weights=[infected[p][1] for p in others])
    kinds = (rows[controls(obs, "mock")[rows]], rows[controls(obs, "infected")[rows]])
    reading = direction if noise is None else noise.reading(direction)
    return Version(direction, reading, origin, *_gap(X, *kinds, reading))


def _halves(obs: pd.DataFrame) -> np.ndarray:
    """Return 0 and 1 in turn for the controls of each kind in the order of their wells, -1 for other wells.

    By position and not by row of the table, so that the order of the table does not matter.
    """
    half = np.full(len(obs), -1)
    for kind in ("mock", "infected"):
        mine = np.flatnonzero(controls(obs, kind))
        names = obs["row"].to_numpy()[mine], obs["col"].to_numpy()[mine]
        order = mine[np.lexsort((names[1], names[0]))]
        half[order] = np.arange(len(order)) % 2
    return half


def _versions_from_halves(
    X: np.ndarray, obs: pd.DataFrame, rows: np.ndarray, half: np.ndarray, axis: str
) -> list[Version]:
    """Return the two versions of a plate without others: version k has the direction of half k.

    With a single well of a kind there are no halves; both then take it, and the plate's scores flatter the assay.
    """
    versions = []
    mock, infected = (rows[controls(obs, kind)[rows]] for kind in ("mock", "infected"))
    of = dict(zip(rows, half, strict=True))
    for number in (0, 1):
        train: list[np.ndarray] = []
        test: list[np.ndarray] = []
        for wells in (mock, infected):
            mine = np.array([of[w] == number for w in wells])
            train.append(wells[mine] if mine.any() else wells)
            test.append(wells[~mine] if (~mine).any() else wells)
        direction = _unit(np.median(X[train[1]], axis=0) - np.median(X[train[0]], axis=0))
        learnt = np.concatenate(train)
        reading = (
            noise_of(X[learnt], obs.iloc[learnt]).reading(direction) if axis == "discriminant" else direction
        )
        versions.append(
            Version(direction, reading, np.median(X[test[1]], axis=0), *_gap(X, test[0], test[1], reading))
        )
    return versions


def _gap(X: np.ndarray, mock: np.ndarray, infected: np.ndarray, reading: np.ndarray) -> tuple[float, float]:
    """Return the distance between control medians along a reading and its variance."""
    if len(mock) == 0 or len(infected) == 0:
        return np.nan, np.nan
    m, i = X[mock] @ reading, X[infected] @ reading
    variance = sum(np.pi / 2 * v.var(ddof=1) / len(v) for v in (m, i) if len(v) > 1)
    return float(np.median(i) - np.median(m)), float(variance)


def _length(versions: dict, experiment: str, min_length: float) -> float:
    """Return the median gap over plates and halves, after testing that it is there at all."""
    gaps = np.array([[v.gap, v.gap_variance] for several in versions.values() for v in several])
    gaps = gaps[np.isfinite(gaps[:, 0])]
    if len(gaps) == 0:
        raise DataError(f"experiment {experiment}: no plate has both controls to measure the disease axis on")
    length = float(np.median(gaps[:, 0]))
    between = stats.median_abs_deviation(gaps[:, 0], scale="normal") / np.sqrt(len(gaps))
    error = max(np.sqrt(gaps[:, 1].sum()) / len(gaps), between)
    if not length > min_length * error:
        raise DataError(
            f"experiment {experiment}: mock and infected wells do not separate on wells that did not define the axis "
            f"(distance {length:.3g}, standard error {error:.2g}), so rescue cannot be told from these data; leave the "
            f"experiment out with the parameter experiments"
        )
    return length


def _gain_variance(versions: dict, length: float) -> float:
    """Return the variance between the lengths of held-out plates, relative to the length, beyond their noise."""
    gaps = np.array([[v[0].gap, v[0].gap_variance] for v in versions.values() if len(v) == 1])
    gaps = gaps[np.isfinite(gaps).all(axis=1)] if len(gaps) else gaps
    if len(gaps) < 3:
        return 0.0
    return max(0.0, float(gaps[:, 0].var(ddof=1) - gaps[:, 1].mean()) / length**2)


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
