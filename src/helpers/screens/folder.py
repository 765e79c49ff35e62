"""A folder in RxRx19a's layout: which files in it are the metadata and the embeddings."""

import contextlib
import difflib
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import UsageError
from helpers.screens import facts
from helpers.screens.mapped import mapped_source
from helpers.screens.mapping import MAPPING_FILE
from helpers.screens.order import natural_key, numbered
from helpers.screens.problems import BrokenFileError, Problem, broken, fatal, listed, note
from helpers.screens.provenance import STEMS, TWIN_FILE, find_parts, name_screen
from helpers.screens.source import Source, key
from helpers.screens.tables import SUFFIXES, Table

REQUIRED = tuple(name for name in facts.COLUMNS if name != "SMILES")


@contextlib.contextmanager
def open_source(folder: str | Path, *, embeddings: bool = True) -> Iterator[Source]:
    """Open a screen's folder, in RxRx19a's layout or through its ``screen.yml``.

    What is wrong with it is found in ``problems``, not raised. Temporary files live until the block ends.

    Parameters
    ----------
    folder : str or Path
        In RxRx19a's layout or with a ``screen.yml``.
    embeddings : bool
        False to look only at the first bytes of the embeddings' file, which may take minutes to unpack.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        raise UsageError(
            f"{folder} {what}: a screen is a folder with metadata.csv and embeddings.csv (or a {MAPPING_FILE}), "
            "or one of the names twin and rxrx19a"
        )
    with contextlib.ExitStack() as stack:
        is_mapped = (folder / MAPPING_FILE).exists()
        read = mapped_source if is_mapped else _rxrx19a_source
        yield read(folder, stack, embeddings=embeddings)


def _rxrx19a_source(folder: Path, stack: contextlib.ExitStack, *, embeddings: bool) -> Source:
    known = name_screen(folder)
    source = Source(folder, name=known["name"], kind=known["kind"])
    metadata, measured = (_find(source, part) for part in STEMS)
    if known["kind"] == "twin":
        source.files.append(folder / TWIN_FILE)
    if metadata is None:
        source.problems.append(_no_metadata(folder))
    else:
        _read_metadata(source, source.open(metadata, stack))
    if measured is None:
        source.problems.append(_no_embeddings(folder))
    elif embeddings:
        _read_embeddings(source, source.open(measured, stack))
    else:
        source.peek(measured)
    return source


def _find(source: Source, part: str) -> Path | None:
    """Return the file that holds the metadata or the embeddings; further ones become a note."""
    found = find_parts(source.folder, part)
    if found[1:]:
        others = listed([path.name for path in found[1:]])
        source.problems.append(note(found[0].name, "", f"is read; {others} beside it is ignored"))
    return found[0] if found else None


def _no_embeddings(folder: Path) -> Problem:
    """Tell a design from a screen whose embeddings have a name or a format that is not read."""
    unread = sorted(
        path.relative_to(folder).as_posix()
        for place in (folder, folder / "RxRx19a")
        if place.is_dir()
        for path in place.iterdir()
        if "embeddings" in path.name.lower() and not path.name.startswith(".")
    )
    if not unread:
        return note(folder.name, "", "no embeddings file: a design only, without measurements")
    allowed = ", ".join("embeddings" + suffix for suffix in SUFFIXES)
    message = (
        f"is not read; allowed are {allowed}, in small letters: convert or rename it, or move it out of the "
        "folder to look at the design alone"
    )
    return fatal(listed(unread).replace("'", ""), "", message)


def _no_metadata(folder: Path) -> Problem:
    allowed = ", ".join("metadata" + suffix for suffix in SUFFIXES)
    inside = listed(sorted(path.name for path in folder.iterdir())) or "nothing"
    message = (
        f"no metadata file; expected is one of {allowed}, {facts.FILES['metadata']} or {MAPPING_FILE}; "
        f"the folder holds {inside}"
    )
    return fatal(folder.name or str(folder), "", message)


def _with_ids(source: Source, tables: list[Table]) -> list[Table]:
    """Return the tables that hold `site_id`; of several, those without are no data."""
    data = [table for table in tables if "site_id" in table.columns]
    for table in tables if data else []:
        if table not in data:
            source.problems.append(note(table.label, "", "has no column 'site_id' and is ignored"))
    return data or tables[:1]


def _read_metadata(source: Source, tables: list[Table]) -> None:
    tables = _with_ids(source, tables)
    missing = [_missing(table) for table in tables if not set(REQUIRED) <= set(table.columns)]
    source.problems += missing
    if missing or not tables:
        return
    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    unread = {name for table in tables for name in set(table.columns) - set(table.readable)} - set(
        facts.COLUMNS
    )
    if unread:
        message = f"column {listed(sorted(unread))} holds lists or bytes, not text or numbers, and is ignored"
        source.problems.append(note(tables[0].label, "", message))
        columns = [name for name in columns if name not in unread]
    extra = [name for name in columns if name not in facts.COLUMNS]
    if extra:
        renamed = [name for name, kept in source.free_names(extra).items() if kept != name]
        ours = f" ({listed(renamed)} with '_file' behind)" if renamed else ""
        message = f"column {listed(extra)} is not one of RxRx19a's; kept beside the others{ours}"
        source.problems.append(note(tables[0].label, "line 1", message))
    if "SMILES" not in columns:
        message = "no column 'SMILES' (as in RxRx19a of April 2020): compounds are matched by name only"
        source.problems.append(note(tables[0].label, "line 1", message))
    metadata = source.text(tables, leave_out=unread)
    if metadata is not None:
        source.metadata = metadata.rename(source.free_names(extra)).with_columns(key(("site_id",)))


def _missing(table: Table) -> Problem:
    missing = [name for name in REQUIRED if name not in table.columns]
    near = {
        name: difflib.get_close_matches(name, set(table.columns) - set(REQUIRED), 1, 0.7) for name in missing
    }
    hints = "".join(f"; is '{match[0]}' meant as '{name}'?" for name, match in near.items() if match)
    message = (
        f"no column {listed(missing, len(missing))}{hints}; allowed are {', '.join(facts.COLUMNS)}: rename or add "
        f"it, or map the table's own names in a {MAPPING_FILE}"
    )
    return fatal(table.label, "line 1", message)


def _read_embeddings(source: Source, tables: list[Table]) -> None:
    tables = _with_ids(source, tables)
    if not tables:
        return
    try:
        features = tuple(_features(source, tables))
    except BrokenFileError as error:
        source.problems.append(error.problem)
        return
    source.ids = ("site_id",)
    source.measure(tables, features)


def _features(source: Source, tables: list[Table]) -> list[str]:
    """Return the feature columns in numeric order, or in the file's if they are not numbered."""
    first = tables[0]
    if "site_id" not in first.columns:
        raise broken(
            first.label, "line 1", "no column 'site_id'; expected is site_id, then one column per feature"
        )
    ignored = [name for name in first.columns if name in facts.COLUMNS and name != "site_id"]
    if ignored:
        message = f"column {listed(ignored)} belongs to the metadata and is ignored here"
        source.problems.append(note(first.label, "line 1", message))
    if unread := [name for name in first.columns if name not in {*first.measured, *facts.COLUMNS}]:
        message = f"column {listed(unread)} holds no numbers, and is ignored"
        source.problems.append(note(first.label, "", message))
    features = [name for name in first.measured if name not in facts.COLUMNS]
    if not features:
        raise broken(first.label, "line 1", "no feature column; expected is at least one beside site_id")
    for table in tables[1:]:
        if odd := set(features) ^ (set(table.measured) - set(facts.COLUMNS)):
            message = (
                f"feature column {listed(sorted(odd))} is not in both this and {first.label}; make them alike"
            )
            raise broken(table.label, "line 1", message)
    return sorted(features, key=natural_key) if numbered(features) else features
