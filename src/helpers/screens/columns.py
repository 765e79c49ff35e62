"""The typed columns of a Parquet: as text, as numbers, as vectors spread over their places, or refused."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from helpers.screens.limits import refuse_columns
from helpers.screens.problems import broken, places

Vectors = dict[str, tuple[str, ...]]
"""A column that holds a list of numbers in each row -> the names of their places."""
# Up to which whole number a type keeps every digit.
_MOST_EXACT: dict = {pl.Float32: 2**24, pl.Float64: 2**53}


def scan_parquet(path: Path) -> pl.LazyFrame:
    """Scan a Parquet file whose path is a path: brackets, stars, a tilde and equals signs mean nothing else."""
    return pl.scan_parquet(path.absolute(), glob=False, hive_partitioning=False)


def is_cell(dtype: pl.DataType) -> bool:
    """Tell if what one row holds is one text or number: lists, structures and bytes are not."""
    return not (dtype.is_nested() or isinstance(dtype, pl.Binary | pl.Object | pl.Duration))


def is_vector(dtype: pl.DataType) -> bool:
    """Tell if what one row holds is a list of numbers."""
    is_list = isinstance(dtype, pl.List | pl.Array)
    return is_list and isinstance(dtype.inner, pl.DataType) and dtype.inner.is_numeric()


def refuse_type(name: str, dtype: pl.DataType, label: str, *, numeric: bool = False) -> None:
    """Refuse a column that is asked for and whose cells are no single value, or dates where numbers are wanted.

    Parameters
    ----------
    name : str
        Of the column.
    dtype : polars data type
        What it holds.
    label : str
        What messages call the file.
    numeric : bool
        Numbers are wanted, not text.

    Raises
    ------
    BrokenFileError
        With what the column holds.
    """
    if is_cell(dtype) and not (numeric and dtype.is_temporal()):
        return
    wanted = "a feature is one number" if numeric else "a cell of a table is one number or one text"
    message = f"holds {str(dtype)[:60]}; {wanted}: write it as one column for each value, or do without it"
    raise broken(label, f"column '{name}'", message)


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Write a typed column as text; whole numbers lose ``.0``, or plate 25.0 would not fit its ids."""
    column = pl.col(name)
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.String).str.replace(r"(\.[0-9]*?)0+$", "$1").str.strip_chars_end(".")
    if not dtype.is_float():
        return column.cast(pl.String)
    # From here on a float64 no longer holds every whole number.
    whole = (column == column.round()) & (column.abs() < 2**53)
    text = pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String))
    return text.otherwise(column.fill_nan(None).cast(pl.String)).alias(name)


def refuse_lost_digits(path: Path, label: str, columns: Iterable[str]) -> None:
    """Refuse names, such as barcodes, that a Parquet keeps as floats too short for all of their digits.

    Parameters
    ----------
    path : Path
        A table; of a CSV, where numbers are text, nothing is lost.
    label : str
        What messages call it.
    columns : iterable of str
        Those that hold names.

    Raises
    ------
    BrokenFileError
        With the column, the first such row, and up to which number digits are kept.
    """
    if path.suffix != ".parquet":
        return
    frame = scan_parquet(path)
    schema = frame.collect_schema()
    for name in dict.fromkeys(columns):
        dtype = schema.get(name)
        most = _MOST_EXACT.get(dtype)
        if most is None:
            continue
        cells = frame.select(pl.col(name).fill_nan(None)).collect(engine="streaming").to_series()
        if rows := (cells.abs() > most).fill_null(False).arg_true().to_list():
            message = (
                f"holds {cells[rows[0]]:.0f} as {dtype}, which keeps every digit only up to {most:,}: names may have "
                "lost digits; write the column as text or as integers"
            )
            raise broken(label, f"column '{name}', {places([row + 1 for row in rows], 'row')}", message)


def as_number(name: str, dtype: pl.DataType, *, decimal_comma: bool = False) -> pl.Expr:
    """Read a typed column as float32, null where it holds none; of text with decimal commas, a point is none."""
    column = pl.col(name)
    if isinstance(dtype, pl.String) and decimal_comma:
        dotted = column.str.contains(".", literal=True)
        column = pl.when(~dotted).then(column.str.replace(",", ".", literal=True))
    return column.cast(pl.Float32, strict=False).alias(name)


def as_places(name: str, names: tuple[str, ...], dtype: pl.DataType) -> pl.Expr:
    """Read a column of vectors as a structure of float32, a field for each of `names`; null where there is none."""
    vector = pl.col(name)
    if isinstance(dtype, pl.List):
        vector = vector.list.to_array(len(names))
    return vector.cast(pl.Array(pl.Float32, len(names)), strict=False).arr.to_struct(list(names))


def spread_vectors(path: Path, label: str, features: tuple[str, ...]) -> tuple[Vectors, tuple[str, ...]]:
    """Name the places of those features that hold a list of numbers in each row: ``embedding_0`` and so on.

    Returns
    -------
    vectors : dict
        Empty if no feature is a vector.
    names : tuple of str
        All features, vectors replaced by their places.

    Raises
    ------
    BrokenFileError
        If lists differ in length or are empty, a place has the name of another column, or there are too many.
    """
    frame = scan_parquet(path)
    schema, vectors, names = frame.collect_schema(), {}, []
    for column in features:
        if not is_vector(schema[column]):
            names.append(column)
            continue
        length = _length(frame, column, schema[column], label)
        refuse_columns(length, label)
        made = tuple(f"{column}_{place}" for place in range(length))
        if taken := next((name for name in made if name in schema), ""):
            message = f"has the name of a place in the lists of '{column}'; rename one of the two"
            raise broken(label, f"column '{taken}'", message)
        vectors[column] = made
        names += made
    return vectors, tuple(names)


def _length(frame: pl.LazyFrame, column: str, dtype: pl.DataType, label: str) -> int:
    """Return how many numbers each row of a column of vectors holds; a row without a list is another matter."""
    if isinstance(dtype, pl.Array):
        return dtype.size
    lengths = frame.select(pl.col(column).list.len()).collect(engine="streaming").to_series()
    usual = lengths.drop_nulls().mode().sort().to_list()[-1:] or [0]
    odd = (lengths != usual[0]).fill_null(False).arg_true().to_list()
    where = f"column '{column}'"
    if not usual[0]:
        raise broken(label, where, "holds empty lists; each row needs a list of as many numbers")
    if odd:
        message = f"{lengths[odd[0]]:,} numbers where most rows hold {usual[0]:,}; each row needs as many"
        raise broken(label, f"{where}, {places([row + 1 for row in odd], 'row')}", message)
    return usual[0]
