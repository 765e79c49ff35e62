"""Whitening: directions in which wells of one kind differ among themselves count less, quiet ones more.

The covariance is that of residuals: reference wells minus the mean of their plate and condition. So neither plates nor
the disease are in it, and the disease axis is not whitened away. With fewer wells than features it has to be shrunk
towards a multiple of the identity.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.profiles.reference import BatchStep, batch_record, reference_mask
from helpers.profiles.selection import as_slice, controls, rows_by
from helpers.profiles.spectrum import (
    Spectrum,
    check_regulariser,
    fit_spectrum,
    ledoit_wolf_weight,
    within_residuals,
)
from helpers.screens.order import natural_key

MIN_WELLS = 10
"""Residuals of fewer wells than this say little about any direction."""
MAX_FOLDS = 5
WEIGHTS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
TOLERANCE = 1.02
"""Of two weights with nearly the same noise the larger is taken: the less is whitened, the less do effects away from
the axis leak onto it."""


@dataclass
class Sphering(BatchStep):
    """Centre each batch on its reference wells and whiten it by their residuals (zero-phase, ZCA).

    Of all whitenings ZCA is the one that turns the embeddings least, so that batches stay comparable. With
    `regulariser` 0 and plates as batches this is what pycytominer's `spherize` does plate by plate.

    Parameters
    ----------
    regulariser : str or float
        `ledoit_wolf`, or the weight of the identity in [0, 1]: 0 = the wells' own covariance, 1 = no whitening.
    by : str
        As in :class:`helpers.profiles.reference.BatchStep`.
    reference : str
        As there.
    min_reference : int
        As there.
    pooled : bool
        As there.
    """

    min_reference: int = MIN_WELLS
    regulariser: str | float = "ledoit_wolf"
    centers_: dict = field(default_factory=dict, repr=False)
    maps_: dict = field(default_factory=dict, repr=False)
    weights_: dict = field(default_factory=dict, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "Sphering":
        """Learn centre and whitening of every batch."""
        check_regulariser(self.regulariser, ("ledoit_wolf",))
        for batch, rows in self.find(obs, "sphering"):
            own, groups = X[as_slice(rows)], _groups(obs.iloc[rows])
            residuals, degrees = within_residuals(own, groups)
            weight = self.regulariser
            weight = ledoit_wolf_weight(residuals) if weight == "ledoit_wolf" else float(weight)
            self.centers_[batch] = own.mean(axis=0, dtype=np.float64).astype(np.float32)
            self.maps_[batch] = fit_spectrum(residuals, degrees).whitening(weight)
            self.weights_[str(batch)] = round(weight, 4)
        return self

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Centre and whiten each batch."""
        out = np.empty(X.shape, dtype=np.float32)
        for batch, rows in rows_by(obs, self.by).items():
            out[as_slice(rows)] = self.maps_[batch].apply(X[as_slice(rows)] - self.centers_[batch])
        return out

    def record(self) -> dict:
        """Return the reference, how many wells of it each batch had, and the weight of the identity."""
        return self.note("sphering", identity_weight=self.weights_)


