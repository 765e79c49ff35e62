"""Recipes side by side: which technical variation goes, which biology stays, and the pick that follows.

Every number here can be had from a real screen; no truth is used.
"""

import warnings

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.hits.axis import score_wells
from helpers.hits.quality import pooled_quality
from helpers.profiles.linalg import principal_axes
from helpers.profiles.normalize import RECIPES, normalize
from helpers.profiles.selection import controls, rows_by, treated, usable

N_COMPONENTS = 30
N_COMPOUNDS = 150
MEASURES = (
    "plate_predictability",
    "experiment_predictability",
    "replicate_map",
    "control_auroc",
    "z_prime_robust",
    "uv_mock_gap",
)
RULE = (
    "best mean rank over robust Z' (higher is better), replicate retrieval (higher) and plate predictability (lower); "
    "ties go to the higher robust Z', then to the simpler recipe"
)


def compare_recipes(
    wells: ad.AnnData, recipes: tuple[str, ...] = tuple(RECIPES), *, seed: int = 0
) -> pd.DataFrame:
    """Measure each recipe on one screen and pick one by :data:`RULE`.

    Parameters
    ----------
    wells
        From :func:`helpers.profiles.to_wells`, not normalised.
    recipes
        Names in :data:`helpers.profiles.RECIPES`.
    seed
        Of the choice of compounds and of the folds.

    Returns
    -------
    DataFrame
        The table normalization.csv, one row per recipe: recipe; plate_predictability and experiment_predictability
        (how much better than chance a classifier names the plate or experiment of held-out mock wells, 0 = chance,
        1 = always); replicate_map (mean average precision with which a compound's profile on one plate finds its
        profiles on other plates among other compounds'); control_auroc and z_prime_robust (controls on held-out
        plates, mean over experiments); uv_mock_gap (distance of UV from mock along the axis, axis lengths); selected.
        What a screen does not allow to measure is missing; `reason` says why a recipe could not be used at all.

    Raises
    ------
    DataError
        If no recipe can be used.
    """
    records = []
    for recipe in recipes:
        try:
            records.append({"recipe": recipe, **_measure(wells, recipe, seed), "reason": ""})
        except DataError as error:  # a recipe that this screen does not allow is no reason to stop
            records.append({"recipe": recipe, **dict.fromkeys(MEASURES, np.nan), "reason": str(error)})
    table = pd.DataFrame(records)
    table["selected"] = table["recipe"] == select_recipe(table)
    return table


def _measure(wells: ad.AnnData, recipe: str, seed: int) -> dict:
    """Return the measures of one recipe."""
    normalized = normalize(wells, recipe, seed=seed)
    scored = score_wells(normalized)
    pooled = pooled_quality(scored)
    Z = _components(normalized)
    values = (
        plate_predictability(Z, wells.obs, seed=seed),
        experiment_predictability(Z, wells.obs),
        replicate_map(Z, wells.obs, seed=seed),
        pooled["auroc"].mean(),
        pooled["z_prime_robust"].mean(),
        _uv_mock_gap(scored),
    )
    return dict(zip(MEASURES, values, strict=True))


def select_recipe(table: pd.DataFrame) -> str:
    """Return the recipe that :data:`RULE` picks from a comparison table; criteria missing everywhere do not count."""
    table = table[table["z_prime_robust"].notna()].round(6)  # a difference in the last digits is none
    if not len(table):
        raise DataError("no recipe can be used on this screen; `rxrx19 data check` lists what it lacks")
    ranks = pd.DataFrame(
        {
            "z": table["z_prime_robust"].rank(ascending=False),
            "map": table["replicate_map"].rank(ascending=False),
            "plate": table["plate_predictability"].rank(),
        }
    )
    order = ranks.mean(axis=1).to_frame("rank").assign(z=-table["z_prime_robust"])
    return str(table.loc[order.sort_values(["rank", "z"], kind="stable").index[0], "recipe"])


def plate_predictability(Z: np.ndarray, obs: pd.DataFrame, *, seed: int = 0) -> float:
    """Return how much better than chance the plate of a held-out mock well is named; mean over experiments.

    Mock wells are the test because no recipe so far centres on them: wells that a plate was centred on lie, by
    construction, away from where the rest of their plate lies.
    """
    from sklearn.model_selection import StratifiedKFold

    mock = controls(obs, "mock")
    values = []
    for rows in rows_by(obs, "experiment").values():
        chosen = rows[mock[rows]]
        plates = obs["plate_id"].astype(str).to_numpy()[chosen]
        counts = pd.Series(plates).value_counts()
        if len(counts) > 1 and counts.min() >= 5:
            folds = StratifiedKFold(5, shuffle=True, random_state=seed).split(Z[chosen], plates)
            values.append(_above_chance(Z[chosen], plates, folds))
    return float(np.mean(values)) if values else np.nan


