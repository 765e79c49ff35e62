"""Calls: what each compound does, by one rule table, with a score that ranks them."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.hits.arms import ARM_KEY, summarize_arms
from helpers.hits.null import Null, benjamini_hochberg, fit_null, max_window
from helpers.profiles.selection import rows_by, treated, usable

CALLS = ("rescue", "rescue_off_target", "toxic", "worsens", "inactive")


def call_hits(
    scored: ad.AnnData,
    *,
    fdr: float = 0.05,
    min_rescue: float = 0.1,
    max_off_ratio: float = 1.0,
    toxic_off: float = 1.0,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise arms and call compounds, experiment by experiment.

    Most compounds change cells without touching the disease, and some of that leaks onto the axis; so the hypothesis
    tested is *rescue at most `min_rescue`*, with the null's spread. A compound's statistic is the largest standardised
    mean over windows of consecutive doses, against the same statistic of pseudo-compounds.

    The rule, in this order:

    ==================== ==========================================================================================
    `rescue`             q <= fdr, and an on-target arm: p <= fdr and off-disease at most `max_off_ratio` x its rescue
    `rescue_off_target`  q <= fdr, and no such arm
    `toxic`              an arm with off-disease >= `toxic_off`, and beyond what noise reaches (`off_limit`)
    `worsens`            the mirror-image test (rescue at least -`min_rescue`) has q <= fdr
    `inactive`           none of these
    ==================== ==========================================================================================

    Rescue beyond 1 counts as 1 in the second condition: cells driven past mock are not more like mock. The best dose
    and the score of a compound called `rescue` are taken among its on-target arms.

    Parameters
    ----------
    scored
        From :func:`helpers.hits.score_wells`.
    fdr
        False discovery rate, in (0, 1), controlled over the compounds of an experiment (Benjamini-Hochberg).
    min_rescue
        Rescue up to this does not count, in [0, 1).
    max_off_ratio, toxic_off
        Thresholds of the rule: a ratio, and a distance in axis lengths.
    seed
        Of the simulated null.

    Returns
    -------
    arms, hits
        As in the tables arms.csv and hits.csv; hits add `off_disease` at the best dose, `p_worsens`, `q_worsens` and
        `note`, which says so where all wells of a compound failed: its call is then no statement about it.

    Raises
    ------
    UsageError
        For thresholds outside their range.
    DataError
        If no experiment has treated wells.
    """
    if not 0 < fdr < 1:
        raise UsageError(f"fdr={fdr} is not a rate; choose a number between 0 and 1")
    if not 0 <= min_rescue < 1:
        raise UsageError(f"min_rescue={min_rescue} is outside [0, 1)")
    all_arms, all_hits = [], []
    for rows in rows_by(scored.obs, "experiment").values():
        if not treated(scored.obs.iloc[rows]).any():
            continue
        null = fit_null(scored, rows, seed=seed)
        arms = summarize_arms(scored, rows, null, min_rescue=min_rescue)
        hits = _test_compounds(scored.obs.iloc[rows], arms, null, min_rescue)
        all_arms.append(arms)
        all_hits.append(_call(hits, arms, fdr, max_off_ratio, toxic_off))
    if not all_hits:
        raise DataError("no experiment of this screen has treated wells, so there is nothing to call")
    return pd.concat(all_arms, ignore_index=True), pd.concat(all_hits, ignore_index=True)


