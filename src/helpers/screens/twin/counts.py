"""The features of a screen that counts: cells, and a few sizes and intensities, all positive.

A feature's spread is in proportion to its mean. Infection kills most cells; what a compound rescues is cells. Levels
differ from plate to plate, because cells were not seeded alike.
"""

import numpy as np
import pandas as pd

from helpers.screens.twin.compounds import effect_sizes
from helpers.screens.twin.embeddings import DIM, LOW_CELLS, ODD, TwinDraw
from helpers.screens.twin.model import TwinModel, stream

N_FEATURES = 6
# Level in mock wells, and how infection changes it (natural logarithm), of all features but the count of cells.
_LEVELS = np.array([120.0, 900.0, 600.0, 40.0, 2.0])
_INFECTED = np.array([-0.25, 0.3, -0.2, 0.15, 1.2])
_SITE_SPREAD = 0.05
_DIM, _FEW = 0.3, 0.1
_DECIMALS = 3


class CountDraw(TwinDraw):
    """A twin whose sites are described by counts instead of an embedding."""

    def __init__(self, wells: pd.DataFrame, model: TwinModel, seed: int):
        super().__init__(wells, model, seed, N_FEATURES)

    def plate(self, wells: pd.DataFrame, well_of_site: np.ndarray, site: np.ndarray) -> np.ndarray:
        """Return the features of one plate's sites, shape (n_sites, 6), float32 and positive; as in `TwinDraw`."""
        experiment, plate = str(wells["experiment"].iloc[0]), str(wells["plate"].iloc[0])
        rng = stream(self.seed, "counts", experiment, plate)
        expected = self._expected(wells, experiment, rng)
        spread = self.model.count_spread
        expected *= np.exp(rng.normal(-(spread**2) / 2, spread, expected.shape))
        fates = self.fates(wells)
        expected[fates == DIM, 2:4] *= _DIM
        expected[fates == LOW_CELLS, 0] *= _FEW
        odd = np.flatnonzero(fates == ODD)
        expected[odd] *= np.exp(rng.normal(0, 1, (len(odd), N_FEATURES)))
        sites = expected[well_of_site] * np.exp(rng.normal(0, _SITE_SPREAD, (len(site), N_FEATURES)))
        # A site shows a quarter of a well's cells.
        sites[:, 0] = rng.poisson(sites[:, 0] / 4) * 4.0
        return np.round(sites.astype(np.float32), _DECIMALS)

    def _expected(self, wells: pd.DataFrame, experiment: str, rng: np.random.Generator) -> np.ndarray:
        """Return the expected features of each well of a plate."""
        model = self.model
        level = 10 ** rng.uniform(-model.count_window, model.count_window, N_FEATURES)
        level[1:] **= 0.3  # stains differ less than seeding
        low, high = np.log(model.count_survivors)
        survive = np.exp(rng.uniform(low, high))
        healthy = np.where(wells["condition"] == "infected", 0.0, 1.0)
        healthy[wells["condition"] == "blank"] = rng.random((wells["condition"] == "blank").sum()) < 0.5
        sizes = self._sizes(wells, experiment)
        healthy += sizes["rescue"].clip(lower=0).to_numpy()
        alive = (survive + (1 - survive) * healthy) * (1 + sizes["rescue"].clip(upper=0).to_numpy())
        alive *= np.exp(-sizes["toxicity"].to_numpy())
        moved = (sizes["phenotype"] + sizes["own"]).to_numpy()[:, None] * self._directions(wells)
        others = _LEVELS * np.exp((1 - healthy)[:, None] * _INFECTED + moved)
        return np.column_stack([model.count_level * alive, others]) * level

    def _sizes(self, wells: pd.DataFrame, experiment: str) -> pd.DataFrame:
        """Return the effects of each well's compound, zero where there is none."""
        compounds = self.experiment(experiment).compounds
        treated = np.flatnonzero(wells["compound"] >= 0)
        rows = compounds.loc[wells["compound"].to_numpy()[treated]]
        sizes = effect_sizes(rows, wells["dose_um"].to_numpy()[treated])
        every = pd.DataFrame(0.0, index=range(len(wells)), columns=sizes.columns)
        every.iloc[treated] = sizes.to_numpy()
        return every

    def _directions(self, wells: pd.DataFrame) -> np.ndarray:
        """Return how each well's compound changes all features but the count: unit vectors, or zero."""
        rng = stream(self.seed, "count directions")
        own = rng.standard_normal((len(self.compounds), N_FEATURES - 1))
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        place = self.compounds.index.get_indexer(wells["compound"])
        return np.where((place >= 0)[:, None], own[place], 0.0)

    def truth(self, wells: pd.DataFrame) -> pd.DataFrame:
        """Return what is true of every arm; rescue is that of cells, on the plate of median survival."""
        truth = super().truth(wells)
        survive = float(np.exp(np.mean(np.log(self.model.count_survivors))))
        alive = survive + (1 - survive) * truth["rescue"].clip(lower=0)
        alive *= (1 + truth["rescue"].clip(upper=0)) * np.exp(-truth["toxicity"])
        return truth.assign(rescue=((alive - survive) / (1 - survive)).round(6) + 0.0)
