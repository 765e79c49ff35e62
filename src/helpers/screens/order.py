"""The order in which people count: plate 2 before plate 10."""

import re
from collections.abc import Iterable, Sequence

import pandas as pd

_DIGITS = re.compile(r"(\d+)")


def natural_key(text: str) -> tuple:
    """Return a sort key that compares runs of digits as numbers.

    >>> sorted(["HRCE-1_10", "HRCE-1_9"], key=natural_key)
    ['HRCE-1_9', 'HRCE-1_10']
    """
    parts = _DIGITS.split(str(text))
    return tuple(digits_key(part) if i % 2 else (-1, part) for i, part in enumerate(parts))


def digits_key(digits: str) -> tuple[int, str]:
    """Return a sort key of a whole number's digits, however many: Python turns only 4,300 into a number."""
    digits = digits.lstrip("0")
    return len(digits), digits


def numbered(names: Sequence[str]) -> bool:
    """Tell if names differ only in the number at their end, as ``feature_0`` and ``feature_10`` do."""
    return len({re.sub(r"\d+$", "", name) for name in names}) == 1


def natural_order(values: Iterable) -> list:
    """Return the distinct values, numbers by size and text by its numbers (``P2`` before ``P10``).

    The order of an ordered categorical is kept.
    """
    if isinstance(values, pd.Series) and getattr(values.dtype, "ordered", False):
        return [value for value in values.cat.categories if (values == value).any()]
    distinct = pd.Series(list(values)).dropna().unique()

    def key(value: object) -> list:
        parts = pd.Series([str(value)]).str.findall(r"\d+\.?\d*|\D+")[0]
        return [(0, float(p), "") if p[0].isdigit() else (1, 0.0, p) for p in parts]

    return sorted(distinct, key=key)
