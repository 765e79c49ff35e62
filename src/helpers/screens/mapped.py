"""A user's tables, turned by their ``screen.yml`` into what RxRx19a's layout would have said."""

import contextlib
import os
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from helpers.screens.conditions import one_of
from helpers.screens.ids import find_separator, joined
from helpers.screens.layout import parse_well, well_name
from helpers.screens.mapping import COLUMNS, MAPPING_FILE, Mapping, did_you_mean, read_mapping
from helpers.screens.order import natural_key, numbered
from helpers.screens.problems import fatal, listed, note
from helpers.screens.source import FILE, Source, key, plain_numbers
from helpers.screens.tables import Table

OUTSIDE = "RXRX19_ALLOW_OUTSIDE"
"""Environment variable that lets a ``screen.yml`` name tables that lie outside of its folder."""


def mapped_source(folder: Path, stack: contextlib.ExitStack, *, embeddings: bool = True) -> Source:
    """Open a folder through its ``screen.yml``; what is wrong is found in ``problems``.

    Without `embeddings`, only the first bytes of a file of their own are looked at.
    """
    path = folder / MAPPING_FILE
    source = Source(folder, name=folder.resolve().name, mapped=True, files=[path])
    mapping, source.problems = read_mapping(path)
    if mapping is None:
        return source
    source.name, source.level, source.scale = mapping.name, mapping.level, mapping.scale_features
    source.conditions, source.dose_unit = mapping.conditions.known, mapping.dose_unit
    source.decimal = mapping.decimal
    is_text = any(not name.endswith(".parquet") for name in (mapping.metadata, mapping.embeddings) if name)
    if mapping.decimal == mapping.separator and is_text:
        message = 'is "," as the separator is; a table whose decimals are commas has another, such as ";"'
        source.problems.append(fatal(MAPPING_FILE, "decimal", message))
        return source
    source.merge = mapping.merge_compounds
    source.labels = {COLUMNS[ours]: theirs for ours, theirs in mapping.columns.items()}
    tables = _open(source, mapping.metadata, "metadata", mapping, stack)
    same = mapping.embeddings == mapping.metadata
    opening = stack if embeddings else None
    measured = tables if same else _open(source, mapping.embeddings, "embeddings", mapping, opening)
    # What columns there are can only be said of tables that opened.
    if tables and _check_columns(source, mapping, tables):
        _read_metadata(source, mapping, tables)
    if measured:
        _choose_features(source, mapping, measured)
    elif not mapping.embeddings:
        source.problems.append(note(MAPPING_FILE, "", "no features: a design only, without measurements"))
    return source


def _open(
    source: Source, name: str, role: str, mapping: Mapping, stack: contextlib.ExitStack | None
) -> list[Table]:
    """Open a table that ``screen.yml`` names, or only look at its first bytes if there is no `stack`."""
    if not name:
        return []
    path = source.folder / name
    if not (path.exists() or path.is_symlink()):
        where = "table" if mapping.embeddings == mapping.metadata else role
        inside = (
            listed(sorted(p.name for p in source.folder.iterdir() if p.name != MAPPING_FILE), 8)
            or "nothing else"
        )
        message = f"there is no file '{name}' in {source.folder}; it holds {inside}"
        source.problems.append(fatal(MAPPING_FILE, where, message))
        return []
    if not (os.environ.get(OUTSIDE) or path.resolve().is_relative_to(source.folder.resolve())):
        message = (
            f"'{name}' lies outside of the screen's folder; copy it into the folder, or set the environment variable "
            f"{OUTSIDE}=1 if you trust this {MAPPING_FILE}"
        )
        source.problems.append(fatal(MAPPING_FILE, role, message))
        return []
    if stack is None:
        source.peek(path)
        return []
    return source.open(path, stack, separator=mapping.separator, decimal_comma=mapping.decimal == ",")


def _check_columns(source: Source, mapping: Mapping, tables: list[Table]) -> bool:
    """Report columns that ``screen.yml`` names and a table does not have."""
    wanted = {f"columns.{ours}": theirs for ours, theirs in mapping.columns.items()}
    wanted |= {f"untreated.{name}": name for name in mapping.untreated}
    wanted |= mapping.conditions.columns
    wanted |= {f"extra[{i}]": name for i, name in enumerate(mapping.extra)}
    wanted |= {f"key.{name}": name for name in mapping.key}
    problems = [
        fatal(MAPPING_FILE, where, f"'{name}' is no column of {table.label}{_columns_of(name, table)}")
        for table in tables
        for where, name in wanted.items()
        if name not in table.columns
    ]
    source.problems += problems
    return not problems


def _columns_of(name: str, table: Table) -> str:
    return f"{did_you_mean(name, table.columns)}; it has {listed(table.columns, 12)}"


