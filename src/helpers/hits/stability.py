"""Stability: what scores and ranks would be on other plates.

Drawing three plates with replacement, the plain bootstrap, gives an arm's mean two thirds of its variance, and that
from two degrees of freedom. So every draw adds fresh errors of the size that plates were found to have: one for the
centre of each plate, which all arms on it share, and one for each arm, of its moderated variance between plates
(a parametric bootstrap over plates; Davison & Hinkley 1997, doi:10.1017/CBO9780511802843). The noise in off-disease is
drawn too, and the score of each draw is found as the table's own: the one of largest size over a compound's arms.

Ranks answer another question, which compound is truly before which, and what came out on top did so in part by luck.
They are ranks of what rescue is likely to be, given that of all arms (:mod:`helpers.hits.shrinkage`).
"""

import numpy as np
import pandas as pd

from helpers.hits.distance import ARM_KEY
from helpers.hits.null import Null
from helpers.hits.rule import on_target_score
from helpers.hits.shrinkage import fit_prior
from helpers.profiles.selection import treated, usable

COLUMNS = [
    "treatment",
    "score_low",
    "score_high",
    "rank_low",
    "rank_high",
    "top_k_probability",
    "single_plate",
]
NUMBERS = COLUMNS[1:-1]
MIN_ARMS = 20
"""With fewer arms than this the others say nothing about one, and ranks are drawn around what was found."""
TOP_K = 10
"""So many compounds are the best ones, where nobody says how many."""


