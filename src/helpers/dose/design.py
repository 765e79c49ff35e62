"""Responses sorted into curves, plates and doses, and reduced to what least squares needs to know of them.

For fitting, the responses at one dose on one plate matter only through their number and mean (weights included); what
they scatter around that mean is added to every residual sum of squares alike. That makes a curve of 173 wells as cheap
as one of 8.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Points:
    """Responses in a fixed order (curve, plate, dose, response), so that no result depends on the order of the rows.

    Attributes
    ----------
    curve : array
        Code of the curve, 0, 1, ..., shape (n_points,).
    plate : array
        Code of the plate within the table; all 0 where plates play no part.
    dose, response, weight : array
        Numbers, none missing, weights > 0.
    """

    curve: np.ndarray
    plate: np.ndarray
    dose: np.ndarray
    response: np.ndarray
    weight: np.ndarray

    @classmethod
    def sort(cls, curve, plate, dose, response, weight) -> "Points":
        """Return the points in their fixed order.

        Parameters
        ----------
        curve, plate, dose, response, weight : array_like
            As the attributes, in any order, shape (n_points,).
        """
        order = np.lexsort((weight, response, dose, plate, curve))
        return cls(*(np.asarray(column)[order] for column in (curve, plate, dose, response, weight)))

    def take(self, chosen: np.ndarray) -> "Points":
        """Return some of the points, in the same order."""
        return Points(
            *(column[chosen] for column in (self.curve, self.plate, self.dose, self.response, self.weight))
        )


@dataclass(frozen=True)
class DoseGroup:
    """Curves that were measured at the same doses and on the same number of plates.

    Attributes
    ----------
    curves : array
        Codes of the curves, shape (n_curves,).
    doses : array
        Distinct doses, ascending, shape (n_doses,).
    weight, mean, within, count : array
        Sum of weights, weighted mean, sum of squares around it, and number of responses of each curve, plate and
        dose, shape (n_curves, n_plates, n_doses); weight 0 where there is no response.
    """

    curves: np.ndarray
    doses: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    within: np.ndarray
    count: np.ndarray

    @property
    def n_points(self) -> np.ndarray:
        """Number of responses, shape (n_curves,)."""
        return self.count.sum(axis=(1, 2))

    @property
    def within_ss(self) -> np.ndarray:
        """Sum of squares within plates and doses, shape (n_curves,)."""
        return self.within.sum(axis=(1, 2))

    @property
    def used(self) -> np.ndarray:
        """Which doses each curve has, shape (n_curves, n_doses)."""
        return self.weight.sum(axis=1) > 0

    @property
    def null_rss(self) -> np.ndarray:
        """Residual sum of squares of a level per plate, shape (n_curves,)."""
        centre = self.plate_means()[:, :, None]
        return self.within_ss + (self.weight * (self.mean - centre) ** 2).sum(axis=(1, 2))

    def plate_means(self) -> np.ndarray:
        """Return the mean response of each curve on each plate, shape (n_curves, n_plates)."""
        total = np.maximum(self.weight.sum(axis=2), 1e-300)
        return (self.weight * self.mean).sum(axis=2) / total

    def sum_of_squares(self, level: np.ndarray) -> np.ndarray:
        """Return the sum of squares about a level of each curve, shape (n_curves,)."""
        return self.within_ss + (self.weight * (self.mean - level[:, None, None]) ** 2).sum(axis=(1, 2))

    def dose_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Return lowest dose above zero and highest dose of each curve, each of shape (n_curves,)."""
        used, doses = self.used, self.doses
        low = np.where(used & (doses > 0), doses, np.inf).min(axis=1)
        return low, np.where(used, doses, 0.0).max(axis=1)

    def take(self, rows) -> "DoseGroup":
        """Return some of the curves."""
        return DoseGroup(
            self.curves[rows],
            self.doses,
            *(a[rows] for a in (self.weight, self.mean, self.within, self.count)),
        )

    def chunks(self, size: int) -> list["DoseGroup"]:
        """Split into parts whose grids stay in the processor's cache."""
        return [self.take(slice(start, start + size)) for start in range(0, len(self.curves), size)]

    def keep_doses(self, keep: np.ndarray) -> "DoseGroup":
        """Return the same curves without some of their doses; `keep` has shape (n_curves, n_doses)."""
        mask = keep[:, None, :]
        return replace(self, weight=self.weight * mask, within=self.within * mask, count=self.count * mask)

    def reweight(self, factor: np.ndarray) -> "DoseGroup":
        """Return the curves with each plate counted `factor` times, shape (n_curves, n_plates)."""
        f = factor[:, :, None]
        return replace(self, weight=self.weight * f, within=self.within * f, count=self.count * f)

    def pooled(self) -> "DoseGroup":
        """Return the curves with all plates thrown together."""
        if self.weight.shape[1] == 1:
            return self
        weight = self.weight.sum(axis=1, keepdims=True)
        mean = (self.weight * self.mean).sum(axis=1, keepdims=True) / np.maximum(weight, 1e-300)
        between = (self.weight * (self.mean - mean) ** 2).sum(axis=1, keepdims=True)
        within = self.within.sum(axis=1, keepdims=True) + between
        return replace(
            self, weight=weight, mean=mean, within=within, count=self.count.sum(axis=1, keepdims=True)
        )


