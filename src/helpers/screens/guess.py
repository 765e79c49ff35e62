"""Guesses of what the columns of an unknown table are, from their names and their cells."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from helpers.screens.layout import parse_well

ROWS = 20_000
"""Rows that are looked at."""
FEW = 40
"""A column of more different values than this says no condition."""
SURE = 0.95
"""Share of the cells that must be of a kind."""

_NAMES = {
    "well": r"well([ _]?(id|position|name))?|position|pos|coordinate",
    "site": r"site|field([ _]?(id|of[ _]?view))?|fov|image[ _]?number|tile",
    "plate": r"plate([ _]?(id|barcode|name|number|map))?|(assay[ _]?plate[ _]?)?barcode|sample[ _]?id",
    "experiment": r"(experiment(al)?[ _]?)?(batch|experiment|run|screen)([ _]?(id|name))?|replicate[ _]?set",
    "cell_type": r"cell[ _]?(line|type|model)([ _]?name)?|cells?",
    "condition": r"(well|control|perturbation|pert|sample)[ _]?(type|role|class|kind)|disease[ _]?condition|"
    r"condition|group|role|status|infect(ed|ion)",
    "treatment": r"treatment|(compound|drug|pert(urbagen)?|perturbation|substance|molecule)([ _]?(name|i?name|id))?|"
    r"pert[ _]iname|name|inhibitor",
    "dose": r"(compound|drug|cmpd|treatment|pert)?[ _]?(dose|conc(entration)?)([ _]?(um|nm|mm|micromolar|nanomolar))?",
    "smiles": r"((compound|canonical|isomeric|drug)[ _]?)?smiles|structure",
}
_MOCK = (
    r"mock.*|un-?infected|non-?inf(ected)?|healthy|wild[ -]?type|wt|normal|no[ _-]?virus|virus[ _-]?free|"
    r"rescue[ _-]?control"
)
_POSITIVE = r"pos(itive)?([ _-]?(con|control|ctrl))?|dead|killed"
_UV = r"(uv|irradiated|inactivated).*"
_INFECTED = (
    r"infected|active.*|disease(d)?|virus|neg(ative)?([ _-]?(con|control|ctrl))?|dmso|vehicle|solvent.*|untreated|"
    r"control"
)
_TREATED = r"trt|treated|treatment|drug|compound|cmpd|sample|test|library|perturbation|cpd|active compound"
_BLANK = r"empty|blank|no[ _-]?cells?|background|media([ _-]?only)?|unused|none"
VALUES = {
    "blank": _BLANK, "uv": _UV, "mock": _MOCK, "positive": _POSITIVE, "treated": _TREATED, "infected": _INFECTED,
}  # fmt: skip
"""Words for values of a condition, by what they are taken for; the first that fits holds."""


@dataclass
class Guess:
    """What a table seems to be.

    Parameters
    ----------
    columns : dict
        Our name -> the table's column.
    kinds : dict
        Value of the condition column -> `mock`, `infected`, `treated`, `uv`, `blank`, or "" where nothing tells. A
        positive control stands for `mock` where no value speaks of healthy cells, else it is `treated`.
    level : str
        `site` or `well`.
    dose_unit : str
        As in ``screen.yml``.
    features : list of str
        Names or patterns.
    scale : bool
        The features seem to have different units.
    decimal : str
        What seems to stand before the decimals of numbers that are text: ``.`` or ``,``.
    """

    columns: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    level: str = "well"
    dose_unit: str = "uM"
    features: list[str] = field(default_factory=list)
    scale: bool = False
    decimal: str = "."


def guess_roles(cells: pl.DataFrame, *, commas: bool = False) -> Guess:
    """Guess what the columns of a table are.

    Parameters
    ----------
    cells : DataFrame
        The first rows of a table, all as text, null where empty.
    commas : bool
        Whether its numbers may have decimal commas, as they may not where commas part the cells.

    Returns
    -------
    Guess
        Nothing in it is sure; roles that no column seems to have are missing.
    """
    out = Guess()
    if commas and (points := _with_points(cells)) is not None:
        cells, out.decimal = points, ","
    numeric = _numeric(cells)
    tests: dict[str, Callable[[str], bool]] = {
        "well": lambda name: _share(cells[name], _is_well) >= SURE,
        "smiles": lambda name: name not in numeric,
        "dose": lambda name: name in numeric,
        "plate": lambda name: cells[name].n_unique() < cells.height,
        "condition": lambda name: cells[name].n_unique() <= FEW,
        "treatment": lambda name: name not in numeric and cells[name].n_unique() > 2,
        "cell_type": lambda name: name not in numeric and cells[name].n_unique() <= FEW,
        "experiment": lambda name: cells[name].n_unique() <= FEW,
    }
    for role in (
        "well",
        "smiles",
        "dose",
        "treatment",
        "condition",
        "cell_type",
        "plate",
        "experiment",
        "site",
    ):
        taken = set(out.columns.values())
        fits = [name for name in cells.columns if name not in taken and tests.get(role, lambda _: True)(name)]
        if found := _best(fits, _NAMES[role]):
            out.columns[role] = found
    _drop_crossing(out, cells)
    _well_by_cells(out, cells)
    _condition_by_cells(out, cells)
    if out.columns.get("site"):
        place = [out.columns[role] for role in ("plate", "well") if role in out.columns]
        out.level = "site" if place and cells.select(place).is_duplicated().any() else "well"
        if out.level == "well":
            del out.columns["site"]
    if "condition" in out.columns:
        values = cells[out.columns["condition"]].drop_nulls().unique(maintain_order=True).to_list()
        out.kinds = _kinds(values)
    out.dose_unit = _unit(out.columns.get("dose", ""))
    free = numeric - set(out.columns.values())
    out.features, out.scale = _features(cells, _measured(free, cells, out.columns.get("plate")))
    return out


def _kinds(values: list[str]) -> dict[str, str]:
    """Return what the values of a condition seem to mean together."""
    kinds = {value: kind_of(value) for value in values}
    positive = "treated" if "mock" in kinds.values() else "mock"
    return {value: positive if kind == "positive" else kind for value, kind in kinds.items()}


def kind_of(value: str) -> str:
    """Return what a value of a condition seems to mean by itself, "" where nothing tells.

    >>> kind_of("negcon"), kind_of("Mock"), kind_of("trt"), kind_of("UV Inactivated SARS-CoV-2"), kind_of("7")
    ('infected', 'mock', 'treated', 'uv', '')
    """
    text = " ".join(value.split()).casefold()
    return next((kind for kind, words in VALUES.items() if re.fullmatch(words, text)), "")


def _plain(name: str) -> str:
    """Return a column's name without its family, brackets and case: ``Metadata_Well`` is ``well``."""
    inside = re.search(r"\[(.+)\]", name)
    name = inside.group(1) if inside else name
    name = re.sub(r"\(.*?\)", "", name)
    name = re.sub(r"(?<=[a-z])(?=[A-Z][A-Za-z])", "_", name)
    return re.sub(r"^(metadata|meta|image)[ _.]", "", name.strip().casefold()).strip()


