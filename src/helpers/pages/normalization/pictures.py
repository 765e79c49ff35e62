"""Pictures of every recipe's work: the same few plates before and after, as `plot_step` draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.figures.steps import StepPicture
from helpers.hits import score_wells
from helpers.pages.plates import choose_plates
from helpers.profiles import normalize
from helpers.profiles.components import N_COMPONENTS, Components
from helpers.profiles.planes import between_direction, in_plane, noise_direction
from helpers.profiles.reference import reference_mask
from helpers.screens.order import natural_order
from helpers.study.absent import has_part

NO_AXIS = "Without embeddings and both controls there is no axis along which a recipe's work could be shown."
NO_WAY_OFF = "With one feature there is no way off the axis: the distance from it is 0 for every well."
MOST_PLATES = 3
"""Plates of an experiment on which a recipe is shown."""


@dataclass(frozen=True)
class Plan:
    """How a recipe is pictured: the kind of picture, and what it is compared with."""

    kind: str
    before: str = "raw"


PLANS = {
    "experiment_center": Plan("experiments"),
    "plate_center": Plan("plates"),
    "percent_of_control": Plan("plates"),
    "log_percent_of_control": Plan("plates"),
    "plate_standard": Plan("plates"),
    "plate_robust": Plan("spread"),
    "position": Plan("map"),
    "pca": Plan("away", "plate_center"),
    "sphering": Plan("noise"),
    "tvn": Plan("noise"),
    "harmony": Plan("plates", "components"),
    "recommended": Plan("noise", "plate_center"),
}


def step_pictures(
    wells: ad.AnnData,
    plates: str = "all",
    recipes: Sequence[str] = tuple(PLANS),
    *,
    seed: int = 0,
    **settings,
) -> dict[str, StepPicture]:
    """Return recipe -> picture of its work on a few plates, all recipes on the same wells.

    Parameters
    ----------
    wells : AnnData
        Not normalised.
    plates : str
        As in :func:`helpers.pages.tour.design.choose_plates`; the first is the one that is drawn alone.
    recipes : sequence of str
        Names of recipes other than ``raw``.
    seed, settings
        As in :func:`helpers.profiles.normalize`.
    """
    if not has_part(wells, "axis"):
        return {name: StepPicture(PLANS[name].kind, missing=NO_AXIS) for name in recipes}
    plate = str(choose_plates(wells.obs, plates)["plate_id"].iloc[0])
    stages = _Stages(few_plates(wells, plate), seed, settings)
    return {name: _picture(name, PLANS[name], stages, plate) for name in recipes}


def few_plates(wells: ad.AnnData, plate: str) -> ad.AnnData:
    """Return a plate, some more of its experiment, and as many of another experiment, if there is one."""
    ids = wells.obs["plate_id"].astype(str)
    mine = str(wells.obs.loc[(ids == plate).to_numpy(), "experiment"].iloc[0])
    experiments = wells.obs["experiment"].astype(str)
    others = [name for name in natural_order(experiments) if name != mine][:1]
    kept = []
    for experiment in (mine, *others):
        found = natural_order(ids[(experiments == experiment).to_numpy()])
        first = [plate] if experiment == mine else []
        kept += [*first, *[name for name in found if name not in first]][:MOST_PLATES]
    return wells[ids.isin(kept).to_numpy()].copy()


class _Stages:
    """Recipes on the same wells, each computed once."""

    def __init__(self, wells: ad.AnnData, seed: int, settings: dict):
        self.wells, self.seed, self.settings = wells, seed, settings
        self._done: dict[str, ad.AnnData] = {}

    def __getitem__(self, name: str) -> ad.AnnData:
        if name not in self._done:
            self._done[name] = score_wells(self._normalized(name))
        return self._done[name]

    def _normalized(self, name: str) -> ad.AnnData:
        if name != "components":
            return normalize(self.wells, name, seed=self.seed, **self.settings)
        step = Components(self.settings.get("n_components") or N_COMPONENTS)
        X = np.asarray(self.wells.X, np.float32)
        return ad.AnnData(step.fit(X, self.wells.obs).transform(X, self.wells.obs), obs=self.wells.obs.copy())


def _picture(name: str, plan: Plan, stages: _Stages, plate: str) -> StepPicture:
    """Return the picture of one recipe, or why there is none."""
    try:
        if plan.kind == "spread":
            return StepPicture("spread", _spreads(stages.wells, plate, stages.settings))
        before, after = stages[plan.before], stages[name]
        titles = (plan.before, name)
        if plan.kind == "away" and stages.wells.n_vars < 2:
            return StepPicture("away", missing=NO_WAY_OFF)
        if plan.kind in ("map", "away"):
            tables = [_of_plate(stage, plate).obs for stage in (before, after)]
            return StepPicture(plan.kind, dict(zip(titles, tables, strict=True)))
        if plan.kind == "noise":
            return _noise_picture(titles, (before, after), plate)
        return _groups_picture(plan.kind, titles, (before, after), plate)
    except DataError as error:
        return StepPicture(plan.kind, missing=f"This recipe cannot be shown here: {error}")


def _of_plate(wells: ad.AnnData, plate: str) -> ad.AnnData:
    return wells[(wells.obs["plate_id"].astype(str) == plate).to_numpy()].copy()


def _of_experiment(wells: ad.AnnData, plate: str) -> ad.AnnData:
    mine = wells.obs["experiment"][(wells.obs["plate_id"].astype(str) == plate).to_numpy()].iloc[0]
    return wells[(wells.obs["experiment"] == mine).to_numpy()].copy()


def _noise_picture(titles: Sequence[str], stages: Sequence[ad.AnnData], plate: str) -> StepPicture:
    """Picture the controls of one plate, each stage along its own loudest way off the axis."""
    panels = {}
    for title, stage in zip(titles, stages, strict=True):
        direction = noise_direction(_of_experiment(stage, plate), plate)
        panels[title] = in_plane(_of_plate(stage, plate), direction)
    return StepPicture("noise", panels, flat=direction is None)


def _groups_picture(
    kind: str, titles: Sequence[str], stages: Sequence[ad.AnnData], plate: str
) -> StepPicture:
    """Picture plates or experiments, both stages along the way in which they differ before."""
    direction = between_direction(stages[0], "experiment") if kind == "experiments" else None
    if direction is None:  # plates are asked for, or there is one experiment only
        kind, stages = "plates", [_of_experiment(stage, plate) for stage in stages]
        direction = between_direction(stages[0], "plate_id")
    if direction is None:
        direction = noise_direction(stages[0], plate)
    panels = {title: in_plane(stage, direction) for title, stage in zip(titles, stages, strict=True)}
    return StepPicture(kind, panels, flat=direction is None)


def _spreads(wells: ad.AnnData, plate: str, settings: dict) -> dict[str, pd.DataFrame]:
    """Return the spread of every feature among reference wells, without and with the wells that failed.

    On the plate asked for, or on another one of the picture where more of them failed.
    """
    reference = settings.get("reference", "infected")
    let_in = reference_mask(wells.obs.assign(qc_flag=""), reference)
    failed = let_in & ~reference_mask(wells.obs, reference)
    ids = wells.obs["plate_id"].astype(str).to_numpy()
    n_failed = pd.Series(failed).groupby(ids).sum()
    chosen = plate if n_failed[plate] else n_failed.idxmax()
    rows = np.flatnonzero(let_in & (ids == chosen))
    return {
        "wells that passed": _spread(wells.X[rows[~failed[rows]]]),
        "failed wells let in": _spread(wells.X[rows]),
    }


def _spread(X: np.ndarray) -> pd.DataFrame:
    """Return sd and mad (scaled to a standard deviation) of every feature."""
    X = np.asarray(X, np.float64)
    if len(X) < 3:
        raise DataError("fewer than three reference wells on this plate")
    mad = 1.4826 * np.median(np.abs(X - np.median(X, axis=0)), axis=0)
    return pd.DataFrame({"sd": X.std(axis=0), "mad": mad})


def one_plate_by_recipe(tables: dict[str, pd.DataFrame], plates: str, recipe: str) -> pd.DataFrame:
    """Return the first of the chosen plates from raw embeddings and under a recipe, as if they were two plates."""
    parts = []
    for name in dict.fromkeys(("raw", recipe)):
        obs = choose_plates(tables[name], plates)
        one = obs[(obs["plate_id"] == obs["plate_id"].iloc[0]).to_numpy()]
        parts.append(one.assign(experiment=f"{name}:", plate_id=f"{name}_{one['plate_id'].iloc[0]}"))
    table = pd.concat(parts)
    order = [part["experiment"].iloc[0] for part in parts]
    table["experiment"] = pd.Categorical(table["experiment"], order, ordered=True)
    return table.set_axis(table["plate_id"].astype(str) + "_" + table["well"].astype(str))
