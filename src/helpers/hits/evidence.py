"""Evidence: what can be measured about a recipe, each measure as a function of how often every plate counts.

A measure is computed once per recipe and kept in a form in which plates can be weighted, so that a bootstrap over
plates costs little, and takes the same draws for all recipes.
"""

from collections.abc import Callable

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.null import fit_null
from helpers.profiles.selection import controls, rows_by, treated, usable
from helpers.profiles.steps import MAD_SCALE

Measure = Callable[[dict], float]
"""Takes plate -> weight (how often it was drawn), returns a number, or nan where these plates do not say."""

ARM = ["treatment", "dose_um"]

LEAST_SHARED = 0.9
"""Share of the arms of two experiments that must be left for their correlation to be the same measure."""


def missing(_: dict) -> float:
    """Be the measure that a screen does not allow."""
    return np.nan


def weighted_mean(values: dict) -> Measure:
    """Return the mean of one number per plate, as a measure."""
    if not values:
        return missing
    plates, numbers = list(values), np.array(list(values.values()), dtype=float)

    def measure(weights: dict) -> float:
        w = np.array([weights[plate] for plate in plates], dtype=float)
        return float(w @ numbers / w.sum()) if w.sum() > 0 else np.nan

    return measure


def mean_of(measures: list[Measure]) -> Measure:
    """Return the mean over experiments of measures, those that are missing left out."""

    def measure(weights: dict) -> float:
        values = np.array([one(weights) for one in measures])
        return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else np.nan

    return measure


def control_measures(scored: ad.AnnData) -> dict[str, Measure]:
    """Return control_auroc, z_prime_robust and uv_mock_gap: controls of an experiment's plates together."""
    parts = {"control_auroc": [], "z_prime_robust": [], "uv_mock_gap": []}
    on = scored.obs["on_disease"].to_numpy()
    masks = {kind: controls(scored.obs, kind) for kind in ("mock", "infected", "uv")}
    for rows in rows_by(scored.obs, "experiment").values():
        obs = scored.obs.iloc[rows]
        by_plate = {
            kind: {plate: on[rows[r[mask[rows[r]]]]] for plate, r in rows_by(obs, "plate_id").items()}
            for kind, mask in masks.items()
        }
        parts["control_auroc"].append(_pooled(by_plate, ("mock", "infected"), fast_auroc))
        parts["z_prime_robust"].append(_pooled(by_plate, ("mock", "infected"), fast_z_prime))
        parts["uv_mock_gap"].append(_pooled(by_plate, ("uv", "mock"), _median_gap))
    return {name: mean_of(several) for name, several in parts.items()}


def _pooled(by_plate: dict, kinds: tuple[str, str], statistic: Callable) -> Measure:
    """Return a statistic of two kinds of wells, each taken from all plates together, as a measure."""

    def measure(weights: dict) -> float:
        first, second = (
            np.concatenate([np.tile(values, weights[plate]) for plate, values in by_plate[kind].items()])
            for kind in kinds
        )
        return statistic(first, second) if min(len(first), len(second)) else np.nan

    return measure


