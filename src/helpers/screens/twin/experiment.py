"""One experiment of a twin: its axis, its island, and what conditions and compounds do in it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.screens.twin.compounds import effect_sizes, in_cells
from helpers.screens.twin.layouts import LAYOUTS
from helpers.screens.twin.model import CLASS_LETTERS, TwinModel, stream

# Position on the disease axis by condition, for infected cells without treatment.
_ON_AXIS = {"mock": 0.0, "uv": 0.0, "infected": 1.0}


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


@dataclass(frozen=True)
class Common:
    """What the experiments of a twin have in common; the directions are those before they are tilted to an axis."""

    model: TwinModel
    seed: int
    n_features: int
    compounds: pd.DataFrame
    directions: dict[str, np.ndarray]


class Experiment:
    """Axis, island, trend, correlated noise and compound directions of one experiment.

    Parameters
    ----------
    common : Common
    name, cell_type : str
    line : float array, shape (n_features,)
        Disease axis that the experiments of its cell line scatter around.
    plates : list of str
        One of them loses many of its controls.
    """

    def __init__(self, common: Common, name: str, cell_type: str, line: np.ndarray, plates: list[str]):
        model, shared, p = common.model, common.directions, common.n_features
        self.seed, self.model, self.name = common.seed, model, name
        rng = stream(common.seed, "experiment", name)
        # Two directions at this angle to a third have its squared cosine between them.
        self.axis = tilt(random_directions(rng, 1, p), line, np.sqrt(model.axis_cosine))[0]
        shift = model.experiment_shift * tilt(random_directions(rng, 1, p), self.axis, 0.0)[0]
        self.centre = shared["base"][0] + shift
        self.uv = model.uv_offset * tilt(shared["uv"], self.axis, model.uv_cosine)[0]
        self.trend = self._trend(rng)
        self.latent = self._latent(rng)
        self.bad_plate = rng.choice(plates)
        self.compounds = in_cells(common.compounds, cell_type, model, common.seed)
        letters = self.compounds["mechanism_class"].to_numpy()
        own = shared["phenotype"].copy()
        for index, letter in enumerate(CLASS_LETTERS):
            own[letters == letter] = shared["class"][index]
        self.phenotype = tilt(own, -self.axis, self.compounds["leak"].to_numpy())
        self.toxic = tilt(shared["toxic"], -self.axis, self.compounds["toxic_cosine"].to_numpy())
        own = random_directions(stream(common.seed, "own directions"), len(self.compounds), p)
        self.own = tilt(own, -self.axis, self.compounds["own_leak"].to_numpy())
        self.density = tilt(
            random_directions(stream(common.seed, "density"), 1, p), self.axis, model.density_cosine
        )[0]

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
        """Return effect sizes (rows x 4) and displacement (rows x n_features) of compounds at doses."""
        index = self.compounds.index.get_indexer(compound)
        sizes = effect_sizes(self.compounds.iloc[index], dose)
        rescue, phenotype, toxic, own = sizes.to_numpy(dtype=np.float32).T[:, :, None]
        moved = phenotype * self.phenotype[index] + toxic * self.toxic[index] - rescue * self.axis
        if own.any():
            moved += own * self.own[index]
        return sizes, moved

    def truth(self, arms: pd.DataFrame) -> pd.DataFrame:
        """Return the truth of arms given by `compound` and `dose_um`."""
        sizes, moved = self.displacement(arms["compound"].to_numpy(), arms["dose_um"].to_numpy())
        rescue, off = sizes["rescue"], np.linalg.norm(moved - np.outer(moved @ self.axis, self.axis), axis=1)
        known = self.compounds.loc[arms["compound"]].reset_index(drop=True)
        curve = known[["emax", "ec50_um", "hill"]]
        if self.model.saturation:
            # What a bent embedding shows without noise is what any method can recover from it.
            rescue, off = self._seen(moved)
            curve = seen_curve(curve, self.model.saturation)
        return pd.DataFrame(
            {
                "experiment": self.name,
                "treatment": known["treatment"],
                "dose_um": arms["dose_um"].to_numpy(),
                "kind": known["kind"],
                "mechanism_class": known["mechanism_class"],
                "rescue": rescue,
                "off_disease": off.astype(float),
                "toxicity": sizes["toxicity"],
                "emax": curve["emax"],
                "ec50_um": curve["ec50_um"],
                "hill": curve["hill"],
            }
        )

    def _seen(self, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rescue and distance from the axis of displaced infected cells in a bent embedding."""
        bent = bend(self.axis + moved, self.model.saturation)
        length = float(bend(self.axis[None], self.model.saturation)[0] @ self.axis)
        on = bent @ self.axis
        return 1 - on / length, np.linalg.norm(bent - np.outer(on, self.axis), axis=1) / length

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
        effects = np.float32(gain) * self._effects(wells, rng)
        own = stream(self.seed, "wells", self.name, str(wells["plate"].iloc[0]))
        X *= _tail_factors(n, model.noise_tail, own)
        strength = _strengths(wells, model, own)
        X *= strength
        X += _trend_basis(wells, model) @ trend.astype(np.float32)
        X += (self.centre + shift).astype(np.float32)
        X += strength * effects
        X += model.density_sd * own.standard_normal((n, 1), dtype=np.float32) * self.density
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
        return bend(effects, self.model.saturation) if self.model.saturation else effects


