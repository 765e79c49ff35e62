"""The part ``conditions`` of a ``screen.yml``: which wells are healthy, diseased, or kept out."""

from dataclasses import dataclass, field

import polars as pl

from helpers.screens.source import plain_numbers

REST = "rest"
"""In place of a list: all values that no other condition names."""
EMPTY = ""
BY_FILE = " by screen.yml"
"""Stands behind a condition that a rule gave, so that no value of a table can be taken for it."""
AT_ONCE = " at once"
"""Stands behind the conditions of a well that several rules name."""


def one_of(column: str, values: list[str]) -> pl.Expr:
    """Tell if a cell of text says one of some values, 0.0 the same as 0; an empty cell is `EMPTY`."""
    said = pl.Series(values, dtype=pl.String)
    plain = pl.select(plain_numbers(pl.lit(said))).to_series()
    return plain_numbers(pl.col(column).fill_null(EMPTY)).is_in(plain.to_list())


@dataclass
class Conditions:
    """What makes a well one of a condition.

    Parameters
    ----------
    values : dict
        Value of the condition column -> condition; "" is an empty cell.
    rules : dict
        Condition -> column -> values: all columns must hold one of theirs.
    rest : str
        The condition of all other values, "" where there is none.
    """

    values: dict[str, str] = field(default_factory=dict)
    rules: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    rest: str = ""

    @property
    def is_plain(self) -> bool:
        """Tell if the values alone say it."""
        return not (self.rules or self.rest)

    @property
    def columns(self) -> dict[str, str]:
        """Return the columns of the rules, by where ``screen.yml`` names them."""
        pairs = [(condition, column) for condition, rule in self.rules.items() for column in rule]
        return {f"conditions.{condition}.{column}": column for condition, column in pairs}

    @property
    def known(self) -> dict[str, str]:
        """Return the condition of each value that a well can have after `cell` has been asked."""
        if self.is_plain:
            return self.values
        ours = {f"{name}{BY_FILE}": name for name in ("mock", "uv", "infected", "blank")}
        return {**ours, **self.values}

    def cell(self, column: str | None) -> pl.Expr:
        """Return the expression of a well's condition, a key of `known`, or a value that nothing explains.

        Parameters
        ----------
        column : str or None
            The condition column; None where rules say everything.
        """
        if self.is_plain and column is not None:
            return pl.col(column)
        given = pl.lit(EMPTY) if column is None else pl.col(column).fill_null(EMPTY)
        named = {
            name: pl.all_horizontal(one_of(c, values) for c, values in rule.items())
            for name, rule in self.rules.items()
        }
        n_rules = pl.sum_horizontal(hit.cast(pl.Int8) for hit in named.values()) if named else pl.lit(0)
        several = (
            pl.concat_str(
                [pl.when(hit).then(pl.lit(name)) for name, hit in named.items()],
                separator=" and ",
                ignore_nulls=True,
            )
            if named
            else pl.lit("")
        )
        out = given
        if self.rest:
            left = pl.lit(True) if column is None else ~given.is_in(list(self.values))
            out = pl.when(left).then(pl.lit(f"{self.rest}{BY_FILE}")).otherwise(given)
        for name, hit in named.items():
            out = pl.when(hit).then(pl.lit(f"{name}{BY_FILE}")).otherwise(out)
        return pl.when(n_rules > 1).then(several + AT_ONCE).otherwise(out)