def _best(names: list[str], words: str) -> str:
    """Return the column whose name is one of some words, the earlier word first; "" where none is."""
    found = []
    for name in names:
        parts = words.split("|")
        if re.fullmatch(words, _plain(name)):
            rank = next((i for i, part in enumerate(parts) if _is(part, _plain(name))), len(parts))
            found.append((rank, names.index(name), name))
    return min(found)[2] if found else ""


def _is(part: str, name: str) -> bool:
    try:
        return re.fullmatch(part, name) is not None
    except re.error:  # a part of a group
        return False


def _share(column: pl.Series, of_kind: Callable[[str], bool]) -> float:
    """Return the share of the filled cells that are of a kind."""
    counts = column.drop_nulls().value_counts()
    values, n = counts[column.name].to_list(), counts["count"].to_list()
    return sum(k for value, k in zip(values, n, strict=True) if of_kind(value)) / max(sum(n), 1)


def _is_well(value: str) -> bool:
    try:
        parse_well(value.strip().upper())
    except ValueError:
        return False
    return True


def _numeric(cells: pl.DataFrame) -> set[str]:
    """Return the columns that hold numbers, all but a few of their filled cells."""
    counts = cells.select(
        pl.all().cast(pl.Float64, strict=False).is_not_null().sum() / pl.all().is_not_null().sum().clip(1)
    ).row(0)
    return {name for name, share in zip(cells.columns, counts, strict=True) if share >= SURE}


_COMMA = r"^[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?$"
_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"


def _with_points(cells: pl.DataFrame) -> pl.DataFrame | None:
    """Return the cells with decimal points if decimal commas are what the table has, None if not.

    More columns must have numbers with commas than with points, and not all of these may part thousands.
    """
    comma = [column.name for column in cells if column.str.contains(",", literal=True).any()]
    if not comma:
        return None
    points = cells.select(
        pl.when(pl.col(name).str.contains(_COMMA))
        .then(pl.col(name).str.replace(",", ".", literal=True))
        .otherwise(name)
        .alias(name)
        for name in comma
    )
    read = _numeric(points) - _numeric(cells.select(comma))
    parted = {n: cells[n].filter(cells[n].str.contains(",", literal=True)) for n in read}
    certain = [name for name, column in parted.items() if not column.str.contains(_THOUSANDS).all()]
    dotted = [n for n in _numeric(cells) if cells[n].str.contains(".", literal=True).any()]
    return cells.with_columns(points.select(sorted(read))) if len(certain) > len(dotted) else None


