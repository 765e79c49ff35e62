"""What every row and every well of a screen's metadata must obey."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from helpers.screens.conditions import AT_ONCE, BY_FILE
from helpers.screens.doses import in_um
from helpers.screens.ids import PARTS, find_separator, joined
from helpers.screens.layout import parse_well
from helpers.screens.problems import Problem, fatal, listed, places, plural
from helpers.screens.source import FILE, Source
from helpers.screens.tables import LINE

_FILLED = ("experiment", "plate", "well", "site", "cell_type", "well_id", "site_id")


@dataclass(frozen=True)
class Rule:
    """Rows that are wrong, and what to say about them.

    Parameters
    ----------
    bad : polars expression
        True for the rows that break the rule.
    say : callable
        Takes the bad rows, in the order of the file, returns the message.
    """

    bad: pl.Expr
    say: Callable[[pl.DataFrame], str]


def typed(source: Source) -> pl.DataFrame:
    """Return the metadata with what its text means; null where it means nothing.

    Added are `plate_id`, `row`, `col`, `site_number` (int), `dose_um` (float64) and `condition`.
    """
    metadata = source.metadata
    wells = metadata["well"].drop_nulls().unique()
    positions = [(well, *_position(well)) for well in wells]
    schema = {"well": pl.String, "row": pl.Int16, "col": pl.Int16}
    grid = pl.DataFrame(positions, schema=schema, orient="row")
    if "SMILES" not in metadata.columns:
        metadata = metadata.with_columns(pl.lit(None, dtype=pl.String).alias("SMILES"))
    separator = find_separator(metadata, tuple(PARTS) if source.mapped else ("plate_id",))
    condition, dose = pl.col("disease_condition").fill_null(""), pl.col("treatment_conc")
    return metadata.join(grid, on="well", how="left", maintain_order="left").with_columns(
        joined("plate_id", separator),
        pl.col("site").cast(pl.Int16, strict=False).alias("site_number"),
        in_um(dose, source.dose_unit, source.decimal, units=source.mapped).alias("dose_um"),
        condition.replace_strict(source.conditions, default=None, return_dtype=pl.String).alias("condition"),
    )


def _position(well: str) -> tuple[int | None, int | None]:
    try:
        return parse_well(well)
    except ValueError:
        return None, None


def check_rows(rows: pl.DataFrame, source: Source) -> tuple[list[Problem], pl.DataFrame]:
    """Apply every rule to the rows that passed the rules before it.

    A row is reported once, for the first rule it breaks: one slip is one line.

    Returns
    -------
    problems : list of Problem
    good : DataFrame
        The rows without a problem.
    """
    problems = []
    for rule in [*_id_rules(source), *_treatment_rules(source), *_well_rules(source)]:
        bad = rows.filter(rule.bad.fill_null(False))
        if bad.height:
            where = places(bad.filter(pl.col(FILE) == bad[FILE][0])[LINE].to_list(), source.unit)
            problems.append(fatal(bad[FILE][0], where, rule.say(bad)))
            rows = rows.filter(~rule.bad.fill_null(False))
    return problems, rows


def _id_rules(source: Source) -> list[Rule]:
    def repeated(bad: pl.DataFrame) -> str:
        first = bad.row(0, named=True)
        same = bad.filter(pl.col("site_id") == first["site_id"])
        what = f"site_id '{first['site_id']}'"
        if source.mapped:
            what = f"well '{first['well']}' of plate '{first['plate']}'"
        others = plural(bad["site_id"].n_unique(), source.level)
        return f"{what} is there {same.height} times ({others} affected); keep one row of each {source.level}"

    return [
        *(
            Rule(
                pl.col(name).is_null(),
                lambda _, name=name: (
                    f"{source.label(name)} is empty; every row needs one: fill it in or remove the row"
                ),
            )
            for name in _FILLED
        ),
        Rule(pl.col("site_id").is_duplicated(), repeated),
        Rule(
            pl.col("row").is_null(),
            lambda bad: (
                f"{source.label('well')} {_values(bad, 'well')} is no well; allowed are rows A to AF and columns "
                "01 to 48, written like AA02"
            ),
        ),
        Rule(
            pl.col("site_number").is_null() | (pl.col("site_number") < 1),
            lambda bad: f"{source.label('site')} {_values(bad, 'site')} is no site; allowed are 1, 2, 3, ...",
        ),
        *([] if source.mapped else _name_rules()),
        Rule(
            pl.struct("experiment", "plate", "row", "col", "site_number").is_duplicated(),
            lambda bad: f"{_values(bad, 'site_id')} name one site in two ways; keep one row of each site",
        ),
    ]


def _name_rules() -> list[Rule]:
    """Return the rules on names that RxRx19a's own layout has in the file; those of a mapped table are made here."""
    return [
        *(
            Rule(
                pl.col(name) != joined(name, "_"), lambda bad, name=name: _contradicts(bad, name, PARTS[name])
            )
            for name in ("well_id", "site_id")
        ),
        Rule(
            pl.struct(PARTS["well_id"]).n_unique().over("well_id") > 1,
            lambda bad: (
                f"well_id {_values(bad, 'well_id')} names wells of several plates; rename an experiment or a plate, or "
                "map the table in a screen.yml, which tells them apart"
            ),
        ),
    ]


