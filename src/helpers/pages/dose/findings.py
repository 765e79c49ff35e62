"""What curves say, in computed numbers: classes, single curves, potencies, and the truth where it is known."""

import numpy as np
import pandas as pd
from scipy import stats

from helpers.dose.classes import LOCATED
from helpers.dose.screen import MAX_RESCUE
from helpers.figures.ec50 import ec50_text
from helpers.pages.truth import true_potencies, truth_of_compounds
from helpers.pages.words import count, listing, name_code, number, percent


def curve_classes(curves: pd.DataFrame) -> str:
    """Say how many curves are of each class, the flat and the censored ones included."""
    if curves.empty:
        return "This screen has no dose response to fit."
    words = {
        "active": "active",
        "partial": "whose end is extrapolated: the highest dose reaches less than 80 %, or the EC50 may lie beyond",
        "step": "a step between two doses",
        "bell": "that turn back at the top",
        "toxic_top": "that show nothing but harm at the top",
        "below_range": "whose start was not seen (EC50 `<`)",
        "above_range": "whose end was not seen (EC50 `>`)",
        "worsening": "worsening: rescue falls with dose",
        "inactive": "not told from a flat line, so without an EC50",
        "not_fitted": "not fitted",
    }
    counts = curves["curve_class"].astype(str).value_counts()
    listed = [f"{n:,} {words.get(c, c.replace('_', ' '))}" for c, n in counts.items()]
    text = f"Of {count(len(curves), 'curve')}: {'; '.join(listed)}."
    loose = int((curves["curve_class"].eq("active") & curves["ec50_um"].isna()).sum())
    if loose:
        text += (
            f" Of the active ones {loose:,} {'has' if loose == 1 else 'have'} no EC50 all the same: it could lie "
            "anywhere among the doses."
        )
    return text


def one_curve(curve: pd.Series | None) -> str:
    """Say in words what one curve shows."""
    if curve is None:
        return "This screen has no curve to explain."
    name, klass = name_code(curve["treatment"]), str(curve["curve_class"])
    where = f"{name} in {name_code(curve['experiment'])}"
    start = f"{where} is of the class *{klass.replace('_', ' ')}*: {ec50_text(curve)}."
    if klass in {"inactive", "not_fitted"}:
        return f"{start} A flat line explains its wells as well as a curve does, so no EC50 is given."
    if klass == "step":
        return (
            f"{start} The response jumps between two neighbouring doses, and the data say nothing "
            "about where in between: a "
            "single number with a small error would be an invention of the model."
        )
    if str(curve["ec50_censored"]) in {"<", ">"}:
        return (
            f"{start} The doses limit its half-way point on one side only, so a bound is given and no number."
        )
    bound = ""
    if bool(curve.get("at_bound", False)) and np.isclose(curve["back"], MAX_RESCUE):
        bound = (
            f" That plateau is the largest that the fit allows ({number(MAX_RESCUE)}), not one that was seen."
        )
    if curve[["front", "back", "hill"]].isna().any():
        return f"{start} It rises by {number(curve['effect'], 2)} over its doses; its plateaus are not known."
    return (
        f"{start} Rescue goes from {number(curve['front'], 2)} without compound to "
        f"{number(curve['back'], 2)} at high dose, "
        f"with a Hill slope of {number(curve['hill'], 2)}; the curve explains {percent(curve['r2'])} "
        "of the variance of "
        f"its wells.{bound}"
    )


def potency(curves: pd.DataFrame) -> str:
    """Say which curve is the most potent of those that reach half of the way to mock."""
    active = curves[curves["curve_class"].isin(LOCATED) & (curves["ec50_censored"] == "")]
    active = active.dropna(subset=["ec50_um"])
    if active.empty:
        return "No rising curve has limits of its EC50 on both sides."
    width = (active["ec50_high_um"] / active["ec50_low_um"]).replace(np.inf, np.nan).median()
    text = (
        f"Rising curves with limits of the EC50 on both sides: {len(active):,}; the median interval "
        "spans a factor of "
        f"{number(width, 2)}. {_bounded(active)}"
    )
    strong = active[active["back"] >= 0.5]
    if strong.empty:
        return f"{text}None of them reaches half of the way to mock."
    best = strong.loc[strong["ec50_um"].idxmin()]
    words = f"{name_code(best['treatment'])} in {name_code(best['experiment'])} ({ec50_text(best)})"
    return f"{text}The most potent that reaches half of the way to mock is {words}."


