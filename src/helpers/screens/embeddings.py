"""Embeddings streamed from their files straight into the rows where the metadata wants them."""

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from helpers.screens.problems import BrokenFileError, Problem, fatal, listed, note, places, plural
from helpers.screens.rounding import ROUNDING
from helpers.screens.source import FILE, KEY, KEY_SEPARATOR, ROW, Source, key
from helpers.screens.tables import LINE, Table
from helpers.screens.text import GET_AGAIN

_EXAMPLES = 3
_LARGEST = float(np.finfo(np.float32).max)


@dataclass
class _BadCells:
    """Cells of one table that are no finite number."""

    table: Table
    features: tuple[str, ...]
    per_feature: np.ndarray
    lines: list[int] = field(default_factory=list)
    # The first bad feature of each of the first few bad lines.
    examples: list[str] = field(default_factory=list)
    n_rows: int = 0

    def add(self, values: np.ndarray, lines: pl.Series) -> None:
        """Count the bad cells of one batch, shape (n_rows, n_features)."""
        self.n_rows += len(values)
        bad = ~np.isfinite(values)
        if not bad.any():
            return
        self.per_feature += bad.sum(axis=0)
        rows = np.flatnonzero(bad.any(axis=1))
        for row in rows[: max(0, _EXAMPLES - len(self.examples))]:
            self.examples.append(self.features[int(bad[row].argmax())])
        self.lines += lines.gather(rows).to_list()

    def problems(self) -> list[Problem]:
        """Report columns without any number, else the first bad cells."""
        if not self.lines:
            return []
        try:
            return [self._problem()]
        except BrokenFileError as error:
            return [error.problem]

    def _problem(self) -> Problem:
        cell = self.table.cell(self.lines[0], self.examples[0])
        never = [self.features[i] for i in np.flatnonzero(self.per_feature == self.n_rows)]
        if never and not _too_large(cell):
            if not self.table.decimal_comma and re.fullmatch(
                r"\s*[+-]?[0-9]+,[0-9]+(e[+-]?[0-9]+)?\s*", cell or "", re.I
            ):
                message = (
                    f"column {listed(never)} is written with decimal commas, like {cell.strip()}; put "
                    '`decimal: ","` into screen.yml, or write the file with decimal points'
                )
                return fatal(self.table.label, "line 1" if self.table.is_csv else "", message)
            message = f"column {listed(never)} holds no number in any row; remove it: features are numeric"
            return fatal(self.table.label, "line 1" if self.table.is_csv else "", message)
        if cell is None and self.table.is_csv:
            return self.table.odd_lines() or self._report("''")
        return self._report("empty" if cell is None or not cell.strip() else f"'{cell}'")

    def _report(self, cell: str) -> Problem:
        n_cells = int(self.per_feature.sum())
        count = f" ({plural(n_cells, 'such cell')} in all)" if n_cells > 1 else ""
        why = f"not a finite number{count}; correct it, or remove the row and its metadata"
        if _too_large(cell.strip("'")):
            why = (
                f"beyond what float32 holds ({_LARGEST:.1e}){count}; rescale the feature or correct the cell"
            )
        message = f"{self.examples[0]} is {cell}, {why}"
        return fatal(self.table.label, places(self.lines, self.table.unit), message)


def _too_large(cell: str | None) -> bool:
    """Tell if the text of a cell is a number, but not one that float32 holds."""
    try:
        return abs(float(cell or "")) > _LARGEST and "inf" not in cell.lower()
    except ValueError:
        return False


class _Constants:
    """Which features have had one value in all rows so far, but for rounding."""

    def __init__(self, n_features: int):
        self.low = np.full(n_features, np.inf, dtype=np.float32)
        self.high = -self.low
        self.alike = np.arange(n_features)
        self.n_rows = 0

    def add(self, values: np.ndarray) -> None:
        """Look at one batch, shape (n_rows, n_features): only at features that did not vary before."""
        if not len(values):
            return
        self.n_rows += len(values)
        if len(self.alike):
            among = values if len(self.alike) == values.shape[1] else values[:, self.alike]
            low = np.minimum(self.low[self.alike], among.min(axis=0))
            high = np.maximum(self.high[self.alike], among.max(axis=0))
            self.low[self.alike], self.high[self.alike] = low, high
            # a value that is no finite number is reported as such, and not here
            with np.errstate(invalid="ignore"):
                span = high - low
            same = np.isfinite(span) & (span <= ROUNDING * np.maximum(np.abs(low), np.abs(high)))
            self.alike = self.alike[same]

    def problems(self, source: Source) -> list[Problem]:
        """Report features that tell nothing: fatal if all of them do."""
        if not len(self.alike) or self.n_rows < 2:
            return []
        label, n_features = source.tables[0].label, len(source.features)
        if len(self.alike) == n_features:
            every = "the one feature" if n_features == 1 else f"every one of {n_features:,} features"
            message = f"{every} has one value in all {self.n_rows:,} rows: nothing was measured; {GET_AGAIN}"
            return [fatal(label, "", message)]
        names = listed([source.features[i] for i in self.alike])
        some = f"{len(self.alike):,} of {n_features:,} features"
        message = f"{some} have one value in all rows (but for rounding) and tell nothing: {names}"
        return [note(label, "", message)]


