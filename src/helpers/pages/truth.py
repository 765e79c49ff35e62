"""Estimates beside the known truth of a twin; nothing where no truth is known."""

import itertools

import numpy as np
import pandas as pd

from helpers.dose.classes import LOCATED
from helpers.hits.rule import CALLS

KEY = ["key_experiment", "key_treatment"]
ARM_KEY = [*KEY, "key_dose"]


def truth_of_arms(arms: pd.DataFrame, truth: pd.DataFrame | None) -> pd.DataFrame:
    """Put the twin's truth beside each arm: rescue_true, off_disease_true, toxicity, kind.

    Names are matched without regard to case, doses to nine digits. Where no truth is known, no row is returned.
    """
    if truth is None:
        return arms.head(0)
    left, right = _keyed(arms, dose=True), _keyed(truth, dose=True)
    right = right.rename(columns={"rescue": "rescue_true", "off_disease": "off_disease_true"})
    columns = [c for c in ("rescue_true", "off_disease_true", "toxicity", "kind") if c in right]
    return left.merge(right[[*ARM_KEY, *columns]], on=ARM_KEY, how="left").drop(columns=ARM_KEY)


def truth_of_compounds(table: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Put the twin's truth beside each compound (hits or curves).

    Returns
    -------
    DataFrame
        `table` with rescue_true (the highest over the tested doses), strongest_true (the one of largest size, up or
        down), ec50_true_um, emax_true, hill_true, kind.
    """
    right = _keyed(truth).reset_index(drop=True)
    by = [right[name] for name in KEY]
    strongest = right.loc[right["rescue"].abs().groupby(by).idxmax(), [*KEY, "rescue"]]
    best = right.groupby(KEY).agg(
        rescue_true=("rescue", "max"),
        ec50_true_um=("ec50_um", "first"),
        emax_true=("emax", "first"),
        hill_true=("hill", "first"),
        kind=("kind", "first"),
    )
    best["strongest_true"] = strongest.set_index(KEY)["rescue"]
    return _keyed(table).merge(best, left_on=KEY, right_index=True, how="left").drop(columns=KEY)


def _keyed(table: pd.DataFrame, *, dose: bool = False) -> pd.DataFrame:
    """Return a copy with the columns of a key: experiment, case-folded treatment and, on wish, dose."""
    out = table.assign(
        key_experiment=table["experiment"].astype(str),
        key_treatment=table["treatment"].astype(str).str.casefold(),
    )
    return out.assign(key_dose=table["dose_um"].map("{:.9g}".format)) if dose else out


def truth_table(hits: pd.DataFrame, truth: pd.DataFrame | None, min_rescue: float) -> pd.DataFrame:
    """Count calls by the true rescue of the compounds.

    Returns
    -------
    DataFrame
        One row per class of true rescue (highest over the tested doses), one column per call.
    """
    if truth is None:
        return pd.DataFrame({"true rescue": ["not known"], "compounds": [len(hits)]})
    joined = truth_of_compounds(hits, truth)
    edges = [-np.inf, min_rescue, *(e for e in (0.25, 0.5) if e > min_rescue), np.inf]
    names = [_range_name(a, b) for a, b in itertools.pairwise(edges)]
    # the hypothesis is *at most*: a compound that does exactly nothing belongs below
    edges[1] = np.nextafter(min_rescue, np.inf)
    group = pd.cut(joined["rescue_true"], edges, labels=names, right=False)
    table = pd.crosstab(group, joined["call"].astype(str))
    calls = [call for call in CALLS if call != "not_tested" or call in table]
    table = table.reindex(index=names[::-1], columns=calls, fill_value=0)
    table.insert(0, "compounds", table.sum(axis=1))
    return table.rename_axis(index="true rescue", columns=None).reset_index()


def _range_name(low: float, high: float) -> str:
    """Return ``0.25 to 0.5``, or the open end in words."""
    if not np.isfinite(low):
        return f"at most {high:g}"
    return f"{low:g} or more" if not np.isfinite(high) else f"{low:g} to {high:g}"


def true_potencies(curves: pd.DataFrame, truth: pd.DataFrame | None) -> pd.DataFrame:
    """Return rising curves of truly rescuing compounds with an EC50 that has limits on both sides, and their true one.

    None where no truth is known.
    """
    if truth is None or curves.empty:
        return curves.head(0)
    joined = truth_of_compounds(curves, truth)
    chosen = joined["curve_class"].isin(LOCATED) & (joined["ec50_censored"] == "")
    chosen &= (joined["emax_true"] > 0) & joined["ec50_um"].notna()
    return joined[chosen]
