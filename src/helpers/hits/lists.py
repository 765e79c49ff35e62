"""Small tables that a person wrote or a web site exported, read strictly: a slip is an error with its line."""

import csv
import io
from pathlib import Path

import pandas as pd

from helpers.errors import DataError, shorten
from helpers.files import UnreadableTextError, read_small_text

_CSV_SAYS = {
    "unexpected end of data": "a quotation mark is not closed",
    "expected after": "a quotation mark stands inside a cell; double it",
    "field larger than field limit": f"a cell has more than {csv.field_size_limit():,} characters",
}

MOST_BYTES = 1 << 26
"""Of a list: 64 MiB hold a million lines."""


def read_list(
    path: Path, required: dict[str, tuple[str, ...]], optional: dict[str, tuple[str, ...]], form: str
):
    """Read a CSV or TSV as text.

    Parameters
    ----------
    path : Path
        UTF-8, separated by commas, semicolons or tabs.
    required, optional : dict
        Our name of a column -> the names it may have in the file, in lower case. Other columns keep theirs.
    form : str
        What such a file looks like and how to get one, for the messages.

    Returns
    -------
    DataFrame
        Cells without blanks around them; the index is the line of the file on which a row ends.

    Raises
    ------
    DataError
        If it is no such table: one line that says what is wrong and where.
    """
    header, *rows = _rows(path, form)
    ours = {other: name for name, others in {**required, **optional}.items() for other in others}
    columns = [ours.get(cell.strip().casefold(), cell.strip()) for cell in header[1]]
    missing = [f"{name} ({' or '.join(required[name])})" for name in required if name not in columns]
    if missing:
        found = ", ".join(shorten(cell, 40) for cell in header[1][:8]) or "nothing"
        raise DataError(f"{path}, line 1: no column for {'; '.join(missing)} (found: {found}); {form}")
    twice = sorted({name for name in columns if columns.count(name) > 1 and name in {**required, **optional}})
    if twice:
        raise DataError(f"{path}, line 1: two columns hold the {twice[0]}; keep one of them")
    for number, cells in rows:
        if len(cells) != len(columns):
            what = f"{len(cells)} cells where the header has {len(columns)}"
            raise DataError(f"{path}, line {number}: {what}; {form}")
    index = pd.Index([number for number, _ in rows], dtype=int)
    # By position first: columns that we do not use may share a name.
    table = pd.DataFrame([[cell.strip() for cell in cells] for _, cells in rows], index=index, dtype=str)
    table = table.reindex(columns=range(len(columns))).astype(object)
    return table.set_axis(columns, axis=1).loc[:, ~pd.Index(columns).duplicated()]


def _rows(path: Path, form: str) -> list[tuple[int, list[str]]]:
    """Return the line number and the cells of every row that holds something; at least a header, maybe empty."""
    try:
        text = read_small_text(path, most=MOST_BYTES)
    except UnreadableTextError as error:
        raise DataError(f"{path}: {error}; {form}") from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        said = next((ours for theirs, ours in _CSV_SAYS.items() if theirs in str(error)), str(error))
        raise DataError(
            f"{path}, line {reader.line_num}: cannot be split into cells ({said}); {form}"
        ) from None
    return rows or [(1, [])]