def _drop_crossing(out: Guess, cells: pl.DataFrame) -> None:
    """Take back an experiment that is not one for each plate."""
    pair = [out.columns.get(role, "") for role in ("plate", "experiment")]
    if all(pair) and cells.select(pair).n_unique() > cells[pair[0]].n_unique():
        del out.columns["experiment"]


def _well_by_cells(out: Guess, cells: pl.DataFrame) -> None:
    """Take the first column whose cells are wells, where no name says so."""
    if "well" in out.columns:
        return
    taken = set(out.columns.values())
    for name in cells.columns:
        if name not in taken and cells[name].n_unique() > 4 and _share(cells[name], _is_well) >= SURE:
            out.columns["well"] = name
            return


def _condition_by_cells(out: Guess, cells: pl.DataFrame) -> None:
    """Take the column whose cells name a healthy and a diseased control, if that of the condition does not."""

    def told(name: str) -> set[str]:
        return set(_kinds(cells[name].drop_nulls().unique().to_list()).values()) - {""}

    given = out.columns.get("condition")
    if given and "mock" in told(given):
        return
    free = [name for name in cells.columns if name not in set(out.columns.values())]
    few = [name for name in free if 1 < cells[name].n_unique() <= FEW]
    rest = [out.columns["treatment"]] if "treatment" in out.columns else []
    for name in [*few, *rest]:
        if {"mock", "infected"} <= told(name) or ("mock" in told(name) and name in rest):
            out.columns["condition"] = name
            return


def _unit(name: str) -> str:
    """Return the unit that the name of a dose column gives, uM where it gives none."""
    found = re.search(
        r"(?:^|[^a-z])(nm|um|µm|μm|mm|nanomolar|micromolar|millimolar)(?:[^a-z]|$)", name.casefold()
    )
    units = {"n": "nM", "u": "uM", "µ": "uM", "μ": "uM"}
    if not found:
        return "uM"
    return "mM" if found.group(1) in ("mm", "millimolar") else units.get(found.group(1)[0], "uM")


_NO_FEATURE = (
    r"(metadata|meta|image|filename|pathname|url)[ _.].*|.*(_|\b)(id|index|number|cid|code|row|col(umn)?|x|y|purity|"
    r"time|batch|replicate|count|cellcount)\b.*|unnamed.*|row|col(umn)?"
)


def _measured(names: set[str], cells: pl.DataFrame, plate: str | None) -> set[str]:
    """Return the columns of numbers that are measured in wells: filled, and not one number a plate."""
    whole = {name for name in names if not cells[name].null_count()}
    if plate is None:
        return whole
    each = cells.group_by(plate).agg(pl.col(sorted(whole)).n_unique()).drop(plate)
    return {name for name in whole if (each[name] > 1).any()}


def _features(cells: pl.DataFrame, numeric: set[str]) -> tuple[list[str], bool]:
    """Return names or patterns of what seem to be features, and whether they differ in their units."""
    names = [n for n in cells.columns if n in numeric and not re.fullmatch(_NO_FEATURE, n.casefold())]
    names = [n for n in names if not re.fullmatch(_NO_FEATURE, _plain(n))]
    names = [n for n in names if cells[n].n_unique() > 1]
    if not names:
        return [], False
    families = {}
    for name in names:
        stem = re.match(r"[A-Za-z]+[_.]|[A-Za-z]+(?=\d+$)", name)
        families.setdefault(stem.group(0) if stem else name, []).append(name)
    large = [stem for stem, members in families.items() if len(members) >= 5]
    numbers = cells.select(pl.col(names).cast(pl.Float64, strict=False).std()).row(0)
    spreads = [value for value in numbers if value]
    scale = len(spreads) > 1 and max(spreads) > 10 * min(spreads)
    if large:
        others = [n for n in cells.columns if n not in numeric]
        patterns = [f"{stem}*" for stem in large if not any(n.startswith(stem) for n in others)]
        covered = tuple(pattern[:-1] for pattern in patterns)
        return [
            *patterns,
            *(n for stem in large for n in families[stem] if not n.startswith(covered or ("\0",))),
        ], scale
    return names, scale