def _read_metadata(source: Source, mapping: Mapping, tables: list[Table]) -> None:
    rules = mapping.conditions.columns.values()
    used = [*mapping.columns.values(), *mapping.untreated, *rules, *mapping.extra, *mapping.key]
    raw = source.text(tables, tuple(dict.fromkeys(used)))
    if raw is None:
        return
    well = mapping.columns.get("well", "")
    source.well_ids = tuple(dict.fromkeys((well, mapping.key.get(well, well))))
    named = [theirs for ours, theirs in mapping.columns.items() if ours in ("experiment", "plate", "site")]
    if not source.keeps_names(tables, [*named, *mapping.key]):
        return
    raw = _with_keys(raw, mapping, source, [table.label for table in tables])
    cells = {COLUMNS[ours]: pl.col(theirs) for ours, theirs in mapping.columns.items()}
    cells[COLUMNS["condition"]] = mapping.conditions.cell(mapping.columns.get("condition"))
    constants = {"experiment": mapping.name, "cell_type": "unknown", **mapping.constants}
    if mapping.level == "well":
        constants["site"] = "1"
    cells |= {COLUMNS[ours]: pl.lit(value) for ours, value in constants.items() if COLUMNS[ours] not in cells}
    for ours in ("treatment", "treatment_conc"):
        cells[ours] = _unless_untreated(cells.get(ours, pl.lit(None, dtype=pl.String)), mapping)
    cells["plate"] = plain_numbers(cells["plate"])
    metadata = raw.select(
        *(cell.cast(pl.String).alias(name) for name, cell in cells.items()),
        *(pl.col(name).alias(kept) for name, kept in _extra(source, mapping).items()),
        pl.col("^__.*__$"),
    )
    wells = {well: _padded(well) for well in metadata["well"].drop_nulls().unique()}
    metadata = metadata.with_columns(pl.col("well").replace(wells))
    separator = find_separator(metadata)
    source.metadata = metadata.with_columns(joined(name, separator) for name in ("well_id", "site_id"))
    if separator != "_":
        message = (
            f"names of plates and wells are parted by '{separator}': with '_' two of them would be alike"
        )
        source.problems.append(note(tables[0].label, "", message))


def _extra(source: Source, mapping: Mapping) -> dict[str, str]:
    """Return the extra columns and the names they are kept by; a changed name is noted."""
    names = source.free_names(mapping.extra)
    if changed := [f"'{name}' as '{kept}'" for name, kept in names.items() if kept != name]:
        message = (
            f"kept under another name, as sites or wells have columns of that name: {', '.join(changed)}"
        )
        source.problems.append(note(MAPPING_FILE, "extra", message))
    return names


def _with_keys(raw: pl.DataFrame, mapping: Mapping, source: Source, labels: list[str]) -> pl.DataFrame:
    """Add what joins a row to its features: columns of both tables, or its place in the one table."""
    if mapping.key:
        return raw.with_columns(key(tuple(mapping.key), wells=source.well_ids))
    parts = [
        part.with_columns(key((), labels.index(label)))
        for (label,), part in raw.group_by(FILE, maintain_order=True)
    ]
    return pl.concat(parts)


def _unless_untreated(cell: pl.Expr, mapping: Mapping) -> pl.Expr:
    """Empty a cell in the wells that ``screen.yml`` calls untreated."""
    untreated = [one_of(name, values) for name, values in mapping.untreated.items()]
    return pl.when(~pl.any_horizontal(untreated)).then(cell) if untreated else cell


def _padded(well: str) -> str:
    try:
        return well_name(*parse_well(well.upper()))
    except ValueError:
        return well


def _choose_features(source: Source, mapping: Mapping, tables: list[Table]) -> None:
    """Set the feature columns: names and patterns of ``screen.yml`` that every table has."""
    first, problems = tables[0], []
    used = {
        *mapping.columns.values(),
        *mapping.untreated,
        *mapping.conditions.columns.values(),
        *mapping.extra,
        *mapping.key,
        *mapping.key.values(),
    }
    features: list[str] = []
    for i, pattern in enumerate(mapping.features or ["*"]):
        names = [pattern] if pattern in first.columns else []
        fit = first.columns if mapping.features else first.measured
        names = names or [n for n in fit if n not in used and fnmatchcase(n, pattern)]
        if not names:
            message = f"'{pattern}' matches no column of {first.label}{_columns_of(pattern, first)}"
            problems.append(fatal(MAPPING_FILE, f"features[{i}]", message))
        elif joining := [name for name in names if name in mapping.key.values()]:
            message = (
                f"'{joining[0]}' is a column of the key, which names rows and measures nothing; leave it out"
            )
            problems.append(fatal(MAPPING_FILE, f"features[{i}]", message))
        features += sorted(names, key=natural_key) if numbered(names) else names
    features = list(dict.fromkeys(features))
    for table in tables:
        there = set(table.columns)
        for name in [*features, *mapping.key.values()]:
            if name not in there:
                where = "features" if name in features else "key"
                message = f"'{name}' is no column of {table.label}{_columns_of(name, table)}"
                problems.append(fatal(MAPPING_FILE, where, message))
    source.problems += problems
    if not problems:
        source.ids = tuple(mapping.key.values())
        if source.keeps_names(tables, source.ids):
            source.measure(tables, tuple(features))
