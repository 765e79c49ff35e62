"""Percent or fraction: which of the two responses look like, and whether what is asked of them is in the same."""

import numpy as np
import pandas as pd

from helpers.dose.options import CurveOptions

FRACTION, PERCENT = "fraction", "percent"
UNITS = {FRACTION: (0.2, 3.0), PERCENT: (20.0, 300.0)}
"""What the largest responses of a table lie between (its 95 % quantile in size)."""


class UnitWarning(UserWarning):
    """Numbers that belong together look like ones of different units."""


MIXED = 5
"""Curves in either unit from which on a table seems to hold both."""


def response_unit(response: np.ndarray) -> str:
    """Return ``fraction``, ``percent``, or "" where the responses look like neither.

    Examples
    --------
    >>> response_unit(np.array([0.02, 0.4, 0.97])), response_unit(np.array([2.0, 40.0, 97.0]))
    ('fraction', 'percent')
    """
    size = np.abs(np.asarray(response, dtype=float))
    size = size[np.isfinite(size)]
    return _unit_of(float(np.quantile(size, 0.95))) if len(size) else ""


def _unit_of(largest: float) -> str:
    """Return the unit of responses from their largest size."""
    return next((unit for unit, (low, high) in UNITS.items() if low <= largest <= high), "")


def given_numbers(front: object, back: object, options: CurveOptions) -> dict[str, float]:
    """Return the arguments of a fit that are in the unit of the responses, with names of their own."""
    out = {"front": front, "back": back, "min_effect": options.min_effect}
    for name in ("plateaus", "front_limits", "back_limits"):
        limits = getattr(options, name) or ()
        out |= {f"{name}[{i}]": limit for i, limit in enumerate(limits)}
    return {name: float(value) for name, value in out.items() if isinstance(value, int | float | np.number)}


def unit_notes(curve: np.ndarray, response: np.ndarray, given: dict[str, float]) -> list[str]:
    """Return a line for each number that is given in another unit than the responses, and one for mixed tables.

    Parameters
    ----------
    curve, response : array
        Which curve each response belongs to, and its value, shape (n_points,).
    given : dict
        Names of arguments, and their values in the unit of the responses; 0 and infinite ones say nothing.

    Examples
    --------
    >>> unit_notes(np.zeros(3), np.array([2.0, 40.0, 97.0]), {"min_effect": 0.2})
    ['min_effect=0.2 looks like a fraction, and the responses like percent; give both in one unit']
    """
    unit, notes = response_unit(response), []
    for name, value in given.items():
        size = abs(value)
        if not np.isfinite(size) or size == 0:
            continue
        if unit == PERCENT and size <= 1.5:
            notes.append(
                f"{name}={value:g} looks like a fraction, and the responses like percent; give both in one unit"
            )
        if unit == FRACTION and size >= 5:
            notes.append(
                f"{name}={value:g} looks like percent, and the responses like fractions; give both in one unit"
            )
    size = pd.Series(np.abs(response)).groupby(curve).quantile(0.95)
    units = pd.Series({name: _unit_of(largest) for name, largest in size.items()}, dtype=object)
    # a table in percent has flat curves near 0 that look like fractions, and then weak ones between the two
    apart = not size.between(UNITS[FRACTION][1], UNITS[PERCENT][0]).any()
    if apart and min((units == name).sum() for name in UNITS) >= MIXED:
        first = {name: units.index[units == name][0] for name in UNITS}
        notes.append(
            f"{(units == FRACTION).sum():,} curves look like fractions (such as {first[FRACTION]}) and "
            f"{(units == PERCENT).sum():,} like percent (such as {first[PERCENT]}); give all in one unit"
        )
    return notes
