"""Plates of the twin: which wells a plate has, where its controls stand, and how often compounds are repeated."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.screens.layout import (
    PLATE_COLS,
    PLATE_ROWS,
    control_conditions,
    parse_well,
    plate_wells,
    well_name,
)

SMALL_ROWS, SMALL_COLS = 16, 24
_EDGE = (1, SMALL_COLS)
_PATTERN = ("mock", "infected", "infected")
# In the first and last column of a small plate: four times one mock and two infected wells, then four empty positions.
_PATTERN_ROWS = 12


@dataclass(frozen=True)
class Layout:
    """The plates of a twin.

    Attributes
    ----------
    rows, cols : int
        Size of a plate, over which trends run.
    positions : callable
        Returns the wells of a plate: well, row, col, condition; treated wells stand among the `free` ones.
    prune : callable
        Takes the finished wells of a screen and returns those that it really has.
    """

    rows: int
    cols: int
    positions: Callable[[], pd.DataFrame]
    prune: Callable[[pd.DataFrame], pd.DataFrame] = lambda wells: wells


def _large_plate() -> pd.DataFrame:
    """Return RxRx19a's 1,340 wells: controls in their columns, all others free."""
    wells = pd.DataFrame({"well": sorted(plate_wells())})
    wells["row"], wells["col"] = np.array([parse_well(well) for well in wells["well"]]).T
    conditions = control_conditions(wells["row"].to_numpy(), wells["col"].to_numpy())
    wells["free"] = conditions == None  # noqa: E711 (elementwise)
    wells["condition"] = np.where(wells["free"], "infected", conditions)
    return wells


def _small_plate() -> pd.DataFrame:
    """Return a plate of 384 wells: 8 mock and 16 infected untreated ones in the outer columns, the inner ones free."""
    rows = []
    for row in range(1, SMALL_ROWS + 1):
        for col in range(1, SMALL_COLS + 1):
            edge = col in _EDGE
            if edge and row > _PATTERN_ROWS:
                continue
            condition = _PATTERN[(row - 1) % len(_PATTERN)] if edge else "infected"
            rows.append((well_name(row, col), row, col, condition, not edge))
    wells = pd.DataFrame(rows, columns=["well", "row", "col", "condition", "free"])
    return wells.sort_values("well", ignore_index=True)


def _only_placed(wells: pd.DataFrame) -> pd.DataFrame:
    """Leave out inner positions of a small plate that nothing was placed in: no control stands there."""
    spare = (wells["compound"] < 0) & ~wells["col"].isin(_EDGE)
    return wells[~spare].reset_index(drop=True)


def _confound(wells: pd.DataFrame) -> pd.DataFrame:
    """Leave one mock well on every plate, none on the second, and no infected untreated well on the third."""
    untreated = wells["compound"] < 0
    keep = wells["condition"] != "uv"
    for number, (_, plate) in enumerate(wells.groupby(["experiment", "plate"], sort=False)):
        mock = plate.index[plate["condition"] == "mock"]
        keep[mock[0 if number == 1 else 1 :]] = False
        if number == 2:
            keep[plate.index[(plate["condition"] == "infected") & untreated[plate.index]]] = False
    return wells[keep].reset_index(drop=True)


LAYOUTS = {
    "rxrx19a": Layout(PLATE_ROWS, PLATE_COLS, _large_plate),
    "plates_384": Layout(SMALL_ROWS, SMALL_COLS, _small_plate, _only_placed),
    "confounded": Layout(PLATE_ROWS, PLATE_COLS, _large_plate, _confound),
}
