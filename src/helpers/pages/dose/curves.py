"""Which curves a page shows: those asked for, the strongest, examples, and the list of all."""

import difflib

import pandas as pd

from helpers.dose.classes import RISING
from helpers.dose.screen import wells_of_curve
from helpers.errors import UsageError
from helpers.pages.hits.tables import _floored
from helpers.pages.show import heading
from helpers.screens.order import natural_order

EXAMPLE_RANK = {"active": 0, "partial": 1, "step": 1, "bell": 2, "above_range": 2, "below_range": 2}
"""Which class of curve makes the better example."""


def without_loose_limits(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves without the limits of an EC50 that is not given: they would only look like numbers."""
    limits = ["ec50_low_um", "ec50_high_um"]
    if not {"ec50_um", *limits} <= set(curves):
        return curves
    return curves.assign(**{name: curves[name].where(curves["ec50_um"].notna()) for name in limits})


def curve_list(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `dose_response.csv` that one looks a curve up for, with headings in words."""
    columns = [
        "treatment",
        "experiment",
        "curve_class",
        "ec50_censored",
        "ec50_um",
        "ec50_low_um",
        "ec50_high_um",
    ]
    columns += ["hill", "back", "relevance", "q_value", "n_points"]
    table = curves[[c for c in columns if c in curves]].assign(
        curve_class=curves["curve_class"].astype(str).str.replace("_", " ")
    )
    table = without_loose_limits(_floored(table))
    return table.rename(columns=heading)


def fitted_points(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the wells that curves are fitted to: treated, with a dose, and good."""
    fine = scored["treatment"].notna() & scored["dose_um"].notna() & (scored["qc_flag"].astype(str) == "")
    columns = ["experiment", "treatment", "dose_um", "rescue"]
    return scored.loc[fine.to_numpy(), columns].astype({"experiment": str, "treatment": str})


def choose_curves(curves: pd.DataFrame, compounds: str) -> pd.DataFrame:
    """Return the curves of the compounds a user asks for, in that order; none for an empty list.

    Raises
    ------
    UsageError
        If a compound has no curve in the screen; the line names close ones.
    """
    wanted = [name.strip() for name in compounds.split(",") if name.strip()]
    names = curves["treatment"].astype(str)
    parts = []
    for name in wanted:
        chosen = curves[(names.str.casefold() == name.casefold()).to_numpy()]
        if chosen.empty:
            near = difflib.get_close_matches(name, names.unique().tolist(), n=3, cutoff=0.4)
            valid = ", ".join(near or natural_order(names)[:5]) or "none"
            raise UsageError(f"parameter 'compounds': {name!r} has no curve in this screen; close: {valid}")
        parts.append(chosen)
    return pd.concat(parts) if parts else curves.head(0)


def strongest_curves(curves: pd.DataFrame, n: int, compounds: str = "") -> pd.DataFrame:
    """Return the curves a user asks for, then the `n` of highest relevance that rise with dose."""
    rising = curves[curves["curve_class"].isin(RISING)]
    best = rising.sort_values("relevance", ascending=False).head(n)
    both = pd.concat([choose_curves(curves, compounds), best])
    return both[~both.index.duplicated()]


def example_curve(curves: pd.DataFrame, compounds: str = "") -> pd.Series | None:
    """Return the curve to explain: the first asked for, else the most relevant active one, else any."""
    if curves.empty:
        return None
    asked = choose_curves(curves, compounds)
    if len(asked):
        return asked.iloc[0]
    rank = curves["curve_class"].map(EXAMPLE_RANK).fillna(3)
    return curves.assign(order=rank).sort_values(["order", "relevance"], ascending=[True, False]).iloc[0]


def one_of_each_class(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the most relevant curve of each class, in the order of the page's table."""
    order = [*RISING, "worsening", "toxic_top", "inactive", "not_fitted"]
    best = curves.sort_values("relevance", ascending=False, na_position="last").drop_duplicates("curve_class")
    rank = best["curve_class"].map({name: i for i, name in enumerate(order)})
    return best.assign(order=rank).sort_values("order").drop(columns="order")


def points_of(wells: pd.DataFrame, curve: pd.Series | None) -> pd.DataFrame:
    """Return the wells of a curve; none without one."""
    if curve is None:
        return wells.head(0)
    return wells_of_curve(wells, curve["experiment"], curve["treatment"])