def fast_auroc(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return what :func:`helpers.hits.auroc` does, without its test: the bootstrap asks a thousand times."""
    mock = np.sort(mock)
    above, ties = np.searchsorted(mock, infected, side="left"), np.searchsorted(mock, infected, side="right")
    return float((above + ties).sum() / (2 * len(mock) * len(infected)))


def fast_z_prime(mock: np.ndarray, infected: np.ndarray) -> float:
    """Return what :func:`helpers.hits.robust_z_prime` does, without the checks of scipy's MAD."""
    if min(len(mock), len(infected)) < 2:
        return np.nan
    centers = np.median(mock), np.median(infected)
    spread = sum(MAD_SCALE * np.median(np.abs(x - c)) for x, c in zip((mock, infected), centers, strict=True))
    gap = abs(centers[0] - centers[1])
    return float(1 - 3 * spread / gap) if gap > 0 else np.nan


def _median_gap(a: np.ndarray, b: np.ndarray) -> float:
    return float(abs(np.median(a) - np.median(b)))


def arm_means(obs: pd.DataFrame) -> pd.DataFrame:
    """Return mean rescue of the arms (rows) on the plates (columns) of one experiment, missing where none."""
    members = obs[treated(obs) & usable(obs)]
    if not len(members):
        return pd.DataFrame()
    return members.pivot_table("rescue", ARM, "plate_id", observed=True, dropna=False).dropna(how="all")


def replicate_error(means: pd.DataFrame, obs: pd.DataFrame) -> Measure:
    """Return the standard error of an arm's rescue, told from how its plates differ, in axis lengths.

    For each pair of plates the differences of the arms that they share give the variance of a plate's mean, as half of
    their squared median plus squared MAD (robust, for toxic compounds scatter more); an arm has the mean number of
    plates. Whatever two plates do not share is in it: noise of wells, shifts, trends, the error of centres. If no arm
    stands on two plates, pairs of wells of an arm take the place of pairs of plates, and what the whole plate shares
    is not in it.
    """
    n_plates = means.notna().sum(axis=1) if len(means) else pd.Series(dtype=int)
    if not (n_plates > 1).any():
        return _well_error(obs)
    values, plates = means.to_numpy(), list(means.columns)
    pairs = []
    for i in range(len(plates)):
        difference = values[:, i, None] - values[:, i + 1 :]
        for j, column in enumerate(difference.T, start=i + 1):
            known = column[np.isfinite(column)]
            if len(known) >= 5:
                pairs.append((plates[i], plates[j], len(known), _half_square(known)))
    per_arm = float(n_plates[n_plates > 1].mean())

    def measure(weights: dict) -> float:
        w = np.array([weights[p] * weights[q] * n for p, q, n, _ in pairs], dtype=float)
        variances = np.array([v for *_, v in pairs])
        return float(np.sqrt(w @ variances / w.sum() / per_arm)) if w.sum() > 0 else np.nan

    return measure


def _half_square(differences: np.ndarray) -> float:
    """Return a robust half of the mean square: the variance of each of the two that differ."""
    center = np.median(differences)
    return float(center**2 + (MAD_SCALE * np.median(np.abs(differences - center))) ** 2) / 2


def _well_error(obs: pd.DataFrame) -> Measure:
    """Return the standard error of an arm's rescue from wells of one arm on one plate."""
    members = obs[treated(obs) & usable(obs)]
    grouped = members.groupby([*ARM, "plate_id"], observed=True, dropna=False)["rescue"]
    table = grouped.agg(["var", "size"]).dropna().reset_index()
    if not len(table):
        return missing
    squares = (table["var"] / table["size"]).groupby(table["plate_id"].astype(str)).mean()
    square = weighted_mean(squares.to_dict())
    return lambda weights: float(np.sqrt(square({str(p): w for p, w in weights.items()})))


def null_error(scored: ad.AnnData, rows: np.ndarray, means: pd.DataFrame) -> Measure:
    """Return the standard error of an arm's rescue that the null from infected untreated wells expects."""
    obs = scored.obs.iloc[rows]
    members = obs[treated(obs) & usable(obs)]
    if not len(members):
        return missing
    counts = members.groupby([*ARM, "plate_id"], observed=True, dropna=False).size()
    null = fit_null(scored, rows, inflate=False)
    k = max(round(float(counts.mean())), 1)
    square = weighted_mean({plate: null.plate_mean_variance(plate, k) for plate in obs["plate_id"].unique()})
    per_arm = float(means.notna().sum(axis=1).mean())
    return lambda weights: float(np.sqrt(square(weights) / per_arm))


def ratio(above: Measure, below: Measure) -> Measure:
    """Return one measure over another."""
    return lambda weights: above(weights) / below(weights) if below(weights) > 0 else np.nan


def root_mean_square(measures: list[Measure], sizes: list[int]) -> Measure:
    """Return the root of the mean square over experiments, each counting as often as it has arms."""

    def measure(weights: dict) -> float:
        values = np.array([one(weights) for one in measures])
        known = np.isfinite(values) & (np.array(sizes) > 0)
        return (
            float(np.sqrt(np.average(values[known] ** 2, weights=np.array(sizes)[known])))
            if known.any()
            else np.nan
        )

    return measure


def weighted_arms(means: pd.DataFrame) -> Callable[[dict], np.ndarray]:
    """Return a function from weights to the mean rescue of every arm over its plates, missing where none is drawn."""
    values = np.nan_to_num(means.to_numpy())
    present = means.notna().to_numpy().astype(float)

    def rescue(weights: dict) -> np.ndarray:
        w = np.array([weights[plate] for plate in means.columns], dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (values @ w) / (present @ w)

    return rescue


def shared_agreement(tables: list[pd.DataFrame]) -> Measure:
    """Return the correlation of the rescue of arms that two experiments share, mean over pairs of experiments.

    Missing where the plates that count lack more than a tenth of the arms that some pair shares: a few strong arms make
    the correlation, and without them it is another one.
    """
    pairs = []
    for i, one in enumerate(tables):
        for other in tables[i + 1 :]:
            shared = one.index.intersection(other.index) if len(one) and len(other) else []
            if len(shared) >= 5:
                pairs.append((weighted_arms(one.loc[shared]), weighted_arms(other.loc[shared])))
    if not pairs:
        return missing

    def measure(weights: dict) -> float:
        both = [(a(weights), b(weights)) for a, b in pairs]
        if min(np.isfinite(a + b).mean() for a, b in both) < LEAST_SHARED:
            return np.nan
        return mean_of([lambda _, a=a, b=b: _correlation(a, b) for a, b in both])(weights)

    return measure


def truth_measures(tables: dict[str, pd.DataFrame], truth: pd.DataFrame) -> dict[str, Measure]:
    """Return truth_rmse and truth_rank: error and rank correlation of the rescue of arms that are not toxic.

    Parameters
    ----------
    tables : dict
        Experiment -> :func:`helpers.hits.evidence.arm_means`.
    truth : DataFrame
        The twin's truth; an arm whose toxic component is below 0.05 axis lengths is not toxic.
    """
    parts = []
    for experiment, means in tables.items():
        mine = truth[(truth["experiment"].astype(str) == experiment) & (truth["toxicity"] < 0.05)]
        known = mine.set_index(ARM)["rescue"]
        shared = means.index.intersection(known.index) if len(means) else []
        if len(shared):
            parts.append((weighted_arms(means.loc[shared]), known.loc[shared].to_numpy()))

    def both(weights: dict) -> tuple[np.ndarray, np.ndarray]:
        found = np.concatenate([arms(weights) for arms, _ in parts]) if parts else np.empty(0)
        true = np.concatenate([values for _, values in parts]) if parts else np.empty(0)
        return found[np.isfinite(found)], true[np.isfinite(found)]

    def rmse(weights: dict) -> float:
        found, true = both(weights)
        return float(np.sqrt(np.mean((found - true) ** 2))) if len(found) else np.nan

    def rank(weights: dict) -> float:
        found, true = both(weights)
        return _correlation(stats.rankdata(found), stats.rankdata(true))

    return {"truth_rmse": rmse, "truth_rank": rank}


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 5 or a[known].std() == 0 or b[known].std() == 0:
        return np.nan
    return float(np.corrcoef(a[known], b[known])[0, 1])
