"""The generative model of the twin's embeddings, one plate at a time.

The embedding of a site is the sum of

    base + experiment shift + plate shift + plate gain x (condition + compound) + row/column trend
    + correlated well noise + well noise + failure of the well + site offset + site noise

all in axis lengths, times `TwinModel.axis_length`.
"""

from functools import cached_property

import numpy as np
import pandas as pd

from helpers.screens.layout import PLATE_COLS, PLATE_ROWS
from helpers.screens.twin.compounds import draw_compounds, effect_sizes, in_cells
from helpers.screens.twin.model import CLASS_LETTERS, TwinModel, stream

DIM, LOW_CELLS = "dim", "low_cells"
# Position on the disease axis by condition, for infected cells without treatment.
_ON_AXIS = {"mock": 0.0, "uv": 0.0, "infected": 1.0}
DECIMALS = 4
TRUTH_COLUMNS = [
    "experiment", "treatment", "dose_um", "kind", "mechanism_class",
    "rescue", "off_disease", "toxicity", "emax", "ec50_um", "hill",
]  # fmt: skip


def random_directions(rng: np.random.Generator, n: int, n_features: int) -> np.ndarray:
    """Return n unit vectors without preferred direction, shape (n, n_features), float32."""
    vectors = rng.standard_normal((n, n_features))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def tilt(directions: np.ndarray, axis: np.ndarray, cosine: np.ndarray | float) -> np.ndarray:
    """Return unit vectors turned so that their cosine to the unit vector `axis` is as given.

    With fewer than two features there is nothing to turn into: the axis itself comes back, scaled.
    """
    cosine = np.broadcast_to(np.asarray(cosine, dtype=np.float32), directions.shape[:1])[:, None]
    off = directions - np.outer(directions @ axis, axis)
    off /= np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1e-6)
    return cosine * axis + np.sqrt(1 - cosine**2) * off


