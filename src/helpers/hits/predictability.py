"""Predictability: how well plate, experiment, position and compound can be told from a well's embedding."""

import warnings

import numpy as np
import pandas as pd

from helpers.hits.evidence import Measure, mean_of, missing, weighted_mean
from helpers.profiles.selection import controls, rows_by, scattered, treated, usable

N_COMPOUNDS = 150
N_FOLDS = 5


TESTED = {"infected": "mock", "mock": "infected", "uninfected": "infected", "controls": "uv"}
"""Reference of a recipe -> wells on which plates and experiments are named: some that no plate was centred on."""


def plate_predictability(Z: np.ndarray, obs: pd.DataFrame, *, kind: str = "mock", seed: int = 0) -> Measure:
    """Return how much better than chance the plate of a held-out well of one kind is named; mean over experiments.

    The wells must be no recipe's reference (:data:`helpers.hits.predictability.TESTED`): wells that a plate was centred
    on lie, by construction, away from where the rest of their plate lies.

    Parameters
    ----------
    Z : array
        Wells in few components, shape (n_wells, n_components).
    obs : DataFrame
        Their annotation.
    kind : str
        Condition of the untreated wells that are named, such as `mock`.
    seed : int
        Of the folds.

    Returns
    -------
    Measure
        0 = chance, 1 = always.
    """
    from sklearn.model_selection import StratifiedKFold

    tested = controls(obs, kind)
    measures = []
    for rows in rows_by(obs, "experiment").values():
        chosen = rows[tested[rows]]
        plates = obs["plate_id"].astype(str).to_numpy()[chosen]
        counts = pd.Series(plates).value_counts()
        if len(counts) > 1 and counts.min() >= N_FOLDS:
            folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(Z[chosen], plates)
            right = _named(Z[chosen], plates, folds)
            measures.append(_above_chance(pd.Series(right).groupby(plates).mean().to_dict(), len(counts)))
    return mean_of(measures)


def experiment_predictability(Z: np.ndarray, obs: pd.DataFrame, *, kind: str = "mock") -> Measure:
    """Return how much better than chance the experiment of wells of one kind on a held-out plate is named."""
    from sklearn.model_selection import StratifiedGroupKFold

    chosen = np.flatnonzero(controls(obs, kind))
    labels = obs["experiment"].astype(str).to_numpy()[chosen]
    plates = obs["plate_id"].astype(str).to_numpy()[chosen]
    per_experiment = pd.Series(plates).groupby(labels).nunique()
    if len(per_experiment) < 2 or per_experiment.min() < 2:
        return missing
    # stratified, so that no fold takes all plates of an experiment away from the others
    folds = list(
        StratifiedGroupKFold(min(N_FOLDS, int(per_experiment.min()))).split(Z[chosen], labels, plates)
    )
    right = pd.Series(_named(Z[chosen], labels, folds))
    parts = [
        _above_chance(
            right[labels == name].groupby(plates[labels == name]).mean().to_dict(), len(per_experiment)
        )
        for name in per_experiment.index
    ]
    # above 0 only as a whole: an experiment that is never named makes up for one that always is
    whole = mean_of(parts)
    return lambda weights: max(0.0, whole(weights))


def position_predictability(Z: np.ndarray, obs: pd.DataFrame) -> Measure:
    """Return the share of the variance of row and column that a linear fit tells of held-out scattered wells.

    Plate by plate, five folds; treated wells take part, for their positions are random too. 0 = no better than
    naming the middle of the plate.
    """
    chosen = scattered(obs)
    values = {}
    for plate, rows in rows_by(obs, "plate_id").items():
        mine = rows[chosen[rows]]
        if len(mine) >= 4 * Z.shape[1] + N_FOLDS:
            place = obs[["row", "col"]].to_numpy(float)[mine]
            values[plate] = max(0.0, _held_out_r2(Z[mine], place))
    return weighted_mean(values)