def experiment_predictability(Z: np.ndarray, obs: pd.DataFrame) -> float:
    """Return how much better than chance the experiment of mock wells on a held-out plate is named."""
    from sklearn.model_selection import GroupKFold

    chosen = np.flatnonzero(controls(obs, "mock"))
    labels = obs["experiment"].astype(str).to_numpy()[chosen]
    plates = obs["plate_id"].astype(str).to_numpy()[chosen]
    per_experiment = pd.Series(plates).groupby(labels).nunique()
    if len(per_experiment) < 2 or per_experiment.min() < 2:
        return np.nan
    folds = GroupKFold(min(5, int(per_experiment.min()))).split(Z[chosen], labels, plates)
    return _above_chance(Z[chosen], labels, list(folds))


def replicate_map(Z: np.ndarray, obs: pd.DataFrame, *, seed: int = 0) -> float:
    """Return the mean average precision of finding a compound's other plates, by copairs, cosine similarity.

    A profile is the mean of an arm's wells on one plate, at the highest dose that most compounds share; up to 150
    compounds of each experiment take part, each compared with profiles of other compounds on other plates.
    """
    values = []
    for rows in rows_by(obs, "experiment").values():
        profiles = _plate_profiles(Z, obs, rows, seed)
        if profiles is not None:
            values.append(_mean_average_precision(*profiles))
    return float(np.mean(values)) if values else np.nan


def _plate_profiles(Z, obs, rows, seed) -> tuple[pd.DataFrame, np.ndarray] | None:
    members = rows[(treated(obs) & usable(obs))[rows]]
    table = obs.iloc[members][["treatment", "dose_um", "plate_id"]].astype(
        {"treatment": str, "plate_id": str}
    )
    if table["plate_id"].nunique() < 2:
        return None
    counts = table.groupby("dose_um")["treatment"].nunique()
    dose = counts.index[counts >= 0.5 * counts.max()].max()
    keep = (table["dose_um"] == dose).to_numpy()
    table, members = table[keep], members[keep]
    many = table.groupby("treatment")["plate_id"].nunique()
    names = many.index[many > 1].to_numpy()
    if len(names) < 3:
        return None
    chosen = np.random.default_rng(seed).permutation(names)[:N_COMPOUNDS]
    keep = table["treatment"].isin(chosen).to_numpy()
    frame = pd.DataFrame(Z[members[keep]]).assign(
        treatment=table["treatment"].to_numpy()[keep], plate_id=table["plate_id"].to_numpy()[keep]
    )
    means = frame.groupby(["treatment", "plate_id"]).mean()
    return means.index.to_frame(index=False), means.to_numpy(np.float32)


def _mean_average_precision(meta: pd.DataFrame, features: np.ndarray) -> float:
    from copairs.map import average_precision

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = average_precision(
            meta,
            features,
            pos_sameby=["treatment"],
            pos_diffby=["plate_id"],
            neg_sameby=[],
            neg_diffby=["treatment", "plate_id"],
            progress_bar=False,
        )
    return float(result["average_precision"].mean())


def _components(wells: ad.AnnData) -> np.ndarray:
    """Return the leading principal components of the wells that passed quality control, for all wells."""
    X = np.asarray(wells.X)
    X = X - X[usable(wells.obs)].mean(axis=0)
    return X @ principal_axes(X[usable(wells.obs)], N_COMPONENTS)


def _above_chance(Z, labels, folds) -> float:
    """Return (balanced accuracy - chance) / (1 - chance) of a linear discriminant, not below 0."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import balanced_accuracy_score

    predicted = np.empty(len(labels), dtype=object)
    for train, test in folds:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        predicted[test] = model.fit(Z[train], labels[train]).predict(Z[test])
    chance = 1 / len(set(labels))
    return max(0.0, (balanced_accuracy_score(labels, predicted.astype(str)) - chance) / (1 - chance))


def _uv_mock_gap(scored: ad.AnnData) -> float:
    on = scored.obs["on_disease"].to_numpy()
    uv, mock = controls(scored.obs, "uv"), controls(scored.obs, "mock")
    gaps = [
        abs(np.median(on[rows[uv[rows]]]) - np.median(on[rows[mock[rows]]]))
        for rows in rows_by(scored.obs, "experiment").values()
        if uv[rows].any() and mock[rows].any()
    ]
    return float(np.mean(gaps)) if gaps else np.nan