def _treatment_rules(source: Source) -> list[Rule]:
    dose, treatment = source.label("treatment_conc"), source.label("treatment")
    has_treatment, has_dose = pl.col("treatment").is_not_null(), pl.col("treatment_conc").is_not_null()
    # A screen whose dose column is empty throughout has no doses; one that has some must have all.
    any_dose = has_dose.any()
    elsewhere = "map these wells' condition to blank" if source.mapped else "leave the condition empty"
    return [
        Rule(pl.col("condition").is_null(), lambda bad: _unknown_condition(bad, source)),
        Rule(
            has_dose & ~pl.col("dose_um").is_finite().fill_null(False),
            lambda bad: (
                f"{dose} {_values(bad, 'treatment_conc')} is no number; allowed is a dose in {source.dose_unit} like "
                f"{_example(source)}{_comma(bad, source)}"
            ),
        ),
        Rule(
            pl.col("dose_um") <= 0,
            lambda bad: (
                f"{dose} {_values(bad, 'treatment_conc')} is not above 0; allowed is a dose in {source.dose_unit} "
                "like 0.3, and an untreated well has neither treatment nor dose"
            ),
        ),
        Rule(
            has_dose & ~has_treatment,
            lambda bad: (
                f"{dose} {_values(bad, 'treatment_conc')} without {treatment}; name the treatment, or empty both "
                "for an untreated well"
            ),
        ),
        Rule(
            has_treatment & ~has_dose & any_dose,
            lambda bad: (
                f"{treatment} {_values(bad, 'treatment')} without {dose}; give its dose in {source.dose_unit}, "
                "or empty both for an untreated well"
            ),
        ),
        Rule(
            has_treatment & pl.col("condition").is_in(["mock", "uv"]),
            lambda bad: (
                f"{treatment} {_values(bad, 'treatment')} on a control well ({bad['condition'][0]}); controls carry "
                f"no compound: empty treatment and dose, or {elsewhere} to keep the well out of every fit"
            ),
        ),
    ]


def _well_rules(source: Source) -> list[Rule]:
    """Return the rules on sites of one well: they share treatment, dose, condition and cell type."""
    folded = pl.col("treatment").str.to_lowercase()
    same = {
        "treatment": folded,
        "treatment_conc": pl.col("dose_um"),
        "disease_condition": pl.col("condition"),
    }
    same["cell_type"] = pl.col("cell_type")

    def say(name: str) -> Callable[[pl.DataFrame], str]:
        def message(bad: pl.DataFrame) -> str:
            well = bad["well_id"][0]
            values = bad.filter(pl.col("well_id") == well)[name].fill_null("none").unique(maintain_order=True)
            return (
                f"well {well} has several values of {source.label(name)} ({listed(values)}; "
                f"{plural(bad['well_id'].n_unique(), 'well')} affected); all sites of a well share one"
            )

        return message

    return [Rule(value.n_unique().over("well_id") > 1, say(name)) for name, value in same.items()]


def _example(source: Source) -> str:
    """Return how a dose may be written."""
    number = "0,3" if source.decimal == "," else "0.3"
    return f"{number}, or with its unit, like 300 nM" if source.mapped else number


def _comma(bad: pl.DataFrame, source: Source) -> str:
    """Return a hint if doses have decimal commas that nobody announced."""
    has_comma = bad["treatment_conc"].str.contains(r"^[0-9]+,[0-9]+\b").any()
    announced = not source.mapped or source.decimal == "," or not has_comma
    return "" if announced else '; decimal commas need `decimal: ","` in screen.yml'


def _values(bad: pl.DataFrame, column: str) -> str:
    return listed(bad[column].unique(maintain_order=True), 3)


def _contradicts(bad: pl.DataFrame, column: str, parts: tuple[str, ...]) -> str:
    first = bad.row(0, named=True)
    built = "_".join(first[part] for part in parts)
    return (
        f"{column} '{first[column]}' contradicts its own columns {', '.join(parts)}, which give '{built}'; "
        "correct one of the two"
    )


def _unknown_condition(bad: pl.DataFrame, source: Source) -> str:
    values = _values(bad, "disease_condition")
    names = [name for name in source.conditions if name and not name.endswith(BY_FILE)]
    if not names or bad["disease_condition"][0].endswith(AT_ONCE):
        how = "let the rules under conditions of screen.yml exclude each other, and cover all wells"
        return f"{values} as the condition; {how}"
    near = difflib.get_close_matches(bad["disease_condition"][0].lower(), [n.lower() for n in names], 1, 0.6)
    hint = next((f"; is '{name}' meant?" for name in names if near and name.lower() == near[0]), "")
    what = f"{source.label('disease_condition')} {values} is unknown{hint}; allowed are {listed(names, 9)}, or empty"
    return f"{what}; add the missing ones under conditions of screen.yml" if source.mapped else what
