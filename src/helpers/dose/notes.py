"""Notes: sentences where the class of a curve and the call of its compound seem to disagree, or doses were left out."""

import numpy as np
import pandas as pd

from helpers.dose.classes import RISING
from helpers.dose.harm import PAIR
from helpers.hits.calls import NO_LIMIT

UNJUDGED = "too few wells to tell whether it harms cells"
"""Where a compound cannot be called toxic, its curve may be harm."""


def curve_notes(curves: pd.DataFrame, hits: pd.DataFrame | None) -> np.ndarray:
    """Return what a reader of class and EC50 should know besides, "" where there is nothing, shape (n_curves,).

    Parameters
    ----------
    curves : DataFrame
        experiment, treatment, curve_class, n_toxic_doses, n_dropped_doses.
    hits : DataFrame or None
        From :func:`helpers.hits.call_hits`: experiment, treatment, call, and its note.

    Examples
    --------
    >>> curves = pd.DataFrame({
    ...     "experiment": "E", "treatment": ["A", "B"], "curve_class": ["inactive", "active"], "n_toxic_doses": [0, 1],
    ...     "n_dropped_doses": [0, 1],
    ... })
    >>> hits = pd.DataFrame({"experiment": "E", "treatment": ["A", "B"], "call": "rescue"})
    >>> curve_notes(curves, hits).tolist()[1]
    '1 dose harms cells and is left out'
    """
    called = said = pd.Series("", index=curves.index)
    if hits is not None:
        calls = hits[[*PAIR, "call"]].assign(said=hits.get("note", "")).astype(str)
        both = curves[PAIR].merge(calls, on=PAIR, how="left").fillna("")
        called, said = both["call"].set_axis(curves.index), both["said"].set_axis(curves.index)
    rescues, toxic = called.str.startswith("rescue"), curves["n_toxic_doses"]
    several = np.where(toxic == 1, "dose harms", "doses harm")
    top = toxic.astype(str) + " " + several + " cells"
    rules = {
        "not_fitted": (curves["curve_class"] == "not_fitted") & rescues,
        "inactive": (curves["curve_class"] == "inactive") & rescues,
        "alone": (curves["curve_class"] == "toxic_top") & (curves["n_dropped_doses"] > 0),
        "few": curves["curve_class"] == "toxic_top",
        "left": curves["n_dropped_doses"].gt(0) & toxic.gt(0),
        "fall": curves["curve_class"].eq("worsening") & called.eq("inactive"),
        "uncalled": curves["curve_class"].isin(RISING) & called.eq("inactive"),
    }
    yet = np.where(rescues, "called " + called + "; ", "")
    words = {
        "not_fitted": "called " + called + ": too few doses for a curve",
        "inactive": "called " + called + " for its best doses: over all doses a flat line fits as well",
        "alone": yet + top + "; below, nothing is told but harm",
        "few": yet + top + "; too few are left for a curve",
        "left": top + " and " + np.where(toxic == 1, "is", "are") + " left out",
        "fall": "called inactive: no dose worsens surely by more than counts",
        "uncalled": "called inactive: no dose rescues surely by more than counts",
    }
    notes = np.select(list(rules.values()), [words[name] for name in rules], default="").astype(object)
    unjudged = said.str.contains(NO_LIMIT, regex=False) & curves["curve_class"].isin([*RISING, "worsening"])
    return notes + np.where(unjudged, np.where(notes == "", UNJUDGED, "; " + UNJUDGED), "")
