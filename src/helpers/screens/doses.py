"""Doses as they are written, as numbers in uM, and which of them are one dose."""

import numpy as np
import polars as pl

UNITS = {"nM": 1e-3, "uM": 1.0, "mM": 1e3, "M": 1e6}
# What may stand behind a number; the two small letters mu look alike and are two characters.
_WRITTEN = {**UNITS, "pM": 1e-6, "\u00b5M": 1.0, "\u03bcM": 1.0}
SAME_DOSE = 1e-6
"""Doses that differ by less than this share are one dose, such as 0.3 and 3 * 0.1, or 10 and 9.999999."""


def in_um(dose: pl.Expr, unit: str, decimal: str = ".", *, units: bool = True) -> pl.Expr:
    """Return doses written as text in uM, null where they are no number.

    Parameters
    ----------
    dose : polars expression
        Text such as ``0.3`` or ``300 nM``; a unit behind the number counts, whatever `unit` says.
    unit : str
        What numbers alone are in: a key of `UNITS`.
    decimal : str
        ``.`` or ``,``.
    units : bool
        False if only numbers alone are doses, as in RxRx19a's own layout.
    """
    pattern = rf"^(.*[0-9.,])\s*({'|'.join(_WRITTEN)})$"
    number, written = dose, pl.lit(None, dtype=pl.String)
    if units:
        number, written = dose.str.replace(pattern, "$1"), dose.str.extract(pattern, 2)
    if decimal == ",":
        dotted = number.str.contains(".", literal=True)
        number = pl.when(~dotted).then(number.str.replace(",", ".", literal=True))
    value = number.cast(pl.Float64, strict=False)
    factor = written.fill_null(unit).replace_strict(_WRITTEN, default=None, return_dtype=pl.Float64)
    # 12 digits hide the rounding of the product: 3 nM is 0.003 uM, one level with any other 0.003.
    return pl.when(factor == 1).then(value).otherwise((value * factor).round_sig_figs(12))


def same_doses(dose: np.ndarray) -> np.ndarray:
    """Return the doses, each within `SAME_DOSE` of a lower one taken for that one."""
    distinct, place = np.unique(dose, return_inverse=True)
    new = np.diff(distinct, prepend=-np.inf) > SAME_DOSE * distinct
    return distinct[new][np.cumsum(new) - 1][place]


def merge_doses(table: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """Give wells of one dose one number in `dose_um`, and say which numbers that changed; "" for none."""
    good = (table["dose_um"].is_finite() & (table["dose_um"] > 0)).fill_null(False).to_numpy()
    given = table["dose_um"].fill_null(np.nan).to_numpy().copy()
    merged = given.copy()
    merged[good] = same_doses(given[good])
    changed = good & (merged != given)
    if not changed.any():
        return table, ""
    pairs = sorted(set(zip(given[changed].tolist(), merged[changed].tolist(), strict=True)))
    (old, new), more = pairs[0], f" and {len(pairs) - 1:,} more such pairs" if pairs[1:] else ""
    text = f"doses within {SAME_DOSE:g} of each other are one: {old!r} uM is read as {new!r} uM{more}"
    return table.with_columns(pl.Series("dose_um", merged).fill_nan(None)), text
