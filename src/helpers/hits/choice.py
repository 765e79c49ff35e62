"""The choice of a recipe: a rule that uses only what a real screen has, and how firm its answer is."""

import numpy as np
import pandas as pd

from helpers.errors import DataError

CRITERIA = ("replicate_error", "z_prime_robust", "control_auroc", "null_ratio")
"""Measures that the rule looks at: columns of :func:`helpers.hits.compare_recipes`."""
MIN_NULL_RATIO = 0.8
MIN_AUROC = 0.8
TIE = 0.01
RULE = (
    "the smallest replicate error, which is the standard error of an arm's rescue told from how its plates differ, "
    f"in axis lengths; among recipes whose controls separate on held-out plates (AUROC at least {MIN_AUROC}) and "
    f"whose null is not narrower than what replicates show (null ratio at least {MIN_NULL_RATIO}, or, where the usual "
    f"recipe has less than 1, {MIN_NULL_RATIO} times its ratio: what a screen does to all is no recipe's fault); "
    f"within {TIE:.0%} the simpler recipe wins; where no arm has replicates, the highest robust Z' decides"
)
"""By which :func:`helpers.hits.select_recipe` picks, as a sentence for readers."""

ALONE = (
    ("replicate_map", "replicate mAP", 1),
    ("z_prime_robust", "robust Z'", 1),
    ("plate_predictability", "plate predictability", -1),
)
"""Measures that a reader might pick by: column, words, and 1 where more is better."""


def select_recipe(table: pd.DataFrame) -> str:
    """Return the recipe that :data:`helpers.hits.RULE` picks from a comparison table.

    A condition that no recipe meets does not count, nor does a measure that is missing everywhere.

    Parameters
    ----------
    table : DataFrame
        recipe, replicate_error, z_prime_robust, control_auroc, null_ratio, as from
        :func:`helpers.hits.compare_recipes`; its rows ordered from simple to complex.

    Returns
    -------
    str
        The recipe's name.

    Raises
    ------
    DataError
        If no recipe can be used.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "recipe": ["raw", "plate_center", "sphering"], "replicate_error": [0.3, 0.101, 0.1],
    ...     "z_prime_robust": [0.1, 0.4, 0.5], "control_auroc": 0.9, "null_ratio": [1.0, 1.0, 0.5],
    ... })
    >>> select_recipe(table)
    'plate_center'
    """
    picked = pick(*(table[name].to_numpy(float) for name in CRITERIA))
    if picked < 0:
        raise DataError("no recipe can be used on this screen; `rxrx19 data check` lists what it lacks")
    return str(table["recipe"].iloc[picked])


def pick(error: np.ndarray, z: np.ndarray, auroc: np.ndarray, null_ratio: np.ndarray) -> int:
    """Return the position of the recipe that :data:`helpers.hits.RULE` picks, -1 if none can be used.

    Parameters
    ----------
    error, z, auroc, null_ratio : array
        The measures :data:`helpers.hits.choice.CRITERIA` of the recipes, each of shape (n_recipes,), from simple to
        complex.

    Returns
    -------
    int
        Its position; -1 if none can be used.
    """
    usable = np.isfinite(z)
    fit = usable & ~(auroc < MIN_AUROC) & ~(null_ratio < least_ratio(null_ratio))
    usable = fit if fit.any() else usable
    if not usable.any():
        return -1
    error = np.where(usable, error, np.nan)
    if np.isfinite(error).any():
        return int(np.flatnonzero(error <= (1 + TIE) * np.nanmin(error))[0])
    z = np.where(usable, z, -np.inf).round(6)  # a difference in the last digits is none
    return int(z.argmax())