def site_predictability(X: np.ndarray, obs: pd.DataFrame, *, n_components: int = 30) -> float:
    """Return how much better than chance the number of a site is named on wells that were held out.

    It is a property of a screen and not of a recipe. A recipe moves and turns all sites of a plate alike, so it leaves
    a site's offset to the other sites of its well where it was; what takes the offset out is the mean over the sites.
    Only a well that lacks a site keeps a part of it.

    Parameters
    ----------
    X : array
        Sites of one experiment, shape (n_sites, n_features).
    obs : DataFrame
        One row per site: plate_id, row, col, site.
    n_components : int
        Leading principal components of the sites, less their plate's mean, that the classifier sees.

    Returns
    -------
    float
        0 = chance, 1 = always right; missing with one site per well, or too few wells.
    """
    from helpers.profiles.linalg import principal_axes

    numbers = obs["site"].astype(str).to_numpy()
    names, counts = np.unique(numbers, return_counts=True)
    if len(names) < 2 or counts.min() < 2 * N_FOLDS:
        return np.nan
    order = np.lexsort((numbers, obs["col"], obs["row"], obs["plate_id"].astype(str)))
    X, obs, numbers = X[order].astype(np.float32), obs.iloc[order], numbers[order]
    for rows in rows_by(obs, "plate_id").values():
        X[rows] -= X[rows].mean(axis=0)
    Z = X @ principal_axes(X, n_components)
    well = obs.groupby(["plate_id", "row", "col"], observed=True).ngroup().to_numpy()
    folds = [
        (np.flatnonzero(well % N_FOLDS != k), np.flatnonzero(well % N_FOLDS == k)) for k in range(N_FOLDS)
    ]
    right = pd.Series(_named(Z, numbers, folds)).groupby(numbers).mean()
    return float((right.mean() - 1 / len(names)) / (1 - 1 / len(names)))


def _held_out_r2(Z: np.ndarray, y: np.ndarray) -> float:
    """Return the mean R2 over the columns of `y` that vary; folds are dealt by order on the plate."""
    y = y[:, y.std(axis=0) > 0]
    if not y.shape[1]:
        return 0.0
    order = np.lexsort(y.T)
    fold = np.empty(len(y), dtype=int)
    fold[order] = np.arange(len(y)) % N_FOLDS
    design = np.column_stack([np.ones(len(Z)), Z / np.maximum(Z.std(axis=0), 1e-12)])
    members = [np.flatnonzero(fold == number) for number in range(N_FOLDS)]
    # What the other folds say is what all say less what this one says: every well is multiplied out once.
    moments = [design[mine].T @ np.hstack([design[mine], y[mine]]) for mine in members]
    total, k = sum(moments), design.shape[1]
    error = np.empty_like(y)
    for mine, own in zip(members, moments, strict=True):
        others = total - own
        error[mine] = y[mine] - design[mine] @ (np.linalg.pinv(others[:, :k], hermitian=True) @ others[:, k:])
    return float((1 - (error**2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)).mean())


def replicate_map(Z: np.ndarray, obs: pd.DataFrame, *, seed: int = 0) -> Measure:
    """Return the mean average precision of finding a compound's other plates, by copairs, cosine similarity.

    A profile is the mean of an arm's wells on one plate, at the highest dose that most compounds share; up to 150
    compounds of each experiment take part, each compared with profiles of other compounds on other plates.
    """
    measures = []
    for rows in rows_by(obs, "experiment").values():
        profiles = _plate_profiles(Z, obs, rows, seed)
        if profiles is not None:
            measures.append(_average_precision(*profiles))
    return mean_of(measures)


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


def _average_precision(meta: pd.DataFrame, features: np.ndarray) -> Measure:
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
    grouped = result.groupby("plate_id")["average_precision"].agg(["sum", "count"])
    found, n = grouped["sum"].to_dict(), grouped["count"].to_dict()

    def measure(weights: dict) -> float:
        total = sum(weights[plate] * n[plate] for plate in n)
        return float(sum(weights[plate] * found[plate] for plate in n) / total) if total else np.nan

    return measure


def _named(Z: np.ndarray, labels: np.ndarray, folds) -> np.ndarray:
    """Return which wells a linear discriminant named rightly when they were held out, shape (n_wells,)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    predicted = np.empty(len(labels), dtype=object)
    for train, test in folds:
        if len(set(labels[train])) == 1:  # nothing to tell apart: the one name that is known
            predicted[test] = labels[train][0]
            continue
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        predicted[test] = model.fit(Z[train], labels[train]).predict(Z[test])
    return predicted == labels


def _above_chance(recall: dict, n_classes: int) -> Measure:
    """Return (recall - chance) / (1 - chance), recall averaged over plates."""
    mean, chance = weighted_mean(recall), 1 / n_classes
    return lambda weights: (mean(weights) - chance) / (1 - chance)
