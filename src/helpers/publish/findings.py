"""Sentences on calls, curves and truth, in computed numbers (see `sentences` for the other pages)."""

import inspect

import numpy as np
import pandas as pd

from helpers.dose import LOCATED, fit_screen
from helpers.figures.curves import ec50_text
from helpers.figures.quality import RECIPE_MEASURES
from helpers.figures.style import CALL_STYLE, format_um, natural_order, well_kind
from helpers.publish.truth import true_potencies, truth_of_arms, truth_of_compounds
from helpers.publish.words import count, listing, name_code, number, percent

LARGEST_PLATEAU = inspect.signature(fit_screen).parameters["max_rescue"].default
"""Largest value that the plateau of a fitted curve may take."""


def recipe_price(recipes: pd.DataFrame) -> str:
    """Say in which measures another recipe is better than the selected one, and by how much."""
    if recipes.empty or not recipes["selected"].any():
        return ""
    chosen = recipes["selected"].astype(bool)
    parts = []
    for column, (label, better) in RECIPE_MEASURES.items():
        own, others = recipes.loc[chosen, column].iloc[0], recipes.loc[~chosen, column].dropna()
        if pd.isna(own) or others.empty:
            continue
        best = others.idxmin() if better == "low" else others.idxmax()
        loss = round(own, 3) - round(others[best], 3)
        if (loss > 0) if better == "low" else (loss < 0):
            name = label.replace("-\n", "").replace("\n", " ")
            other = f"`{recipes.loc[best, 'recipe']}`: {_plain(others[best])}"
            parts.append(f"{name} ({_plain(own)}; {other})")
    if not parts:
        return "No other recipe is better than the selected one in any measure."
    return f"The selected recipe is not the best in {listing(parts)}."


def _plain(value: float) -> str:
    """Return a number with at most three decimals."""
    return number(round(value, 3) + 0.0)


def well_noise(wells: pd.DataFrame, arms: pd.DataFrame, n_features: int) -> str:
    """Say how far infected untreated wells lie off the axis, and how far arms do without that noise."""
    if arms.empty or wells["off_disease"].isna().all():
        return "Without scores there is nothing to compare."
    if n_features < 2:
        return "This screen has one feature: there is no way off the axis, and every off-disease is 0."
    fine = wells[
        (well_kind(wells) == "infected").to_numpy() & (wells["qc_flag"].astype(str) == "").to_numpy()
    ]
    medians = fine.groupby(fine["experiment"].astype(str))["off_disease"].median()
    parts = [f"{number(medians[name], 2)} in {name}" for name in natural_order(medians.index)]
    known = arms["off_disease"].dropna()
    return (
        f"Here, with {count(n_features, 'feature')}, the median off-disease of infected untreated wells, which got no "
        f"compound, is {listing(parts)} (in axis lengths). The median arm stands at {number(known.median(), 2)}, and "
        f"{percent((known == 0).mean())} of the arms at 0."
    )


def deciding_dose(hits: pd.DataFrame, arms: pd.DataFrame) -> str:
    """Say how often the best dose of a rescuer is not that of its largest rescue, and how many are past mock."""
    found = hits[hits["call"] == "rescue"] if len(hits) else hits
    if found.empty:
        return ""
    keys = ["experiment", "treatment"]
    highest = arms.astype(dict.fromkeys(keys, str)).groupby(keys)["rescue"].max().rename("highest")
    joined = found.astype(dict.fromkeys(keys, str)).merge(highest, left_on=keys, right_index=True)
    other = int((joined["highest"] > joined["rescue_max"] + 1e-9).sum())
    past = int((joined["rescue_max"] > 1).sum())
    return (
        f"Of {count(len(found), 'call')} of `rescue`, {other or 'none'} {'has' if other < 2 else 'have'} a "
        f"larger rescue at another dose, where the cells are not on target; {past or 'none'} "
        f"{'stands' if past < 2 else 'stand'} past mock, at a rescue above 1."
    )


def calls(hits: pd.DataFrame, fdr: float, min_rescue: float) -> str:
    """Say how many compounds got each call."""
    if hits.empty:
        return "No compound could be tested: this screen lacks embeddings, controls or treatments."
    parts = []
    for experiment in natural_order(hits["experiment"].astype(str)):
        group = hits[hits["experiment"].astype(str) == experiment]
        counts = group["call"].astype(str).value_counts()
        listed = [f"{counts[c]:,} `{c}`" for c in CALL_STYLE if c in counts]
        parts.append(f"in {experiment} {listing(listed)}")
    return (
        f"Testing for a rescue above {number(min_rescue)} at a false discovery rate of "
        f"{percent(fdr)}, the calls are: "
        f"{'; '.join(parts)}.{_several_experiments(hits)}"
    )


