"""Tables as they come: CSV, gzipped CSV, zip and Parquet, opened with one clear word on what is broken."""

import contextlib
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from helpers.screens import columns as typed
from helpers.screens.columns import Vectors, scan_parquet
from helpers.screens.heads import check_head
from helpers.screens.limits import refuse_columns, refuse_rows
from helpers.screens.packed import PackedError
from helpers.screens.problems import Problem, broken, listed
from helpers.screens.text import (
    GET_AGAIN,
    bad_bytes,
    header_line,
    odd_lines,
    split_line,
)
from helpers.screens.unpack import unpack

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".zip")
# Rows and cells read at a time: 2 million float32 features are 8 MB. Every batch is joined with the whole metadata, so
# narrow tables are read in few batches.
BATCH_ROWS = 500_000
BATCH_CELLS = 2_097_152
# The place of a row in its file; no header of a user's will hold this name.
LINE = "__line__"


@dataclass(frozen=True)
class Table:
    """One plain CSV or Parquet on disk, its header read.

    Parameters
    ----------
    path : Path
        Where the plain file lies; a temporary one if it came out of a zip or gzip.
    label : str
        What messages call it: the name of the user's file, with the member of a zip after a colon.
    columns : tuple of str
        Names in the order of the file.
    separator : str
        What stands between the cells of a CSV.
    header : tuple of str
        Names as they stand in a CSV, blanks around them included.
    decimal_comma : bool
        Whether numbers that are text have a decimal comma.
    vectors : dict
        Columns that hold a list of numbers in each row, and the names of its places; see `spread`.
    """

    path: Path
    label: str
    columns: tuple[str, ...]
    separator: str = ","
    header: tuple[str, ...] = ()
    decimal_comma: bool = False
    vectors: Vectors = field(default_factory=dict)

    @property
    def is_csv(self) -> bool:
        """Tell if this is text, not Parquet."""
        return self.path.suffix != ".parquet"

    @property
    def unit(self) -> str:
        """Return what a row is counted in: lines of a CSV with its header as line 1, rows of a Parquet."""
        return "line" if self.is_csv else "row"

    @cached_property
    def schema(self) -> pl.Schema:
        """Return the types of a Parquet; of a CSV none, where all is text."""
        return pl.Schema() if self.is_csv else scan_parquet(self.path).collect_schema()

    @property
    def readable(self) -> tuple[str, ...]:
        """Return the columns whose cells are one text or number each."""
        return tuple(name for name in self.columns if self.is_csv or typed.is_cell(self.schema[name]))

    @property
    def measured(self) -> tuple[str, ...]:
        """Return the columns that may be features: the readable ones, and those of vectors."""
        kept = {name for name, dtype in self.schema.items() if typed.is_cell(dtype) or typed.is_vector(dtype)}
        return tuple(name for name in self.columns if self.is_csv or name in kept)

    def spread(self, features: tuple[str, ...]) -> tuple["Table", tuple[str, ...]]:
        """Return the table with the features that are vectors spread over their places, and the names of all features.

        Raises
        ------
        BrokenFileError
            If the vectors of a column differ in length, or have the name of another column.
        """
        if self.is_csv:
            return self, features
        vectors, names = typed.spread_vectors(self.path, self.label, features)
        return replace(self, vectors=vectors), names

    def scan(self, numeric: tuple[str, ...] = (), text: tuple[str, ...] | None = None) -> pl.LazyFrame:
        """Return the rows lazily: a column `LINE`, `text` columns (all others by default), `numeric` ones as float32.

        A cell that is no number becomes null, and so does an empty one. What is not asked for is not looked at.

        Raises
        ------
        BrokenFileError
            If a column holds what one cell of a table cannot, such as lists.
        """
        if text is None:
            text = tuple(name for name in self.columns if name not in set(numeric))
        if self.is_csv:
            measured = set(numeric)
            types = [pl.Float32 if name in measured else pl.String for name in self.columns]
            frame = pl.scan_csv(
                self.path.absolute(),
                glob=False,
                decimal_comma=self.decimal_comma,
                separator=self.separator,
                schema=dict(zip(self.header, types, strict=True)),
                ignore_errors=True,
                row_index_name=LINE,
                row_index_offset=2,
            )
            written = dict(zip(self.columns, self.header, strict=True))
            return frame.select(LINE, *(pl.col(written[name]).alias(name) for name in (*text, *numeric)))
        return self._scan_typed(numeric, text)

    def _scan_typed(self, numeric: tuple[str, ...], text: tuple[str, ...]) -> pl.LazyFrame:
        """Return the rows of a Parquet."""
        schema, places = self.schema, {place for names in self.vectors.values() for place in names}
        plain = [name for name in numeric if name not in places]
        for name in text:
            typed.refuse_type(name, schema[name], self.label)
        for name in plain:
            typed.refuse_type(name, schema[name], self.label, numeric=True)
        numbers = (typed.as_number(name, schema[name], decimal_comma=self.decimal_comma) for name in plain)
        cells = [*(typed.as_text(name, schema[name]) for name in text), *numbers]
        if len(plain) == len(numeric):
            return scan_parquet(self.path).select(cells).with_row_index(LINE, 1)
        cells += (typed.as_places(name, names, schema[name]) for name, names in self.vectors.items())
        rows = scan_parquet(self.path).select(cells).unnest(list(self.vectors)).with_row_index(LINE, 1)
        return rows.select(LINE, *text, *numeric)

    def batches(self, columns: tuple[str, ...], numeric: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        """Stream `LINE`, the text `columns` and the `numeric` columns in the order of the file.

        Blank lines are left out. Only so many rows are in memory at a time as hold a few million cells.

        Raises
        ------
        BrokenFileError
            If the file cannot be parsed; says where.
        """
        frame = self.scan(numeric, columns)
        rows = int(np.clip(BATCH_CELLS // (1 + len(columns) + len(numeric)), 1, BATCH_ROWS))
        try:
            for batch in frame.collect_batches(chunk_size=rows, maintain_order=True, engine="streaming"):
                yield self._without_blank(batch)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._unreadable(error) from error

    def text(self, columns: tuple[str, ...] | None = None) -> pl.DataFrame:
        """Read columns (all by default) as text without surrounding blanks, null where empty, and `LINE`.

        Raises
        ------
        BrokenFileError
            If the file cannot be parsed; says where.
        """
        if self.is_csv and (wrong := self._bad_text()):
            raise broken(wrong.file, wrong.where, wrong.message)
        columns = columns or self.columns
        stripped = pl.col(columns).str.strip_chars()
        cells = self.scan(text=columns)
        try:
            cells = cells.select(LINE, pl.when(stripped != "").then(stripped))
            found = self._without_blank(cells.collect(engine="streaming"))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._unreadable(error) from error
        if not self.is_csv:
            self._refuse_nul(found)
        return found

    def _without_blank(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Leave out blank lines; the others keep the place they have in the file.

        A row is blank if all its cells are, also those of columns that were not asked for. Most tables have none, and
        to look at thousands of columns of every row for it would take far longer than to read them.
        """
        cells = rows.drop(LINE)
        if not rows.height or not cells.width or 0 in cells.null_count().row(0):
            return rows
        empty = rows.filter(pl.all_horizontal(pl.exclude(LINE).is_null()))[LINE].to_list()
        blank = self._blank(empty)
        return rows.filter(~pl.col(LINE).is_in(blank)) if blank else rows

    def _blank(self, lines: list[int]) -> list[int]:
        """Return which of some rows, ascending, have no filled cell at all."""
        if not lines:
            return []
        if not self.is_csv:
            rows = scan_parquet(self.path).select(self.columns).with_row_index(LINE, 1)
            found = rows.filter(pl.col(LINE).is_in(lines)).collect().iter_rows()
            return [row[0] for row in found if all(cell is None or cell != cell for cell in row[1:])]
        wanted, drop = set(lines), (self.separator + '" \t\r\n').encode()
        with self.path.open("rb") as file:
            return [n for n, text in enumerate(file, 1) if n in wanted and not text.strip(drop)]

    def _refuse_nul(self, cells: pl.DataFrame) -> None:
        """Refuse a NUL inside a cell of a Parquet; those of a CSV were looked for when it was opened."""
        for column in cells.drop(LINE):
            rows = cells[LINE].filter(column.str.contains("\0", literal=True).fill_null(False))
            if len(rows):
                message = f"column '{column.name}' holds a NUL, which no text has; correct the cell"
                raise broken(self.label, f"row {rows[0]}", message)

    def cell(self, line: int, column: str) -> str | None:
        """Return one cell as it is written, to be quoted in a message; None if its line is too short.

        Raises
        ------
        BrokenFileError
            If its line cannot be split into cells.
        """
        if not self.is_csv:
            vector = next((name for name, names in self.vectors.items() if column in names), column)
            value = scan_parquet(self.path).select(vector).slice(line - 1, 1).collect().item()
            if vector != column and value is not None:
                value = value[self.vectors[vector].index(column)]
            return None if value is None else str(value)
        with self.path.open("rb") as file:
            row = next(text for number, text in enumerate(file, 1) if number == line)
        cells = split_line(row.decode("utf-8", "replace"), self.separator, self.label, line)
        place = self.columns.index(column)
        return cells[place] if place < len(cells) else None

    def odd_lines(self) -> Problem | None:
        """Return the lines of a CSV that have more or fewer cells than its header, if any."""
        return odd_lines(self.path, self.label, len(self.columns), self.separator)

    def _bad_text(self) -> Problem | None:
        return bad_bytes(self.path, self.label) or self.odd_lines()

    def _unreadable(self, error: Exception) -> Exception:
        found = self._bad_text() if self.is_csv else None
        if found:
            return broken(found.file, found.where, found.message)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return broken(self.label, "", f"cannot be read ({reason}); {GET_AGAIN}")


@contextlib.contextmanager
def open_tables(path: Path, *, separator: str = ",", decimal_comma: bool = False) -> Iterator[list[Table]]:
    """Open every table of a file: one, or each csv and parquet member of a zip.

    Compressed text is unpacked into the system's temporary folder (``TMPDIR``), because polars streams
    from disk; it is removed at the end.

    Raises
    ------
    BrokenFileError
        If the file is not what its name says, is cut off, or its header is unusable.
    """
    check_head(path)
    with tempfile.TemporaryDirectory(prefix="rxrx19-") as folder:
        try:
            plain = unpack(path, Path(folder))
        except PackedError as error:
            raise broken(path.name, "", f"{error}; {error.advice or 'delete it and ' + GET_AGAIN}") from error
        except OSError as error:
            message = f"cannot be unpacked into {folder} ({error.strerror or error}); set TMPDIR to a folder with room"
            raise broken(path.name, "", message) from error
        tables = [read_header(file, label, separator) for file, label in plain]
        yield [replace(table, decimal_comma=decimal_comma) for table in tables]


def read_header(path: Path, label: str, separator: str) -> Table:
    """Read the names of the columns.

    Raises
    ------
    BrokenFileError
        If the header is not UTF-8, has no end, uses another separator, repeats a name or lacks one, or no row
        follows.
    """
    if path.suffix == ".parquet":
        try:
            about = parquet.read_metadata(path.absolute())
            refuse_columns(about.num_columns, label)
            names, n_rows = scan_parquet(path).collect_schema().names(), about.num_rows
        except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
            raise broken(label, "", f"is Parquet cut off or damaged; {GET_AGAIN}") from error
        refuse_rows(path, label, n_rows)
        if not n_rows:
            raise broken(label, "", f"has a header but no rows; {GET_AGAIN}")
        _refuse_working_names(tuple(names), label)
        # Where pandas keeps the index of a frame that had been filtered or sorted.
        return Table(path, label, tuple(name for name in names if not name.startswith("__index_level_")))
    refuse_rows(path, label)
    header, follows = header_line(path, label)
    refuse_columns(header.count(separator) + 1, label)
    header_names = tuple(split_line(header, separator, label, 1))
    columns = tuple(name.strip() for name in header_names)
    _check_header(columns, label, separator)
    if not follows:
        raise broken(label, "", f"has a header but no rows; {GET_AGAIN}")
    return Table(path, label, columns, separator, header_names)


def _refuse_working_names(columns: tuple[str, ...], label: str) -> None:
    """Refuse names that are given to columns while a screen is read."""
    if own := [name for name in columns if re.fullmatch("__(line|file|key|row|table)__", name)]:
        message = "is a name that reading a screen needs for itself; rename the column"
        raise broken(label, f"column {listed(own)}", message)


def _check_header(columns: tuple[str, ...], label: str, separator: str) -> None:
    other = next((s for s in ",;\t|" if s != separator and len(columns) == 1 and s in "".join(columns)), None)
    if other:
        names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
        message = (
            f"cells are separated by {names[other]}; write the file with {names.get(separator, separator)}"
        )
        raise broken(label, "line 1", message)
    _refuse_working_names(columns, label)
    repeated = [name for name, n in Counter(columns).items() if n > 1 and name]
    if repeated:
        raise broken(label, "line 1", f"column {listed(repeated)} is there twice; keep one of each name")
    if not all(columns):
        place = int(np.argmin([bool(c) for c in columns])) + 1
        raise broken(
            label, "line 1", f"column {place} has no name; name or remove it (an exported row index?)"
        )
