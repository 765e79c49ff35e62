"""Promises of the curves: what classes and EC50s keep of what they say, counted on simulated screens of every world."""

from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.classes import LOCATED, RISING
from helpers.dose.harm import PAIR
from helpers.dose.screen import fit_screen
from helpers.hits.compare import AUTO
from helpers.hits.promises import PROMISES, judge_world, summarize_promises
from helpers.profiles.normalize import RECIPES
from helpers.screens.twin.worlds import WORLDS

STRONG = 0.5
"""True rescue, at a tested dose, from which on a compound should get an EC50."""
ROUNDING = 1e-6
CURVE_PROMISES = {
    "located": "share given an EC50 with limits on both sides, of compounds that rescue by half or more with an EC50 "
    "among the doses, and do not harm",
    "ec50_coverage": "share of the intervals of compounds that rescue and do not harm, with one limit or two, that "
    "hold the true EC50",
    "ec50_error": "median error of the EC50 of those located, in powers of ten",
    "harmful_coverage": "share of the intervals of compounds that rescue and harm that hold the true EC50",
    "harmful_located": "share of these that have limits on both sides",
    "toxic_named": "share of the compounds that harm and do not rescue whose curve is called toxic top",
    "flat_called": "share of the compounds that do nothing along the axis whose curve is told from flat",
}
"""What is counted of the curves of a world, by the name that tables use."""
ALL_PROMISES = PROMISES | CURVE_PROMISES
"""And with what is counted of the calls."""


def judge_curves(
    scored: ad.AnnData, truth: pd.DataFrame, arms: pd.DataFrame, hits: pd.DataFrame, *, seed: int
) -> list[tuple[str, float, int]]:
    """Fit the curves of a simulated screen and compare them with the truth.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    truth : DataFrame
        Of the same twin, from :func:`helpers.screens.simulate_twin`.
    arms, hits : DataFrame
        From :func:`helpers.hits.call_hits`.
    seed : int
        Of the fits.

    Returns
    -------
    list of tuple
        Name (see :data:`helpers.dose.promises.CURVE_PROMISES`), value, and what it is a share of; promises that the
        screen does not allow to count are left out.
    """
    curves = fit_screen(scored, arms=arms, hits=hits, seed=seed)
    table = curves.merge(_true_curves(truth), on=PAIR)
    low, high, true = (
        table[name].to_numpy(float) for name in ("ec50_low_um", "ec50_high_um", "ec50_true_um")
    )
    # of a curve whose EC50 could lie anywhere no limit is reported, so none can hold
    has = table["ec50_um"].notna() & np.isfinite(low) & ~np.isnan(high) & table["curve_class"].isin(RISING)
    holds = (low <= true * (1 + ROUNDING)) & (true <= high * (1 + ROUNDING))
    located = has & (low > 0) & np.isfinite(high) & table["curve_class"].isin(LOCATED)
    rescues, harms = table["emax"].to_numpy() > 0, table["toxic_true"].to_numpy()
    among = (table["highest"] >= STRONG) & (true >= table["first"]) & (true <= table["last"])
    clean = rescues & ~harms
    error = np.abs(np.log10(table["ec50_um"].to_numpy(float) / true))[located & clean & among]
    idle = table["kind"].isin(["inert", "phenotype"]).to_numpy()
    counts = {
        "located": located[clean & among],
        "ec50_coverage": holds[has & clean],
        "harmful_coverage": holds[has & rescues & harms],
        "harmful_located": located[rescues & harms],
        "toxic_named": (table["curve_class"] == "toxic_top")[harms & ~rescues],
        "flat_called": table["curve_class"].isin([*RISING, "worsening"])[idle],
    }
    found = [(name, float(np.mean(seen)), len(seen)) for name, seen in counts.items() if len(seen)]
    return [*found, ("ec50_error", float(np.median(error)), len(error))] if len(error) else found


def _true_curves(truth: pd.DataFrame) -> pd.DataFrame:
    """Return, per compound and experiment, its true curve, whether it harms, its highest rescue and its doses."""
    grouped = truth.astype(dict.fromkeys(PAIR, str)).groupby(PAIR)
    return grouped.agg(
        kind=("kind", "first"),
        emax=("emax", "first"),
        ec50_true_um=("ec50_um", "first"),
        toxic_true=("toxicity", lambda sizes: bool((sizes > 0).any())),
        highest=("rescue", "max"),
        first=("dose_um", "min"),
        last=("dose_um", "max"),
    ).reset_index()


def judge_worlds(
    n_seeds: int = 1,
    *,
    worlds: Sequence[str] = tuple(WORLDS),
    scale: str = "tiny",
    recipe: str = AUTO,
    recipes: Sequence[str] = tuple(RECIPES),
    seed: int = 0,
) -> pd.DataFrame:
    """Judge calls and curves of several worlds on several seeds each.

    Parameters
    ----------
    n_seeds : int
        Twins of each world, from 1.
    worlds : sequence of str
        Names in :data:`helpers.screens.twin.worlds.WORLDS`.
    scale : str
        As in :func:`helpers.hits.promises.judge_world`.
    recipe : str
        As there.
    recipes : sequence of str
        As there.
    seed : int
        The first one; the others follow.

    Returns
    -------
    DataFrame
        As from :func:`helpers.hits.promises.summarize_promises`.

    Raises
    ------
    UsageError
        For an unknown world or recipe.
    """
    seeds = range(seed, seed + n_seeds)
    judged = [
        judge_world(world, number, scale=scale, recipe=recipe, recipes=recipes, further=judge_curves)
        for world in worlds
        for number in seeds
    ]
    return summarize_promises(pd.concat(judged, ignore_index=True))
