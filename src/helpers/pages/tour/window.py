"""How good the assay is, in words: its window, the gate, and what independent wells say about it."""

import shlex

import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.quality import MAX_OFF
from helpers.pages.words import count, listing, name_code, names_listed, number, percent
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order
from helpers.text import visible

NEAR = 0.25
"""Within this share of the window from 0 or 1 a well is called near mock or near infected."""

THINNED = 0.2
"""A plate that lost this share of a kind of control to failures is named."""

MOST_NAMED = 8

FEWEST = 3
"""Fewer wells than this of a kind on a plate have no median worth naming."""


def _kinds(scored: pd.DataFrame) -> pd.Series:
    """Return on-disease scores of wells that passed quality control, indexed by kind of well and plate."""
    fine = scored[(scored["qc_flag"].astype(str) == "").to_numpy() & scored["on_disease"].notna().to_numpy()]
    index = [well_kind(fine).astype(str), fine["plate_id"].astype(str)]
    return pd.Series(
        fine["on_disease"].to_numpy(float), index=pd.MultiIndex.from_arrays(index, names=["kind", "plate"])
    )


def _of_kind(scores: pd.Series, kind: str) -> pd.Series:
    if kind not in scores.index.get_level_values("kind"):
        return pd.Series(dtype=float)
    return scores.xs(kind, level="kind")


def window(scored: pd.DataFrame, table: pd.DataFrame) -> str:
    """Say how much of the distance from mock to infected the scatter of single wells uses up.

    Parameters
    ----------
    scored
        One row per well, with on_disease.
    table
        `assay_quality.csv`: what the scatter leaves free is the median plate's robust Z′.
    """
    scores = _kinds(scored)
    mock, infected = _of_kind(scores, "mock"), _of_kind(scores, "infected")
    if mock.empty or infected.empty:
        return "The window needs mock and infected untreated wells with embeddings, and this screen lacks one of them."
    spread = [_median_mad(values) for values in (mock, infected)]
    if np.isnan(spread).any() or table["z_prime_robust"].isna().all():
        return "No plate has enough control wells to measure how far they scatter."
    used = 1 - float(table["z_prime_robust"].median())
    text = (
        "**The assay's window** is the distance from mock to infected, which the axis sets to 1. On the median plate "
        f"single mock wells scatter around their median with a robust standard deviation of {number(spread[0], 2)}, "
        f"single infected wells with {number(spread[1], 2)}. Three of each together, worked out plate by plate, "
        f"take up {percent(used)} of the window on the median plate"
    )
    if used >= 1:
        return (
            f"{text}: **nothing is left between the two**, and one well alone cannot be told healthy or ill."
        )
    return f"{text}; the rest is free."


def _median_mad(values: pd.Series) -> float:
    """Return the robust standard deviation within the median plate."""
    plates = values.groupby(level="plate").agg(lambda x: stats.median_abs_deviation(x, scale="normal"))
    enough = values.groupby(level="plate").size() >= FEWEST
    return float(plates[enough].median()) if enough.any() else float("nan")


def quality(table: pd.DataFrame) -> str:
    """Say how well the assay separates its controls, over plates."""
    known = table.dropna(subset=["z_prime_robust"]) if len(table) else table
    if known.empty:
        return (
            "Assay quality needs mock and infected untreated wells with embeddings, and this screen has no plate with "
            "both."
        )
    z = known["z_prime_robust"]
    where = "on the only plate"
    if len(known) > 1:
        where = f"on the median plate ({number(z.min(), 2)} to {number(z.max(), 2)})"
    text = (
        f"Robust Z′ is **{number(z.median(), 2)}** {where}, plain Z′ {number(known['z_prime'].median(), 2)}, SSMD "
        f"{number(known['ssmd'].median(), 2)} and AUROC {number(known['auroc'].median())}."
    )
    if "held_out" in table and not table["held_out"].astype(bool).all():
        text += (
            " Where an experiment has one plate only, the axis had to be fitted on it, which flatters them."
        )
    return text


def gate(table: pd.DataFrame, min_z_prime: float) -> str:
    """Name the plates that do not pass, with the parameter that leaves them out."""
    if table.empty:
        return "No plate can be judged: this screen has no disease axis."
    passes = table["passes"].astype("boolean")
    line = f"robust Z′ of {number(min_z_prime) if min_z_prime else '0'} or more (`min_z_prime`)"
    meaning = " – the bands of three robust standard deviations do not overlap" if min_z_prime == 0 else ""
    failing, unknown = table[(~passes).fillna(False)], table[passes.isna()]
    head = (
        f"**The gate:** a plate passes with a {line}{meaning}, and if its controls stand where they should: the median "
        f"mock well within {number(MAX_OFF)} of rescue 1, the median infected untreated well within {number(MAX_OFF)} "
        f"of 0.{_unjudged(unknown, len(table))}"
    )
    judged = len(table) - len(unknown)
    if failing.empty:
        return f"{head} {_all_of(judged, len(table))}; nothing has to be left out." if judged else head
    names = _names(failing).tolist()
    verb = "does" if len(names) == 1 else "do"
    why = [
        f"{name_code(name)} ({name_code(reason)})"
        for name, reason in zip(names, failing["reason"], strict=True)
    ]
    text = f"{head} {count(len(names), 'plate')} of {judged:,} {verb} not: {listing(why, 12)}."
    if len(names) == len(table):
        return f"{text} No plate is left: **this screen cannot tell healthy from infected wells one by one.**"
    return (
        f"{text} To leave them out of every notebook, run with\n\n```\nrxrx19 run -p {_argument(names)}\n```"
    )


