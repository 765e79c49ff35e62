"""The generative model of the twin's embeddings, one plate at a time.

The embedding of a site is the sum of

    base + experiment shift + plate shift + plate gain x (condition + compound) + row/column trend
    + correlated well noise + well noise + failure of the well + site offset + site noise

all in axis lengths, times `TwinModel.axis_length`.
"""

from functools import cached_property

import numpy as np
import pandas as pd

from helpers.screens.twin.compounds import draw_compounds
from helpers.screens.twin.experiment import Common, Experiment, random_directions, tilt
from helpers.screens.twin.model import CLASS_LETTERS, TwinModel, stream

DIM, LOW_CELLS, ODD = "dim", "low_cells", "odd"
DECIMALS = 4
TRUTH_COLUMNS = [
    "experiment", "treatment", "dose_um", "kind", "mechanism_class",
    "rescue", "off_disease", "toxicity", "emax", "ec50_um", "hill",
]  # fmt: skip


class TwinDraw:
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
        self._experiments: dict[str, Experiment] = {}

    def experiment(self, name: str) -> Experiment:
        """Return the axis, shifts and directions of an experiment, drawn on first use."""
        if name not in self._experiments:
            cells = self.cell_types[name]
            common = Common(self.model, self.seed, self.n_features, self.compounds, self.directions)
            self._experiments[name] = Experiment(
                common, name, cells, self.line_axis(cells), self.plates[name]
            )
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
        """Return why each well of one plate failed: ``dim``, ``low_cells``, ``odd`` or "" for the others."""
        model, experiment, plate = self.model, wells["experiment"].iloc[0], wells["plate"].iloc[0]
        rng = stream(self.seed, "fates", experiment, plate)
        spread = np.exp(rng.normal(-(model.dim_spread**2) / 2, model.dim_spread))
        dim = np.full(len(wells), min(1.0, model.dim_share * spread))
        condition = wells["condition"].to_numpy()
        if plate == self.experiment(experiment).bad_plate:
            dim[np.isin(condition, ("mock", "uv"))] = rng.uniform(*model.dim_bad_plate)
        low = np.where(condition == "blank", model.low_cell_blank, model.low_cell_other)
        fates = np.where(rng.random(len(wells)) < low, LOW_CELLS, "")
        fates = np.where(rng.random(len(wells)) < dim, DIM, fates)
        if not model.odd_share:
            return fates
        return np.where((fates == "") & (rng.random(len(wells)) < model.odd_share), ODD, fates)

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
        if len(odd := np.flatnonzero(fates == ODD)):
            added[odd] = rng.uniform(*model.odd_size, (len(odd), 1)) * random_directions(
                rng, len(odd), self.n_features
            )
        return added
