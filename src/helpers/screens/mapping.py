r"""The file ``screen.yml``: how the columns and values of any table become a screen.

It lies in the screen's folder, beside the tables. For a table with one row per well::

    name: SARS-CoV-2 in A549-ACE2    # required; what pages call the screen
    level: well                      # required; what one row is: site or well
    table: wells.csv                 # required, or two tables:
                                     #   metadata: wells.csv
                                     #   embeddings: features.parquet
                                     #   key: [plate, well]   columns that both have, or
                                     #   key: {barcode: plate, position: well}   metadata's: embeddings'
    separator: ","                   # of a CSV: "," (default), ";", "|" or "\t"
    decimal: "."                     # of numbers that are text: "." (default) or ","
    columns:                         # a column's name, or {value: X} for one value in all rows
      experiment: {value: A549}      # default: the screen's name
      cell_type: {value: A549-ACE2}  # default: unknown
      plate: Metadata_Barcode        # required
      well: Metadata_Well            # required; A1 or A01, up to AF48
      site: field                    # required at level site, not allowed at level well
      condition: pert_type           # required
      treatment: pert_iname          # default: no treated wells
      dose: cmpd_conc                # default: no doses
      smiles: structure              # default: compounds are matched by name only
    conditions:                      # required; for each condition one of three things:
      mock: [non-inf]                # required; values of the condition column
      infected: rest                 # required; treated and untreated. `rest`: all values not named elsewhere
      uv: {virus: [uv], dose: ["0"]} # inactivated virus. Values of several columns: all must hold
      blank: []                      # kept out of every fit; so are empty cells, unless "" is named elsewhere
    untreated:                       # wells whose treatment and dose are to be left out, by the values
      pert_type: [negcon, non-inf]   # of any column
    dose_unit: uM                    # nM, uM (default), mM or M
    features: [PLS_pred]             # names or patterns like "feature_*"; of two tables all by default, of
                                     # one table none: a design
    merge_compounds: structure       # structure (default): names that share one structure are one compound, or
                                     # name: only names that differ in letter case are
    scale_features: none             # none (default), or robust: divide each feature by its spread
                                     # (1.4826 MAD) among infected untreated wells; those without one are left out
    extra: [Count_nuclei]            # further columns to keep

Values are compared as text: put quotes around ones that YAML takes for something else (``"no"``).
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import repr as short_repr
from typing import Any

from helpers.files import UnreadableTextError, read_small_text
from helpers.screens.conditions import EMPTY, REST, Conditions
from helpers.screens.doses import UNITS
from helpers.screens.problems import Problem, fatal, listed
from helpers.screens.yaml_file import MOST_BYTES, YamlFileError, parse_yaml

MAPPING_FILE = "screen.yml"
MOST_PROBLEMS = 40
# Our names of the columns and RxRx19a's.
COLUMNS = {
    "experiment": "experiment",
    "cell_type": "cell_type",
    "plate": "plate",
    "well": "well",
    "site": "site",
    "condition": "disease_condition",
    "treatment": "treatment",
    "dose": "treatment_conc",
    "smiles": "SMILES",
}
_CONDITIONS = ("mock", "uv", "infected", "blank")
_REQUIRED = ("name", "level", "columns", "conditions")
_TABLES = ("table", "metadata", "embeddings", "key")
_OPTIONAL = (
    "separator",
    "decimal",
    "untreated",
    "dose_unit",
    "features",
    "merge_compounds",
    "scale_features",
    "extra",
)


@dataclass
class Mapping:
    """A ``screen.yml`` whose form is right; whether its columns exist is found out with the tables.

    Parameters
    ----------
    name, level, separator, decimal, dose_unit, merge_compounds, scale_features : str
        As in the file.
    metadata, embeddings : str
        File names; the same if one table holds both, `embeddings` empty for a design.
    key : dict
        Columns of the metadata and those of the embeddings that are joined on; empty for one table.
    columns : dict
        Our name to the user's column.
    constants : dict
        Our name to the one value in all rows.
    conditions : Conditions
        What makes a well one of our conditions.
    untreated : dict
        Column to the values that make a well untreated.
    features, extra : list of str
        Names or patterns; further columns.
    """

    name: str = ""
    level: str = "well"
    metadata: str = ""
    embeddings: str = ""
    key: dict[str, str] = field(default_factory=dict)
    separator: str = ","
    decimal: str = "."
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)
    untreated: dict[str, list[str]] = field(default_factory=dict)
    dose_unit: str = "uM"
    features: list[str] = field(default_factory=list)
    merge_compounds: str = "structure"
    scale_features: str = "none"
    extra: list[str] = field(default_factory=list)


class _Reader:
    """Reads the parts of a ``screen.yml`` and collects what is wrong with them."""

    def __init__(self, data: dict):
        self.data = data
        self.problems: list[Problem] = []

    def wrong(self, where: str, message: str) -> None:
        self.problems.append(fatal(MAPPING_FILE, where, message))

    def keys(self, data: Any, where: str, allowed: Iterable[str], required: Iterable[str] = ()) -> dict:
        """Return `data` if it is a mapping, without the keys that are not allowed."""
        if not isinstance(data, dict):
            self.wrong(
                where, f"is {_written(data)}; expected is a mapping with the keys {', '.join(allowed)}"
            )
            return {}
        for name in data:
            if name not in allowed:
                hint = did_you_mean(str(name), allowed)
                self.wrong(_dotted(where, name), f"unknown key{hint}; allowed are {', '.join(allowed)}")
        for name in required:
            if name not in data:
                self.wrong(
                    _dotted(where, name), f"is missing; add it (allowed keys here: {', '.join(allowed)})"
                )
        return {name: value for name, value in data.items() if name in allowed}

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        """Return one of several words."""
        value = self.data.get(name, default)
        value = "none" if value is None else value
        if value not in allowed:
            self.wrong(name, f"is {_written(value)}; allowed are {', '.join(map(repr, allowed))}")
        return value

    def text(self, value: Any, where: str) -> str:
        """Return a name or number as text; YAML's true, false and dates need quotes."""
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self.wrong(
            where,
            f"is {_written(value)}; expected is one word or number (in quotes if YAML takes it for else)",
        )
        return ""

    def texts(self, value: Any, where: str) -> list[str]:
        """Return one word or a list of words as a list."""
        values = value if isinstance(value, list) else [] if value is None else [value]
        return [
            self.text(item, f"{where}[{i}]" if isinstance(value, list) else where)
            for i, item in enumerate(values)
        ]