def _argument(plates: list[str]) -> str:
    """Return what leaves plates out, as a shell reads it."""
    return visible(shlex.quote(f"exclude_plates={','.join(plates)}"), most=10_000)


def _names(table: pd.DataFrame) -> pd.Series:
    return table["experiment"].astype(str) + "_" + table["plate"].astype(str)


def _unjudged(unknown: pd.DataFrame, n: int) -> str:
    """Say which plates cannot be judged, and what they are scored by."""
    if unknown.empty:
        return ""
    reasons = [
        f"{name_code(reason)} ({names_listed(_names(rows), 6)})"
        for reason, rows in unknown.groupby("reason", sort=True)
    ]
    verb = "has" if len(unknown) == 1 else "have"
    return (
        f" {count(len(unknown), 'plate')} of {n:,} {verb} too few controls to be judged: {'; '.join(reasons)}. That is "
        "nothing against them. Their wells are scored by the controls of the other plates of their experiment."
    )


def windows(table: pd.DataFrame) -> str:
    """Say how much the plates' windows differ, and where the median mock well stands on each."""
    if table.empty or table["mock_rescue"].isna().all():
        return ""
    size, mock = table["window"].dropna(), table["mock_rescue"].dropna()
    text = ""
    if len(size) > 1 and size.min() > 0:
        text = (
            "**Windows.** Plates show the disease more or less strongly: the distance from mock to infected runs from "
            f"{number(size.min(), 2)} to {number(size.max(), 2)} times that of the experiment. Scores are in units of "
            "each plate's own window where its controls can tell it; where they are few, it is drawn towards the "
            "experiment's. "
        )
    if len(mock) == 1:
        return f"{text}The median mock well has a rescue of {number(mock.iloc[0], 2)} (1 is where it should stand)."
    return (
        f"{text}The median mock well of a plate has a rescue between {number(mock.min(), 2)} and "
        f"{number(mock.max(), 2)} (1 is where it should stand; {count(len(mock), 'plate')})."
    )


def thinned_plates(wells: pd.DataFrame) -> str:
    """Name the plates on which many controls of a kind failed: they are judged by those that are left."""
    failed = (wells["qc_flag"].astype(str) != "").to_numpy()
    if not failed.any():
        return ""
    found = lost_controls(wells)
    if found.empty:
        return f"No plate lost {percent(THINNED)} or more of its mock or of its infected untreated wells to failures."
    lost = [
        f"{name_code(plate)}, "
        + " and ".join(
            f"{r.failed} of {r.wells} {r.kind} wells ({percent(r.share)})" for r in rows.itertuples()
        )
        for plate, rows in found.groupby("plate_id", sort=False)
    ]
    such = "It is" if len(lost) == 1 else "They are"
    return (
        f"**Thinned plates.** {count(len(lost), 'plate')} lost {percent(THINNED)} or more of a kind of control to "
        f"failures: {'; '.join(lost[:MOST_NAMED])}{_more(len(lost))}. {such} judged by the controls that are left, and "
        "what spoiled the others may have touched treated wells beside them: look at those rows of the figure before "
        "believing a call that rests on them, or repeat the run without them (`exclude_plates`)."
    )


def lost_controls(wells: pd.DataFrame) -> pd.DataFrame:
    """Return what plates lost `THINNED` or more of a kind of control to failures, two wells at least.

    Parameters
    ----------
    wells : DataFrame
        One row per well: plate_id, condition, treatment, qc_flag.

    Returns
    -------
    DataFrame
        One row per plate and kind: plate_id, kind, wells, failed, share. Mock wells come before infected untreated
        ones, then the largest share first.
    """
    tables = []
    for kind, name in {"mock": "mock", "infected": "infected untreated"}.items():
        mine = wells[(well_kind(wells) == kind).to_numpy()]
        plates = (mine["qc_flag"].astype(str) != "").groupby(mine["plate_id"].astype(str).to_numpy())
        table = pd.DataFrame({"kind": name, "wells": plates.size(), "failed": plates.sum()})
        tables.append(table.assign(share=table["failed"] / table["wells"]))
    found = pd.concat([t.sort_values("share", ascending=False, kind="stable") for t in tables])
    found = found[(found["share"] >= THINNED) & (found["failed"] >= 2)]
    return found.rename_axis("plate_id").reset_index()


