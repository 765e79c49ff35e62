"""Calls in words: how many, which first, at which doses, and against the truth where it is known."""

import numpy as np
import pandas as pd

from helpers.figures.style import CALL_STYLE, format_um
from helpers.pages.truth import truth_of_arms, truth_of_compounds
from helpers.pages.words import count, listing, name_code, number, percent
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order


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
    parts = [f"{number(medians[name], 2)} in {name_code(name)}" for name in natural_order(medians.index)]
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
        parts.append(f"in {name_code(experiment)} {listing(listed)}")
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
        f"{'is' if called.sum() == 1 else 'are'} of {count(names[called].nunique(), 'compound')}. The rate of false "
        "calls is kept in each experiment; nothing is promised of all of them together."
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
        parts.append(f"{name_code(experiment)}: {listing(named)}")
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
    text = (
        f"Arms stand on {count(arms['n_plates'].mode()[0], 'plate')} as a rule; intervals treat the plate "
        "as the replicate."
    )
    alone = int((arms["n_plates"] == 1).sum())
    if not alone:
        return text
    return (
        f"{text} For {count(alone, 'arm')} ({percent(alone / len(arms))}) that stand on one plate the wells are all "
        "there is: their intervals do not say where the mean would lie on another plate."
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
