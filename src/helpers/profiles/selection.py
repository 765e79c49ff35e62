"""Which wells play which part: references, treated wells, and the plates they stand on.

All functions take `obs` (one row per well) and return boolean masks or row indices of the same order, so that
steps never depend on how the wells are sorted.
"""

import numpy as np
import pandas as pd

from helpers.screens.order import natural_key

KINDS = ("mock", "uv", "infected", "treated", "blank")
"""Kinds of wells: the conditions, with infected wells that got a compound told apart as `treated`."""


def usable(obs: pd.DataFrame) -> np.ndarray:
    """Return which wells passed quality control and have a known condition, shape (n_wells,)."""
    return ((obs["qc_flag"] == "") & (obs["condition"] != "blank")).to_numpy()


def controls(obs: pd.DataFrame, condition: str) -> np.ndarray:
    """Return which wells are untreated ones of a condition that passed quality control.

    A compound on uninfected cells, as some screens have, is no mock control.

    Parameters
    ----------
    obs : DataFrame
        Wells, with columns condition, treatment and qc_flag.
    condition : str
        Such as `mock`, `uv` or `infected`.

    Returns
    -------
    array of bool
        Shape (n_wells,).
    """
    return (obs["condition"] == condition).to_numpy() & obs["treatment"].isna().to_numpy() & usable(obs)


def treated(obs: pd.DataFrame) -> np.ndarray:
    """Return the infected wells that got a compound, failed ones included, shape (n_wells,)."""
    return (obs["condition"] == "infected").to_numpy() & obs["treatment"].notna().to_numpy()


def scattered(obs: pd.DataFrame) -> np.ndarray:
    """Return infected wells, treated or not, that passed quality control, shape (n_wells,).

    These are the wells whose position was randomised; mock and UV wells stand in blocks of rows, so a
    position effect estimated on them would be confused with the disease.
    """
    return (obs["condition"] == "infected").to_numpy() & usable(obs)


def rows_by(obs: pd.DataFrame, column: str) -> dict[str, np.ndarray]:
    """Return the row indices of each value of a column that occurs, in order of first appearance."""
    codes, values = pd.factorize(obs[column], use_na_sentinel=True)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(values) + 1))
    return {value: order[bounds[i] : bounds[i + 1]] for i, value in enumerate(values)}


def as_slice(rows: np.ndarray) -> slice | np.ndarray:
    """Return a slice where the rows are consecutive: a view costs a tenth of what a fancy index does."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and np.all(np.diff(rows) == 1):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def well_kind(obs: pd.DataFrame) -> pd.Series:
    """Return each well's kind: its condition, with treated infected wells told apart as ``treated``.

    Parameters
    ----------
    obs : DataFrame
        Wells or sites, with columns condition and treatment.

    Returns
    -------
    Series
        Categories of :data:`helpers.profiles.selection.KINDS`, index of `obs`.
    """
    kind = obs["condition"].astype(object)
    kind = kind.mask((kind == "infected") & obs["treatment"].notna(), "treated")
    return pd.Series(pd.Categorical(kind, list(KINDS)), index=obs.index, name="kind")


def plate_order(obs: pd.DataFrame) -> np.ndarray:
    """Return the row order by plate, row and column, in which people count; ties go by the index."""
    codes, plates = pd.factorize(obs["plate_id"])
    names = [str(plate) for plate in plates]
    rank = np.empty(len(names), dtype=np.intp)
    rank[sorted(range(len(names)), key=lambda i: natural_key(names[i]))] = np.arange(len(names))
    plate, row, col = rank[codes], obs["row"].to_numpy(), obs["col"].to_numpy()
    if _increasing(plate, row, col):  # as screens are opened; their index need not be looked at
        return np.arange(len(obs))
    return np.lexsort((obs.index.astype(str), col, row, plate))


def _increasing(*keys: np.ndarray) -> bool:
    """Return whether each row's keys, the first ones first, are greater than those of the row before."""
    greater = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in reversed(keys):
        step = np.diff(key)
        greater = (step > 0) | ((step == 0) & greater)
    return bool(greater.all())