def least_ratio(null_ratio: np.ndarray) -> float:
    """Return the null ratio below which a recipe's null is too narrow: told from the median recipe.

    Parameters
    ----------
    null_ratio : array
        Of the recipes, shape (n_recipes,), missing where not known.

    Examples
    --------
    >>> least_ratio(np.array([1.4, 1.0, 0.7])), round(least_ratio(np.array([1.4, 0.75, 0.7])), 2)
    (0.8, 0.6)
    """
    known = np.sort(null_ratio[np.isfinite(null_ratio)])
    # of two the larger one: a recipe whose null is too narrow may not be its own measure
    return MIN_NULL_RATIO * min(1.0, float(known[len(known) // 2])) if len(known) else MIN_NULL_RATIO


def exclusions(table: pd.DataFrame) -> pd.Series:
    """Return why the rule does not consider a recipe, "" where it does."""
    out = pd.Series("", index=table.index)
    out[table["null_ratio"] < least_ratio(table["null_ratio"].to_numpy(float))] = (
        "its null is narrower than what replicates show"
    )
    out[table["control_auroc"] < MIN_AUROC] = "its controls do not separate on held-out plates"
    return out


def selection_shares(recipes: list[str], draws: dict[str, np.ndarray]) -> dict[str, float]:
    """Return recipe -> share of the bootstrap draws in which the rule picks it, of those that allow a pick.

    Parameters
    ----------
    recipes : list of str
        In the order of the table.
    draws : dict
        Each of :data:`helpers.hits.choice.CRITERIA` -> its values, shape (n_draws, n_recipes).
    """
    picks = np.array(
        [pick(*rows) for rows in zip(*(draws[name] for name in CRITERIA), strict=True)], dtype=int
    )
    picks = picks[picks >= 0]
    return {name: float((picks == i).mean()) for i, name in enumerate(recipes)} if len(picks) else {}


def explain_choice(table: pd.DataFrame) -> list[str]:
    """Return sentences that say what was picked, by how much, how firmly, and what would change it.

    Parameters
    ----------
    table : DataFrame
        From :func:`helpers.hits.compare_recipes`.

    Returns
    -------
    list of str
        Whole sentences, in reading order.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "recipe": ["raw", "plate_center"], "replicate_error": [0.3, 0.1], "z_prime_robust": [0.1, 0.4],
    ...     "selected": [False, True], "selection_share": [0.2, 0.8], "excluded": "",
    ... })
    >>> explain_choice(table)[1]
    'It picks the same recipe in 80% of the bootstrap draws over plates.'
    """
    picked = table[table["selected"]].iloc[0]
    lines = [f"The rule picks {picked['recipe']}: {RULE}."]
    if np.isfinite(picked["selection_share"]):
        lines.append(
            f"It picks the same recipe in {picked['selection_share']:.0%} of the bootstrap draws over plates."
        )
    else:
        lines.append("How firm this pick is cannot be told: no experiment has two plates to draw from.")
    if not np.isfinite(picked["replicate_error"]):
        return [*lines, "Replicates of arms would change it: without them only controls are compared."]
    rivals = table[(table["excluded"] == "") & ~table["selected"] & table["replicate_error"].notna()]
    if len(rivals):
        rival = rivals.sort_values("replicate_error").iloc[0]
        gain = picked["replicate_error"] / rival["replicate_error"] - 1
        size = (
            f"no different to within {TIE:.0%}, and the simpler recipe is taken"
            if abs(gain) <= TIE
            else f"{abs(gain):.0%} {'smaller' if gain < 0 else 'larger'}"
        )
        lines.append(
            f"Next is {rival['recipe']}; the pick's replicate error is {size} ({picked['replicate_error']:.3f} against "
            f"{rival['replicate_error']:.3f} axis lengths)."
        )
    barred = table[(table["excluded"] != "") & (table["replicate_error"] < picked["replicate_error"])]
    for _, row in barred.iterrows():
        lines.append(f"Without its condition the rule would pick {row['recipe']}: {row['excluded']}.")
    if not len(barred):
        lines.append("No recipe that a condition of the rule bars has a smaller replicate error.")
    return [*lines, *_other_rules(table)]


def _other_rules(table: pd.DataFrame) -> list[str]:
    """Return a sentence on what single other measures would pick, whatever the rule's conditions say."""
    parts = []
    for column, words, sign in ALONE:
        values = sign * table[column] if column in table else pd.Series(dtype=float)
        if values.notna().any():
            best = table.loc[values.idxmax()]
            barred = f" ({best['excluded']})" if best["excluded"] else ""
            parts.append(f"{words} alone would pick {best['recipe']}{barred}")
    return [f"For comparison: {'; '.join(parts)}."] if parts else []
