"""Calibration: do p-values, false discovery rates and intervals hold what they say on twins of known truth."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import UsageError
from helpers.hits.axis import score_wells
from helpers.hits.calls import call_hits
from helpers.hits.rule import Rule, recall
from helpers.profiles.normalize import RECIPES, normalize
from helpers.profiles.selection import controls, rows_by
from helpers.profiles.wells import to_wells
from helpers.screens import TwinModel, simulate_twin
from helpers.screens.twin.worlds import find_world

GRID = np.linspace(0.01, 0.99, 99)
TAIL = np.logspace(-4, 0, 49)
"""Where the share of smaller p-values is counted: Benjamini and Hochberg look at the small ones."""
REJECTED = {"rejected_001": 0.001, "rejected_01": 0.01, "rejected_05": 0.05, "rejected_25": 0.25}
RESCUE_BINS = (-np.inf, -0.01, 0.01, 0.25, 0.5, np.inf)
N_FLIPS = 999
COMPOUND = ["experiment", "treatment"]
NOT_TOXIC = 0.05
"""A toxic effect below this, in axis lengths, does not count: above, what `rescue` means is no longer clear."""


@dataclass(frozen=True)
class Calibration:
    """What :func:`helpers.hits.calibration_study` found.

    Attributes
    ----------
    p_values : DataFrame
        Where nothing works: level (`arms`, `compounds`), p, share (of p-values that are at most p, mean over twins) and
        its standard error share_se over twins.
    uniformity : DataFrame
        Per level: n_twins, n, distance (largest distance of the mean distribution function over twins from the
        diagonal), p_value (of that distance, signs of whole twins flipped: p-values of one twin share plates), ks_p
        (Kolmogorov-Smirnov test of one p-value per experiment, which are independent; n_independent of them),
        too_often_p (t-test over twins of *at most 5 % are rejected at 0.05*; the flips of a few twins cannot reach a
        small p-value), and the shares rejected at 0.001, 0.01, 0.05 and 0.25.
    discoveries : DataFrame
        Per fdr: called `rescue`, false (those whose true rescue nowhere exceeds `min_rescue`), fdp (mean false
        discovery proportion), its standard error fdp_se over twins, power_strong (of compounds that truly rescue by
        0.5 and more), power_medium (0.25 to 0.5), found (share that is called anything but inactive).
    coverage : DataFrame
        Per range of the true rescue: n, coverage of the interval of arms that are not toxic, and its standard error
        over twins.

    Examples
    --------
    >>> import dataclasses
    >>> [table.name for table in dataclasses.fields(Calibration)]
    ['p_values', 'uniformity', 'discoveries', 'coverage']
    """

    p_values: pd.DataFrame
    uniformity: pd.DataFrame
    discoveries: pd.DataFrame
    coverage: pd.DataFrame


def _suiting(recipe: str) -> TwinModel:
    """Return assumptions of a twin to which the recipe can be applied: one that divides asks for positive features."""
    return find_world("counts").model() if _positive(recipe) else TwinModel()


def _positive(recipe: str) -> str:
    """Return where the recipe needs positive features; of an unknown one the normalisation says that it is."""
    return RECIPES[recipe].positive if recipe in RECIPES else ""


def _allowed(wells: ad.AnnData, recipe: str) -> ad.AnnData:
    """Return the wells without features that the recipe does not allow: no logarithm of a count without any cell."""
    if _positive(recipe) != "all":
        return wells
    return wells[:, (np.asarray(wells.X) > 0).all(axis=0)].copy()


def calibration_study(
    n_twins: int = 4,
    *,
    scale: str = "tiny",
    model: TwinModel | None = None,
    n_infected: int | None = None,
    recipe: str = "plate_center",
    axis: str = "mean_difference",
    fdrs: Iterable[float] = (0.05, 0.1, 0.2),
    seed: int = 0,
    **settings: Any,
) -> Calibration:
    """Run the hit calling on twins without and with active compounds, and compare with the truth.

    P-values are those of the test with `min_rescue` 0 on twins without any active compound. Calls and intervals are
    those with the `min_rescue` given, on twins of the model. A tiny twin takes a second or two.

    Parameters
    ----------
    n_twins : int
        Twins of each of the two kinds, at least 2.
    scale : str
        As in :func:`helpers.screens.simulate_twin`.
    model : TwinModel, optional
        Assumptions of the twin; the usual ones if None, or those of the world `counts` where the recipe divides and so
        asks for positive features.
    n_infected : int, optional
        Infected untreated wells that every plate keeps, all if None.
    recipe : str
        As in :func:`helpers.profiles.normalize`.
    axis : str
        As in :func:`helpers.hits.score_wells`.
    fdrs : iterable of float
        Rates to look at.
    seed : int
        Of the first twin; the others follow.
    **settings
        Of :func:`helpers.hits.call_hits`.

    Returns
    -------
    Calibration
        Four tables.

    Raises
    ------
    UsageError
        With fewer than two twins, or an unknown scale, recipe, axis or setting.
    """
    if n_twins < 2:
        raise UsageError(f"n_twins={n_twins} says nothing about chance; choose 2 or more")
    model = model or _suiting(recipe)
    settings = {"rank_draws": 0, **settings}
    nulls: list[tuple] = []
    actives: list[tuple] = []
    for number in range(seed, seed + n_twins):
        for kind, several, more in (
            (model.without_actives(), nulls, {"min_rescue": 0.0}),
            (model, actives, {}),
        ):
            sites, truth = simulate_twin(scale, number, kind)
            wells = _allowed(_thin(to_wells(sites), n_infected, number), recipe)
            scored = score_wells(normalize(wells, recipe, seed=number), axis=axis)
            arms, hits = call_hits(scored, **{**settings, **more, "seed": number})
            several.append((arms, hits, truth))
    levels = {"arms": [arms for arms, *_ in nulls], "compounds": [hits for _, hits, _ in nulls]}
    rules = [Rule(fdr, settings.get("min_rescue", Rule.min_rescue)) for fdr in fdrs]
    return Calibration(
        pd.concat([_shares(tables, name) for name, tables in levels.items()], ignore_index=True),
        pd.DataFrame([_uniformity(tables, name, seed) for name, tables in levels.items()]),
        pd.DataFrame([_discoveries(actives, rule) for rule in rules]),
        _coverage(actives),
    )


def _thin(wells: ad.AnnData, n_infected: int | None, seed: int) -> ad.AnnData:
    """Leave at most `n_infected` infected untreated wells on every plate."""
    if n_infected is None:
        return wells
    rng = np.random.default_rng([seed, 3])
    chosen, keep = controls(wells.obs, "infected"), np.ones(wells.n_obs, dtype=bool)
    for rows in rows_by(wells.obs, "plate_id").values():
        keep[rng.permutation(rows[chosen[rows]])[n_infected:]] = False
    return wells[keep].copy()


def _shares(tables: list[pd.DataFrame], level: str) -> pd.DataFrame:
    """Return the share of p-values up to each point of `TAIL`, mean over twins, and its standard error."""
    values = [np.sort(table["p_value"].dropna().to_numpy()) for table in tables]
    shares = np.array([np.searchsorted(p, TAIL, side="right") / max(len(p), 1) for p in values])
    error = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
    return pd.DataFrame({"level": level, "p": TAIL, "share": shares.mean(axis=0), "share_se": error})


def _uniformity(tables: list[pd.DataFrame], level: str, seed: int) -> dict:
    """Return how far p-values are from uniform, and whether chance explains it."""
    values = [table["p_value"].dropna().to_numpy() for table in tables]
    deviation = np.array([(p[:, None] <= GRID).mean(axis=0) - GRID for p in values])
    distance = float(np.abs(deviation.mean(axis=0)).max())
    rng = np.random.default_rng([seed, 5])
    flips = rng.choice([-1.0, 1.0], size=(N_FLIPS, len(values)))
    by_chance = np.abs(flips @ deviation / len(values)).max(axis=1)
    single = [
        rng.choice(p.dropna().to_numpy())
        for table in tables
        for _, p in table.groupby("experiment", observed=True)["p_value"]
    ]
    pooled = np.concatenate(values)
    often = np.array([(p <= 0.05).mean() for p in values])
    return {
        "level": level,
        "n_twins": len(values),
        "n": len(pooled),
        "distance": distance,
        "p_value": float((1 + (by_chance >= distance).sum()) / (1 + N_FLIPS)),
        "ks_p": float(stats.kstest(single, "uniform").pvalue),
        "n_independent": len(single),
        "too_often_p": _mean_above(often, 0.05),
        **{name: float((pooled <= at).mean()) for name, at in REJECTED.items()},
    }


def _mean_above(values: np.ndarray, expected: float) -> float:
    """Return the p-value of *the mean is at most what is expected* (t-test over twins)."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return float(stats.t.sf((values.mean() - expected) / max(error, 1e-12), max(len(values) - 1, 1)))


