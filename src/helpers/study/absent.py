"""What a screen lacks, and what stands in for the results it cannot give: tables with their columns and no rows.

Figures and sentences know empty tables and say what is missing, so a notebook needs no branches.
"""

from collections.abc import Callable

import anndata as ad
import numpy as np
import pandas as pd

from helpers.profiles.selection import treated

PARTS = {
    "embeddings": "It has no embeddings: only its design can be shown.",
    "plates": "Each experiment has one plate: plate-to-plate variation cannot be seen.",
    "mock": "It has no mock wells: no disease axis can be defined.",
    "infected": "It has no untreated infected wells: no disease axis can be defined.",
    "uv": "It has no wells with inactivated virus: that check of the axis is missing.",
    "treatments": "It has no treated wells: there is nothing to call.",
    "doses": "It has no doses: there are no dose-response curves.",
}
"""Parts that a screen may lack, and what cannot be known then; `axis` is the three that a disease axis needs."""

NUMBERS = {
    "variance": ["share", "degrees"],
    "quality": ["n_mock", "n_infected", "z_prime", "z_prime_robust", "ssmd", "auroc"],
    "recipes": [
        "plate_predictability", "experiment_predictability", "replicate_map", "control_auroc", "z_prime_robust",
        "uv_mock_gap",
    ],
    "arms": [
        "dose_um", "n_wells", "n_plates", "rescue", "rescue_low", "rescue_high", "off_disease", "p_value", "q_value",
        "rescue_se",
    ],
    "hits": [
        "rescue_max", "dose_at_max_um", "score", "p_value", "q_value", "rank", "score_low", "score_high", "rank_low",
        "rank_high", "top_k_probability",
    ],
    "activity": ["dose_um", "n_wells", "n_plates", "map", "map_expected", "p_value", "q_value"],
    "energy": ["n_wells", "n_plates", "energy", "p_value", "q_value"],
    "sensitivity": ["n_compounds", "spearman", "top_k_overlap", "top_k_expected", "same_call"],
    "shared": [
        "dose_um", "rescue_a", "rescue_se_a", "rescue_low_a", "rescue_high_a", "rescue_b", "rescue_se_b",
        "rescue_low_b", "rescue_high_b",
    ],
    "agreement": [
        "n_compounds", "n_arms", "slope", "slope_low", "slope_high", "correlation", "correlation_low",
        "correlation_high", "ceiling", "ceiling_low", "ceiling_high", "corrected", "corrected_low", "corrected_high",
    ],
    "curves": [
        "ec50_um", "ec50_low_um", "ec50_high_um", "hill", "front", "back", "r2", "f_value", "p_value", "q_value",
        "relevance", "effect", "n_toxic_doses", "n_dropped_doses", "off_fitted", "off_toxic",
        "cells_top",
    ],
}  # fmt: skip
TEXTS = {
    "variance": ["recipe", "factor"],
    "quality": ["experiment", "plate", "passes"],
    "recipes": ["recipe", "selected"],
    "arms": ["experiment", "treatment"],
    "hits": ["experiment", "treatment", "call"],
    "activity": ["experiment", "treatment"],
    "energy": ["experiment", "treatment"],
    "sensitivity": ["recipe", "axis", "experiment", "reason"],
    "shared": ["experiment_a", "experiment_b", "treatment"],
    "agreement": ["experiment_a", "experiment_b", "same_cells"],
    "curves": ["experiment", "treatment", "curve_class", "ec50_censored", "toxic_reason", "note"],
}


def has_part(wells: ad.AnnData, name: str) -> bool:
    """Tell if a screen has a part that an analysis may need.

    Parameters
    ----------
    wells : AnnData
        Sites or wells; `obs` has experiment, plate_id, condition, treatment and dose_um.
    name : str
        `axis` (embeddings, mock and infected untreated wells), or a name in :data:`helpers.study.absent.PARTS`;
        `plates` is more than one plate in some experiment.

    Returns
    -------
    bool
        True if it is there.

    Raises
    ------
    KeyError
        For any other name.

    Examples
    --------
    >>> obs = pd.DataFrame({
    ...     "experiment": "A", "plate_id": "A_1", "condition": ["mock", "infected"],
    ...     "treatment": None, "dose_um": np.nan,
    ... }, index=["A_1_A01", "A_1_A02"])
    >>> has_part(ad.AnnData(np.zeros((2, 3)), obs=obs), "axis")
    True
    """
    if name == "axis":
        return all(has_part(wells, part) for part in ("embeddings", "mock", "infected"))
    obs = wells.obs
    return {
        "embeddings": wells.n_vars > 0,
        "plates": obs.groupby("experiment", observed=True)["plate_id"].nunique().max() > 1,
        "mock": bool((obs["condition"] == "mock").any()),
        "infected": bool(((obs["condition"] == "infected") & obs["treatment"].isna()).any()),
        "uv": bool((obs["condition"] == "uv").any()),
        "treatments": bool(treated(obs).any()),
        "doses": bool(obs.loc[treated(obs), "dose_um"].notna().any()),
    }[name]


def lacking_sentences(wells: ad.AnnData) -> list[str]:
    """Say what a screen lacks, in sentences on what cannot be known from it.

    Parameters
    ----------
    wells : AnnData
        As for :func:`helpers.study.has_part`.

    Returns
    -------
    list of str
        One sentence a part, none for a screen that has them all.

    Examples
    --------
    >>> obs = pd.DataFrame({
    ...     "experiment": "A", "plate_id": "A_1", "condition": ["mock", "infected"],
    ...     "treatment": None, "dose_um": np.nan,
    ... }, index=["A_1_A01", "A_1_A02"])
    >>> lacking_sentences(ad.AnnData(np.zeros((2, 3)), obs=obs))[0]
    'Each experiment has one plate: plate-to-plate variation cannot be seen.'
    """
    return [sentence for name, sentence in PARTS.items() if not has_part(wells, name)]


def empty_table(name: str) -> pd.DataFrame:
    """Return the table of a step, a name in `NUMBERS`, without rows."""
    texts = pd.DataFrame({column: pd.Series(dtype=object) for column in TEXTS[name]})
    return texts.assign(**{column: pd.Series(dtype=float) for column in NUMBERS[name]})


def lacks_axis(wells: ad.AnnData, *_: object, **__: object) -> bool:
    """Return whether a screen lacks what a disease axis needs; further arguments are ignored."""
    return not has_part(wells, "axis")


def lacks_calls(wells: ad.AnnData, *_: object, **__: object) -> bool:
    """Return whether a screen lacks what calls need: an axis, and treatments."""
    return not (has_part(wells, "axis") and has_part(wells, "treatments"))


def lacks_curves(wells: ad.AnnData, *_: object, **__: object) -> bool:
    """Return whether a screen lacks what curves need: an axis, and doses."""
    return not (has_part(wells, "axis") and has_part(wells, "doses"))


def lacks_embeddings(wells: ad.AnnData, *_: object, **__: object) -> bool:
    """Return whether a screen is a design only."""
    return not has_part(wells, "embeddings")


def empty(name: str) -> Callable[..., pd.DataFrame]:
    """Return a function of any arguments that returns the table of a step without rows."""
    return lambda *_, **__: empty_table(name)


def unscored(wells: ad.AnnData, *_: object, **__: object) -> ad.AnnData:
    """Return wells whose scores are all missing; further arguments are ignored."""
    missing = dict.fromkeys(("on_disease", "off_disease", "rescue"), np.nan)
    return ad.AnnData(wells.X, obs=wells.obs.assign(**missing), var=wells.var.copy(), uns=dict(wells.uns))