@dataclass
class CrossWhitening:
    """Whiten each plate by how the uninfected wells of *other* plates of its experiment vary, ZCA.

    Whitening learnt from infected untreated wells makes these quieter than any other wells, and the null that they form
    later too narrow; even if a plate is whitened by other plates only, for they define its axis. Mock and UV wells take
    no part in the null and share the noise that infected wells have. The plates of an experiment are dealt into folds,
    and a plate is whitened by the other folds, so that its mock wells are in no map of its own. They are still in the
    maps of the plates that define its axis, and come out a little too quiet along it: by a tenth with several plates,
    up to a third with two plates and a thousand features, where robust Z' and the UV gap flatter. Rescue of infected
    wells, the null and the replicate error are not touched by it. Where an experiment has too little to learn from, it
    stays as it is, and the record says so.

    Every fold's map has the same mean square over directions, so that a fold changes no lengths.

    Parameters
    ----------
    reference : str
        One of :data:`helpers.profiles.reference.REFERENCES`; residuals are taken within plate and condition.
    min_reference : int
        Reference wells that the other plates must have together.
    regulariser : str or float
        `held_out`: the weight of the identity that makes noise along the axis, in axis lengths, small on the plates
        that are held out, :func:`helpers.profiles.whitening.held_out_noise`; or as in
        :class:`helpers.profiles.whitening.Sphering`.
    """

    reference: str = "uninfected"
    min_reference: int = 2 * MIN_WELLS
    regulariser: str | float = "held_out"
    maps_: dict = field(default_factory=dict, repr=False)
    folds_: dict = field(default_factory=dict, repr=False)
    n_: dict = field(default_factory=dict, repr=False)
    weights_: dict = field(default_factory=dict, repr=False)
    unchanged_: list = field(default_factory=list, repr=False)

    def fit(self, X: np.ndarray, obs: pd.DataFrame) -> "CrossWhitening":
        """Learn, for every fold of plates, the whitening from the others."""
        check_regulariser(self.regulariser, ("held_out", "ledoit_wolf"))
        chosen = reference_mask(obs, self.reference)
        for experiment, rows in rows_by(obs, "experiment").items():
            folds = self._folds(experiment, X, obs, rows, chosen)
            weight = self._weight(folds)
            for fold in folds:
                own = ledoit_wolf_weight(fold.residuals) if weight is None else weight
                mapping = fold.spectrum.whitening(own, unit=True)
                self.weights_[fold.name] = round(own, 4)
                self.maps_ |= dict.fromkeys(fold.plates, mapping)
        return self

    def _folds(self, experiment, X, obs: pd.DataFrame, rows: np.ndarray, chosen: np.ndarray) -> list["Fold"]:
        """Return the folds that have enough to learn from."""
        mine = rows[chosen[rows]]
        fold_of = deal_plates(obs.iloc[rows]["plate_id"])
        residuals, _ = within_residuals(X[mine], _groups(obs.iloc[mine]))
        gaps = plate_gaps(X, obs, rows)
        folds = []
        for number in sorted(set(fold_of.values())):
            plates = [plate for plate, value in fold_of.items() if value == number]
            train = ~obs["plate_id"].iloc[mine].isin(plates).to_numpy()
            name = f"{experiment} fold {number + 1}"
            self.n_[name] = int(train.sum())
            if train.sum() < self.min_reference:
                self.unchanged_ += [str(plate) for plate in plates]
                continue
            self.folds_ |= {str(plate): number + 1 for plate in plates}
            degrees = int(train.sum()) - len(set(_groups(obs.iloc[mine])[train]))
            spectrum = fit_spectrum(residuals[train], max(degrees, 1))
            inside, outside = (
                [g for p, g in gaps.items() if (p in plates) == here] for here in (True, False)
            )
            folds.append(Fold(name, plates, spectrum, residuals[train], residuals[~train], outside, inside))
        return folds

    def _weight(self, folds: list["Fold"]) -> float | None:
        """Return the weight of the identity for an experiment, None if each fold is to have its own."""
        if self.regulariser != "held_out":
            return None if self.regulariser == "ledoit_wolf" else float(self.regulariser)
        noise = held_out_noise(folds)
        if not np.isfinite(noise).any():
            return None
        return float(WEIGHTS[np.flatnonzero(noise <= TOLERANCE * np.nanmin(noise)).max()])

    def transform(self, X: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
        """Whiten each plate that other plates have something to say about."""
        out = np.empty(X.shape, dtype=np.float32)
        for plate, rows in rows_by(obs, "plate_id").items():
            part = X[as_slice(rows)]
            out[as_slice(rows)] = self.maps_[plate].apply(part) if plate in self.maps_ else part
        return out

    def record(self) -> dict:
        """Return the folds, how many reference wells each was learnt from, and the plates that were left alone."""
        record = batch_record("whitening by other plates", self.reference, None)
        record |= {"n": self.n_, "fold": self.folds_, "identity_weight": self.weights_}
        if self.unchanged_:
            record["not_whitened"] = self.unchanged_
        return record


@dataclass(frozen=True)
class Fold:
    """Plates that are held out together, and what the others of their experiment say.

    Attributes
    ----------
    name : str
        The fold's name.
    plates : list
        The plates that are held out.
    spectrum : Spectrum
        Of the reference wells of the other plates.
    residuals : array
        Of the same, shape (n_wells, n_features).
    held_out : array
        Residuals of the reference wells of these plates, shape (n_wells, n_features).
    gaps, held_out_gaps : list
        Differences from mock to infected untreated wells on the other plates, and on these.
    """

    name: str
    plates: list
    spectrum: Spectrum
    residuals: np.ndarray
    held_out: np.ndarray
    gaps: list
    held_out_gaps: list


def plate_gaps(X: np.ndarray, obs: pd.DataFrame, rows: np.ndarray) -> dict:
    """Return plate -> difference from the median mock to the median infected untreated well, where it has both."""
    kinds = [controls(obs, kind) for kind in ("mock", "infected")]
    gaps = {}
    for plate, mine in rows_by(obs.iloc[rows], "plate_id").items():
        wells = rows[mine]
        mock, infected = (wells[kind[wells]] for kind in kinds)
        if len(mock) and len(infected):
            gaps[plate] = np.median(X[infected], axis=0) - np.median(X[mock], axis=0)
    return gaps


def held_out_noise(folds: list[Fold]) -> np.ndarray:
    """Return the noise of a well along the axis, for each of :data:`helpers.profiles.whitening.WEIGHTS`.

    In axis lengths. After whitening by S^-1/2 the axis d becomes S^-1/2 d, and a well is read along S^-1 d. S and d are
    those of the other plates, noise and length those of the plates held out. Missing where an experiment lacks the
    controls.
    """
    noise, length, n = np.zeros(len(WEIGHTS)), np.zeros(len(WEIGHTS)), 0
    for fold in folds:
        if not (fold.gaps and fold.held_out_gaps and len(fold.held_out)):
            continue
        axis, gap = (np.mean(gaps, axis=0)[None] for gaps in (fold.gaps, fold.held_out_gaps))
        readings = np.vstack([fold.spectrum.precision(weight).apply(axis) for weight in WEIGHTS]).astype(
            float
        )
        readings /= readings @ axis.T
        noise += ((fold.held_out @ readings.T) ** 2).mean(axis=0)
        length += (readings @ gap.T)[:, 0]
        n += 1
    if n == 0:
        return np.full(len(WEIGHTS), np.nan)
    return np.where(length > 0, np.sqrt(noise / n) / np.maximum(length / n, 1e-12), np.nan)


def deal_plates(plates: pd.Series) -> dict:
    """Return plate -> fold, 0 to at most 4, dealt in the plates' natural order."""
    names = sorted(plates.unique(), key=lambda plate: natural_key(str(plate)))
    return {plate: number % MAX_FOLDS for number, plate in enumerate(names)}


def _groups(obs: pd.DataFrame) -> np.ndarray:
    return obs.groupby(["plate_id", "condition"], observed=True).ngroup().to_numpy()
