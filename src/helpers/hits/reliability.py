"""How much of a published score is noise, and how well two scores of the same compounds agree.

No ranking can agree with a noisy one perfectly. What the noise allows is told from compounds that were scored twice.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.classes import auc_interval
from helpers.screens.facts import PUBLISHED_HIT_THRESHOLD

N_BOOTSTRAP = 300
DRAWN = 4000
N_GRID, N_BINS, N_STEPS = 80, 200, 100
"""Points of the distribution without noise, bins of the scores, and steps of its search."""

MIN_PAIRS = 5
"""Fewer duplicate pairs tell no standard deviation."""

MIN_COMPOUNDS = 8
"""Fewer compounds tell no rank correlation."""

NOISE_COLUMNS = (
    "n_pairs", "sd_one_score", "sd_one_score_low", "sd_one_score_high", "n_compounds", "sd_all", "median_all",
    "reliability", "reliability_low", "reliability_high", "ceiling", "ceiling_low", "ceiling_high", "repeat",
    "repeat_low", "repeat_high",
)  # fmt: skip
_RHO = (lambda r: np.arctanh(np.minimum(r, 1 - 1e-9)), np.tanh)
# Each with the scale on which its interval is symmetric, and the way back.
_SCALES = {
    "sd_one_score": (np.log, np.exp),
    "reliability": (lambda r: np.log(np.maximum(1 - r, 1e-9)), lambda v: max(1 - np.exp(v), 0.0)),
    "ceiling": _RHO,
    "repeat": _RHO,
}
_NOISE = tuple(_SCALES)


def duplicate_pairs(rows: pd.DataFrame, compounds: bool = False) -> pd.DataFrame:
    """Return the pairs of scores of one compound.

    Parameters
    ----------
    rows : DataFrame
        From `read_published`.
    compounds : bool
        Pairs that a comment of ChEMBL's lists; or, if true, rows of their own for one compound (`compound` in `rows`),
        where there are two.

    Returns
    -------
    DataFrame
        cells, first, second.
    """
    if not compounds:
        return rows.loc[rows["n_scores"] == 2, ["cells", "first", "second"]].reset_index(drop=True)
    single = rows[rows["n_scores"] == 1].sort_values(["cells", "compound", "score"], kind="stable")
    by = single.groupby(["cells", "compound"])["score"]
    pairs = by.agg(first="first", second="last", n="size").reset_index()
    return pairs.loc[pairs["n"] == 2, ["cells", "first", "second"]].reset_index(drop=True)


def noise_sd(first: np.ndarray, second: np.ndarray) -> float:
    """Return the standard deviation of one score, from pairs of them: the root of half the mean squared difference.

    It does not depend on the order within a pair. A correlation does: where a source lists the higher score first, as
    ChEMBL does here, the correlation of first and second is far too high.

    Examples
    --------
    >>> round(noise_sd(np.array([1.0, 2.0]), np.array([0.0, 2.0])), 3)
    0.5
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    return float(np.sqrt(np.mean(difference**2) / 2))


