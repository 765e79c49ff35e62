"""Planes in which a recipe's work on a few plates can be seen: along the disease axis, and one way off it."""

import numpy as np
import pandas as pd
from anndata import AnnData

from helpers.profiles.linalg import principal_axes
from helpers.profiles.selection import controls, rows_by

KINDS = ("mock", "uv", "infected")


def between_direction(wells: AnnData, by: str) -> np.ndarray | None:
    """Return the way off the disease axis in which plates or experiments lie furthest apart.

    Parameters
    ----------
    wells : AnnData
        Several plates; `X` holds the embedding.
    by : str
        ``plate_id`` or ``experiment``.

    Returns
    -------
    array, shape (n_features,), or None
        A unit vector; None with fewer than two features or two groups.
    """
    X = np.asarray(wells.X, np.float64)
    chosen = controls(wells.obs, "infected")
    groups = rows_by(wells.obs, by).values()
    centres = [np.median(X[rows[chosen[rows]]], axis=0) for rows in groups if chosen[rows].any()]
    if wells.n_vars < 2 or len(centres) < 2:
        return None
    apart = np.array(centres) - np.mean(centres, axis=0)
    return _leading(_off(apart, _axis(X, wells.obs)))


def noise_direction(wells: AnnData, plate: str) -> np.ndarray | None:
    """Return the way off the disease axis in which controls of a plate differ most among themselves.

    It is learnt on the other plates of the table, where there are any: the loudest direction of a few wells in many
    dimensions is always loud on those very wells.

    Parameters
    ----------
    wells : AnnData
        Plates of one experiment.
    plate : str
        The `plate_id` that is to be drawn.
    """
    others = (wells.obs["plate_id"].astype(str) != plate).to_numpy()
    rows = np.flatnonzero(others if others.any() else ~others)
    X, obs = np.asarray(wells.X[rows], np.float64), wells.obs.iloc[rows]
    residuals = []
    for mine in rows_by(obs, "plate_id").values():
        for kind in KINDS:
            own = mine[controls(obs, kind)[mine]]
            if len(own) > 2:
                residuals.append(X[own] - X[own].mean(axis=0))
    if wells.n_vars < 2 or not residuals:
        return None
    return _leading(_off(np.concatenate(residuals), _axis(X, obs)))


def in_plane(scored: AnnData, direction: np.ndarray | None) -> pd.DataFrame:
    """Return the wells with `along`, their rescue, and `away`, their place in a direction, in axis lengths.

    Without a direction `away` is drawn at random, so that wells do not hide each other.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    direction : array, shape (n_features,), or None
        A unit vector; zero is where the median infected untreated well lies.
    """
    obs = scored.obs.assign(along=scored.obs["rescue"])
    if direction is None:
        return obs.assign(away=np.random.default_rng(0).uniform(-0.5, 0.5, len(obs)))
    place = np.asarray(scored.X, np.float64) @ direction
    reference = controls(obs, "infected")
    place -= np.median(place[reference]) if reference.any() else 0.0
    lengths = {name: record["length"] for name, record in scored.uns["axis"].items()}
    return obs.assign(away=place / obs["experiment"].astype(str).map(lengths).to_numpy(float))


def _axis(X: np.ndarray, obs: pd.DataFrame) -> np.ndarray | None:
    """Return the unit vector from mock to infected, averaged over plates; None without both."""
    mock, infected = controls(obs, "mock"), controls(obs, "infected")
    gaps = [
        np.median(X[rows[infected[rows]]], axis=0) - np.median(X[rows[mock[rows]]], axis=0)
        for rows in rows_by(obs, "plate_id").values()
        if mock[rows].any() and infected[rows].any()
    ]
    length = float(np.linalg.norm(np.mean(gaps, axis=0))) if gaps else 0.0
    return np.mean(gaps, axis=0) / length if length > 0 else None


def _off(vectors: np.ndarray, axis: np.ndarray | None) -> np.ndarray:
    """Return vectors less their part along the axis."""
    return vectors if axis is None else vectors - np.outer(vectors @ axis, axis)


def _leading(vectors: np.ndarray) -> np.ndarray | None:
    """Return the first principal axis of centred rows; None where they do not vary."""
    if not np.linalg.norm(vectors) > 0:
        return None
    return principal_axes(vectors, 1)[:, 0].astype(np.float64)


COVERED = np.sqrt(-2 * np.log(1 - 0.8))
"""Radius, in standard deviations, of the ellipse that holds 80 % of two Gaussian variables."""


def spread_ellipse(points: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Return the ellipse that would hold four fifths of Gaussian points.

    Parameters
    ----------
    points : float array, shape (n, 2)
        In a plane.

    Returns
    -------
    centre, width, height, angle
        The angle of its first axis in degrees.
    """
    values, vectors = np.linalg.eigh(np.cov(points.T))
    width, height = 2 * COVERED * np.sqrt(np.maximum(values, 0))
    angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
    return points.mean(axis=0), float(width), float(height), float(angle)