def rank_stability(
    obs: pd.DataFrame,
    arms: pd.DataFrame,
    null: Null,
    *,
    n_draws: int = 500,
    top_k: int = TOP_K,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return intervals of score and rank, and the chance to be among the best, of the compounds of one experiment.

    Parameters
    ----------
    obs : DataFrame
        The wells of the experiment.
    arms : DataFrame
        Arms that count for their compounds, with the columns of arms.csv.
    null : Null
        Of the experiment; its seed is that of the draws.
    n_draws : int
        Draws; 0 leaves the numbers missing.
    top_k : int
        How many compounds are "the best".
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        treatment, score_low, score_high, rank_low, rank_high, top_k_probability, and single_plate: whether all wells
        of the compound stand on one plate. Its numbers are then missing, for wells of one plate do not say what
        another would show; in the ranks of the others its score stands still.
    """
    arms = arms[arms["score"].notna()].sort_values(ARM_KEY, ignore_index=True)
    starts = np.flatnonzero(arms["treatment"].ne(arms["treatment"].shift()))
    out = pd.DataFrame(np.nan, index=range(len(starts)), columns=COLUMNS)
    out["treatment"] = arms["treatment"].to_numpy()[starts]
    plates = arms["n_plates"].to_numpy()
    out["single_plate"] = np.maximum.reduceat(plates, starts) < 2 if len(starts) else False
    if n_draws == 0 or not len(out) or out["single_plate"].all():
        return out
    rescue, off = draw_arms(obs, arms, null, n_draws)
    found = [
        largest_size(score(arms["rescue"].to_numpy()[None], arms["off_disease"].to_numpy()), starts)[0]
        for score in (on_target_score, boundless_score)
    ]
    scores = largest_size(on_target_score(rescue, off), starts)
    boundless = largest_size(boundless_score(rescue, off), starts)
    low, high = score_interval(scores, found[0], level)
    # A rescue near 1 hides from the bounded score how far below 1 it may lie.
    low_too, high_too = score_interval(boundless, found[1], level)
    low = np.minimum(low, np.minimum(low_too, found[0]))
    high = np.maximum(high, np.maximum(high_too, found[0]))
    # ranks know that they were selected: what came out best did so in part by luck
    likely = largest_size(on_target_score(draw_truths(arms, null, n_draws), off), starts)
    # scores of 1 tie, and nobody is to gain by its name
    ties = 1e-9 * np.random.default_rng([null.seed, 12]).standard_normal(scores.shape)
    ranks = (-likely - ties).argsort(axis=1, kind="stable").argsort(axis=1) + 1
    rank_low, rank_high = np.quantile(
        ranks, [0.5 - level / 2, 0.5 + level / 2], axis=0, method="closest_observation"
    )
    out[NUMBERS] = np.column_stack([low, high, rank_low, rank_high, (ranks <= top_k).mean(axis=0)])
    out.loc[out["single_plate"], NUMBERS] = np.nan
    return out


def draw_arms(
    obs: pd.DataFrame, arms: pd.DataFrame, null: Null, n_draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return rescue and off-disease of the arms as other plates might give them, each (n_draws, n_arms).

    Parameters
    ----------
    obs : DataFrame
        As in :func:`helpers.hits.stability.rank_stability`.
    arms : DataFrame
        As there.
    null : Null
        As there.
    n_draws : int
        As there.
    """
    rng = np.random.default_rng([null.seed, n_draws, 11])
    shares, plates = _plate_shares(obs, arms)
    centre = np.array([null.plate_variance[p] for p in plates])
    variance = arms["rescue_se"].to_numpy() ** 2
    # An arm's own variance already holds its plates' centres; at least a quarter is taken to be its own.
    own = np.maximum(variance - shares**2 @ centre, 0.25 * variance)
    several = arms["n_plates"].to_numpy() > 1
    common = (rng.standard_normal((n_draws, len(centre))) * np.sqrt(centre)) @ shares.T
    size = (n_draws, len(arms))
    # an arm on one plate stands still
    error = np.where(several, common + np.sqrt(own) * rng.standard_normal(size), 0.0)
    spread = np.where(several, arms["off_square_sd"].to_numpy(), 0.0)
    square = arms["off_disease"].to_numpy() ** 2 + spread * rng.standard_normal(size)
    return arms["rescue"].to_numpy() + error, np.sqrt(np.maximum(square, 0.0))


def draw_truths(arms: pd.DataFrame, null: Null, n_draws: int) -> np.ndarray:
    """Return rescue of the arms as it may truly be, given that of all arms, shape (n_draws, n_arms).

    Parameters
    ----------
    arms : DataFrame
        As in :func:`helpers.hits.stability.rank_stability`.
    null : Null
        As there.
    n_draws : int
        As there.
    """
    values, errors = arms["rescue"].to_numpy(float), arms["rescue_se"].to_numpy(float)
    known = np.isfinite(errors) & (errors > 0)
    out = np.tile(values, (n_draws, 1))
    if known.sum() >= MIN_ARMS:
        rng = np.random.default_rng([null.seed, n_draws, 13])
        out[:, known] = fit_prior(values[known], errors[known]).draw(
            values[known], errors[known], n_draws, rng
        )
    return out


def boundless_score(rescue: np.ndarray, off_disease: np.ndarray) -> np.ndarray:
    """Return the score as it would be if rescue counted beyond 1."""
    return on_target_score(rescue, off_disease) * np.maximum(np.abs(rescue), 1.0)


def largest_size(scores: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the score of largest size of each compound, shape (n_draws, n_compounds)."""
    top, bottom = np.maximum.reduceat(scores, starts, axis=1), np.minimum.reduceat(scores, starts, axis=1)
    return np.where(top >= -bottom, top, bottom)


def score_interval(scores: np.ndarray, found: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of the scores within [-1, 1].

    The largest of several noisy numbers is too large, and the largest of their draws twice so. The percentile interval
    repeats that error, the basic interval (reflected at the score found) takes it away; each alone misses small
    scores on one side, so the interval holds both.
    """
    low, high = np.quantile(scores, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    low, high = np.minimum(low, 2 * found - high), np.maximum(high, 2 * found - low)
    return np.clip(low, -1, 1), np.clip(high, -1, 1)


def _plate_shares(obs: pd.DataFrame, arms: pd.DataFrame) -> tuple[np.ndarray, list]:
    """Return the share of each arm's wells on each plate, shape (n_arms, n_plates), and the plates."""
    members = obs[treated(obs) & usable(obs)].astype({"treatment": str, "plate_id": str})
    counts = members.pivot_table(
        "rescue", ARM_KEY, "plate_id", aggfunc="size", observed=True, dropna=False, fill_value=0
    )
    counts = counts.loc[:, counts.sum() > 0].sort_index(axis=1)
    keys = pd.MultiIndex.from_frame(arms[ARM_KEY])
    table = counts.to_numpy(float)[counts.index.get_indexer(keys)]
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1), list(counts.columns)
