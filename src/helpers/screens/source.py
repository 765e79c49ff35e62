"""A screen's files, opened and named in one vocabulary, whatever layout they came in."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from helpers.screens import facts
from helpers.screens.columns import refuse_lost_digits
from helpers.screens.heads import check_head
from helpers.screens.problems import BrokenFileError, Problem, fatal
from helpers.screens.tables import LINE, Table, open_tables

# Working columns beside the metadata's own: the label of a row's file, what joins it to its features, and its place.
FILE, KEY, ROW = "__file__", "__key__", "__row__"
WORKING = (LINE, FILE, KEY, ROW)
# No text holds a NUL, so that joined cells are equal only where the cells are.
KEY_SEPARATOR = "\0"
# What reading adds to the metadata.
READ = ("row", "col", "site_number", "dose_um", "condition", "name", "structure")
# The columns of the sites' `obs`, in order; extra ones of a user's screen follow.
OBS = (
    "well_id",
    "cell_type",
    "experiment",
    "plate",
    "plate_id",
    "well",
    "row",
    "col",
    "site",
    "condition",
    "treatment",
    "treatment_raw",
    "dose_um",
    "smiles",
)
# What later steps add to it: wells, and their scores. A test compares this with what they do.
LATER = ("n_sites", "qc_flag", "on_disease", "off_disease", "rescue", "window")
# What pandas and AnnData call an index.
_INDEX = ("index", "level_0", "_index")
# Names that sites or wells get from us; a user's column of that name is kept with `_file` behind it.
RESERVED = frozenset((*facts.COLUMNS, *READ, *OBS, *LATER, *_INDEX))


@dataclass
class Source:
    """Opened files of one screen.

    Parameters
    ----------
    folder : Path
        Where they lie.
    name : str
        What pages and tables call the screen.
    kind : str
        ``twin``, ``rxrx19a`` or ``user``.
    level : str
        ``site`` or ``well``: what one row is.
    mapped : bool
        A ``screen.yml`` maps the columns.
    metadata : DataFrame or None
        One row per site, all cells text, in RxRx19a's columns plus `LINE`, `FILE`, `KEY` and extra ones;
        None if a problem keeps it from being read.
    labels : dict
        What the user's files call RxRx19a's columns, where they differ.
    tables : list of Table
        Where the features are; empty for a design.
    features : tuple of str
        Names of the features, in order.
    ids : tuple of str
        Columns of `tables` that make up `KEY`; none if the row itself is the key.
    conditions : dict
        Our condition for each value of the file; "" stands for an empty cell.
    dose_unit : str
        What the doses are in.
    decimal : str
        What stands before the decimals of a number: ``.`` or ``,``.
    well_ids : tuple of str
        Columns of the key, of metadata or `tables`, that hold wells: A1 is A01 there.
    merge : str
        ``structure`` if names that share one structure are one compound, ``name`` if not.
    scale : str
        ``none``, or ``robust`` to divide each feature by its spread among infected untreated wells.
    files : list of Path
        The user's files that were read.
    problems : list of Problem
        What was found on the way.
    """

    folder: Path
    name: str
    kind: str = "user"
    level: str = "site"
    mapped: bool = False
    metadata: pl.DataFrame | None = None
    labels: dict[str, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    features: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    conditions: dict[str, str] = field(default_factory=lambda: dict(facts.CONDITIONS))
    dose_unit: str = "uM"
    decimal: str = "."
    well_ids: tuple[str, ...] = ()
    merge: str = "structure"
    scale: str = "none"
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def label(self, column: str) -> str:
        """Return what the user's file calls a column of RxRx19a."""
        return self.labels.get(column, column)

    @property
    def unit(self) -> str:
        """Return what a row of the metadata is counted in."""
        return "line" if self.metadata is None or ".parquet" not in self.metadata[FILE][0] else "row"

    def open(
        self, path: Path, stack: contextlib.ExitStack, *, separator: str = ",", decimal_comma: bool = False
    ) -> list[Table]:
        """Open the tables of a file until `stack` closes; a file that is broken becomes a problem."""
        self.files.append(path)
        try:
            return stack.enter_context(open_tables(path, separator=separator, decimal_comma=decimal_comma))
        except BrokenFileError as error:
            self.problems.append(error.problem)
            return []

    def peek(self, path: Path) -> None:
        """Look at the first bytes of a file that is not opened; what they are not becomes a problem."""
        try:
            check_head(path)
        except BrokenFileError as error:
            self.problems.append(error.problem)

    def measure(self, tables: list[Table], features: tuple[str, ...]) -> None:
        """Set the tables of the features and their names; vectors are spread over their places."""
        try:
            spread = [table.spread(features) for table in tables]
        except BrokenFileError as error:
            self.problems.append(error.problem)
            return
        for table, names in spread:
            if names != spread[0][1]:
                message = f"holds {len(names):,} features where {tables[0].label} holds {len(spread[0][1]):,}"
                self.problems.append(fatal(table.label, "", f"{message}; make them alike"))
                return
        self.tables, self.features = [table for table, _ in spread], spread[0][1]

    def keeps_names(self, tables: list[Table], columns: Iterable[str]) -> bool:
        """Tell if names, such as barcodes, are not kept as floats too short for their digits, else a problem."""
        try:
            for table in tables:
                refuse_lost_digits(table.path, table.label, columns)
        except BrokenFileError as error:
            self.problems.append(error.problem)
            return False
        return True

    @staticmethod
    def free_name(name: str) -> str:
        """Return the name that an extra column of the user's is kept by."""
        return f"{name}_file" if name in RESERVED else name

    @classmethod
    def free_names(cls, names: list[str]) -> dict[str, str]:
        """Return, for each extra column of the user's, a name that no other column has."""
        found: dict[str, str] = {}
        for name in sorted(dict.fromkeys(names), key=lambda name: name != cls.free_name(name)):
            free = cls.free_name(name)
            while free in found.values():
                free += "_file"
            found[name] = free
        return {name: found[name] for name in dict.fromkeys(names)}

    def text(
        self, tables: list[Table], columns: tuple[str, ...] | None = None, *, leave_out: Iterable[str] = ()
    ) -> pl.DataFrame | None:
        """Read tables as text, one under the other, with `LINE` and `FILE`; None if one is broken."""
        frames = []
        try:
            for table in tables:
                names = tuple(name for name in columns or table.columns if name not in leave_out)
                frames.append(table.text(names).with_columns(pl.lit(table.label).alias(FILE)))
        except BrokenFileError as error:
            self.problems.append(error.problem)
            return None
        return pl.concat(frames, how="diagonal") if frames else None


