"""The arguments of :func:`helpers.dose.fit_curves` checked, and its table read."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.dose.design import Points
from helpers.dose.grid import Limits
from helpers.dose.options import Fitting
from helpers.errors import DataError, UsageError
from helpers.screens.doses import same_doses

MISSING = ("", "na", "nan", "n/a", "none", "null", "<na>")
"""Text that stands for a missing number, whatever its case."""


def check_columns(table: pd.DataFrame, columns: list[str], options: Fitting) -> None:
    """Refuse a column that does not exist, or fewer doses than the curve has parameters.

    Raises
    ------
    UsageError
        Saying which.
    """
    missing = [str(column) for column in columns if column not in table.columns]
    if missing:
        raise UsageError(
            f"no column {', '.join(missing)} in the table; it has {', '.join(map(str, table.columns))}"
        )
    if options.min_doses < options.n_parameters:
        raise UsageError(
            f"min_doses={options.min_doses} is fewer than the {options.n_parameters} parameters of the curve"
        )


@dataclass(frozen=True)
class Columns:
    """The columns of a table that :func:`helpers.dose.fit_curves` reads; `front` and `back` may be numbers."""

    curve: str
    dose: str
    response: str
    weight: str | None = None
    cluster: str | None = None
    front: float | str | None = None
    back: float | str | None = None

    @property
    def names(self) -> list[str]:
        """Return the columns that must be there."""
        given = (self.curve, self.dose, self.response, self.weight, self.cluster)
        plateaus = [name for name in (self.front, self.back) if isinstance(name, str)]
        return [name for name in given if name is not None] + plateaus


@dataclass(frozen=True)
class Data:
    """A table read: complete responses, less each curve's mean, and the limits of the plateaus on that scale.

    The common level of a curve is taken off because its square would cost digits. `names` are the curves, sorted, so
    that no digit depends on the order of the rows; `appearance` are their positions in the order of first appearance,
    `level` and `n_dropped` have one number for each.
    """

    points: Points
    names: list
    appearance: np.ndarray
    level: np.ndarray
    n_dropped: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def limits_of(self, codes: np.ndarray) -> Limits:
        """Return the limits of front and back of some curves."""
        level = self.level[codes, None]
        return Limits(self.low[codes] - level, self.high[codes] - level)

    def fittable(self, options: Fitting) -> Points:
        """Return the points of curves with enough doses, enough points and responses that differ."""
        p, n = self.points, len(self.names)
        order = np.lexsort((p.dose, p.curve))
        curve, dose = p.curve[order], p.dose[order]
        first = np.append(True, (np.diff(curve) != 0) | (np.diff(dose) != 0))[: len(curve)]
        n_doses, n_points = np.bincount(curve[first], minlength=n), np.bincount(curve, minlength=n)
        positive = np.bincount(curve[first & (dose > 0)], minlength=n)
        largest, smallest = np.full(n, -np.inf), np.full(n, np.inf)
        np.maximum.at(largest, p.curve, p.response)
        np.minimum.at(smallest, p.curve, p.response)
        size = np.maximum(np.maximum(largest, -smallest), 0) + np.abs(self.level)
        varies = largest - smallest > 1e-12 * np.maximum(size, 1e-300)
        good = (n_doses >= options.min_doses) & (n_points > options.n_parameters) & (positive >= 2) & varies
        return p.take(good[p.curve])


def read_points(table: pd.DataFrame, columns: Columns, limits: np.ndarray) -> Data:
    """Return the complete responses of a table, and what is given of each curve's plateaus.

    Parameters
    ----------
    table : DataFrame
        One row per response.
    columns : Columns
        What to read.
    limits : array
        Smallest and largest front, and the same of back, shape (2, 2).

    Raises
    ------
    DataError
        For text among numbers, negative doses, weights that are not positive, or several fronts for one curve.
    """
    frame, names, appearance = _numbers(table, columns)
    codes = frame["curve"].to_numpy()
    complete = (codes >= 0) & np.isfinite(frame).all(axis=1).to_numpy()
    if columns.cluster:
        complete &= table[columns.cluster].notna().to_numpy()
    n_dropped = np.bincount(codes[~complete & (codes >= 0)], minlength=len(names))
    frame = frame[complete]
    _refuse_impossible(frame, names)
    frame = frame.assign(dose=same_doses(frame["dose"].to_numpy()))
    points = Points.sort(*(frame[c].to_numpy() for c in ("curve", "plate", "dose", "response", "weight")))
    count = np.maximum(np.bincount(points.curve, minlength=len(names)), 1)
    level = np.bincount(points.curve, points.response, len(names)) / count
    centred = Points(
        points.curve, points.plate, points.dose, points.response - level[points.curve], points.weight
    )
    low, high = (np.tile(end, (len(names), 1)) for end in np.asarray(limits, dtype=float).T)
    for place, (name, given) in enumerate((("front", columns.front), ("back", columns.back))):
        if given is not None:
            low[:, place] = high[:, place] = _plateau(table, codes, names, given, name)
    return Data(centred, names, appearance, level, n_dropped, low, high)


def _numbers(table: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, list, np.ndarray]:
    """Return a table of curve, dose, response, weight and plate as numbers, the curves' names, and their order."""
    codes, names = pd.factorize(table[columns.curve])
    order = np.argsort([str(name) for name in names], kind="stable")
    appearance = np.argsort(order)
    codes, names = np.where(codes >= 0, np.append(appearance, -1)[codes], -1), [names[i] for i in order]
    frame = pd.DataFrame({"curve": codes})
    for name, column in (("dose", columns.dose), ("response", columns.response)):
        frame[name] = _as_numbers(table[column], name)
    weight, cluster = columns.weight, columns.cluster
    frame["weight"] = _as_numbers(table[weight], "weight") if weight else 1.0
    plates = table[cluster].astype(str).to_numpy() if cluster else np.zeros(len(table), dtype=int)
    frame["plate"] = np.unique(plates, return_inverse=True)[1]
    return frame, names, appearance