def group_curves(points: Points) -> list[DoseGroup]:
    """Group curves by the doses they share and the number of plates they stand on."""
    return [group for group, _, _ in indexed_groups(points)]


def indexed_groups(points: Points) -> list[tuple[DoseGroup, np.ndarray, np.ndarray]]:
    """Group curves, and say for each group which points are in it and in which cell of its arrays (flat index)."""
    if not len(points.curve):
        return []
    curves, starts = np.unique(points.curve, return_index=True)
    ends = np.append(starts[1:], len(points.curve))
    members: dict[tuple, list[int]] = {}
    designs = list(_designs(points, len(curves)))
    larger = _larger_designs(list(dict.fromkeys(designs)))
    for position, design in enumerate(designs):
        members.setdefault(larger[design], []).append(position)
    out = []
    for (n_plates, packed), positions in members.items():
        doses = np.frombuffer(packed)
        chosen = np.concatenate([np.arange(starts[i], ends[i]) for i in positions])
        row = np.repeat(np.arange(len(positions)), [ends[i] - starts[i] for i in positions])
        plate = _within_curve(row, points.plate[chosen])
        column = np.searchsorted(doses, points.dose[chosen])
        shape = (len(positions), n_plates, len(doses))
        cell = np.ravel_multi_index((row, plate, column), shape)
        group = fill_cells(curves[positions], doses, shape, cell, points.take(chosen))
        out.append((group, chosen, cell))
    return out


def _designs(points: Points, n_curves: int) -> Iterator[tuple[int, bytes]]:
    """Yield number of plates and distinct doses (as bytes) of each curve, in the order of the curves."""
    new_curve = np.diff(points.curve, prepend=-1) != 0
    code = np.cumsum(new_curve) - 1
    plates = np.bincount(code[new_curve | (np.diff(points.plate, prepend=-1) != 0)], minlength=n_curves)
    order = np.lexsort((points.dose, code))
    code, dose = code[order], points.dose[order]
    first = np.append(True, (np.diff(code) != 0) | (np.diff(dose) != 0))
    code, dose = code[first], dose[first].astype(float)
    ends = np.searchsorted(code, np.arange(n_curves + 1))
    for curve in range(n_curves):
        yield int(plates[curve]), dose[ends[curve] : ends[curve + 1]].tobytes()


def _larger_designs(designs: list[tuple[int, bytes]]) -> dict[tuple, tuple]:
    """Return design -> the one it is fitted with: of the same ends, with doses of which it lacks some.

    A dose that a curve lacks has weight 0 there, so nothing is different for it; one of other ends would be sought an
    EC50 over another range.
    """
    by_size = sorted(designs, key=lambda design: (-len(design[1]), design))
    kept: dict[tuple, list[tuple[tuple, set]]] = {}
    out = {}
    for design in by_size:
        n_plates, doses = design[0], np.frombuffer(design[1])
        positive = doses[doses > 0]
        ends = (n_plates, *positive[[0, -1]].tolist()) if len(positive) else (n_plates,)
        own = set(doses.tolist())
        fitting = [other for other, theirs in kept.setdefault(ends, []) if own <= theirs]
        if not fitting:
            kept[ends].append((design, own))
        out[design] = fitting[0] if fitting else design
    return out


def _within_curve(row: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """Return plate codes 0, 1, ... within each curve; both arrays are sorted by curve, then plate."""
    new_plate = np.diff(plate, prepend=-1) != 0
    new_curve = np.diff(row, prepend=-1) != 0
    step = np.cumsum(new_plate | new_curve)
    first = np.maximum.accumulate(np.where(new_curve, step, 0))
    return step - first


def fill_cells(curves, doses, shape: tuple, cell: np.ndarray, points: Points) -> DoseGroup:
    """Return the group whose cells hold these points.

    Parameters
    ----------
    curves : array
        Codes of the curves, shape (n_curves,).
    doses : array
        Distinct doses, ascending, shape (n_doses,).
    shape : tuple of int
        (n_curves, n_plates, n_doses).
    cell : array
        Flat index of each point's cell, shape (n_points,).
    points : Points
        The responses.
    """
    size = int(np.prod(shape))
    weight = np.bincount(cell, points.weight, size)
    mean = np.bincount(cell, points.weight * points.response, size) / np.maximum(weight, 1e-300)
    # squares of deviations, not a difference of squares, which would lose the digits of a large common level
    within = np.bincount(cell, points.weight * (points.response - mean[cell]) ** 2, size)
    count = np.bincount(cell, minlength=size).astype(float)
    return DoseGroup(curves, doses, *(a.reshape(shape) for a in (weight, mean, within, count)))
