"""Mechanism classes: whether compounds that share a mechanism score otherwise than the rest.

A class is tested by ranks alone, so that one member with a huge score cannot make a class, and no scale is assumed.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, stats

from helpers.errors import DataError, UsageError
from helpers.files import home_path
from helpers.hits.lists import read_list
from helpers.hits.multiple import q_values
from helpers.hits.names import data_file, name_keys

MIN_MEMBERS = 3
"""Classes with fewer scored members are listed but not tested: even the two highest of all ranks prove little."""

MIN_STRATUM = 10
"""Smaller strata have no centre of their own worth the name; that of all compounds takes its place."""

COLUMNS = (
    "class", "n_members", "n_others", "auc", "auc_low", "auc_high", "shift", "shift_low", "shift_high", "p_value",
    "q_value", "note",
)  # fmt: skip
_FORM = "a class list is a CSV with the columns treatment and class, one member a line"


def shipped_classes() -> pd.DataFrame:
    """Return the classes of RxRx19a's compounds that ship with the package.

    Returns
    -------
    DataFrame
        treatment (international nonproprietary name where there is one), class, basis (the name stem, the ATC group or
        the target that makes it a member). They are pharmacology that was known before the screen; no effect in any
        screen went into them.
    """
    with data_file("classes.csv").open(encoding="utf-8", newline="") as file:
        return pd.DataFrame(list(csv.DictReader(file)))


def read_class_list(path: str | Path) -> pd.DataFrame:
    """Read a class list of the user's.

    Parameters
    ----------
    path : str or Path
        CSV or TSV in UTF-8 with the columns treatment and class, in any letter case; others are kept. A treatment may
        be in several classes; lines that repeat a pair count once.

    Returns
    -------
    DataFrame
        treatment, class, and the columns that the file has beside them.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If it is no such list; the line says which line of the file is wrong.
    """
    path = home_path(path)
    if not path.exists():
        raise UsageError(f"parameter 'classes': no file {path}; {_FORM}; leave it empty for the shipped list")
    names = {"treatment": ("treatment",), "class": ("class",)}
    table = read_list(path, names, {}, _FORM)
    for name in names:
        empty = table.index[table[name] == ""]
        if len(empty):
            raise DataError(f"{path}, line {empty[0]}: the {name} is empty; fill it in or delete the line")
    if table.empty:
        raise DataError(f"{path}: has a header and no lines; {_FORM}")
    return table.drop_duplicates(["treatment", "class"], ignore_index=True)


def assign_classes(names: pd.Series, classes: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Find the members of classes among compounds, whatever their spelling.

    Parameters
    ----------
    names : Series
        Compound (the index) -> list of the names it goes by.
    classes : DataFrame
        treatment, class.

    Returns
    -------
    members : DataFrame
        compound, class, one row per pair. A name of the list that fits several compounds, such as a drug and its salt,
        makes all of them members.
    unknown : list of str
        Names of the list that no compound has, in the list's order.
    """
    found: dict[str, list] = {}
    for compound, spelt in names.items():
        for key in dict.fromkeys(key for name in spelt for key in name_keys(name)):
            found.setdefault(key, []).append(compound)
    pairs, unknown = [], []
    for name, group in classes[["treatment", "class"]].itertuples(index=False):
        hit = next((found[key] for key in name_keys(name) if key in found), None)
        if hit is None:
            unknown.append(name)
        else:
            pairs += [(compound, group) for compound in hit]
    members = pd.DataFrame(pairs, columns=["compound", "class"]).drop_duplicates(ignore_index=True)
    return members, list(dict.fromkeys(unknown))