def key(columns: tuple[str, ...], table_number: int = 0, wells: tuple[str, ...] = ()) -> pl.Expr:
    """Return the expression of a row's key: some columns joined, or its place in its file if there are none.

    Numbers that one table writes with ``.0`` behind, and `wells` that one writes without a zero, are the same.
    """
    if not columns:
        return pl.format("{}:{}", pl.lit(table_number), LINE).alias(KEY)
    cells = [
        (plain_wells if name in wells else plain_numbers)(pl.col(name).str.strip_chars().fill_null(""))
        for name in columns
    ]
    return pl.concat_str(cells, separator=KEY_SEPARATOR).alias(KEY)


def plain_numbers(text: pl.Expr) -> pl.Expr:
    """Write whole numbers without ``.0``, which a column of numbers with gaps gets in many programs."""
    return text.str.replace(r"^([0-9]+)\.0+$", "$1")


def plain_wells(text: pl.Expr) -> pl.Expr:
    """Write wells as RxRx19a does: a1 is A01; what is no well stays."""
    upper = text.str.to_uppercase().str.replace(r"^([A-Z]{1,2})([0-9])$", "${1}0${2}")
    return pl.when(text.str.contains(r"^[A-Za-z]{1,2}[0-9]{1,2}$")).then(upper).otherwise(text)