def read_mapping(path: Path) -> tuple[Mapping | None, list[Problem]]:
    """Read a ``screen.yml`` and find every mistake in its form.

    Returns
    -------
    mapping : Mapping or None
        None if there is a mistake.
    problems : list of Problem
        One for each mistake, with the path of its key and what is allowed.
    """
    try:
        data = parse_yaml(read_small_text(path, most=MOST_BYTES))
    except YamlFileError as error:
        return None, [fatal(MAPPING_FILE, error.where, error.reason)]
    except UnreadableTextError as error:
        return None, [fatal(MAPPING_FILE, "", str(error))]
    reader = _Reader(data)
    reader.data = reader.keys(data, "", (*_REQUIRED, *_TABLES, *_OPTIONAL), _REQUIRED)
    mapping = _read(reader) if reader.data else None
    found, more = reader.problems[:MOST_PROBLEMS], len(reader.problems) - MOST_PROBLEMS
    found += [fatal(MAPPING_FILE, "", f"{more:,} more of its values are wrong")] if more > 0 else []
    return (None if found else mapping), found


def _read(reader: _Reader) -> Mapping:
    data = reader.data
    level = reader.choice("level", ("site", "well"), "well")
    metadata, embeddings, keys = _read_tables(reader)
    columns, constants = _read_columns(reader, level)
    return Mapping(
        name=reader.text(data["name"], "name") if "name" in data else "",
        level=level,
        metadata=metadata,
        embeddings=embeddings,
        key=keys,
        separator=reader.choice("separator", (",", ";", "|", "\t"), ","),
        decimal=reader.choice("decimal", (".", ","), "."),
        columns=columns,
        constants=constants,
        conditions=_read_conditions(reader),
        untreated=_read_untreated(reader),
        dose_unit=reader.choice("dose_unit", tuple(UNITS), "uM"),
        features=reader.texts(data.get("features"), "features"),
        merge_compounds=reader.choice("merge_compounds", ("structure", "name"), "structure"),
        scale_features=reader.choice("scale_features", ("none", "robust"), "none"),
        extra=reader.texts(data.get("extra"), "extra"),
    )