def class_effects(scores: pd.DataFrame, members: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Compare each class with all other compounds by the Mann-Whitney test.

    The null hypothesis is that members are like any other compounds, in which case every set of compounds is as likely
    to be the class. Scores of compounds that were measured together share an error: take it off first (`align_scores`).

    Parameters
    ----------
    scores : DataFrame
        compound, score, one row per compound.
    members : DataFrame
        compound, class (from `assign_classes`); those without a score are left out.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per class, in the order of AUC, highest first: class, n_members, n_others; auc (chance that a member
        scores above another compound, ties half; .5 = no effect), auc_low, auc_high (Newcombe 2006); shift
        (Hodges-Lehmann estimate, in units of the score), shift_low, shift_high; p_value (two-sided; exact up to eight
        members without ties), q_value (Benjamini-Hochberg over the classes tested), note (why a class was not tested).
    """
    known = scores.dropna(subset=["score"])
    values = pd.Series(known["score"].to_numpy(float), index=known["compound"].to_numpy())
    rows = []
    for name, group in members.groupby("class", sort=False):
        inside = values.index.isin(group["compound"])
        rows.append({"class": name, **_one_class(values[inside], values[~inside], level)})
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "q_value"])
    table["q_value"] = q_values(table["p_value"])
    table = table.sort_values(
        ["auc", "class"], ascending=[False, True], na_position="last", ignore_index=True
    )
    return table[list(COLUMNS)]


def align_scores(score: pd.Series, stratum: pd.Series, group: pd.Series) -> pd.Series:
    """Return scores relative to the median of those that were measured together.

    Compounds on the same plates share an error; ranks of what is left (aligned ranks, Hodges and Lehmann 1962,
    doi:10.1214/aoms/1177704575) no longer hold it.

    Parameters
    ----------
    score : Series
        One per compound.
    stratum : Series
        What was measured together, such as the plates that a compound stands on.
    group : Series
        The larger whole, such as the experiment: its median serves strata of fewer than ten.

    Returns
    -------
    Series
        In the unit and order of the scores.
    """
    by = score.groupby(stratum)
    whole = score.groupby(group).transform("median")
    return score - by.transform("median").where(by.transform("size") >= MIN_STRATUM, whole)


def _one_class(inside: pd.Series, outside: pd.Series, level: float) -> dict:
    """Return the effect of one class; only its counts and a note where it cannot be tested."""
    x, y = inside.to_numpy(float), outside.to_numpy(float)
    row = {"n_members": len(x), "n_others": len(y), "note": ""}
    if len(x) < MIN_MEMBERS or len(y) < MIN_MEMBERS:
        few = "members" if len(x) < MIN_MEMBERS else "other compounds"
        return {**row, "note": f"fewer than {MIN_MEMBERS} {few} with a score"}
    # exact for small classes without ties, else normal with the correction for ties
    test = stats.mannwhitneyu(x, y)
    auc = float(test.statistic / (len(x) * len(y)))
    row |= dict(zip(("auc_low", "auc_high"), auc_interval(auc, len(x), len(y), level), strict=True))
    row |= dict(zip(("shift", "shift_low", "shift_high"), _shift(x, y, level), strict=True))
    return {**row, "auc": auc, "p_value": float(test.pvalue)}


def _shift(x: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float, float]:
    """Return the Hodges-Lehmann shift and its interval, which is the Mann-Whitney test turned round."""
    differences = np.sort(np.subtract.outer(x, y), axis=None)
    spread = np.sqrt(len(differences) * (len(x) + len(y) + 1) / 12)
    cut = int(np.floor(len(differences) / 2 - stats.norm.ppf(0.5 + level / 2) * spread))
    ends = (differences[cut - 1], differences[-cut]) if cut >= 1 else (np.nan, np.nan)
    return float(np.median(differences)), float(ends[0]), float(ends[1])


def auc_interval(auc: float, m: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of an AUC by method 5 of Newcombe 2006 (doi:10.1002/sim.2324).

    It is a score interval: the variance is that of the AUC tried, so it stays within 0 and 1, has a width at 0 and at
    1, and covers for four members among thousands, where the variance of Hanley and McNeil falls short.

    Parameters
    ----------
    auc : float
        As estimated, 0 to 1.
    m, n : int
        Sizes of the two groups.
    level : float
        Of the interval.

    Returns
    -------
    tuple of float
        Low and high end.

    Examples
    --------
    >>> [round(end, 2) for end in auc_interval(1.0, 4, 1600)]
    [0.77, 1.0]
    """
    z = stats.norm.ppf(0.5 + level / 2)

    def distance(tried: float) -> float:
        spread = (1 - tried) / (2 - tried) + tried / (1 + tried)
        variance = tried * (1 - tried) * (1 + ((m + n) / 2 - 1) * spread) / (m * n)
        return float((tried - auc) ** 2 - z**2 * variance)

    return _root(distance, 0.0, auc), _root(distance, 1.0, auc)


def _root(distance: Callable[[float], float], end: float, auc: float) -> float:
    """Return where the distance is nought between an end of the scale and the estimate."""
    if auc == end:
        return end
    # At 0 and at 1 the variance is nought too; the root meant is the one inside.
    return float(optimize.brentq(distance, end, min(max(auc, 1e-9), 1 - 1e-9)))