def _test_compounds(obs: pd.DataFrame, arms: pd.DataFrame, null: Null, min_rescue: float) -> pd.DataFrame:
    """Return one row per compound with the window test and its mirror image."""
    records = []
    members = obs[treated(obs) & usable(obs)]
    well_parts = members.assign(variance=members["plate_id"].map(null.scale).astype(float) ** 2)
    variance = well_parts.groupby(ARM_KEY, observed=True, dropna=False)["variance"]
    variance = variance.agg(lambda v: v.sum() / len(v) ** 2).reset_index()
    arms = arms.merge(variance, on=ARM_KEY, how="left").sort_values("dose_um")
    plates = members.groupby("treatment", observed=True)["plate_id"].agg(lambda p: tuple(sorted(set(p))))
    for treatment, group in arms.groupby("treatment", observed=True, sort=True):
        tested = group[group["n_wells"] > 0]
        record = {"experiment": group["experiment"].iloc[0], "treatment": treatment}
        if len(tested):
            own = tested["variance"].to_numpy()
            shared = _shared_variance(null, plates[treatment])
            tail = null.tail(len(tested), max(int(tested["n_wells"].median()), 1), len(plates[treatment]))
            effect = tested["rescue"].to_numpy() - null.offset
            record["p_value"] = float(tail.p_value(max_window(effect - min_rescue, own, shared)))
            record["p_worsens"] = float(tail.p_value(max_window(-effect - min_rescue, own, shared)))
        records.append(record)
    hits = pd.DataFrame(records, columns=["experiment", "treatment", "p_value", "p_worsens"])
    hits["q_value"] = benjamini_hochberg(hits["p_value"])
    hits["q_worsens"] = benjamini_hochberg(hits["p_worsens"])
    return hits


def _shared_variance(null: Null, plates: tuple) -> float:
    """Return the variance of the error that all doses of a compound share: their plates' centres and shifts."""
    return float(np.mean([null.centre_variance[p] + null.shift_variance for p in plates]) / len(plates))


def _call(
    hits: pd.DataFrame, arms: pd.DataFrame, fdr: float, max_off_ratio: float, toxic_off: float
) -> pd.DataFrame:
    """Apply the rule table and rank."""
    arms = arms.assign(score=on_target_score(arms["rescue"], arms["off_disease"]))
    reach = max_off_ratio * arms["rescue"].clip(upper=1)
    arms["on_target"] = (arms["p_value"] <= fdr) & (arms["off_disease"] <= reach)
    arms["toxic"] = (arms["off_disease"] >= toxic_off) & (arms["off_disease"] > arms["off_limit"])
    grouped = arms.groupby("treatment", observed=True)
    hits = hits.merge(grouped[["on_target", "toxic"]].any().reset_index(), on="treatment")
    found, harmed = hits["q_value"] <= fdr, hits["q_worsens"] <= fdr
    rules = [found & hits["on_target"], found, hits["toxic"], harmed]
    hits["call"] = np.select(rules, CALLS[:-1], default=CALLS[-1])
    rescuers = hits.loc[hits["call"] == "rescue", "treatment"]
    eligible = (arms["n_wells"] > 0) & (arms["on_target"] | ~arms["treatment"].isin(rescuers))
    hits = hits.merge(_best_arms(arms[eligible]), on="treatment", how="left")
    hits["rank"] = hits["score"].rank(ascending=False, method="first", na_option="bottom").astype(int)
    hits["note"] = np.where(hits["p_value"].isna(), "all wells failed", "")
    columns = [
        "experiment",
        "treatment",
        "call",
        "rescue_max",
        "dose_at_max_um",
        "score",
        "p_value",
        "q_value",
    ]
    extra = ["rank", "off_disease", "p_worsens", "q_worsens", "note"]
    return hits[columns + extra].sort_values("rank", ignore_index=True)


def on_target_score(rescue: pd.Series, off_disease: pd.Series) -> pd.Series:
    """Return rescue, at most 1, times the cosine between the effect and the rescue direction; at least -1.

    A compound that moves cells straight from infected to mock scores its rescue; one that moves them mostly elsewhere
    scores less. This is a reconstruction in the spirit of the published hit score, whose formula is not public.
    """
    distance = np.hypot(rescue, off_disease)
    cosine = rescue.abs() / distance.where(distance > 0, 1.0)
    return rescue.clip(-1, 1) * cosine


def _best_arms(arms: pd.DataFrame) -> pd.DataFrame:
    """Return per compound: largest rescue and its dose, and the score of largest size over the arms given."""
    grouped = arms.groupby("treatment", observed=True)
    best = arms.loc[grouped["rescue"].idxmax()]
    best = best.rename(columns={"rescue": "rescue_max", "dose_um": "dose_at_max_um"})
    extreme = arms.loc[arms["score"].abs().groupby(arms["treatment"], observed=True).idxmax()]
    table = best[["treatment", "rescue_max", "dose_at_max_um", "off_disease"]]
    return table.merge(extreme[["treatment", "score"]], on="treatment")