def _read_tables(reader: _Reader) -> tuple[str, str, dict[str, str]]:
    """Return the file of the metadata, that of the features, and what joins them."""
    data = reader.data
    given = [name for name in _TABLES if name in data]
    if given == ["table"]:
        table = reader.text(data["table"], "table")
        return table, table if data.get("features") else "", {}
    if given not in (["metadata"], ["metadata", "embeddings", "key"]):
        reader.wrong(
            given[0] if given else "table",
            f"the keys {listed(given) if given else 'of the tables'} do not fit; allowed are `table`, or "
            "`metadata`, `embeddings` and `key`, or `metadata` alone for a design",
        )
        return "", "", {}
    metadata = reader.text(data["metadata"], "metadata")
    if given == ["metadata"]:
        return metadata, "", {}
    keys = data["key"]
    if isinstance(keys, dict):
        keys = {reader.text(k, "key"): reader.text(v, f"key.{k}") for k, v in keys.items()}
    else:
        keys = {name: name for name in reader.texts(keys, "key")}
    if not keys:
        reader.wrong("key", "is empty; name the columns that both tables have, like [plate, well]")
    return metadata, reader.text(data["embeddings"], "embeddings"), keys


def _read_columns(reader: _Reader, level: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns and the constants, by our names."""
    required = ("plate", "well") + (("site",) if level == "site" else ())
    given = reader.data.get("conditions")
    by_rule = isinstance(given, dict) and all(isinstance(v, dict) or v == REST for v in given.values())
    required += () if by_rule else ("condition",)
    allowed = tuple(name for name in COLUMNS if name != "site" or level != "well")
    # A missing part is reported once, not again for each of its keys.
    given = (
        reader.keys(reader.data["columns"], "columns", allowed, required) if "columns" in reader.data else {}
    )
    columns, constants = {}, {}
    for name, value in given.items():
        where = f"columns.{name}"
        if isinstance(value, dict):
            inner = reader.keys(value, where, ("value",), () if value else ("value",))
            if "value" in inner:
                constants[name] = reader.text(inner["value"], f"{where}.value")
        elif value is not None:
            columns[name] = reader.text(value, where)
        elif name in required:
            reader.wrong(where, "is empty; give a column's name")
    if "condition" in constants:
        reader.wrong(
            "columns.condition", "is one value for all rows; mock and infected wells are both needed"
        )
    return columns, constants


def _read_conditions(reader: _Reader) -> Conditions:
    """Return what makes a well one of our conditions."""
    found = Conditions({})
    if "conditions" not in reader.data:
        return found
    given = reader.keys(reader.data["conditions"], "conditions", _CONDITIONS, ("mock", "infected"))
    for condition, values in given.items():
        where = f"conditions.{condition}"
        if values == REST:
            if found.rest:
                reader.wrong(where, f"is the rest, and so is {found.rest}; only one condition can be")
            found.rest = condition
        elif isinstance(values, dict):
            found.rules[condition] = {
                str(column): _read_values(reader, named, f"{where}.{column}")
                for column, named in values.items()
            }
            if not values:
                reader.wrong(where, "is an empty rule; name columns with their values, like {type: [DMSO]}")
        else:
            for value in _read_values(reader, values, where):
                if found.values.setdefault(value, condition) != condition:
                    reader.wrong(where, f"'{value}' is under {found.values[value]} too; keep it in one place")
    found.values.setdefault(EMPTY, "blank")
    return found


def _read_values(reader: _Reader, values: Any, where: str) -> list[str]:
    """Return the values of a column, among which may be the empty one."""
    values = values if isinstance(values, list) else [] if values is None else [values]
    named = [value for value in values if value != EMPTY]
    return reader.texts(named, where) + [EMPTY] * (len(named) < len(values))


def _read_untreated(reader: _Reader) -> dict[str, list[str]]:
    given = reader.data.get("untreated")
    if given is None:
        return {}
    if not isinstance(given, dict):
        reader.wrong(
            "untreated", f"is {_written(given)}; expected is a column with its values, like {{type: [DMSO]}}"
        )
        return {}
    return {str(column): reader.texts(values, f"untreated.{column}") for column, values in given.items()}


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return a hint at the nearest allowed name, or nothing."""
    near = difflib.get_close_matches(name, list(allowed), 1, 0.6)
    return f" (is '{near[0]}' meant?)" if near else ""


def _dotted(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _written(value: object) -> str:
    if value is None:
        return "empty"
    return f"'{value}'" if isinstance(value, str) else short_repr(value)
