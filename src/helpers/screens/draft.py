"""A first ``screen.yml`` for a table that nobody has described yet: guesses, marked, to be corrected."""

import contextlib
import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl
import yaml

from helpers.errors import DataError, UsageError
from helpers.files import atomic_path
from helpers.screens import facts
from helpers.screens.check import check_screen
from helpers.screens.guess import ROWS, Guess, guess_roles
from helpers.screens.mapping import MAPPING_FILE
from helpers.screens.problems import BrokenFileError, Problem
from helpers.screens.tables import LINE, SUFFIXES, Table, open_tables

SEPARATORS = (",", ";", "\t", "|")
MOST_SHOWN = 12
"""Values or columns that a comment lists."""
_ROLES = {
    "experiment": "what else groups plates, such as a batch; default: the screen's name",
    "cell_type": "default: unknown",
    "plate": "required",
    "well": "required; A1 or A01, up to AF48",
    "site": "required at level site",
    "condition": "required; tells healthy, diseased and treated wells apart",
    "treatment": "default: no treated wells",
    "dose": "default: no doses",
    "smiles": "default: compounds are matched by name only",
}
_REQUIRED = ("plate", "well", "condition")
_UNKNOWN = "PLEASE NAME ONE"


def draft_screen(table: str | Path, out: str | Path | None = None) -> tuple[Path, list[Problem]]:
    """Look at a table and write a commented ``screen.yml`` that makes a screen of it.

    Parameters
    ----------
    table : str or Path
        A CSV (also gzipped or in a zip) or Parquet file, one row per site or well.
    out : str or Path, optional
        Folder to write; the table is linked or copied into it. By default the table's own folder.

    Returns
    -------
    path : Path
        The file written. What was guessed is marked ``# guess``, what was not found names itself.
    problems : list of Problem
        What :func:`helpers.screens.check_screen` says of the screen as it stands.

    Raises
    ------
    UsageError
        If there is no such table, it is none, or there is a ``screen.yml`` already.
    DataError
        If the table cannot be read.
    """
    path = Path(table)
    if not path.is_file():
        raise UsageError(f"no table at {path}; name a file ending in {', '.join(SUFFIXES)}")
    if not path.name.endswith(SUFFIXES):
        raise UsageError(f"{path.name} is no table; allowed are files ending in {', '.join(SUFFIXES)}")
    folder = path.resolve().parent if out is None else Path(out)
    target = folder / MAPPING_FILE
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists; correct that file, or name another folder with --out")
    cells, separator, vectors = _first_rows(path)
    if set(facts.COLUMNS) <= set(cells.columns):
        raise UsageError(
            f"{path.name} is in RxRx19a's own layout, which needs no {MAPPING_FILE}; name it metadata{path.suffix} and "
            "check its folder"
        )
    guess = guess_roles(cells, commas=separator != "," or path.suffix == ".parquet")
    if vectors:  # an embedding in one column goes before single numbers beside it
        guess.features, guess.scale = list(vectors), False
    text = describe(path.name, cells, guess, separator)
    folder.mkdir(parents=True, exist_ok=True)
    if out is not None:
        _bring(path, folder / path.name)
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target, check_screen(folder)


def _first_rows(path: Path) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    """Return the first rows of a table as text, null where empty, what separates its cells, and columns of vectors."""
    said = ""
    for separator in SEPARATORS:
        try:
            with open_tables(path, separator=separator) as tables:
                table = tables[0]
                if len(table.columns) > 1 or separator == SEPARATORS[-1]:
                    readable = set(table.readable)
                    return _text(table), separator, tuple(n for n in table.measured if n not in readable)
        except BrokenFileError as error:
            said = said or str(error.problem)
            if "separated by" not in str(error.problem):
                break
    raise DataError(said or f"{path.name}: cannot be read as a table")


def _text(table: Table) -> pl.DataFrame:
    rows = table.scan(text=table.readable).head(ROWS).drop(LINE).collect()
    stripped = pl.all().str.strip_chars()
    return rows.select(pl.when(stripped != "").then(stripped))


def _bring(table: Path, target: Path) -> None:
    """Have a table in a folder: as a second name of the file, or as a copy where it cannot have one."""
    if target.exists():
        if target.samefile(table):
            return
        raise UsageError(f"{target} exists and is another file; name another folder with --out")
    with contextlib.suppress(OSError):
        os.link(table.resolve(), target)
        return
    with atomic_path(target) as temporary:
        shutil.copyfile(table, temporary)


