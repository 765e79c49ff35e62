"""Numbers and lists in words, as the sentences and tables of the pages write them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.text import LONGEST, markdown


def count(n: float, noun: str, plural: str = "") -> str:
    """Return ``1 well``, ``2,680 wells``, ``no wells``."""
    word = noun if n == 1 else plural or f"{noun}s"
    return f"{int(n):,} {word}" if n else f"no {plural or noun + 's'}"


def listing(items: Iterable, most: int = 8) -> str:
    """Return ``a, b and c``; of more than `most` the rest is counted."""
    items = [str(item) for item in items]
    if len(items) > most:
        items = [*items[:most], f"{len(items) - most:,} more"]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def percent(share: float) -> str:
    """Return a share as ``12 %``, small ones as ``0.4 %``, tiny ones in words."""
    if pd.isna(share):
        return "an unknown share"
    value = 100 * share
    if 0 < value < 0.05:
        return "less than 0.1 %"
    text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
    return f"{text} %"


def name_code(text: object, most: int = LONGEST) -> str:
    """Return what comes from data (a name, a note that holds some) for a sentence of a page: text and nothing else."""
    return markdown(text, most)


def names_listed(names: Iterable, most: int = 8) -> str:
    """Return names from data as `listing` has them."""
    return listing(map(name_code, names), most)


def number(value: float, digits: int = 3) -> str:
    """Return a number to so many significant digits, with a true minus sign (``−0.12``, ``3.1e−6``)."""
    if value is None or pd.isna(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e5):
        text = f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    else:
        text = np.format_float_positional(float(f"{value:.{digits}g}"), trim="-")
    return text.replace("-", "−")


def probability(value: float) -> str:
    """Return a p- or q-value; below a millionth only that it is (such values rest on a fitted tail)."""
    return "< 1e−6" if pd.notna(value) and value < 1e-6 else number(value, 2)
