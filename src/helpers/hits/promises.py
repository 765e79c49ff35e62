"""Promises: what the hit calling keeps of what it says, counted on simulated screens of every world."""

from collections.abc import Callable, Sequence

import anndata as ad
import numpy as np
import pandas as pd

from helpers.hits.axis import score_wells
from helpers.hits.calls import call_hits
from helpers.hits.choice import select_recipe
from helpers.hits.compare import AUTO, rule_table
from helpers.hits.names import data_file
from helpers.hits.rule import Rule, recall
from helpers.profiles.normalize import RECIPES, normalize
from helpers.profiles.wells import to_wells
from helpers.screens import simulate_twin, twin_failures
from helpers.screens.twin.worlds import WORLDS, find_world

FDRS = (0.05, 0.1, 0.2)
FAILURES = ("dim", "low_cells", "odd")
"""Ways in which a twin makes wells fail."""
STRONG = 0.5
"""True rescue from which on a compound should be found."""
NEAR = 0.1
"""A recipe whose error exceeds the best one's by less than this share is about as good."""
NOT_TOXIC = 0.05
"""A toxic effect below this, in axis lengths, does not count: above, what `rescue` means is no longer clear."""
COMPOUND = ["experiment", "treatment"]
PROMISES = {
    "fdp_05": "false share of the calls at a rate of 0.05",
    "fdp_10": "false share of the calls at a rate of 0.1",
    "fdp_20": "false share of the calls at a rate of 0.2",
    "called_without_actives": "share of compounds called anything, where none does anything",
    "power_strong": "share found of the compounds that truly rescue by half or more",
    "power_medium": "share found of those that rescue by a quarter to a half",
    "coverage": "share of the 95 % intervals that hold the true rescue",
    "imitators_named": "share of compounds that change or poison cells, and do not rescue, which are not called rescue",
    "found_dim": "dim wells found",
    "found_low_cells": "wells with too few cells found",
    "found_odd": "wells found that failed in a direction of their own",
    "safe_dim": "dim wells found, or without which no call would differ",
    "safe_low_cells": "the same of wells with too few cells",
    "safe_odd": "the same of wells that failed in a direction of their own",
    "good_lost": "good wells taken for failed ones",
    "regret": "error of the picked recipe over that of the best, less one",
    "near_best": "share of screens on which that is at most a tenth",
}
"""What is counted in a world, by the name that tables use."""


def judge_world(
    world: str,
    seed: int,
    *,
    scale: str = "tiny",
    recipe: str = AUTO,
    recipes: Sequence[str] = tuple(RECIPES),
    further: Callable[..., list[tuple[str, float, int]]] | None = None,
) -> pd.DataFrame:
    """Run the way from wells to calls on two twins of a world, one of them without actives, and compare with the truth.

    Parameters
    ----------
    world : str
        One of :data:`helpers.screens.twin.worlds.WORLDS`.
    seed : int
        Of the twins.
    scale : str
        As in :func:`helpers.screens.simulate_twin`.
    recipe : str
        By which calls are made; ``auto``: the one that the rule picks.
    recipes : sequence of str
        Among which the rule picks; with fewer than two nothing is said of its pick.
    further : callable, optional
        What to count besides: takes scored wells, truth, arms, hits and `seed`; returns name, value and n of each.

    Returns
    -------
    DataFrame
        One row per promise that the world allows to count: world, seed, promise (see
        :data:`helpers.hits.promises.PROMISES`), value (a share), n (what it is a share of).
    """
    model = find_world(world).model()
    sites, truth = simulate_twin(scale, seed, model)
    wells = to_wells(sites)
    compared = rule_table(wells, tuple(recipes), seed=seed, truth=truth)
    recipe = select_recipe(compared) if recipe == AUTO else recipe
    scored = score_wells(normalize(wells, recipe, seed=seed))
    arms, hits = call_hits(scored, seed=seed, rank_draws=0)
    made = (
        twin_failures(scale, seed, model).set_index("well_id")["reason"].reindex(wells.obs_names).fillna("")
    )
    idle = to_wells(simulate_twin(scale, seed, model.without_actives())[0])
    counts = [
        *_discoveries(arms, hits, truth),
        ("called_without_actives", ~_call(idle, recipe, seed)[1]["call"].isin(["inactive", "not_tested"])),
        ("coverage", _covered(arms, truth)),
        *_failures(wells, made.to_numpy(), hits, recipe, seed),
    ]
    rows = [(name, np.asarray(seen, dtype=float)) for name, seen in counts]
    found = [(world, seed, name, seen.mean(), len(seen)) for name, seen in rows if len(seen)]
    if len(recipes) > 1:
        regret, n_recipes = _regret(compared)
        found += [
            (world, seed, "regret", regret, n_recipes),
            (world, seed, "near_best", float(regret <= NEAR), n_recipes),
        ]
    if further is not None:
        found += [(world, seed, *row) for row in further(scored, truth, arms, hits, seed=seed)]
    return pd.DataFrame(found, columns=["world", "seed", "promise", "value", "n"])