def describe(name: str, cells: pl.DataFrame, guess: Guess, separator: str = ",") -> str:
    """Return the text of a ``screen.yml``.

    Parameters
    ----------
    name : str
        Of the table's file.
    cells : DataFrame
        Its first rows, as text.
    guess : Guess
        From :func:`helpers.screens.guess.guess_roles`.
    separator : str
        Between the cells of a CSV.

    Returns
    -------
    str
        YAML, a comment on each line that is a guess.
    """
    lines = [
        f"# Drafted from the first {cells.height:,} rows of {_comment(name)}. Every line marked `guess` may be wrong:",
        "# read it, correct it, then run `rxrx19 data check` on this folder. All keys are explained in the book,",
        "# on the page about screens of your own.",
        _line("name", Path(name).name.split(".")[0], "guess: what pages call the screen"),
        _line("level", guess.level, "guess: what one row is, site or well"),
        _line("table", name),
    ]
    if separator != ",":
        lines.append(_line("separator", separator))
    if guess.decimal != ".":
        lines.append(_line("decimal", guess.decimal, "guess: numbers are written like 0,3"))
    lines += ["columns:", *_columns(cells, guess), *_conditions(guess)]
    if "dose" in guess.columns:
        lines.append(_line("dose_unit", guess.dose_unit, "guess: nM, uM, mM or M"))
    lines += _features(guess)
    used = {*guess.columns.values(), *guess.features}
    patterns = [name for name in guess.features if name.endswith("*")]
    left = [n for n in cells.columns if n not in used and not any(fnmatchcase(n, p) for p in patterns)]
    lines.append(f"# Not used: {_listing(left)}. Name under `extra:` what is to be kept")
    return "\n".join(lines) + "\n"


def _columns(cells: pl.DataFrame, guess: Guess) -> list[str]:
    lines = []
    for role, meaning in _ROLES.items():
        if role == "site" and guess.level == "well":
            continue
        column = guess.columns.get(role)
        if column is not None:
            seen = cells[column].drop_nulls().unique(maintain_order=True).head(3).to_list()
            lines.append("  " + _line(role, column, f"guess: holds {_listing(seen)}"))
        elif role in _REQUIRED:
            lines.append("  " + _line(role, _UNKNOWN, f"not found; {meaning}"))
        else:
            lines.append(f"  # {role}:  not found; {meaning}")
    return lines


def _conditions(guess: Guess) -> list[str]:
    """Return the lines on conditions, and on which wells are untreated."""
    by_kind: dict[str, list[str]] = {kind: [] for kind in ("mock", "infected", "treated", "uv", "blank", "")}
    for value, kind in guess.kinds.items():
        by_kind[kind].append(value)
    same = guess.columns.get("condition") == guess.columns.get("treatment")
    few = len(guess.kinds) <= MOST_SHOWN and not same
    infected = [*by_kind["infected"], *by_kind["treated"], *by_kind[""]]
    lines = [
        "conditions:",
        "  " + _line("mock", by_kind["mock"] or [_UNKNOWN], "guess: healthy controls"),
        "  "
        + _line(
            "infected", infected if few and infected else "rest", "guess: diseased wells, treated or not"
        ),
    ]
    if few and by_kind[""]:
        lines[-1] += f"; nothing tells what {_listing(by_kind[''])} means"
    for kind in ("uv", "blank"):
        if by_kind[kind]:
            lines.append("  " + _line(kind, by_kind[kind], "guess"))
    controls = [*by_kind["mock"], *by_kind["infected"], *by_kind["uv"], *by_kind["blank"]]
    if "treatment" in guess.columns and controls:
        lines += [
            "untreated:  # wells whose treatment and dose are to be left out",
            "  " + _line(guess.columns["condition"], controls, "guess"),
        ]
    return lines


def _features(guess: Guess) -> list[str]:
    if not guess.features:
        return [_line("features", [_UNKNOWN], "no column of numbers is left over")]
    lines = [_line("features", guess.features, "guess")]
    if guess.scale:
        lines.append(_line("scale_features", "robust", "guess: their spreads differ more than tenfold"))
    return lines


def _line(key: str, value: object, comment: str = "") -> str:
    """Return a line of YAML, text and lists in one line, with a comment."""
    written = f"{_yaml(key)}: {_yaml(value)}"
    return f"{written}  # {_comment(comment)}" if comment else written


def _yaml(value: object) -> str:
    """Return a value as YAML in one line."""
    how = {"default_flow_style": True, "allow_unicode": True, "width": 1_000_000}
    text = yaml.safe_dump(value, **how).strip().removesuffix("...").strip()
    return text if "\n" not in text else yaml.safe_dump(value, default_style='"', **how).strip()


def _comment(text: str) -> str:
    """Return text that cannot end its comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _listing(names: list[str]) -> str:
    short = [name if len(name) <= 40 else f"{name[:39]}…" for name in names[:MOST_SHOWN]]
    more = f" and {len(names) - MOST_SHOWN:,} more" if len(names) > MOST_SHOWN else ""
    return _comment(", ".join(short)) + more if names else "nothing"