def score_noise(
    pairs: pd.DataFrame,
    compounds: pd.DataFrame,
    *,
    seed: int = 0,
    n_bootstrap: int = N_BOOTSTRAP,
    level: float = 0.95,
) -> dict:
    """Measure the noise of the scores of one cell line, and what it leaves for others to agree with.

    Parameters
    ----------
    pairs : DataFrame
        first, second: two measurements of a compound.
    compounds : DataFrame
        score, n_scores (how many measurements its mean is of).
    seed : int
        Of the bootstrap: pairs and compounds are drawn anew, each among themselves.
    n_bootstrap : int
        Draws.
    level : float
        Of the intervals.

    Returns
    -------
    dict
        n_pairs; sd_one_score; n_compounds, sd_all and median_all (of the compounds); reliability (share of the variance
        among compounds that is not noise); ceiling (Spearman correlation that a perfect measurement of the same thing
        would have with these scores) and repeat (that of a second measurement as noisy as the first). Each of the four
        has its interval in `_low` and `_high`. Missing where there are too few pairs or compounds. For `ceiling` and
        `repeat` compounds are drawn from the distribution of the scores without noise, and noise is put back; this
        assumes one size of normal noise for all compounds, and that the duplicated ones are like the rest in it.
    """
    # Sorted, so that what the bootstrap draws does not depend on the order of rows.
    compounds = compounds.sort_values(["score", "n_scores"])
    values, n_scores = compounds["score"].to_numpy(float), compounds["n_scores"].to_numpy(float)
    differences = np.sort((pairs["first"] - pairs["second"]).to_numpy(float))
    known = dict.fromkeys(NOISE_COLUMNS, np.nan) | {"n_pairs": len(pairs), "n_compounds": len(values)}
    if len(values) > 1:
        known |= {"sd_all": float(np.std(values, ddof=1)), "median_all": float(np.median(values))}
    if len(pairs) < MIN_PAIRS or len(values) < MIN_COMPOUNDS:
        return known
    rng = np.random.default_rng([seed, 11])
    plain = [_noise_once(differences, values, n_scores, rng) for _ in range(20)]
    draws = []
    for _ in range(n_bootstrap):
        drawn = rng.integers(len(values), size=len(values))
        some = differences[rng.integers(len(differences), size=len(differences))]
        draws.append(_noise_once(some, values[drawn], n_scores[drawn], rng))
    t = stats.t.ppf(0.5 + level / 2, len(pairs) - 1)
    for i, name in enumerate(_NOISE):
        value = float(np.mean([row[i] for row in plain]))
        low, high = _interval(value, np.array([row[i] for row in draws]), t, *_SCALES[name])
        known |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return known


def _interval(
    value: float, draws: np.ndarray, t: float, scale: Callable, back: Callable
) -> tuple[float, float]:
    """Return an interval with the bootstrap's standard error, on a scale where the estimate is about normal.

    Percentiles of the bootstrap are skewed the wrong way for a standard deviation: they hold it too seldom.
    """
    with np.errstate(divide="ignore"):
        moved, middle = scale(draws), scale(value)
    half = t * np.std(moved[np.isfinite(moved)], ddof=1) if np.isfinite(moved).sum() > 1 else np.nan
    if not np.isfinite(middle):
        return value, value
    ends = sorted((float(back(middle - half)), float(back(middle + half))))
    return ends[0], ends[1]


def _noise_once(
    differences: np.ndarray, values: np.ndarray, n_scores: np.ndarray, rng: np.random.Generator
) -> tuple:
    """Return the four measures of noise, the last two by drawing compounds from the scores without noise."""
    sd = float(np.sqrt(np.mean(differences**2) / 2))
    noise = sd / np.sqrt(n_scores)
    variance = np.var(values, ddof=1)
    if sd == 0 or variance == 0:
        return sd, *(1.0 if variance > 0 else np.nan,) * 3
    reliability = float(np.clip(1 - np.mean(noise**2) / variance, 0, 1))
    true = draw_without_noise(values, noise, DRAWN, rng)
    spread = rng.choice(noise, DRAWN)
    one, other = (true + spread * rng.standard_normal(DRAWN) for _ in range(2))
    return sd, reliability, spearman(true, one), spearman(one, other)


