"""Curves grouped by the doses they share, reduced to what least squares needs to know of them.

For fitting, the responses at one dose matter only through their number and mean (weights included); what they scatter
around that mean is added to every residual sum of squares alike. That makes a curve of 173 wells as cheap as one of 8.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class DoseGroup:
    """All curves that were measured at the same doses.

    Attributes
    ----------
    curves
        Positions of the curves in the order of first appearance, shape (n_curves,).
    doses
        Distinct doses, ascending, shape (n_doses,).
    weight, mean
        Sum of weights and weighted mean per curve and dose, shape (n_curves, n_doses).
    within
        Sum of squares within doses, shape (n_curves,).
    n_points
        Number of responses, shape (n_curves,).
    """

    curves: np.ndarray
    doses: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    within: np.ndarray
    n_points: np.ndarray

    @property
    def null_rss(self) -> np.ndarray:
        """Residual sum of squares of the flat line, shape (n_curves,)."""
        total = self.weight.sum(axis=1, keepdims=True)
        centre = (self.weight * self.mean).sum(axis=1, keepdims=True) / total
        return self.within + (self.weight * (self.mean - centre) ** 2).sum(axis=1)

    def take(self, rows: slice) -> "DoseGroup":
        """Return some of the curves."""
        arrays = (self.weight[rows], self.mean[rows], self.within[rows], self.n_points[rows])
        return DoseGroup(self.curves[rows], self.doses, *arrays)

    def chunks(self, size: int = 1000) -> list["DoseGroup"]:
        """Split into parts whose grids fit in memory: 1,000 curves x 2,025 grid points are 16 MB an array."""
        return [self.take(slice(start, start + size)) for start in range(0, len(self.curves), size)]


def group_curves(points: pd.DataFrame) -> list[DoseGroup]:
    """Group curves by the doses they share.

    Parameters
    ----------
    points
        Columns `curve` (code 0, 1, ...), `dose`, `response`, `weight`; no missing values.
    """
    points = points.assign(wy=points["weight"] * points["response"], one=1)
    keys = [points["curve"], points["dose"]]
    table = points.groupby(keys, sort=True)[["weight", "wy", "one"]].sum()
    table["mean"] = table["wy"] / table["weight"]
    # squares of deviations, not a difference of squares, which would lose the digits of a large common level
    means = pd.MultiIndex.from_arrays(keys).map(table["mean"])
    deviation = points["weight"] * (points["response"] - means.to_numpy()) ** 2
    table["within"] = deviation.groupby(keys, sort=True).sum()
    table = table.reset_index()
    designs = table.groupby("curve", sort=True)["dose"].agg(tuple)
    rows = table.groupby("curve", sort=True).indices
    groups = []
    for doses, members in designs.groupby(designs, sort=False):
        curves = members.index.to_numpy()
        mine = table.iloc[np.concatenate([rows[curve] for curve in curves])]
        shape = (len(curves), len(doses))
        weight, mean, within, n = (
            mine[c].to_numpy(float).reshape(shape) for c in ("weight", "mean", "within", "one")
        )
        groups.append(
            DoseGroup(curves, np.array(doses), weight, mean, within.sum(axis=1), n.sum(axis=1).astype(int))
        )
    return groups