def bend(vectors: np.ndarray, saturation: float) -> np.ndarray:
    """Return displacements, shape (n, n_features), that grow ever less and reach no further than `saturation`."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors * (saturation * np.tanh(length / saturation) / np.maximum(length, 1e-12))


def seen_curve(curve: pd.DataFrame, saturation: float) -> pd.DataFrame:
    """Return emax, ec50_um and hill of a rescue as a bent embedding shows it: half-way is half-way of what is seen."""
    emax = curve["emax"].to_numpy(float)
    one = saturation * np.tanh(1 / saturation)
    seen = 1 - saturation * np.tanh((1 - emax) / saturation) / one
    half = 1 - saturation * np.arctanh((1 - seen / 2) * one / saturation)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = half / emax
        ec50 = curve["ec50_um"] * (share / (1 - share)) ** (1 / curve["hill"])
    return curve.assign(emax=seen, ec50_um=ec50)


def _tail_factors(n: int, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Return by how much each well is noisier than a Gaussian one, shape (n, 1): together a multivariate t."""
    if not degrees:
        return np.ones((n, 1), dtype=np.float32)
    return np.sqrt(degrees / rng.chisquare(degrees, (n, 1))).astype(np.float32)


def _strengths(wells: pd.DataFrame, model: TwinModel, rng: np.random.Generator) -> np.ndarray:
    """Return how strongly each well responds, shape (n, 1): by itself, and by where on the plate it stands."""
    own = np.exp(rng.normal(-(model.noise_gain**2) / 2, model.noise_gain, len(wells)))
    angle = rng.uniform(0, 2 * np.pi)
    slope = _trend_basis(wells, model)[:, :2] @ [np.cos(angle), np.sin(angle)]
    return (own * (1 + model.gradient_gain * slope / np.sqrt(2)))[:, None].astype(np.float32)


def _trend_basis(wells: pd.DataFrame, model: TwinModel) -> np.ndarray:
    """Return row, column and their centred squares, both scaled to [-1, 1] over the plate, shape (n, 4)."""
    layout = LAYOUTS[model.layout]
    row = 2 * (wells["row"].to_numpy() - 1) / (layout.rows - 1) - 1
    col = 2 * (wells["col"].to_numpy() - 1) / (layout.cols - 1) - 1
    return np.column_stack([row, col, row**2 - 1 / 3, col**2 - 1 / 3]).astype(np.float32)