def _as_numbers(values: pd.Series, name: str) -> np.ndarray:
    """Return a column as numbers; empty entries are missing, and other text is refused.

    Text that a program reads as missing would leave a curve with some of its points, and nobody would know.

    Raises
    ------
    DataError
        Naming the first entry that is no number, and its row.
    """
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
    if pd.api.types.is_numeric_dtype(values):
        return numbers
    text = values.astype("string").str.strip().fillna("")
    lost = np.isnan(numbers) & ~text.str.casefold().isin(MISSING).to_numpy()
    if lost.any():
        place = int(lost.argmax())
        comma = re.fullmatch(r"[+-]?\d+,\d+", text.iloc[place])
        hint = (
            "if its comma is a decimal one, read the file with decimal=','; if it parts thousands, with thousands=','"
            if comma
            else "give plain numbers, in one unit, and leave missing ones empty"
        )
        raise DataError(
            f"{name} {text.iloc[place]!r} in row {values.index[place]} of column {values.name} is no number; {hint}"
        )
    return numbers


def _refuse_impossible(frame: pd.DataFrame, names: list) -> None:
    """Raise DataError for negative doses and weights that are not positive."""
    if (frame["dose"] < 0).any():
        bad = frame.loc[frame["dose"] < 0].iloc[0]
        raise DataError(
            f"curve {names[int(bad['curve'])]} has the dose {bad['dose']:g}; doses must be 0 or more"
        )
    if (frame["weight"] <= 0).any():
        raise DataError("weights must be greater than 0; leave out the rows that should not count")


def _plateau(table: pd.DataFrame, codes: np.ndarray, names, given: float | str, name: str) -> np.ndarray:
    """Return the given front or back of each curve."""
    if not isinstance(given, str):
        return np.full(len(names), float(given))
    values = pd.Series(_as_numbers(table[given], name)).groupby(codes)
    first, spread = values.first(), values.max() - values.min()
    bad = [
        code for code in range(len(names)) if not np.isfinite(first.get(code, np.nan)) or spread[code] > 1e-9
    ]
    if bad:
        raise DataError(
            f"column {given} must hold one number for curve {names[bad[0]]}, its {name}; it holds "
            f"{'none' if not np.isfinite(first.get(bad[0], np.nan)) else 'several'}"
        )
    return first.reindex(range(len(names))).to_numpy(float)