def read_features(
    source: Source, rows: np.ndarray | None, n_rows: int, *, store: bool = True
) -> tuple[np.ndarray | None, list[Problem]]:
    """Read all features, check every cell and join them one to one with the metadata.

    Parameters
    ----------
    source : Source
        Its tables are streamed, a few thousand rows at a time, so that the peak is the result itself.
    rows : int array, shape (n_metadata,), or None
        Where the features of each metadata row go; -1 for rows that are not wanted. None if the metadata
        could not be read: then only cells are checked.
    n_rows : int
        Rows of the result.
    store : bool
        False to check only.

    Returns
    -------
    X : float32 array, shape (n_rows, n_features), or None
        None if not stored.
    problems : list of Problem
        Broken files, cells that are no finite number, ids that are doubled or have no partner, features that
        do not vary.
    """
    store = store and rows is not None
    # Not filled: a row that stays untouched has no features, which is a fatal problem.
    X = np.empty((n_rows, len(source.features)), dtype=np.float32) if store else None
    partners = None
    if rows is not None:
        partners = source.metadata.select(KEY).with_row_index(ROW).unique(KEY, keep="first")
    problems, seen, whole, constants = [], [], True, _Constants(len(source.features))
    for number, table in enumerate(source.tables):
        bad = _BadCells(table, source.features, np.zeros(len(source.features), dtype=np.int64))
        try:
            for batch in table.batches(source.ids, source.features):
                # in this order rows are copied several times faster
                values = batch.select(source.features).to_numpy(order="c")
                bad.add(values, batch[LINE])
                constants.add(values)
                if not (source.ids or store):  # rows of the one table are their own partners
                    continue
                found = _find_partners(batch.select(LINE, key(source.ids, number, source.well_ids)), partners)
                if source.ids:
                    seen.append(found.with_columns(pl.lit(number).alias("__table__")))
                if store:
                    _put(X, values, found[ROW], rows)
        except BrokenFileError as error:
            problems.append(error.problem)
            whole = False
        problems += bad.problems()
    # After a file that broke off, every id would seem to lack its partner.
    if whole:
        problems += _check_join(source, pl.concat(seen), partners) if seen else []
        problems += constants.problems(source)
    return X, problems


def _find_partners(batch: pl.DataFrame, partners: pl.DataFrame | None) -> pl.DataFrame:
    if partners is None:
        return batch.with_columns(pl.lit(None, dtype=pl.UInt32).alias(ROW))
    return batch.join(partners, on=KEY, how="left", maintain_order="left").select(LINE, KEY, ROW)


def _put(X: np.ndarray, values: np.ndarray, found: pl.Series, rows: np.ndarray) -> None:
    known = found.is_not_null().to_numpy()
    target = np.full(len(found), -1)
    target[known] = rows[found.drop_nulls().to_numpy()]
    wanted = target >= 0
    if wanted.all():
        X[target] = values
    elif wanted.any():
        X[target[wanted]] = values[wanted]


def _check_join(source: Source, seen: pl.DataFrame, partners: pl.DataFrame | None) -> list[Problem]:
    """Report ids that are doubled, unknown to the metadata, or without features."""
    problems = _doubled(source, seen)
    if partners is None:
        return problems
    metadata_file = source.metadata[FILE][0]
    what = " + ".join(source.ids)
    # A row with an empty id is reported as such; the features that miss it need no line of their own.
    n_empty = int((source.metadata[KEY] == "").sum())
    for (number,), unknown in seen.filter(pl.col(ROW).is_null()).group_by("__table__", maintain_order=True):
        if unknown.height <= n_empty:
            continue
        table = source.tables[number]
        message = (
            f"{what} {_first_id(unknown)} ({plural(unknown.height, 'row')}) has no row in {metadata_file}; add it "
            "there or remove it here"
        )
        problems.append(fatal(table.label, places(unknown[LINE].to_list(), table.unit), message))
    lonely = source.metadata.filter(pl.col(KEY) != "").join(seen.select(KEY), on=KEY, how="anti")
    if lonely.height:
        others = source.tables[0].label if len(source.tables) == 1 else "any embeddings file"
        message = (
            f"{what} {_first_id(lonely)} ({plural(lonely.height, 'row')}) has no row in {others}; add it there or "
            "remove it here"
        )
        problems.append(fatal(metadata_file, places(lonely[LINE].to_list(), source.unit), message))
    return problems


def _doubled(source: Source, seen: pl.DataFrame) -> list[Problem]:
    doubled = seen.filter(pl.col(KEY).is_duplicated())
    if not doubled.height:
        return []
    table = source.tables[doubled["__table__"][0]]
    n_ids = doubled[KEY].n_unique()
    here = doubled.filter(pl.col(KEY) == doubled[KEY][0])
    files = Counter(source.tables[number].label for number in here["__table__"])
    other = "" if len(files) == 1 else f" and in {list(files)[1]}"
    message = (
        f"{' + '.join(source.ids)} {_first_id(here)} is there {here.height} times{other} "
        f"({plural(n_ids, 'id')} affected); keep one row of each"
    )
    same = here.filter(pl.col("__table__") == doubled["__table__"][0])
    return [fatal(table.label, places(same[LINE].to_list(), table.unit), message)]


def _first_id(rows: pl.DataFrame) -> str:
    """Quote the first id; messages carry the count."""
    return f"'{rows[KEY][0].replace(KEY_SEPARATOR, ' + ')}'"