def _discoveries(actives: list[tuple], rule: Rule) -> dict:
    """Return the false discovery proportion and the power of one rule."""
    tables = []
    for number, (arms, hits, truth) in enumerate(actives):
        best = truth.groupby(COMPOUND)["rescue"].max().rename("true").reset_index()
        table = hits.assign(call=recall(arms, hits, rule)).merge(best, on=COMPOUND)
        tables.append(table.assign(twin=number))
    table = pd.concat(tables)
    called = table["call"] == "rescue"
    false = called & (table["true"] <= rule.min_rescue)
    per_twin = false.groupby(table["twin"]).sum() / called.groupby(table["twin"]).sum().clip(lower=1)
    medium = table["true"].between(0.25, 0.5, inclusive="left")
    return {
        "fdr": rule.fdr,
        "called": int(called.sum()),
        "false": int(false.sum()),
        "fdp": float(per_twin.mean()),
        "fdp_se": float(per_twin.std(ddof=1) / np.sqrt(len(per_twin))),
        "power_strong": _share(called[table["true"] >= 0.5]),
        "power_medium": _share(called[medium]),
        "found": float((table["call"] != "inactive").mean()),
    }


def _share(mask: pd.Series) -> float:
    return float(mask.mean()) if len(mask) else np.nan


def _coverage(actives: list[tuple]) -> pd.DataFrame:
    """Return how often intervals hold the truth, for all arms that are not toxic and by the size of their rescue."""
    parts = []
    for number, (arms, _, truth) in enumerate(actives):
        both = arms.merge(truth, on=[*COMPOUND, "dose_um"], suffixes=("", "_true")).assign(twin=number)
        parts.append(both[(both["toxicity"] < NOT_TOXIC) & both["rescue_low"].notna()])
    arms = pd.concat(parts)
    arms["covered"] = arms["rescue_true"].between(arms["rescue_low"], arms["rescue_high"])
    arms["range"] = pd.cut(arms["rescue_true"], RESCUE_BINS).astype(str)
    records = []
    for name, group in [("all", arms), *arms.groupby("range", sort=False)]:
        twins = group.groupby("twin")["covered"].mean()
        record = {"true_rescue": name, "n": len(group), "coverage": float(group["covered"].mean())}
        records.append(record | {"coverage_se": float(twins.std(ddof=1) / np.sqrt(len(twins)))})
    return pd.DataFrame(records)
