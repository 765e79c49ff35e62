"""How large a table may be: what no screen is, is refused before it is read."""

from pathlib import Path

from helpers.screens.problems import broken

MOST_COLUMNS = 100_000
"""Columns of a table; the widest profiles in use have some twenty thousand."""
MOST_ROWS = 20_000_000
"""Rows of a table; RxRx19a has 305,520 sites, and the largest screens that were published some millions of wells."""
_SAMPLE = 1 << 20


def refuse_columns(n_columns: int, label: str) -> None:
    """Refuse a table of more columns than any screen has.

    Raises
    ------
    BrokenFileError
        With both numbers.
    """
    if n_columns > MOST_COLUMNS:
        message = (
            f"has {n_columns:,} columns; allowed are {MOST_COLUMNS:,}: leave out those that are no features"
        )
        raise broken(label, "line 1", message)


def refuse_rows(path: Path, label: str, n_rows: int | None = None) -> None:
    """Refuse a table of more rows than any screen has.

    Parameters
    ----------
    path : Path
        A plain CSV, whose rows are estimated from its first megabyte.
    label : str
        What messages call it.
    n_rows : int, optional
        If the file itself says how many there are.

    Raises
    ------
    BrokenFileError
        With both numbers.
    """
    about = ""
    if n_rows is None:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
        n_rows, about = int(sample.count(b"\n") * (path.stat().st_size / max(len(sample), 1))), "about "
    if n_rows > MOST_ROWS:
        message = f"has {about}{n_rows:,} rows; allowed are {MOST_ROWS:,}: is one row a cell, and not a well or site?"
        raise broken(label, "", message)
