"""Sensitivity: how far the ranking of compounds hangs on the recipe and on the way the axis is read."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataError, UsageError
from helpers.hits.axis import AXES, score_wells
from helpers.hits.calls import CallOptions, call_hits
from helpers.profiles.normalize import RECIPES, normalize

NULL_DRAWS = 5_000
"""Ranks hardly depend on the null; a tenth of the usual draws will do."""
T = TypeVar("T")
KEYS = ["experiment", "treatment"]
COLUMNS = [
    "recipe", "axis", "experiment", "n_compounds", "spearman", "top_k_overlap", "top_k_expected", "same_call", "reason",
]  # fmt: skip


def ranking_sensitivity(
    wells: ad.AnnData,
    recipes: Iterable[str] = ("plate_center", "plate_robust", "recommended"),
    axes: Iterable[str] = AXES,
    *,
    reference: pd.DataFrame | None = None,
    reference_is: tuple[str, str] | None = None,
    recipe_settings: dict | None = None,
    top_k: int = CallOptions.top_k,
    seed: int = 0,
    **settings: Any,
) -> pd.DataFrame:
    """Rank the compounds under other recipes and axes, and compare with one ranking.

    Parameters
    ----------
    wells : AnnData
        From :func:`helpers.profiles.to_wells`, not normalised.
    recipes : iterable of str
        Names in :data:`helpers.profiles.RECIPES`.
    axes : iterable of str
        Names in :data:`helpers.hits.AXES`.
    reference : DataFrame, optional
        The hits to compare with, from :func:`helpers.hits.call_hits`; if None, those of the first recipe and axis.
    reference_is : tuple of str, optional
        Recipe and axis of `reference`, so that it is not computed again.
    recipe_settings : dict, optional
        Of the recipes, see :class:`helpers.profiles.normalize.Settings`.
    top_k : int
        How many compounds are "the best".
    seed : int
        Of the recipes and the null.
    **settings
        Of :func:`helpers.hits.call_hits`.

    Returns
    -------
    DataFrame
        One row per recipe, axis and experiment: n_compounds that both rankings score, spearman (of the scores),
        top_k_overlap (share of the best `top_k`, or of a tenth of the compounds if that is fewer, that is the best of
        both), top_k_expected (of that by chance), same_call (share of compounds with the same call). `reason` says why
        a recipe or an axis could not be used; its numbers are missing.

    Raises
    ------
    UsageError
        For unknown recipes or axes, or none.
    """
    recipes, axes = list(dict.fromkeys(recipes)), list(dict.fromkeys(axes))
    for names, known, what in ((recipes, list(RECIPES), "recipe"), (axes, list(AXES), "axis")):
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise UsageError(
                f"{what} {', '.join(map(repr, unknown)) or '(none)'} is unknown; choose among {', '.join(known)}"
            )
    settings = {"null_draws": NULL_DRAWS, "rank_draws": 0, "seed": seed, **settings}
    more = recipe_settings or {}
    tables = []
    for recipe in recipes:
        normalized, reason = _attempt(partial(normalize, wells, recipe, seed=seed, **more))
        for axis in axes:
            hits = reference if (recipe, axis) == reference_is else None
            if hits is None and normalized is not None:
                hits, reason = _attempt(partial(_hits, normalized, axis, settings))
            if hits is None:
                tables.append(pd.DataFrame([{"recipe": recipe, "axis": axis, "reason": reason}]))
                continue
            reference = hits if reference is None else reference
            tables.append(
                compare_rankings(hits, reference, top_k).assign(recipe=recipe, axis=axis, reason="")
            )
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)


def _hits(wells: ad.AnnData, axis: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    return call_hits(score_wells(wells, axis=axis), **settings)[1]


def _attempt(step: Callable[[], T]) -> tuple[T | None, str]:
    """Return what the step returns and no reason, or None and why the screen does not allow it."""
    try:
        return step(), ""
    except DataError as error:
        return None, str(error)


def compare_rankings(hits: pd.DataFrame, reference: pd.DataFrame, top_k: int) -> pd.DataFrame:
    """Return, per experiment, how alike two tables of hits rank and call the compounds that both hold.

    Returns
    -------
    DataFrame
        experiment, n_compounds, spearman, top_k_overlap, top_k_expected, same_call; missing with fewer than three.
    """
    both = hits[[*KEYS, "score", "call"]].merge(reference[[*KEYS, "score", "call"]], on=KEYS)
    both = both[both["score_x"].notna() & both["score_y"].notna()]
    records = []
    for experiment, group in both.groupby("experiment", observed=True, sort=True):
        record = {"experiment": str(experiment), "n_compounds": len(group)}
        if len(group) >= 3:
            k = max(1, min(top_k, len(group) // 10))
            best = [set(group.nlargest(k, name).index) for name in ("score_x", "score_y")]
            record |= {
                "spearman": float(stats.spearmanr(group["score_x"], group["score_y"]).statistic),
                "top_k_overlap": len(best[0] & best[1]) / k,
                "top_k_expected": k / len(group),
                "same_call": float(np.mean(group["call_x"] == group["call_y"])),
            }
        records.append(record)
    return pd.DataFrame(records)