def _call(wells: ad.AnnData, recipe: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    return call_hits(score_wells(normalize(wells, recipe, seed=seed)), seed=seed, rank_draws=0)


def _discoveries(arms: pd.DataFrame, hits: pd.DataFrame, truth: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Return the false calls at each rate, and which truly rescuing compounds were found."""
    true = truth.groupby(COMPOUND)["rescue"].agg(high="max", low="min").reset_index()
    kinds = truth.groupby(COMPOUND)["kind"].first().reset_index()
    table = hits.astype(dict.fromkeys(COMPOUND, str)).merge(true, on=COMPOUND).merge(kinds, on=COMPOUND)
    found = []
    for fdr in FDRS:
        rule = Rule(fdr)
        call = recall(arms, hits, rule)
        call = table[COMPOUND].merge(hits[COMPOUND].astype(str).assign(call=call), on=COMPOUND)["call"]
        up, down = (call == "rescue").to_numpy(), (call == "worsens").to_numpy()
        false = (up & (table["high"] <= rule.min_rescue)) | (down & (table["low"] >= -rule.min_rescue))
        # a screen without calls has no false ones
        found.append((f"fdp_{round(100 * fdr):02d}", false[up | down] if (up | down).any() else np.zeros(1)))
    rescued = table["call"].isin(["rescue", "rescue_off_target"])
    medium = table["high"].between(STRONG / 2, STRONG, inclusive="left")
    imitators = table["kind"].isin(["phenotype", "toxic"]) & (table["high"] <= Rule.min_rescue)
    return [
        *found,
        ("power_strong", rescued[table["high"] >= STRONG]),
        ("power_medium", rescued[medium]),
        ("imitators_named", (table["call"] != "rescue")[imitators]),
    ]


def _covered(arms: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """Return which intervals of arms that are not toxic hold the true rescue."""
    both = arms.astype(dict.fromkeys(COMPOUND, str)).merge(
        truth, on=[*COMPOUND, "dose_um"], suffixes=("", "_true")
    )
    both = both[(both["toxicity"] < NOT_TOXIC) & both["rescue_low"].notna()]
    return both["rescue_true"].between(both["rescue_low"], both["rescue_high"])


def _failures(
    wells: ad.AnnData, made: np.ndarray, hits: pd.DataFrame, recipe: str, seed: int
) -> list[tuple[str, np.ndarray]]:
    """Return which failed wells were found, which of them would change a call, and which good wells were lost."""
    flagged = (wells.obs["qc_flag"].astype(str) != "").to_numpy()
    missed = (made != "") & ~flagged
    without = wells.copy()
    without.obs["qc_flag"] = np.where(made != "", "known to have failed", wells.obs["qc_flag"].astype(str))
    other = _call(without, recipe, seed)[1].set_index(COMPOUND)["call"]
    call = hits.set_index(COMPOUND)["call"].astype(str)
    safe = flagged | _harmless(wells.obs, missed, call == other.reindex(call.index).astype(str))
    ways = [way for way in FAILURES if (made == way).any()]
    return [
        *((f"found_{way}", flagged[made == way]) for way in ways),
        *((f"safe_{way}", safe[made == way]) for way in ways),
        ("good_lost", flagged[made == ""]),
    ]


def _harmless(obs: pd.DataFrame, missed: np.ndarray, same: pd.Series) -> np.ndarray:
    """Return which missed wells change no call: their compound's, or, of controls, any other in their experiment."""
    index = pd.MultiIndex.from_frame(obs[COMPOUND].astype(object))
    treated = obs["treatment"].notna().to_numpy()
    blamed = set(index[missed & treated])
    free = same[[key not in blamed for key in same.index]]
    others = free.groupby(level="experiment").all()
    own = same.reindex(index, fill_value=True).to_numpy(dtype=bool)
    around = others.reindex(obs["experiment"].astype(str), fill_value=True).to_numpy(dtype=bool)
    return missed & np.where(treated, own, around)


def _regret(compared: pd.DataFrame) -> tuple[float, int]:
    """Return by how much the picked recipe's error exceeds the best one's, and how many recipes there were."""
    errors = compared.set_index("recipe")["truth_rmse"]
    return float(errors[select_recipe(compared)] / errors.min() - 1), int(errors.notna().sum())


def summarize_promises(judged: pd.DataFrame) -> pd.DataFrame:
    """Return what was counted over seeds.

    Parameters
    ----------
    judged : DataFrame
        Of several seeds and worlds, from :func:`helpers.hits.promises.judge_world`.

    Returns
    -------
    DataFrame
        One row per world and promise: world, promise, n_seeds, n (of all seeds), value (mean over seeds), se (standard
        error over seeds; missing for one seed), low, high (smallest and largest seed).

    Examples
    --------
    >>> judged = pd.DataFrame({
    ...     "world": "calm", "seed": [0, 1], "promise": "coverage", "value": [0.94, 0.96], "n": [100, 100],
    ... })
    >>> summarize_promises(judged).round(3).drop(columns=["world", "promise"]).iloc[0].to_list()
    [2.0, 200.0, 0.95, 0.01, 0.94, 0.96]
    """
    grouped = judged.groupby(["world", "promise"], sort=False)
    out = grouped.agg(n_seeds=("seed", "nunique"), n=("n", "sum"), value=("value", "mean")).reset_index()
    for name, how in (("se", "sem"), ("low", "min"), ("high", "max")):
        out[name] = grouped["value"].agg(how).to_numpy()
    order = {name: i for i, name in enumerate(PROMISES)}
    worlds = {name: i for i, name in enumerate(WORLDS)}
    # what was counted besides comes last, in the order in which it came
    rank = out["promise"].map(order).fillna(len(order)) + 1000 * out["world"].map(worlds)
    return out.iloc[np.argsort(rank.to_numpy(), kind="stable")].reset_index(drop=True)


def stored_promises() -> pd.DataFrame:
    """Return what the large study found (``make worlds``), as from :func:`helpers.dose.promises.judge_worlds`."""
    with data_file("where_it_holds.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)