def draw_without_noise(values: np.ndarray, noise: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n values as the scores would be without their noise.

    Their distribution is the one of greatest likelihood among all of them (Kiefer and Wolfowitz 1956,
    doi:10.1214/aoms/1177728066), found on a grid by expectation and maximisation. No form is assumed, for scores of
    drugs have long tails: most do nothing, a few much.

    Parameters
    ----------
    values, noise : array, shape (n_compounds,)
        Scores, and the standard deviation of the noise of each.
    n : int
        How many to draw.
    rng : Generator
        Randomness.
    """
    grid, step = np.linspace(values.min(), values.max(), N_GRID, retstep=True)
    likelihood, counts = [], []
    for size in np.unique(noise):
        # Binned, it costs the same for thousands of compounds; the bins are narrow beside the noise.
        bins, edges = np.histogram(values[noise == size], bins=N_BINS, range=(values.min(), values.max()))
        centres = (edges[:-1] + edges[1:]) / 2
        likelihood.append(np.exp(-0.5 * ((centres[:, None] - grid) / size) ** 2) / size)
        counts.append(bins)
    likelihood, counts = np.concatenate(likelihood), np.concatenate(counts)
    likelihood, counts = likelihood[counts > 0] + 1e-300, counts[counts > 0] / len(values)
    weights = np.full(N_GRID, 1 / N_GRID)
    for _ in range(N_STEPS):
        weights = weights * (likelihood.T @ (counts / (likelihood @ weights)))
    drawn = rng.choice(grid, n, p=weights / weights.sum())
    return drawn + step * (rng.random(n) - 0.5)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Return the rank correlation, ties with their mean rank; 0 where one side is constant."""
    ranks = stats.rankdata(x), stats.rankdata(y)
    if min(np.ptp(ranks[0]), np.ptp(ranks[1])) == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def rank_agreement(
    x: np.ndarray, y: np.ndarray, *, seed: int = 0, n_bootstrap: int = 2000, level: float = 0.95
) -> dict:
    """Return n, spearman and its interval over compounds: spearman_low, spearman_high.

    The interval is that of the Fisher transform, with its variance from the bootstrap: percentiles of the bootstrap are
    too narrow for the few compounds that two cell lines share. Missing below eight compounds.

    Parameters
    ----------
    x, y : array_like
        Of the same compounds, shape (n_compounds,); pairs with a missing value are left out.
    seed : int
        Of the bootstrap.
    n_bootstrap : int
        Draws of compounds.
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    dict
        n, spearman, spearman_low, spearman_high.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    fine = np.isfinite(x) & np.isfinite(y)
    order = np.lexsort((y[fine], x[fine]))
    x, y = x[fine][order], y[fine][order]
    missing = {"n": len(x), "spearman": np.nan, "spearman_low": np.nan, "spearman_high": np.nan}
    if len(x) < MIN_COMPOUNDS or min(np.ptp(x), np.ptp(y)) == 0:
        return missing
    rng = np.random.default_rng([seed, 13])
    # A transform of +-1 is infinite; no real pair of lists comes closer than this.
    bound = 1 - 1 / len(x) ** 2
    rows = [rng.integers(len(x), size=len(x)) for _ in range(n_bootstrap)]
    draws = np.arctanh(np.clip([spearman(x[r], y[r]) for r in rows], -bound, bound))
    value = spearman(x, y)
    # With n compounds the bootstrap's variance is (n - 1) / n of what it estimates; the formula of Fieller has n - 3.
    half = stats.norm.ppf(0.5 + level / 2) * np.std(draws, ddof=1) * np.sqrt(len(x) / (len(x) - 3))
    middle = np.arctanh(np.clip(value, -bound, bound))
    ends = np.tanh([middle - half, middle + half])
    return {"n": len(x), "spearman": value, "spearman_low": float(ends[0]), "spearman_high": float(ends[1])}


def hit_recovery(
    score: np.ndarray,
    published: np.ndarray,
    *,
    threshold: float = PUBLISHED_HIT_THRESHOLD,
    level: float = 0.95,
) -> dict:
    """Say how a score ranks the published hits.

    Parameters
    ----------
    score, published : array
        Of the same compounds; pairs with a missing value are left out.
    threshold : float
        Published scores above it are hits.
    level : float
        Of the interval of the AUROC.

    Returns
    -------
    dict
        n, n_hits, in_top (how many of the hits are among as many compounds of highest score; ties count by their
        share), auroc (chance that a hit scores above another compound), auroc_low, auroc_high.
    """
    score, published = np.asarray(score, float), np.asarray(published, float)
    fine = np.isfinite(score) & np.isfinite(published)
    score, hit = score[fine], published[fine] > threshold
    m, n = int(hit.sum()), int((~hit).sum())
    found = {
        "n": m + n,
        "n_hits": m,
        "in_top": np.nan,
        "auroc": np.nan,
        "auroc_low": np.nan,
        "auroc_high": np.nan,
    }
    if m == 0 or n == 0:
        return found
    ranks = stats.rankdata(score)
    auroc = float((ranks[hit].sum() - m * (m + 1) / 2) / (m * n))
    cut = np.sort(score)[-m]
    above, tied = score > cut, score == cut
    share = (m - above.sum()) / tied.sum()
    found["in_top"] = float((hit & above).sum() + share * (hit & tied).sum())
    low, high = auc_interval(auroc, m, n, level) if m > 1 else (np.nan, np.nan)
    return found | {"auroc": auroc, "auroc_low": low, "auroc_high": high}
