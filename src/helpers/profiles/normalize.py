"""Normalisation recipes: named, short compositions of steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import UsageError
from helpers.profiles.components import N_COMPONENTS, Components, Harmony
from helpers.profiles.reference import batch_column
from helpers.profiles.selection import plate_order
from helpers.profiles.steps import Center, PercentOfControl, Standardize, Step
from helpers.profiles.trend import PositionTrend
from helpers.profiles.tvn import TypicalVariation
from helpers.profiles.whitening import CrossWhitening, Sphering


@dataclass(frozen=True)
class Settings:
    """What can be chosen about recipes; each step takes what it knows.

    Attributes
    ----------
    reference : str
        Wells to learn from: `infected`, `mock` or `controls` (both).
    batch : str
        What is made alike by plate_standard, plate_robust, sphering, tvn and harmony: `plate` or `experiment`.
    position_model : str
        `trend`, `row_column` or `none`.
    n_components : int, optional
        Of pca and harmony (50 if None) and of tvn (all if None).
    regulariser : str or float, optional
        Of whitening: `ledoit_wolf`, or the weight of the identity, 0 to 1; None = `ledoit_wolf` for sphering, and for
        recommended the weight that is best on held-out plates.
    min_reference : int, optional
        Reference wells that a batch needs; None = what each step needs by itself (3 for a centre, 8 for a spread,
        10 for a covariance).
    pooled : bool
        Where a plate has fewer, take the estimate of the whole experiment, and for a centre that of the plate's treated
        wells; False makes it an error.
    seed : int
        Of harmony's clustering.
    """

    reference: str = "infected"
    batch: str = "plate"
    position_model: str = "trend"
    n_components: int | None = None
    regulariser: str | float | None = None
    min_reference: int | None = None
    pooled: bool = True
    seed: int = 0

    def common(self, **more: object) -> dict:
        """Return the arguments of a step that learns from reference wells."""
        least = {} if self.min_reference is None else {"min_reference": self.min_reference}
        return {"reference": self.reference, "pooled": self.pooled, **least, **more}

    def batched(self, **more: object) -> dict:
        """Return the arguments of a step that works batch by batch."""
        return self.common(by=batch_column(self.batch), **more)


@dataclass(frozen=True)
class Recipe:
    """A named normalisation.

    Attributes
    ----------
    name : str
        What the parameter `recipe` takes.
    summary : str
        One line for tables and help texts.
    steps : callable
        Takes :class:`helpers.profiles.normalize.Settings` and returns new, unfitted steps, in the order in which they
        are applied.
    takes : tuple of str
        The settings that change what it does; it ignores the others.
    positive : str
        Where features must be positive, because it divides by them or takes their logarithm: in `reference` wells, in
        `all` wells, or nowhere ("").

    Examples
    --------
    >>> RECIPES["position"].summary
    "subtract each plate's row and column trend"
    >>> RECIPES["position"].steps(Settings(position_model="row_column"))
    [PositionTrend(min_wells=60, model='row_column')]
    """

    name: str
    summary: str
    steps: Callable[[Settings], list[Step]]
    takes: tuple[str, ...] = ()
    positive: str = ""


def _position(settings: Settings) -> PositionTrend:
    return PositionTrend(model=settings.position_model)


def _or(value: object, default: object) -> Any:
    return default if value is None else value


def _plate_center(settings: Settings) -> list[Step]:
    # The median is taken of infected wells that no longer differ by where they stand.
    return [_position(settings), Center(**settings.common(by="plate_id"))]


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("raw", "the embeddings as they are", lambda _: []),
        Recipe(
            "experiment_center",
            "subtract each experiment's median infected untreated well",
            lambda s: [Center(**s.common(by="experiment"))],
            ("reference",),
        ),
        Recipe(
            "plate_center",
            "subtract each plate's row and column trend, then its median infected untreated well",
            _plate_center,
            ("reference", "position_model"),
        ),
        Recipe(
            "percent_of_control",
            "divide by each plate's median infected untreated well, for counts and other positive features",
            lambda s: [PercentOfControl(**s.common(by="plate_id"))],
            ("reference",),
            positive="reference",
        ),
        Recipe(
            "log_percent_of_control",
            "the same, and take the logarithm, where features vary in proportion to their mean",
            lambda s: [PercentOfControl(log=True, **s.common(by="plate_id"))],
            ("reference",),
            positive="all",
        ),
        Recipe(
            "plate_standard",
            "subtract the mean of each plate's infected untreated wells and divide by their standard deviation",
            lambda s: [Standardize(**s.batched())],
            ("reference", "batch"),
        ),
        Recipe(
            "plate_robust",
            "the same with median and median absolute deviation",
            lambda s: [Standardize(robust=True, **s.batched())],
            ("reference", "batch"),
        ),
        Recipe(
            "position",
            "subtract each plate's row and column trend",
            lambda s: [_position(s)],
            ("position_model",),
        ),
        Recipe(
            "pca",
            "plate_center, then only the leading principal components",
            lambda s: [*_plate_center(s), Components(s.n_components or N_COMPONENTS)],
            ("reference", "position_model", "n_components"),
        ),
        Recipe(
            "sphering",
            "centre each plate on its infected untreated wells and whiten it by their covariance, shrunk",
            lambda s: [Sphering(regulariser=_or(s.regulariser, "ledoit_wolf"), **s.batched())],
            ("reference", "batch", "regulariser"),
        ),
        Recipe(
            "tvn",
            "typical variation normalisation: scale on controls, rotate, scale by plate, align covariances",
            lambda s: [TypicalVariation(n_components=s.n_components, **s.batched())],
            ("reference", "batch", "n_components"),
        ),
        Recipe(
            "harmony",
            "leading principal components, in which Harmony aligns the plates of an experiment",
            lambda s: [
                Components(s.n_components or N_COMPONENTS),
                Harmony(by=batch_column(s.batch), seed=s.seed),
            ],
            ("batch", "n_components", "seed"),
        ),
        Recipe(
            "recommended",
            "plate_center, then whitening by how uninfected wells of other plates vary",
            lambda s: [*_plate_center(s), CrossWhitening(regulariser=_or(s.regulariser, "held_out"))],
            ("reference", "position_model", "regulariser"),
        ),
    )
}
"""Name -> :class:`helpers.profiles.Recipe`, from simple to complex: what :func:`helpers.profiles.normalize` knows."""


def normalize(wells: ad.AnnData, recipe: str, *, seed: int = 0, **settings: Any) -> ad.AnnData:
    """Return a normalised copy of the wells.

    Wells are put into the order of their plates first and back afterwards, so that no result depends on the order of
    the rows, not even in its last digit.

    Parameters
    ----------
    wells : AnnData
        From :func:`helpers.profiles.to_wells`; failed wells are transformed but never a reference.
    recipe : str
        A name in :data:`helpers.profiles.RECIPES`.
    seed : int
        For recipes with a random part.
    **settings
        Attributes of :class:`helpers.profiles.normalize.Settings`.

    Returns
    -------
    AnnData
        `X` float32; of the same shape, or with principal components `PC1`, ... for features after recipes that
        rotate. `uns["normalization"]` holds the recipe, the settings and, step by step, which wells were the reference
        and how many there were.

    Raises
    ------
    UsageError
        For an unknown recipe or setting.
    DataError
        If a plate or experiment lacks the reference wells that the recipe needs.
    """
    if recipe not in RECIPES:
        raise UsageError(f"recipe {recipe!r} is unknown; choose one of {', '.join(RECIPES)}")
    chosen = make_settings(seed=seed, **settings)
    annotation = wells.obs.copy()  # now, because copying takes room that the embeddings need later
    order = plate_order(wells.obs)
    straight = bool((np.diff(order) == 1).all())
    X = np.asarray(wells.X, dtype=np.float32)
    X, obs = (X, wells.obs) if straight else (X[order], wells.obs.iloc[order])
    X, rotated, records = _apply(RECIPES[recipe].steps(chosen) if wells.n_vars else [], X, obs)
    if not straight:
        X = X[np.argsort(order)]
    elif not records:
        X = X.copy()
    record = {"recipe": recipe, "seed": seed, "settings": settings, "steps": records}
    var = pd.DataFrame(index=[f"PC{i + 1}" for i in range(X.shape[1])]) if rotated else wells.var.copy()
    return ad.AnnData(X, obs=annotation, var=var, uns={**wells.uns, "normalization": record})


def _apply(steps: list[Step], X: np.ndarray, obs: pd.DataFrame) -> tuple[np.ndarray, bool, dict]:
    """Return the embeddings after the steps, whether their features are new ones, and the record of each step."""
    rotated, records = False, {}
    for number, step in enumerate(steps, start=1):
        X = step.fit(X, obs).transform(X, obs)
        rotated |= isinstance(step, Components | TypicalVariation)
        records[f"step {number}"] = step.record()  # a dict, since h5ad files hold no lists of dicts
    steps.clear()  # what was learnt takes room
    return X, rotated, records


def make_settings(**given: Any) -> Settings:
    """Return settings from keyword arguments, after checking their names.

    Parameters
    ----------
    **given
        Attributes of :class:`helpers.profiles.normalize.Settings`.

    Raises
    ------
    UsageError
        For a name that is no setting; the message lists those that there are.
    """
    unknown = set(given) - set(Settings.__dataclass_fields__)
    if unknown:
        raise UsageError(
            f"setting {', '.join(sorted(unknown))} is unknown; choose among {', '.join(Settings.__dataclass_fields__)}"
        )
    return Settings(**given)
