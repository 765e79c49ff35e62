"""Versions: ways to score the wells of a plate, each told by wells that did not define it.

A plate is scored on the direction of the other plates. One that stands alone is scored twice, on the direction of
either half of its controls.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.hits.discriminant import Noise, noise_of
from helpers.hits.moderation import MEDIAN_VARIANCE, moderate
from helpers.profiles.selection import as_slice, controls, rows_by

ENOUGH = 6
"""Control wells of a plate from which on their own scatter is believed."""


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
    mock, infected : array
        Positions along the reading of control wells that did not define it, of the plate's own, shapes (n_mock,) and
        (n_infected,).
    """

    direction: np.ndarray
    reading: np.ndarray
    origin: np.ndarray
    mock: np.ndarray
    infected: np.ndarray


def plate_centroids(X: np.ndarray, obs: pd.DataFrame, chosen: np.ndarray) -> dict:
    """Return plate -> (median of the chosen wells, their number) for plates that have any.

    Parameters
    ----------
    X : array
        Wells of one experiment, shape (n_wells, n_features).
    obs : DataFrame
        Their annotation.
    chosen : array of bool
        Shape (n_wells,).
    """
    centroids = {}
    for plate, rows in rows_by(obs, "plate_id").items():
        mine = rows[chosen[rows]]
        if len(mine):
            centroids[plate] = (np.median(X[as_slice(mine)], axis=0), len(mine))
    return centroids


def version_from_others(
    X: np.ndarray,
    obs: pd.DataFrame,
    rows: np.ndarray,
    others: list,
    centroids: tuple[dict, dict],
    noise: Noise | None,
) -> Version:
    """Return the version of a plate that other plates define.

    Parameters
    ----------
    X : array
        Wells of one experiment, shape (n_wells, n_features).
    obs : DataFrame
        Their annotation.
    rows : array
        Of the plate's wells.
    others : list
        Plates that have both controls.
    centroids : tuple of dict
        Of mock and infected untreated wells, from :func:`helpers.hits.versions.plate_centroids`.
    noise : Noise, optional
        Of the other plates, for the discriminant.
    """
    mock, infected = centroids
    weights = [1 / (1 / mock[p][1] + 1 / infected[p][1]) for p in others]
    difference = np.average([infected[p][0] - mock[p][0] for p in others], axis=0, weights=weights)
    direction = _unit(difference)
    origin = np.average([infected[p][0] for p in others], axis=0, weights=[infected[p][1] for p in others])
    kinds = (rows[controls(obs, "mock")[rows]], rows[controls(obs, "infected")[rows]])
    reading = direction if noise is None else noise.reading(direction)
    return Version(direction, reading, origin, *(X[wells] @ reading for wells in kinds))


def halves(obs: pd.DataFrame) -> np.ndarray:
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


def versions_from_halves(
    X: np.ndarray, obs: pd.DataFrame, rows: np.ndarray, half: np.ndarray, axis: str
) -> list[Version]:
    """Return the two versions of a plate without others: version k has the direction of half k.

    With a single well of a kind there are no halves; both then take it, and the plate's scores flatter the assay.

    Parameters
    ----------
    X : array
        Wells of one experiment, shape (n_wells, n_features).
    obs : DataFrame
        Their annotation.
    rows : array
        Of the plate's wells.
    half : array
        Of each of them, from :func:`helpers.hits.versions.halves`.
    axis : str
        One of :data:`helpers.hits.AXES`.
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
            Version(
                direction, reading, np.median(X[test[1]], axis=0), *(X[wells] @ reading for wells in test)
            )
        )
    return versions


def measure_gaps(versions: dict) -> pd.DataFrame:
    """Return plate, gap and variance of the gap of every version whose plate has both kinds of controls.

    The variance of a well is moderated over plates where a few wells do not tell how much they scatter.
    """
    rows = [
        (plate, version)
        for plate, several in versions.items()
        for version in several
        if len(version.mock) and len(version.infected)
    ]
    table = pd.DataFrame({"plate": [plate for plate, _ in rows], "gap": 0.0, "variance": 0.0})
    wells = {kind: [getattr(version, kind) for _, version in rows] for kind in ("mock", "infected")}
    every = [v for several in wells.values() for v in several if len(v) > 1]
    pooled = sum(v.var(ddof=1) * (len(v) - 1) for v in every) / max(sum(len(v) - 1 for v in every), 1)
    for sign, several in ((-1, wells["mock"]), (1, wells["infected"])):
        n = np.array([len(v) for v in several])
        own = np.array([v.var(ddof=1) if len(v) > 1 else 0.0 for v in several])
        moderated, _ = moderate(own, (n - 1).astype(float), default=pooled, default_degrees=1.0)
        variance = np.where(n >= ENOUGH, own, moderated)
        table["gap"] += sign * np.array([np.median(v) for v in several])
        # the median of one or two is their mean
        table["variance"] += np.where(n > 2, MEDIAN_VARIANCE, 1.0) * variance / np.maximum(n, 1)
    if not every:  # single wells everywhere: how much gaps differ is all that is known of their errors
        table["variance"] = table["gap"].var(ddof=1) if len(table) > 1 else np.inf
    return table


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