def _bounded(curves: pd.DataFrame) -> str:
    """Say how many of these curves have a plateau that the fit had to stop."""
    stopped = int(np.isclose(curves["back"], MAX_RESCUE).sum())
    if not stopped:
        return ""
    return (
        f"For {stopped:,} of them the plateau stands at {number(MAX_RESCUE)}, the largest value that the fit "
        "allows: the end of the curve was not seen, and the EC50 is half-way to a level that was assumed. "
    )


def falling(curves: pd.DataFrame) -> str:
    """Say how many curves fall, and what is known of their EC50."""
    if curves.empty:
        return ""
    down = curves[curves["curve_class"] == "worsening"]
    if down.empty:
        return "No significant curve falls with dose."
    bound = down["ec50_censored"].isin(["<", ">"])
    both = int((down["ec50_um"].notna() & ~bound).sum())
    without = int(down["ec50_um"].isna().sum())
    return (
        f"{count(len(down), 'curve')} {'falls' if len(down) == 1 else 'fall'} with dose (`worsening`): {both:,} with "
        f"limits of the EC50 on both sides, {int(bound.sum()):,} with a bound, {without:,} without an EC50."
    )


def truth_potency(curves: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    """Say how well EC50s are recovered where the truth is known, and which curves rise without rescue."""
    if truth is None or curves.empty:
        return "The truth of this screen is not known; only the twin can be checked in this way."
    joined = true_potencies(curves, truth).dropna(subset=["ec50_true_um"])
    if joined.empty:
        none = "No truly rescuing compound has a curve with limits of its EC50 on both sides."
        return f"{none} {_feigned(curves, truth)}".strip()
    toxic = joined["kind"].astype(str).str.contains("toxic")
    parts = [
        _recovery(joined[chosen], words)
        for chosen, words in ((~toxic, "rescue only"), (toxic, "rescue and are toxic"))
        if chosen.any()
    ]
    return " ".join([*parts, _feigned(curves, truth)]).strip()


def _feigned(curves: pd.DataFrame, truth: pd.DataFrame) -> str:
    """Say how many curves have an EC50 though their compound does not rescue, and what these do."""
    joined = truth_of_compounds(curves, truth)
    located = (
        joined["curve_class"].isin(LOCATED) & joined["ec50_um"].notna() & (joined["ec50_censored"] == "")
    )
    known = joined[located & joined["kind"].notna()]
    wrong = known[~(known["emax_true"] > 0)]
    if known.empty:
        return ""
    if wrong.empty:
        return f"All {len(known):,} curves with an EC50 are of compounds that rescue."
    kinds = [f"{n:,} {kind}" for kind, n in wrong["kind"].astype(str).value_counts().items()]
    some = f"{len(wrong):,} {'is' if len(wrong) == 1 else 'are'}"
    return (
        f"Of {count(len(known), 'curve')} with an EC50, {some} of compounds that do not rescue "
        f"({listing(kinds)}): a curve says that something rises along the axis, not what it is."
    )


def truth_share(curves: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    """Say in one sentence what share of the EC50 intervals hold the truth, by kind of compound."""
    joined = true_potencies(curves, truth)
    joined = joined.dropna(subset=["ec50_true_um"]) if "ec50_true_um" in joined else joined.head(0)
    if joined.empty:
        return "How often such intervals hold the truth can be counted only where the truth is known."
    toxic = joined["kind"].astype(str).str.contains("toxic")
    parts = [
        f"{_share(_holds(rows), 'interval')} for compounds that {words}"
        for rows, words in ((joined[~toxic], "only rescue"), (joined[toxic], "also harm at high dose"))
        if len(rows)
    ]
    return f"**Counted on this twin:** the true EC50 lies in {listing(parts)}."


def _holds(joined: pd.DataFrame) -> pd.Series:
    """Return which intervals hold the true EC50."""
    return joined["ec50_true_um"].between(joined["ec50_low_um"], joined["ec50_high_um"])


def _recovery(joined: pd.DataFrame, words: str) -> str:
    """Say how far EC50s are from the truth, and how often their intervals hold it."""
    factor = 10 ** np.log10(joined["ec50_um"] / joined["ec50_true_um"]).abs().median()
    return (
        f"For {count(len(joined), 'active curve')} of compounds that {words}, the EC50 is off by a "
        "factor of "
        f"{number(factor, 2)} in the median; {_share(_holds(joined), 'interval')} hold the true one."
    )


def _share(holds: pd.Series, noun: str) -> str:
    """Return how many of some hold, with the 95 % interval of that share (Clopper & Pearson 1934)."""
    exact = stats.binomtest(int(holds.sum()), len(holds)).proportion_ci(0.95)
    ends = f"{percent(exact.low)} to {percent(exact.high)}"
    return f"{holds.sum():,} of {count(len(holds), noun)} ({percent(holds.mean())}; from so few, {ends})"