def plates_to_look_at(wells: pd.DataFrame) -> list[str]:
    """Return the ids of plates to show first: thinned ones, then one of each experiment that is not among them."""
    thinned = list(dict.fromkeys(lost_controls(wells)["plate_id"]))
    plates = wells[["experiment", "plate_id"]].drop_duplicates().astype(str)
    rank = {plate: i for i, plate in enumerate(natural_order(plates["plate_id"]))}
    plates = plates.iloc[plates["plate_id"].map(rank).argsort(kind="stable")]
    seen = set(plates.loc[plates["plate_id"].isin(thinned), "experiment"])
    others = plates[~plates["experiment"].isin(seen)].drop_duplicates("experiment")
    return [*thinned, *others["plate_id"]]


def _more(n: int) -> str:
    return f"; and {n - MOST_NAMED:,} more" if n > MOST_NAMED else ""


def _all_of(judged: int, n: int) -> str:
    if n == 1:
        return "The only plate passes"
    which = "All" if judged == n else "All other"
    return f"{which} {judged:,} plates pass"


def failed_beside_quality(table: pd.DataFrame) -> str:
    """Say how many mock and infected untreated wells failed, over plates."""
    if table.empty or "n_failed_controls" not in table:
        return ""
    failed = table["n_failed_controls"]
    if not failed.any():
        return "No mock and no infected untreated well failed, so none was left out of these numbers."
    text = (
        "Mock and infected untreated wells that failed, and were left out of these numbers: "
        f"{int(failed.sum()):,}"
    )
    if len(table) > 1:
        text += f", {number(failed.median())} on the median plate and up to {failed.max():,}"
    return f"{text}."


def uv(scored: pd.DataFrame) -> str:
    """Say where the UV wells land: they had no part in the axis."""
    scores = _kinds(scored)
    wells = _of_kind(scores, "uv")
    if wells.empty:
        return "This screen has no scored wells with inactivated virus, so this check is missing."
    medians = wells.groupby(level="plate").median()[wells.groupby(level="plate").size() >= FEWEST]
    middle = wells.median()
    text = f"**UV wells**, which had no part in the axis, stand at {number(middle, 2)} (median of "
    text += count(len(wells), "well")
    text += (
        f"; plates: {number(medians.min(), 2)} to {number(medians.max(), 2)})" if len(medians) > 1 else ")"
    )
    if abs(middle) < NEAR:
        return (
            f"{text}, near the 0 of the mock wells: contact with inactivated particles does not move a well along the "
            "axis. In a measured screen that is evidence; in a simulated one it was built in."
        )
    side = "towards infected wells" if middle > 0 else "beyond the mock wells"
    return (
        f"{text}, {side}, {percent(abs(middle))} of the window away from mock: inactivated virus, or where "
        " these wells stand on the plate, moves the axis too."
    )


def blank(scored: pd.DataFrame) -> str:
    """Say where wells without a condition land, as a spread and not as a kind of control."""
    n_wells = int((well_kind(scored) == "blank").sum())
    if not n_wells:
        return "This screen has no wells without a condition."
    text = f"{count(n_wells, 'blank well')}: what they hold is unknown, and no fit uses them."
    values = _of_kind(_kinds(scored), "blank")
    if values.empty:
        return text
    near = [percent((abs(values - at) < NEAR).mean()) for at in (0, 1)]
    low, high = values.quantile([0.1, 0.9])
    return (
        f"{text} {near[0]} of them land within a quarter of the window from mock, {near[1]} within a quarter from "
        f"infected; the middle 80 % run from {number(low, 2)} to {number(high, 2)}."
    )


def agreement(table: pd.DataFrame) -> str:
    """Say how alike the sites of a well are, and what that means for averaging them."""
    known = table.dropna(subset="icc") if len(table) else table
    if known.empty:
        return "This screen gives one row per well, or no embeddings: how far sites of a well agree cannot be seen."
    order = {name: i for i, name in enumerate(natural_order(known["experiment"].astype(str)))}
    known = known.iloc[known["experiment"].astype(str).map(order).argsort(kind="stable")]
    parts = [f"{number(row.icc, 2)} in {name_code(row.experiment)}" for row in known.itertuples()]
    where = f"({count(known['n_plates'].sum(), 'plate')} looked at)"
    icc, k = float(known["icc"].median()), float(known["sites_per_well"].median())
    together = k * icc / (1 + (k - 1) * icc) if icc > 0 else 0.0
    return (
        f"**Sites of one well** agree with an intraclass correlation of {listing(parts)} {where}: that share of the "
        "variance within a plate lies between wells, the rest between the sites of a well. The mean of "
        f"{number(k)} sites is then reliable to {percent(together)}. More sites make a well's number surer; they are "
        "no further wells."
    )