def _several_experiments(hits: pd.DataFrame) -> str:
    """Say that a compound is called in each experiment by itself, where some are in several."""
    names = hits["treatment"].astype(str).str.casefold()
    if names.nunique() == len(hits):
        return ""
    called = hits["call"] == "rescue"
    return (
        f" A compound is called in each experiment by itself: these are {len(hits):,} calls of "
        f"{count(names.nunique(), 'compound')}, and the {count(int(called.sum()), 'call')} of `rescue` "
        f"{'is' if called.sum() == 1 else 'are'} of {count(names[called].nunique(), 'compound')}."
    )


def top_hits(hits: pd.DataFrame, n: int = 5) -> str:
    """Name the compounds of highest rank among those called `rescue`."""
    found = hits[hits["call"] == "rescue"] if len(hits) else hits
    if found.empty:
        return "No compound is called `rescue`."
    parts = []
    for experiment in natural_order(found["experiment"].astype(str)):
        group = found[found["experiment"].astype(str) == experiment].sort_values("rank").head(n)
        named = [
            f"{name_code(r.treatment)} ({number(r.rescue_max, 2)} at {_dose(r.dose_at_max_um)})"
            for r in group.itertuples()
        ]
        parts.append(f"{experiment}: {listing(named)}")
    return (
        f"Highest ranked among those called `rescue`, with the rescue at their best dose: {'; '.join(parts)}."
    )


def _dose(value: float) -> str:
    """Return a dose with its unit."""
    return "no stated dose" if pd.isna(value) else f"{format_um(value)} µM"


def off_axis(hits: pd.DataFrame) -> str:
    """Say how many compounds rescue only beside a large change of another kind, or are toxic."""
    if hits.empty:
        return "Without calls there is nothing to separate."
    counts = hits["call"].astype(str).value_counts()
    off, toxic = int(counts.get("rescue_off_target", 0)), int(counts.get("toxic", 0))
    return (
        f"{count(off, 'call').capitalize()} {'is' if off == 1 else 'are'} `rescue_off_target`: cells moved towards "
        f"mock, and further still in another direction. {count(toxic, 'call').capitalize()} "
        f"{'is' if toxic == 1 else 'are'} `toxic`: far off the axis without a rescue that counts. A toxic compound "
        "whose drift has a part along the axis is of the first kind."
    )


def plates_limit(arms: pd.DataFrame) -> str:
    """Say what the number of plates allows to conclude."""
    if arms.empty:
        return ""
    most = int(arms["n_plates"].max())
    if most < 2:
        return (
            "**One plate only.** All wells of an arm stand on one plate, so plate-to-plate variation "
            "cannot be seen: the "
            "intervals say how wells vary, not how a repeated experiment would."
        )
    return (
        f"Arms stand on {count(arms['n_plates'].mode()[0], 'plate')} as a rule; intervals treat the plate "
        "as the replicate."
    )


def truth_calls(hits: pd.DataFrame, truth: pd.DataFrame | None, min_rescue: float) -> str:
    """Say what share of the truly rescuing compounds was called, and how many calls are false."""
    if truth is None or hits.empty:
        return "The truth of this screen is not known; only the twin can be checked in this way."
    joined = truth_of_compounds(hits, truth).dropna(subset=["rescue_true"])
    called, off = joined["call"] == "rescue", joined["call"] == "rescue_off_target"
    parts = []
    for low, high in ((0.5, np.inf), (0.25, 0.5)):
        group = (joined["rescue_true"] >= low) & (joined["rescue_true"] < high)
        words = f"of at least {low:g}" if np.isinf(high) else f"of {low:g} to {high:g}"
        parts.append(f"{int((called & group).sum())} of {int(group.sum())} with a true rescue {words}")
    none = joined["rescue_true"] <= min_rescue
    share = percent((called & none).sum() / called.sum()) if called.any() else "0 %"
    return (
        f"Called `rescue`: {listing(parts)}. Of {count(called.sum(), 'call')} of `rescue`, "
        f"{int((called & none).sum())} ({share}) went to compounds whose true rescue is at most "
        f"{number(min_rescue)}. "
        f"Of {count(off.sum(), 'call')} of `rescue_off_target`, {int((off & none).sum())} did: what "
        "only looks like a "
        f"rescue belongs there.{_truly_toxic(joined)}"
    )