class TwinWorld:
    """Everything about a twin that is drawn once: axes, directions, compounds.

    Parameters
    ----------
    wells : DataFrame
        The design, as `twin_design.design_wells` returns it.
    model : TwinModel
    seed : int
    n_features : int
    """

    def __init__(self, wells: pd.DataFrame, model: TwinModel, seed: int, n_features: int):
        self.model, self.seed, self.n_features = model, seed, n_features
        plates = wells.drop_duplicates(["experiment", "plate"])
        self.cell_types = dict(zip(plates["experiment"], plates["cell_type"], strict=True))
        self.plates = plates.groupby("experiment", sort=False)["plate"].agg(list).to_dict()
        self.compounds = draw_compounds(wells, model, seed)
        self._experiments: dict[str, _Experiment] = {}

    def experiment(self, name: str) -> "_Experiment":
        """Return the axis, shifts and directions of an experiment, drawn on first use."""
        if name not in self._experiments:
            self._experiments[name] = _Experiment(self, name)
        return self._experiments[name]

    @cached_property
    def directions(self) -> dict[str, np.ndarray]:
        """Directions that all experiments share, before they are tilted to an experiment's axis."""
        rng, p = stream(self.seed, "directions"), self.n_features
        n = len(self.compounds)
        names = {"axis": 1, "base": 1, "dim": 1, "low_cells": 1, "uv": 1, "class": len(CLASS_LETTERS)}
        shared = {name: random_directions(rng, rows, p) for name, rows in names.items()}
        offsets = random_directions(rng, 4, p)
        shared["site"] = offsets - offsets.mean(axis=0)
        return shared | {kind: random_directions(rng, n, p) for kind in ("phenotype", "toxic")}

    def line_axis(self, cell_type: str) -> np.ndarray:
        """Return the disease axis that the experiments of a cell line scatter around."""
        common = self.directions["axis"][0]
        if cell_type == "HRCE":
            return common
        cosine = min(1.0, self.model.vero_axis_cosine / self.model.axis_cosine)
        return tilt(random_directions(stream(self.seed, "line", cell_type), 1, len(common)), common, cosine)[
            0
        ]

    def fates(self, wells: pd.DataFrame) -> np.ndarray:
        """Return why each well of one plate failed: ``dim``, ``low_cells`` or "" for the others."""
        model, experiment, plate = self.model, wells["experiment"].iloc[0], wells["plate"].iloc[0]
        rng = stream(self.seed, "fates", experiment, plate)
        spread = np.exp(rng.normal(-(model.dim_spread**2) / 2, model.dim_spread))
        dim = np.full(len(wells), min(1.0, model.dim_share * spread))
        condition = wells["condition"].to_numpy()
        if plate == self.experiment(experiment).bad_plate:
            dim[np.isin(condition, ("mock", "uv"))] = rng.uniform(*model.dim_bad_plate)
        low = np.where(condition == "blank", model.low_cell_blank, model.low_cell_other)
        fates = np.where(rng.random(len(wells)) < low, LOW_CELLS, "")
        return np.where(rng.random(len(wells)) < dim, DIM, fates)

    def truth(self, wells: pd.DataFrame) -> pd.DataFrame:
        """Return what is true of every arm: one row per experiment, treatment and dose."""
        arms = wells[wells["compound"] >= 0].drop_duplicates(["experiment", "compound", "dose_um"])
        arms = arms.sort_values(["experiment", "compound", "dose_um"], kind="stable")
        tables = [
            self.experiment(name).truth(group) for name, group in arms.groupby("experiment", sort=False)
        ]
        truth = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=TRUTH_COLUMNS)
        truth = truth.sort_values(["experiment", "treatment", "dose_um"], kind="stable", ignore_index=True)
        numbers = truth.columns.drop(["experiment", "treatment", "kind", "mechanism_class"])
        # Adding zero turns -0.0 into 0.0.
        truth[numbers] = truth[numbers].astype(float).round(6) + 0.0
        return truth

    def plate(self, wells: pd.DataFrame, well_of_site: np.ndarray, site: np.ndarray) -> np.ndarray:
        """Return the embeddings of one plate's sites.

        Parameters
        ----------
        wells : DataFrame
            The wells of one plate.
        well_of_site : int array, shape (n_sites,)
            Row of `wells` each site belongs to.
        site : int array, shape (n_sites,)
            Number of the site in its well, from 1.

        Returns
        -------
        X : float32 array, shape (n_sites, n_features)
            In embedding units, rounded to four decimals so that CSV and Parquet hold the same numbers.
        """
        experiment, plate = self.experiment(wells["experiment"].iloc[0]), wells["plate"].iloc[0]
        rng = stream(self.seed, "plate", experiment.name, plate)
        X = experiment.wells(wells, rng)
        X += self._failures(wells, experiment.axis, rng)
        sites = rng.standard_normal((len(site), self.n_features), dtype=np.float32)
        sites *= self.model.site_noise
        sites += X[well_of_site]
        sites += (self.model.site_offset * self.directions["site"])[(np.asarray(site) - 1) % 4]
        sites *= self.model.axis_length
        return np.round(sites, DECIMALS, out=sites)

    def _failures(self, wells: pd.DataFrame, axis: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return what failure adds to each well."""
        model, fates = self.model, self.fates(wells)
        added = np.zeros((len(wells), self.n_features), dtype=np.float32)
        dim, low = np.flatnonzero(fates == DIM), np.flatnonzero(fates == LOW_CELLS)
        # Common to all experiments, so that one look at the whole screen finds it.
        direction = tilt(self.directions["dim"], self.directions["axis"][0], model.dim_cosine)
        jitter = model.dim_jitter * random_directions(rng, len(dim), self.n_features)
        added[dim] = rng.uniform(*model.dim_size, (len(dim), 1)) * (direction + jitter)
        noise = rng.standard_normal((len(low), self.n_features))
        added[low] = model.low_cell_size * tilt(self.directions["low_cells"], axis, 0.0)
        added[low] += model.low_cell_noise * noise
        return added


class _Experiment:
    """Axis, island, trend, correlated noise and compound directions of one experiment."""

    def __init__(self, world: TwinWorld, name: str):
        model, shared, p = world.model, world.directions, world.n_features
        self.world, self.model, self.name = world, model, name
        rng = stream(world.seed, "experiment", name)
        line = world.line_axis(world.cell_types[name])
        # Two directions at this angle to a third have its squared cosine between them.
        self.axis = tilt(random_directions(rng, 1, p), line, np.sqrt(model.axis_cosine))[0]
        shift = model.experiment_shift * tilt(random_directions(rng, 1, p), self.axis, 0.0)[0]
        self.centre = shared["base"][0] + shift
        self.uv = model.uv_offset * tilt(shared["uv"], self.axis, model.uv_cosine)[0]
        self.trend = self._trend(rng)
        self.latent = self._latent(rng)
        self.bad_plate = rng.choice(world.plates[name])
        self.compounds = in_cells(world.compounds, world.cell_types[name], model, world.seed)
        letters = self.compounds["mechanism_class"].to_numpy()
        own = shared["phenotype"].copy()
        for index, letter in enumerate(CLASS_LETTERS):
            own[letters == letter] = shared["class"][index]
        self.phenotype = tilt(own, -self.axis, self.compounds["leak"].to_numpy())
        self.toxic = tilt(shared["toxic"], -self.axis, self.compounds["toxic_cosine"].to_numpy())

    def _trend(self, rng: np.random.Generator) -> np.ndarray:
        """Return random vectors for row, column, and their squares, shape (4, n_features).

        The squares, centred, reach 2/3 at the edge; the four together give the model's size at a corner.
        """
        model = self.model
        at_corner = np.sqrt(1 + 1 + 4 / 9 + 4 / 9)
        off = tilt(random_directions(rng, 4, len(self.axis)), self.axis, 0.0)
        on = rng.normal(0, model.gradient_on_axis, (4, 1))
        return ((model.gradient_off_axis * off + on * self.axis) / at_corner).astype(np.float32)

    def _latent(self, rng: np.random.Generator) -> np.ndarray:
        """Return the directions of correlated well noise times their SD, shape (n_latent, n_features)."""
        sizes = np.array(self.model.latent_sizes)
        cosine = min(1.0, self.model.latent_on_axis / np.sqrt((sizes**2).sum())) if sizes.any() else 0.0
        cosines = cosine * rng.choice([-1.0, 1.0], len(sizes))
        directions = tilt(random_directions(rng, len(sizes), len(self.axis)), self.axis, cosines)
        return (sizes[:, None] * directions).astype(np.float32)

    def displacement(self, compound: np.ndarray, dose: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """Return effect sizes (rows x 3) and displacement (rows x n_features) of compounds at doses."""
        index = self.compounds.index.get_indexer(compound)
        sizes = effect_sizes(self.compounds.iloc[index], dose)
        rescue, phenotype, toxic = sizes.to_numpy(dtype=np.float32).T[:, :, None]
        moved = phenotype * self.phenotype[index] + toxic * self.toxic[index] - rescue * self.axis
        return sizes, moved

    def truth(self, arms: pd.DataFrame) -> pd.DataFrame:
        """Return the truth of arms given by `compound` and `dose_um`."""
        sizes, moved = self.displacement(arms["compound"].to_numpy(), arms["dose_um"].to_numpy())
        off = np.linalg.norm(moved - np.outer(moved @ self.axis, self.axis), axis=1)
        known = self.compounds.loc[arms["compound"]].reset_index(drop=True)
        return pd.DataFrame(
            {
                "experiment": self.name,
                "treatment": known["treatment"],
                "dose_um": arms["dose_um"].to_numpy(),
                "kind": known["kind"],
                "mechanism_class": known["mechanism_class"],
                "rescue": sizes["rescue"],
                "off_disease": off.astype(float),
                "toxicity": sizes["toxicity"],
                "emax": known["emax"],
                "ec50_um": known["ec50_um"],
                "hill": known["hill"],
            }
        )

    def wells(self, wells: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Return the embeddings of one plate's wells, in axis lengths, without failures and site effects."""
        model, n, p = self.model, len(wells), len(self.axis)
        direction = tilt(random_directions(rng, 1, p), self.axis, 0.0)[0]
        shift = model.plate_shift * direction + rng.normal(0, model.plate_shift_on_axis) * self.axis
        gain = 1 + rng.normal(0, model.plate_gain_sd)
        share = model.gradient_common
        trend = np.sqrt(share) * self.trend + np.sqrt(1 - share) * self._trend(rng)
        X = rng.standard_normal((n, p), dtype=np.float32)
        X *= model.well_noise
        X += rng.standard_normal((n, len(self.latent)), dtype=np.float32) @ self.latent
        X += _trend_basis(wells) @ trend.astype(np.float32)
        X += (self.centre + shift).astype(np.float32)
        X += np.float32(gain) * self._effects(wells, rng)
        return X

    def _effects(self, wells: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Return the effect of condition and compound on each well of a plate."""
        condition = wells["condition"].to_numpy()
        blank = rng.random(len(wells)) < self.model.blank_infected
        on_axis = wells["condition"].map(_ON_AXIS).to_numpy(dtype=float)
        on_axis = np.where(condition == "blank", blank, on_axis).astype(np.float32)
        effects = np.outer(on_axis, self.axis)
        effects[condition == "uv"] += self.uv
        treated = np.flatnonzero(wells["compound"] >= 0)
        compound, dose = (wells[name].to_numpy()[treated] for name in ("compound", "dose_um"))
        effects[treated] += self.displacement(compound, dose)[1]
        return effects


def _trend_basis(wells: pd.DataFrame) -> np.ndarray:
    """Return row, column and their centred squares, both scaled to [-1, 1] over the plate, shape (n, 4)."""
    row = 2 * (wells["row"].to_numpy() - 1) / (PLATE_ROWS - 1) - 1
    col = 2 * (wells["col"].to_numpy() - 1) / (PLATE_COLS - 1) - 1
    return np.column_stack([row, col, row**2 - 1 / 3, col**2 - 1 / 3]).astype(np.float32)
