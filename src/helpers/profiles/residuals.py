"""Residuals: where wells lie relative to their plate's bulk, in units of what wells alike differ by.

A plate's mock wells cannot tell which of them failed: on one published plate half of them did. What stands firm is
the bulk of the plate. So positions are taken relative to the median well of the plate, freed of the drift over rows and
columns, and whitened by the noise between wells that got the same treatment, robustly: a quarter of these differences
may come from failed wells.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.profiles.selection import as_slice, rows_by
from helpers.profiles.spectrum import Spectrum, fit_spectrum, ledoit_wolf_weight
from helpers.profiles.trend import PositionTrend
from helpers.screens.rounding import varies

MOST_PAIRS = 4_000
"""Differences between replicates from which noise is learnt."""
KEPT = 0.75
"""Share of the residuals, the shortest ones, from which their spectrum is learnt ..."""
N_ROUNDS = 3
"""... in so many rounds."""
ENOUGH, MIN_HELD_OUT = 10, 30
"""With fewer differences a feature than the first, a third of them is held out to tell noise, if that is so many."""
MIN_GROUP = 3
"""Untreated wells of one kind on a plate from which on their scatter counts."""
MIN_KIND = 5


@dataclass(frozen=True)
class Residuals:
    """Wells of one experiment in units of noise.

    Attributes
    ----------
    positions : array
        Relative to the bulk of the plate, whitened, shape (n_wells, n_features): noise has a variance of about 1 along
        every direction.
    noise : array
        Differences between wells that are alike, in the same space, shape (n_differences, n_features). Where there are
        few for so many features, they are others than those from which the whitening was learnt, which look too quiet.
    """

    positions: np.ndarray
    noise: np.ndarray


def find_residuals(X: np.ndarray, obs: pd.DataFrame) -> Residuals | None:
    """Return the wells of one experiment in units of noise; None where they do not differ.

    Parameters
    ----------
    X : array
        Wells, not normalised, shape (n_wells, n_features).
    obs : DataFrame
        Their annotation: plate_id, condition, treatment, dose_um, row, col.
    """
    R = _relative_to_bulk(stabilize(X, obs), obs)
    noise, held_out = _differences(R, obs)
    spread = stats.median_abs_deviation(noise if len(noise) else R, axis=0, scale="normal")
    typical = float(np.median(spread[spread > 0])) if (spread > 0).any() else 0.0
    live = (spread > 1e-6 * typical) & varies(np.ptp(X, axis=0), np.abs(X).max(axis=0))
    if not len(noise) or not live.any():
        return None
    R, noise = R[:, live] / spread[live], noise[:, live] / spread[live]
    few = held_out.sum() >= MIN_HELD_OUT and len(noise) < ENOUGH * live.sum()
    learnt, noise = (noise[~held_out], noise[held_out]) if few else (noise, noise)
    whitened = learnt
    for _ in range(N_ROUNDS):
        lengths = np.einsum("ij,ij->i", whitened, whitened)
        kept = learnt[lengths <= np.quantile(lengths, KEPT)]
        whitening = _spectrum(kept).whitening(_weight(kept))
        whitened = whitening.apply(learnt)
    whitened = whitening.apply(noise)
    size = np.sqrt(np.median(np.einsum("ij,ij->i", whitened, whitened)) / whitened.shape[1])
    return Residuals(whitening.apply(R) / size, whitened / size)


def stabilize(X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
    """Return features with the logarithm in place of positive ones whose spread grows with their mean.

    Counts and intensities vary in proportion to their mean: where control kinds differ, wells of the larger mean would
    all lie far out. The logarithm is taken where it makes the spreads of the kinds of controls more alike.

    Parameters
    ----------
    X : array
        Wells, shape (n_wells, n_features).
    obs : DataFrame
        Their annotation.

    Examples
    --------
    >>> obs = pd.DataFrame({"condition": ["mock"] * 5 + ["infected"] * 5, "treatment": None})
    >>> cells = np.array([[800, 900, 1000, 1100, 1200, 8, 9, 10, 11, 12]], dtype=float).T
    >>> [round(float(x), 2) for x in stabilize(cells, obs)[:2, 0]]
    [6.68, 6.8]
    """
    X = np.array(X, dtype=np.float32)
    positive = np.flatnonzero((X > 0).all(axis=0))
    untreated = obs["treatment"].isna() & (obs["condition"] != "blank")
    kinds = obs["condition"].astype(str).where(untreated)
    kinds = [rows for rows in rows_by(kinds.to_frame("kind"), "kind").values() if len(rows) >= MIN_KIND]
    if len(kinds) < 2 or not len(positive):
        return X

    def unlike(values: np.ndarray) -> np.ndarray:
        spreads = np.array([stats.median_abs_deviation(values[rows], axis=0) for rows in kinds])
        return np.ptp(np.log(spreads + 1e-12), axis=0)

    logarithms = np.log(X[:, positive])
    better = unlike(logarithms) < unlike(X[:, positive])
    X[:, positive[better]] = logarithms[:, better]
    return X


def nearest_half(Z: np.ndarray) -> np.ndarray:
    """Return the median of the half of the wells nearest to the bulk: failures are the farther ones."""
    distance = np.einsum("ij,ij->i", Z, Z)
    return np.median(Z[np.argsort(distance, kind="stable")[: (len(Z) + 1) // 2]], axis=0)


def _relative_to_bulk(X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
    """Return wells minus the median well of their plate, without the drift over rows and columns.

    The drift is told from all wells, untreated ones relative to their kind: controls stand in blocks.
    """
    known = (obs["condition"] != "blank").to_numpy()
    kinds = obs["condition"].astype(str).where(obs["treatment"].isna(), "treated").to_frame("kind")
    R = np.empty(X.shape, dtype=np.float32)
    level = np.empty(X.shape, dtype=np.float32)
    for rows in rows_by(obs, "plate_id").values():
        bulk = rows[known[rows]] if known[rows].any() else rows
        R[as_slice(rows)] = X[as_slice(rows)] - np.median(X[as_slice(bulk)], axis=0)
        for mine in rows_by(kinds.iloc[rows], "kind").values():
            level[rows[mine]] = R[rows[mine]] - np.median(R[rows[mine]], axis=0)
    roles = obs.assign(condition=np.where(known, "infected", "blank"), qc_flag="")
    return R - level + PositionTrend().fit(level, roles).transform(level, roles)


def _differences(R: np.ndarray, obs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return differences between wells that are alike, and which to hold out: every third well or arm.

    Alike are untreated wells of a kind on a plate, and replicates of an arm.
    """
    untreated = (obs["treatment"].isna() & (obs["condition"] != "blank")).to_numpy()
    scale = stats.median_abs_deviation(R, axis=0, scale="normal")
    scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
    parts, held_out = [np.empty((0, R.shape[1]), dtype=np.float32)], [np.empty(0, dtype=bool)]
    kinds = obs["plate_id"].astype(str) + "|" + obs["condition"].astype(str)
    for rows in rows_by(kinds.where(untreated).to_frame("kind"), "kind").values():
        if len(rows) >= MIN_GROUP:
            parts.append(R[rows] - nearest_half(R[rows] / scale) * scale)
            held_out.append(np.arange(len(rows)) % 3 == 0)
    rows = np.flatnonzero(obs["treatment"].notna().to_numpy())
    arm = obs.iloc[rows].groupby(["treatment", "dose_um"], observed=True, dropna=False).ngroup().to_numpy()
    order = np.lexsort((obs["plate_id"].astype(str).to_numpy()[rows], arm))
    rows, arm = rows[order], arm[order]
    pairs = np.flatnonzero(arm[1:] == arm[:-1])
    if len(pairs) > MOST_PAIRS:
        pairs = pairs[np.linspace(0, len(pairs) - 1, MOST_PAIRS).astype(int)]
    parts.append((R[rows[1:][pairs]] - R[rows[:-1][pairs]]) / np.float32(np.sqrt(2)))
    held_out.append(arm[1:][pairs] % 3 == 0)
    return np.concatenate(parts), np.concatenate(held_out)


def _spectrum(residuals: np.ndarray) -> Spectrum:
    return fit_spectrum(residuals, len(residuals))


def _weight(residuals: np.ndarray) -> float:
    """Return the weight of the identity: never less than what so few wells for so many features call for."""
    n, p = residuals.shape
    return max(ledoit_wolf_weight(residuals - residuals.mean(axis=0)), p / (p + n))