def _truly_toxic(joined: pd.DataFrame) -> str:
    """Say how compounds were called that are toxic and nothing else."""
    toxic = joined[joined["kind"] == "toxic"] if "kind" in joined else joined.head(0)
    if toxic.empty:
        return ""
    counts = toxic["call"].astype(str).value_counts()
    listed = [f"{counts[c]:,} `{c}`" for c in CALL_STYLE if c in counts]
    return f" The calls of compounds that are toxic and do not rescue: {listing(listed)}."


def truth_arms(arms: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    """Say how far estimated rescue is from the truth, and how often intervals hold it."""
    if truth is None or arms.empty:
        return ""
    joined = truth_of_arms(arms, truth).dropna(subset=["rescue_true", "rescue"])
    quiet = joined[joined.get("toxicity", pd.Series(0.0, index=joined.index)).fillna(0) == 0]
    error = np.sqrt(((quiet["rescue"] - quiet["rescue_true"]) ** 2).mean())
    inside = (quiet["rescue_low"] <= quiet["rescue_true"]) & (quiet["rescue_true"] <= quiet["rescue_high"])
    return (
        f"Over {count(len(quiet), 'arm')} without toxicity the root mean square error of rescue is "
        f"{number(error, 2)}, "
        f"and {percent(inside.mean())} of the 95 % intervals hold the truth. Toxic arms leave the line of agreement "
        "upwards: cells that die move along the axis too."
    )


def curve_classes(curves: pd.DataFrame) -> str:
    """Say how many curves are of each class, the flat and the censored ones included."""
    if curves.empty:
        return "This screen has no dose response to fit."
    words = {
        "active": "active",
        "partial": "whose end is extrapolated: the highest dose reaches less than 80 % of it",
        "step": "a step between two doses",
        "bell": "that turn back at the top",
        "toxic_top": "with too few doses below the toxic ones for an EC50",
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
    start = (
        f"{name} in {curve['experiment']} is of the class *{klass.replace('_', ' ')}*: {ec50_text(curve)}."
    )
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
    if bool(curve.get("at_bound", False)) and np.isclose(curve["back"], LARGEST_PLATEAU):
        bound = f" That plateau is the largest that the fit allows ({number(LARGEST_PLATEAU)}), not one that was seen."
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
    active = active[active["back"] > active["front"]]
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
    words = f"{name_code(best['treatment'])} in {best['experiment']} ({ec50_text(best)})"
    return f"{text}The most potent that reaches half of the way to mock is {words}."


def _bounded(curves: pd.DataFrame) -> str:
    """Say how many of these curves have a plateau that the fit had to stop."""
    stopped = int(np.isclose(curves["back"], LARGEST_PLATEAU).sum())
    if not stopped:
        return ""
    return (
        f"For {stopped:,} of them the plateau stands at {number(LARGEST_PLATEAU)}, the largest value that the fit "
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
    """Say how well EC50s are recovered where the truth is known."""
    if truth is None or curves.empty:
        return "The truth of this screen is not known; only the twin can be checked in this way."
    joined = true_potencies(curves, truth).dropna(subset=["ec50_true_um"])
    if joined.empty:
        return "No truly rescuing compound has a curve with limits of its EC50 on both sides."
    toxic = joined["kind"].astype(str).str.contains("toxic")
    parts = [
        _recovery(joined[chosen], words)
        for chosen, words in ((~toxic, "rescue only"), (toxic, "rescue and are toxic"))
        if chosen.any()
    ]
    return " ".join(parts)


def truth_share(curves: pd.DataFrame, truth: pd.DataFrame | None) -> str:
    """Say in one sentence what share of the EC50 intervals hold the truth, by kind of compound."""
    joined = true_potencies(curves, truth)
    joined = joined.dropna(subset=["ec50_true_um"]) if "ec50_true_um" in joined else joined.head(0)
    if joined.empty:
        return "How often such intervals hold the truth can be counted only where the truth is known."
    toxic = joined["kind"].astype(str).str.contains("toxic")
    parts = [
        f"{percent(_holds(rows).mean())} of {count(len(rows), 'interval')} for compounds that {words}"
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
        f"{number(factor, 2)} in the median, and {percent(_holds(joined).mean())} of the intervals hold the "
        "true one."
    )
