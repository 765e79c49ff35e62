"""The recipe of a page: the one that is asked for, or what the evidence on the screen picks."""

import anndata as ad

from helpers.hits.compare import AUTO
from helpers.profiles import RECIPES
from helpers.study.steps import pick_recipe


def choose_recipe(
    wells: ad.AnnData,
    recipe: str = AUTO,
    recipes: tuple[str, ...] = tuple(RECIPES),
    *,
    seed: int = 0,
    **settings: object,
) -> str:
    """Return a recipe by its name, or, asked for ``auto``, the one that :func:`helpers.hits.pick_recipe` picks.

    Parameters
    ----------
    wells : AnnData
        From :func:`helpers.profiles.to_wells`, not normalised.
    recipe : str
        ``auto``, or a name in :data:`helpers.profiles.RECIPES`.
    recipes : tuple of str
        Among which is picked.
    seed : int
        Of the recipes.
    **settings
        Of the recipes, see :class:`helpers.profiles.normalize.Settings`.

    Returns
    -------
    str
        A name in :data:`helpers.profiles.RECIPES`.

    Examples
    --------
    >>> choose_recipe(ad.AnnData(), "plate_robust")
    'plate_robust'
    """
    return pick_recipe(wells, recipes, seed=seed, **settings) if recipe == AUTO else recipe
