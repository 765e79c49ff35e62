"""Normalisation recipes: named, short compositions of steps."""

from collections.abc import Callable
from dataclasses import dataclass

import anndata as ad
import numpy as np

from helpers.errors import UsageError
from helpers.profiles.steps import Center, PositionTrend, Step


@dataclass(frozen=True)
class Recipe:
    """A named normalisation.

    Attributes
    ----------
    name
        What the parameter `recipe` takes.
    summary
        One line for tables and help texts.
    steps
        Returns new, unfitted steps, in the order in which they are applied.
    """

    name: str
    summary: str
    steps: Callable[[], list[Step]]


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("raw", "the embeddings as they are", list),
        Recipe(
            "experiment_center",
            "subtract each experiment's median infected untreated well",
            lambda: [Center(by="experiment")],
        ),
        Recipe(
            "plate_center",
            "subtract each plate's row and column trend, then its median infected untreated well",
            # The median is taken of infected wells that no longer differ by where they stand.
            lambda: [PositionTrend(), Center(by="plate_id")],
        ),
    )
}


def normalize(wells: ad.AnnData, recipe: str, *, seed: int = 0) -> ad.AnnData:
    """Return a normalised copy of the wells.

    Parameters
    ----------
    wells
        From :func:`helpers.profiles.to_wells`; failed wells are transformed but never a reference.
    recipe
        A name in :data:`RECIPES`.
    seed
        For recipes with a random part; the ones so far have none.

    Returns
    -------
    AnnData
        `X` float32 of the same shape; `uns["normalization"]` holds the recipe and, step by step, which wells
        were the reference and how many there were.

    Raises
    ------
    UsageError
        For an unknown recipe.
    DataError
        If a plate or experiment lacks the reference wells that the recipe needs.
    """
    if recipe not in RECIPES:
        raise UsageError(f"recipe {recipe!r} is unknown; choose one of {', '.join(RECIPES)}")
    X = np.array(wells.X, dtype=np.float32)
    records = {}
    if wells.n_vars:
        for number, step in enumerate(RECIPES[recipe].steps(), start=1):
            X = step.fit(X, wells.obs).transform(X, wells.obs)
            records[f"step {number}"] = step.record()  # a dict, since h5ad files hold no lists of dicts
    uns = {**wells.uns, "normalization": {"recipe": recipe, "seed": seed, "steps": records}}
    return ad.AnnData(X, obs=wells.obs.copy(), var=wells.var.copy(), uns=uns)
