"""Recipes side by side: which technical variation goes, which biology stays, and the pick that follows.

Every number that the pick uses can be had from a real screen; the twin's truth is only reported.
"""

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.hits import evidence, predictability
from helpers.hits.axis import score_wells
from helpers.hits.choice import CRITERIA, exclusions, select_recipe, selection_shares
from helpers.hits.choice import RULE as RULE
from helpers.hits.jackknife import jackknife_interval, strata_of
from helpers.profiles.linalg import principal_axes
from helpers.profiles.normalize import RECIPES, normalize
from helpers.profiles.selection import plate_order, rows_by, usable

N_COMPONENTS = 30
MEASURES = (
    "plate_predictability",
    "experiment_predictability",
    "position_predictability",
    "replicate_map",
    "control_auroc",
    "z_prime_robust",
    "uv_mock_gap",
    "replicate_error",
    "null_ratio",
    "shared_agreement",
)
AUTO = "auto"
"""Name of no recipe, but of the one that the rule picks."""
FALLBACK = "plate_center"
"""Recipe where none can be picked: it needs least, and is the one that is explained by hand."""
TRUTH_MEASURES = ("truth_rmse", "truth_rank")
SHARE, AT_MOST_ONE, DISTANCE = (0.0, 1.0), (-np.inf, 1.0), (0.0, np.inf)
SCALES: dict[str, tuple[str, tuple[float, float]]] = {
    "plate_predictability": ("plain", AT_MOST_ONE),
    "experiment_predictability": ("plain", SHARE),
    "position_predictability": ("plain", SHARE),
    "replicate_map": ("plain", SHARE),
    "control_auroc": ("plain", SHARE),
    "z_prime_robust": ("window", AT_MOST_ONE),
    "uv_mock_gap": ("plain", DISTANCE),
    "replicate_error": ("ratio", DISTANCE),
    "null_ratio": ("ratio", DISTANCE),
    "shared_agreement": ("correlation", (-1.0, 1.0)),
    "truth_rmse": ("ratio", DISTANCE),
    "truth_rank": ("correlation", (-1.0, 1.0)),
}
"""Measure -> the scale on which its interval is symmetric, and its range (see :mod:`helpers.hits.jackknife`)."""


