"""The 1536-well plate of RxRx19a: names, positions and where the controls stand.

Rows are numbered 1 (A) to 32 (AF) and columns 1 to 48, as they are printed on the plate.
"""

import re

import numpy as np

PLATE_ROWS, PLATE_COLS = 32, 48
# The outer ring is unused.
ROWS = tuple(range(2, 32))
COLS = tuple(range(2, 48))
CONTROL_COLS = (8, 16, 24, 32, 40)
# First and last row, inclusive, of each run of control wells inside the control columns. Rows I-L and U-X
# have no well in these columns.
CONTROL_ROWS = {
    "mock": ((5, 8), (17, 20)),
    "uv": ((13, 16), (25, 28)),
    "blank": ((2, 4), (29, 31)),
}
SITES = (1, 2, 3, 4)

_WELL = re.compile(r"([A-Z]{1,2})([0-9]{1,2})")


def row_label(row: int) -> str:
    """Return the letters of a row number: 1 is A, 26 is Z, 27 is AA, 32 is AF.

    Raises
    ------
    ValueError
        If `row` is not a row of a 1536-well plate.
    """
    if not 1 <= row <= PLATE_ROWS:
        raise ValueError(f"row {row}: allowed are 1 (A) to {PLATE_ROWS} (AF)")
    return chr(64 + row) if row <= 26 else "A" + chr(64 + row - 26)


_ROW_NUMBERS = {row_label(row): row for row in range(1, PLATE_ROWS + 1)}


def row_number(label: str) -> int:
    """Return the number of a row's letters: A is 1, Z is 26, AA is 27, AF is 32.

    Raises
    ------
    ValueError
        If `label` is not a row of a 1536-well plate.
    """
    try:
        return _ROW_NUMBERS[label]
    except KeyError:
        raise ValueError(f"row '{label}': allowed are A to Z and AA to AF") from None


def well_name(row: int, col: int) -> str:
    """Return a position as RxRx19a writes it: ``well_name(27, 2)`` is ``AA02``.

    Raises
    ------
    ValueError
        If the position is not on a 1536-well plate.
    """
    if not 1 <= col <= PLATE_COLS:
        raise ValueError(f"column {col}: allowed are 1 to {PLATE_COLS}")
    return f"{row_label(row)}{col:02d}"


def parse_well(well: str) -> tuple[int, int]:
    """Return row and column of a well's name: ``parse_well("AA02")`` is ``(27, 2)``.

    The leading zero of the column may be missing, as in ``B2``.

    Raises
    ------
    ValueError
        If `well` is not letters A to AF and a column 1 to 48.
    """
    match = _WELL.fullmatch(well)
    if match and match[1] in _ROW_NUMBERS and 1 <= int(match[2]) <= PLATE_COLS:
        return _ROW_NUMBERS[match[1]], int(match[2])
    raise ValueError(f"well '{well}': allowed are rows A to AF and columns 01 to 48, written like AA02")


def control_conditions(rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Return the condition that stands by design at each position.

    Parameters
    ----------
    rows, cols : array-like of int, shape (n,)
        Row and column numbers, from 1.

    Returns
    -------
    conditions : object array, shape (n,)
        ``mock``, ``uv``, ``blank``, or None where no control is placed.
    """
    rows, cols = np.asarray(rows), np.asarray(cols)
    conditions = np.full(rows.shape, None, dtype=object)
    in_column = np.isin(cols, CONTROL_COLS)
    for condition, runs in CONTROL_ROWS.items():
        in_rows = np.logical_or.reduce([(rows >= first) & (rows <= last) for first, last in runs])
        conditions[in_column & in_rows] = condition
    return conditions


def control_condition(row: int, col: int) -> str | None:
    """Return ``mock``, ``uv`` or ``blank`` if that control stands at a position by design, else None."""
    return control_conditions(np.array([row]), np.array([col]))[0]


def scattered(row: int, col: int) -> bool:
    """Tell if a position belongs to the 1,230 over which treated and infected untreated wells are scattered.

    Arrays of equal shape are allowed and give an array.
    """
    rows, cols = np.asarray(row), np.asarray(col)
    used = (rows >= ROWS[0]) & (rows <= ROWS[-1]) & (cols >= COLS[0]) & (cols <= COLS[-1])
    answer = used & ~np.isin(cols, CONTROL_COLS)
    return answer if answer.ndim else bool(answer)


def plate_wells() -> list[str]:
    """Return the names of the 1,340 wells a plate has in the release, by row, then column.

    RxRx19a's files are in lexicographic order instead (AA02 before B02): sort the names for that.
    """
    positions = [(row, col) for row in ROWS for col in COLS]
    return [well_name(r, c) for r, c in positions if scattered(r, c) or control_condition(r, c)]