def compare_recipes(
    wells: ad.AnnData,
    recipes: tuple[str, ...] = tuple(RECIPES),
    *,
    seed: int = 0,
    n_bootstrap: int = 200,
    level: float = 0.95,
    truth: pd.DataFrame | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Measure each recipe on one screen and pick one by :data:`helpers.hits.RULE`.

    Parameters
    ----------
    wells : AnnData
        From :func:`helpers.profiles.to_wells`, not normalised.
    recipes : tuple of str
        Names in :data:`helpers.profiles.RECIPES`.
    seed : int
        Of the choice of compounds, of the folds and of the bootstrap.
    n_bootstrap : int
        Draws of plates, with replacement within each experiment, in which the rule picks again; 0 leaves intervals and
        `selection_share` missing.
    level : float
        Of the intervals.
    truth : DataFrame, optional
        A twin's truth, to report the error to it; the pick does not use it.
    **settings
        Of the recipes, see :class:`helpers.profiles.normalize.Settings`.

    Returns
    -------
    DataFrame
        The table normalization.csv, one row per recipe: recipe; plate_predictability and experiment_predictability
        (how much better than chance a classifier names the plate or experiment of held-out wells that are no
        reference, by default mock wells, 0 = chance, 1 = always); position_predictability (share of the variance of
        row and column told from a well); replicate_map (mean average precision with which a compound's profile on one
        plate finds its profiles on other plates among other compounds'); control_auroc and z_prime_robust (controls on
        held-out plates, mean over experiments); uv_mock_gap (distance of UV from mock along the axis, axis lengths);
        replicate_error (standard error of an arm's rescue, told from how its plates differ, axis lengths); null_ratio
        (the same as infected untreated wells tell it, relative to replicate_error: below 1 the null is too narrow);
        shared_agreement (correlation of the rescue of arms that two experiments share). With `truth` also truth_rmse
        and truth_rank. Each has its interval over plates in `_low` and `_high`, from
        :func:`helpers.hits.jackknife.jackknife_interval`, missing where plates do not tell it. Then selected,
        selection_share (share of the bootstrap draws in which the rule picks the recipe), and `excluded`, why the rule
        does not consider a recipe. What a screen does not allow to measure is missing; `reason` says why a recipe could
        not be used at all.

    Raises
    ------
    DataError
        If no recipe can be used; the message says why the first could not.
    """
    names = MEASURES + (TRUTH_MEASURES if truth is not None else ())
    # folds are dealt row by row: no number may depend on how the table is sorted
    order = plate_order(wells.obs)
    wells = wells if (np.diff(order) == 1).all() else wells[order].copy()
    plain = dict.fromkeys(wells.obs["plate_id"].unique(), 1)
    draws = plate_draws(wells.obs, n_bootstrap, seed)
    strata = strata_of(wells.obs) if draws else []
    records, drawn = [], []
    for recipe in recipes:
        try:
            measures = measure_recipe(wells, recipe, seed=seed, truth=truth, **settings)
            reason = ""
        except DataError as error:  # a recipe that this screen does not allow is no reason to stop
            measures, reason = dict.fromkeys(names, evidence.missing), str(error)
        samples = pd.DataFrame(
            [{name: measures[name](w) for name in CRITERIA} for w in draws], columns=list(CRITERIA)
        )
        values = {name: measures[name](plain) for name in names}
        intervals = _intervals(measures, strata, level)
        records.append({"recipe": recipe, **values, **intervals, "reason": reason})
        drawn.append(samples)
    return _choose(pd.DataFrame(records), drawn)


def measure_recipe(
    wells: ad.AnnData, recipe: str, *, seed: int = 0, truth: pd.DataFrame | None = None, **settings: Any
) -> dict[str, evidence.Measure]:
    """Return the measures of one recipe, each a function of how often every plate counts.

    Parameters
    ----------
    wells : AnnData
        Not normalised, in the order of their plates.
    recipe : str
        A name in :data:`helpers.profiles.RECIPES`.
    seed : int
        Of the recipe, of the folds and of the choice of compounds.
    truth : DataFrame, optional
        A twin's truth, which adds the measures of the error to it.
    **settings
        Of the recipe, see :class:`helpers.profiles.normalize.Settings`.

    Returns
    -------
    dict
        Name of the measure -> :data:`helpers.hits.evidence.Measure`.

    Raises
    ------
    DataError
        If the recipe cannot be used on this screen, or leaves no disease axis.
    """
    normalized = normalize(wells, recipe, seed=seed, **settings)
    scored = score_wells(normalized)
    Z, obs = _components(normalized), wells.obs
    kind = predictability.TESTED[settings.get("reference", "infected")]
    measures = {
        "plate_predictability": predictability.plate_predictability(Z, obs, kind=kind, seed=seed),
        "experiment_predictability": predictability.experiment_predictability(Z, obs, kind=kind),
        "position_predictability": predictability.position_predictability(Z, obs),
        "replicate_map": predictability.replicate_map(Z, obs, seed=seed),
    }
    tables = _arm_tables(scored)
    measures |= _scored_measures(scored, tables)
    measures["shared_agreement"] = evidence.shared_agreement(list(tables.values()))
    return measures | (evidence.truth_measures(tables, truth) if truth is not None else {})


def _arm_tables(scored: ad.AnnData) -> dict[str, pd.DataFrame]:
    """Return experiment -> rescue of its arms (rows) by plate (columns)."""
    parts = rows_by(scored.obs, "experiment").items()
    return {str(experiment): evidence.arm_means(scored.obs.iloc[rows]) for experiment, rows in parts}


def _scored_measures(scored: ad.AnnData, tables: dict[str, pd.DataFrame]) -> dict[str, evidence.Measure]:
    """Return the measures that scored wells tell, all of those that the rule looks at among them."""
    errors, nulls = [], []
    for experiment, rows in rows_by(scored.obs, "experiment").items():
        means = tables[str(experiment)]
        errors.append(evidence.replicate_error(means, scored.obs.iloc[rows]))
        nulls.append(evidence.null_error(scored, rows, means))
    sizes = [len(means) for means in tables.values()]
    error, null = (evidence.root_mean_square(several, sizes) for several in (errors, nulls))
    return evidence.control_measures(scored) | {
        "replicate_error": error,
        "null_ratio": evidence.ratio(null, error),
    }


def pick_recipe(
    wells: ad.AnnData, recipes: tuple[str, ...] = tuple(RECIPES), *, seed: int = 0, **settings: Any
) -> str:
    """Return the recipe that the rule picks, without what else :func:`helpers.hits.compare_recipes` measures.

    Parameters
    ----------
    wells : AnnData
        From :func:`helpers.profiles.to_wells`, not normalised.
    recipes : tuple of str
        Names in :data:`helpers.profiles.RECIPES`, from simple to complex.
    seed : int
        Of the recipes.
    **settings
        Of the recipes, see :class:`helpers.profiles.normalize.Settings`.

    Returns
    -------
    str
        Its name; :data:`helpers.hits.compare.FALLBACK` where no recipe can be measured.

    Examples
    --------
    >>> from helpers.profiles import to_wells
    >>> from helpers.screens import simulate_twin
    >>> pick_recipe(to_wells(simulate_twin("tiny", seed=0)[0]), ("raw", "plate_center"))
    'plate_center'
    """
    try:
        return select_recipe(rule_table(wells, recipes, seed=seed, **settings))
    except DataError:
        return FALLBACK


def rule_table(
    wells: ad.AnnData,
    recipes: tuple[str, ...] = tuple(RECIPES),
    *,
    seed: int = 0,
    truth: pd.DataFrame | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Return what the rule looks at: recipe and :data:`helpers.hits.choice.CRITERIA`; with `truth` also truth_rmse.

    Parameters
    ----------
    wells : AnnData
        As in :func:`helpers.hits.pick_recipe`.
    recipes : tuple of str
        As there.
    seed : int
        As there.
    truth : DataFrame, optional
        A twin's truth, as in :func:`helpers.hits.compare_recipes`.
    **settings
        As in :func:`helpers.hits.pick_recipe`.

    Returns
    -------
    DataFrame
        One row per recipe; all missing where it cannot be used.
    """
    order = plate_order(wells.obs)
    wells = wells if (np.diff(order) == 1).all() else wells[order].copy()
    weights = dict.fromkeys(wells.obs["plate_id"].unique(), 1)
    names = [*CRITERIA, *(["truth_rmse"] if truth is not None else [])]
    records = []
    for recipe in recipes:
        try:
            scored = score_wells(normalize(wells, recipe, seed=seed, **settings))
            tables = _arm_tables(scored)
            measures = _scored_measures(scored, tables)
            measures |= evidence.truth_measures(tables, truth) if truth is not None else {}
        except DataError:  # a recipe that this screen does not allow cannot be picked
            measures = dict.fromkeys(names, evidence.missing)
        records.append({"recipe": recipe, **{name: measures[name](weights) for name in names}})
    return pd.DataFrame(records)


def plate_draws(obs: pd.DataFrame, n: int, seed: int) -> list[dict]:
    """Return plate -> how often it was drawn, `n` times; plates are drawn within their experiment.

    No draws where no experiment has two plates: then nothing can be said about other plates.
    """
    plates = [
        np.array(sorted(obs["plate_id"].iloc[r].unique(), key=str))
        for r in rows_by(obs, "experiment").values()
    ]
    plates.sort(key=lambda names: str(names[0]))
    if max(map(len, plates), default=0) < 2:
        return []
    rng = np.random.default_rng([seed, 7])
    draws = []
    for _ in range(n):
        counts = [rng.multinomial(len(names), np.full(len(names), 1 / len(names))) for names in plates]
        draws.append(dict(zip(np.concatenate(plates), np.concatenate(counts).tolist(), strict=True)))
    return draws


def _intervals(measures: dict[str, evidence.Measure], strata: list[list], level: float) -> dict:
    """Return name_low and name_high of each measure over plates; missing where there are no plates to leave out."""
    out: dict[str, float] = {}
    for name, measure in measures.items():
        scale, bounds = SCALES[name]
        low, high = jackknife_interval(measure, strata, scale=scale, bounds=bounds, level=level)
        out |= {f"{name}_low": low, f"{name}_high": high}
    return out


def _choose(table: pd.DataFrame, drawn: list[pd.DataFrame]) -> pd.DataFrame:
    """Add selected, selection_share and excluded."""
    if not table["z_prime_robust"].notna().any():
        why = next((reason for reason in table["reason"] if reason), "")
        raise DataError(f"no recipe can be used on this screen: {why}" if why else "no recipe to compare")
    table["selected"] = table["recipe"] == select_recipe(table)
    draws = {name: np.column_stack([samples[name].to_numpy(float) for samples in drawn]) for name in CRITERIA}
    shares = selection_shares(table["recipe"].tolist(), draws)
    table["selection_share"] = table["recipe"].map(shares).fillna(0.0) if shares else np.nan
    table["excluded"] = np.where(table["reason"] == "", exclusions(table), "it cannot be used")
    return table


def _components(wells: ad.AnnData) -> np.ndarray:
    """Return the leading principal components of the wells that passed quality control, for all wells."""
    X = np.asarray(wells.X)
    X = X - X[usable(wells.obs)].mean(axis=0)
    return X @ principal_axes(X[usable(wells.obs)], N_COMPONENTS)
