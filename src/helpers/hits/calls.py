"""Calls: what each compound does, by one rule, with a score that ranks them and what that rank is worth."""

from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.hits.arms import summarize_arms
from helpers.hits.distance import ARM_KEY
from helpers.hits.multiple import q_values_together
from helpers.hits.null import N_DRAWS, Null, fit_null
from helpers.hits.rule import CALLS as CALLS
from helpers.hits.rule import Rule, best_by_score
from helpers.hits.scan import STATISTICS, max_window
from helpers.hits.stability import TOP_K, rank_stability
from helpers.options import with_settings
from helpers.profiles.selection import rows_by, treated, usable

MIN_DRAWS = 1_000
DESIGN = [
    "n_doses", "n_wells", "share_together", "share_apart", "shared", "own", "together", "apart",
]  # fmt: skip
TESTS = ("p_value", "p_on_target", "p_worsens")
"""P-values of a compound: it rescues, it rescues by arms on target, it worsens."""
NO_LIMIT = "too few wells to tell poison from a failed well: it cannot be called toxic"
SINGLE_PLATE = "on a single plate: how stable its score is cannot be told"


@dataclass(frozen=True)
class CallOptions:
    """How compounds are tested, called and ranked, beside the rate and the smallest rescue.

    Attributes
    ----------
    max_off_ratio : float
        As in :class:`helpers.hits.Rule`.
    toxic_off : float
        As in :class:`helpers.hits.Rule`.
    off_limit : float
        As in :class:`helpers.hits.Rule`.
    statistic : str
        `max`: windows of any doses. `trend`: windows that end at the highest dose, for effects that only grow with
        dose. On ten tiny twins with weak effects `trend` called 28 % and `max` 22 % of the compounds that rescue by
        0.15 to 0.2, and both the same from 0.2 on; of those that rescue by 0.25 to 0.4 and turn toxic above, away from
        mock, `max` called 78 % and `trend` 34 %. False calls were as rare with both.
    null_draws : int
        Pseudo-compounds in a simulated null, at least 1,000.
    top_k : int
        Compounds that count as the best, for `top_k_probability`.
    rank_draws : int
        Draws from which the stability of scores and ranks is told; 0 leaves it missing.
    level : float
        Of the intervals, in (0, 1).
    """

    max_off_ratio: float = Rule.max_off_ratio
    toxic_off: float = Rule.toxic_off
    off_limit: float = Rule.off_limit
    statistic: str = "max"
    null_draws: int = N_DRAWS
    top_k: int = TOP_K
    rank_draws: int = 500
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise UsageError(
                f"statistic {self.statistic!r} is unknown; choose one of {', '.join(STATISTICS)}"
            )
        if self.null_draws < MIN_DRAWS:
            raise UsageError(
                f"null_draws={self.null_draws} is too few for a p-value; choose at least {MIN_DRAWS}"
            )
        if self.top_k < 1:
            raise UsageError(f"top_k={self.top_k} is not a number of compounds; choose at least 1")
        if self.rank_draws < 0:
            raise UsageError(f"rank_draws={self.rank_draws} is negative; choose 0 or more")
        if not 0 < self.level < 1:
            raise UsageError(f"level={self.level} is no share; choose a number between 0 and 1")

    def rule(self, fdr: float, min_rescue: float) -> Rule:
        """Return the rule of the calls for a false discovery rate and a smallest rescue.

        Parameters
        ----------
        fdr : float
            False discovery rate, in (0, 1).
        min_rescue : float
            Rescue up to this does not count, in [0, 1).

        Returns
        -------
        Rule
            With the thresholds of these options.
        """
        return Rule(fdr, min_rescue, self.max_off_ratio, self.toxic_off, self.off_limit)


def call_hits(
    scored: ad.AnnData,
    *,
    fdr: float = Rule.fdr,
    min_rescue: float = Rule.min_rescue,
    options: CallOptions = CallOptions(),
    seed: int = 0,
    **settings: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise arms and call compounds, experiment by experiment.

    A compound may change cells without touching the disease, and some of that leaks onto the axis; so the hypothesis
    tested is "rescue at most `min_rescue`", with the null's spread. A compound's statistic is the largest standardised
    mean over windows of consecutive doses, against the same statistic of pseudo-compounds. Calls follow the table of
    :class:`helpers.hits.Rule`. The best dose and the score of a compound called `rescue` are taken among its
    on-target arms.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    fdr : float
        False discovery rate of the rule, in (0, 1), controlled over the compounds of an experiment
        (Benjamini-Hochberg).
    min_rescue : float
        Rescue up to this does not count, in [0, 1).
    options : CallOptions
        How compounds are tested, called and ranked.
    seed : int
        Of the simulated null and of the draws of ranks.
    **settings
        Single fields of `options` by their names, such as ``top_k=20``.

    Returns
    -------
    arms : DataFrame
        As in the table arms.csv.
    hits : DataFrame
        As in the table hits.csv, with `off_disease` at the best dose, `p_on_target`, `q_on_target`, `p_worsens`,
        `q_worsens`, the stability of
        :func:`helpers.hits.stability.rank_stability` (`score_low`, `score_high`, `rank_low`, `rank_high`,
        `top_k_probability`), and `note`, which says so where all wells of a compound failed (it is then
        `not_tested`), and where a single plate leaves the stability missing.

    Raises
    ------
    UsageError
        For values outside their range, or an unknown setting.
    DataError
        If no experiment has treated wells.
    """
    options = with_settings(options, settings)
    rule = options.rule(fdr, min_rescue)
    tables = [
        _call_experiment(scored, rows, rule, options, seed)
        for rows in rows_by(scored.obs, "experiment").values()
        if treated(scored.obs.iloc[rows]).any()
    ]
    if not tables:
        raise DataError("no experiment of this screen has treated wells, so there is nothing to call")
    arms, hits = (pd.concat(part, ignore_index=True) for part in zip(*tables, strict=True))
    return arms, hits


def _call_experiment(
    scored: ad.AnnData, rows: np.ndarray, rule: Rule, options: CallOptions, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return arms and hits of one experiment."""
    obs = scored.obs.iloc[rows]
    null = fit_null(scored, rows, seed=seed, n_draws=options.null_draws)
    arms = summarize_arms(
        scored, rows, null, min_rescue=rule.min_rescue, level=options.level, off_limit=rule.off_limit
    )
    arms_judged = rule.judge_arms(arms)
    hits = _call(
        _test_compounds(obs, arms_judged, null, rule.min_rescue, options.statistic), arms_judged, rule
    )
    stability = rank_stability(
        obs,
        _eligible(hits, arms_judged),
        null,
        n_draws=options.rank_draws,
        top_k=options.top_k,
        level=options.level,
    )
    return arms, _add_stability(hits, stability)


def _eligible(hits: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Return the arms that may give a compound its best dose and score: on-target ones if it is called `rescue`."""
    rescuers = hits.loc[hits["call"] == "rescue", "treatment"]
    return arms[(arms["n_wells"] > 0) & (arms["on_target"] | ~arms["treatment"].isin(rescuers))]


def _test_compounds(
    obs: pd.DataFrame, arms: pd.DataFrame, null: Null, min_rescue: float, statistic: str
) -> pd.DataFrame:
    """Return one row per compound with the window test, that of its arms on target alone, and the mirror image.

    The null of all windows stands for those of the arms on target. These may run across doses that are left out, which
    no window of all doses does; so their p-value is never taken for less than that of all.
    """
    members = obs[treated(obs) & usable(obs)]
    members = members.assign(treatment=members["treatment"].astype(str))
    wells = members[ARM_KEY].assign(variance=members["plate_id"].map(null.scale).astype(float) ** 2)
    variance = wells.groupby(ARM_KEY, observed=True, dropna=False)["variance"].agg(["sum", "size"])
    variance = (variance["sum"] / variance["size"] ** 2).rename("variance").reset_index()
    arms = arms.merge(variance, on=ARM_KEY, how="left")
    # wells without a dose count as the lowest one: at the top they would be in every window of `trend`
    arms = arms.sort_values(ARM_KEY, na_position="first")
    hits = pd.DataFrame({"treatment": np.sort(arms["treatment"].unique())})
    hits = hits.merge(_designs(arms, members, null), on="treatment", how="left")
    hits.insert(0, "experiment", arms["experiment"].iloc[0])
    hits[list(TESTS)] = np.nan
    tested = arms[arms["n_wells"] > 0]
    for (n_doses, n_wells, _, _), same in hits.groupby(
        ["n_doses", "n_wells", "together", "apart"], sort=True
    ):
        together, apart = same["share_together"].mean(), same["share_apart"].mean()
        n_plates = 1 / together if together > 0 else np.inf
        better, worse = (
            null.tail(int(n_doses), int(n_wells), n_plates, apart=apart, statistic=statistic, worse=side)
            for side in (False, True)
        )
        mine = tested[tested["treatment"].isin(same["treatment"])]
        effect, on_target, own = (
            mine[name].to_numpy().reshape(len(same), -1) for name in ("rescue", "on_target", "variance")
        )
        effect, own = effect - null.offset, own + same["own"].to_numpy()[:, None]
        seen = {"p_value": effect, "p_on_target": np.where(on_target, effect, np.nan), "p_worsens": -effect}
        for name in TESTS:
            window = max_window(seen[name] - min_rescue, own, same["shared"].to_numpy(), statistic=statistic)
            hits.loc[same.index, name] = (worse if name == "p_worsens" else better).p_value(window)
    hits["p_on_target"] = hits["p_on_target"].clip(lower=hits["p_value"])
    for name in ("p_value", "p_on_target"):
        hits[name.replace("p_", "q_")], hits["q_worsens"] = q_values_together(hits[name], hits["p_worsens"])
    return hits.drop(columns=DESIGN)


def _designs(arms: pd.DataFrame, members: pd.DataFrame, null: Null) -> pd.DataFrame:
    """Return, per compound that has usable wells, its doses, wells per dose, and what errors of plates do to them.

    The error of a plate's centre or shift is in all wells on it. `share_together` is the part of its variance that two
    doses have in common, on average (1 / n where all stand on the same n plates, 0 where no two share a plate),
    `share_apart` what each has beyond that; `shared` and `own` are these times the variance of a plate. `together` and
    `apart` are the shares in steps of a tenth, for compounds that are alike enough to have the same null.
    """
    tested = arms[arms["n_wells"] > 0].groupby("treatment", observed=True)["n_wells"]
    designs = tested.agg(n_doses="size", n_wells="median").astype(int)
    wells = members.astype({"treatment": str, "plate_id": str})
    counts = (
        wells.groupby([*ARM_KEY, "plate_id"], observed=True, dropna=False).size().rename("k").reset_index()
    )
    arm = [counts[key] for key in ARM_KEY]
    counts["share"] = counts["k"] / counts["k"].groupby(arm, dropna=False).transform("sum")
    compound = counts["treatment"]
    of_plate = counts.groupby(["treatment", "plate_id"])["share"].sum() ** 2
    doses, square = designs["n_doses"], of_plate.groupby(level=0).sum()
    single = (counts["share"] ** 2).groupby(compound).sum()
    each = single / doses
    # of one dose, nothing is apart from others
    both = ((square - single) / (doses * (doses - 1)).clip(lower=1)).where(doses > 1, each)
    designs["share_together"], designs["share_apart"] = both, (each - both).clip(lower=0.0)
    centre = {str(p): variance for p, variance in null.plate_variance.items()}
    plates = counts[["treatment", "plate_id"]].drop_duplicates()
    variance = plates["plate_id"].map(centre).groupby(plates["treatment"]).mean()
    designs["shared"], designs["own"] = (
        variance * designs["share_together"],
        variance * designs["share_apart"],
    )
    for name in ("together", "apart"):
        shares = designs[f"share_{name}"]
        designs[name] = np.where(
            shares > 0.01, np.round(np.log(shares.clip(lower=0.01)) / np.log(1.1)), -99.0
        )
    return designs.reset_index()


def _call(hits: pd.DataFrame, arms: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Apply the rule to tests and judged arms, and rank."""
    hits = hits.merge(arms.groupby("treatment", observed=True)[["toxic"]].any().reset_index(), on="treatment")
    hits["call"] = rule.call(hits)
    hits = hits.merge(best_by_score(_eligible(hits, arms)), on="treatment", how="left")
    hits["rank"] = hits["score"].rank(ascending=False, method="first", na_option="bottom").astype(int)
    finite = np.isfinite(arms["off_limit"].where(arms["n_wells"] > 0)).groupby(arms["treatment"]).any()
    unjudged = ~hits["treatment"].map(finite).astype(bool)
    hits["note"] = np.select([hits["p_value"].isna(), unjudged], ["all wells failed", NO_LIMIT], default="")
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
    extra = ["rank", "off_disease", "p_on_target", "q_on_target", "p_worsens", "q_worsens", "note"]
    return hits[columns + extra].sort_values("rank", ignore_index=True)


def _add_stability(hits: pd.DataFrame, stability: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of the stability of scores and ranks, and a note where a single plate leaves it unknown."""
    hits = hits.merge(stability.drop(columns="single_plate"), on="treatment", how="left")
    alone = hits["treatment"].isin(stability.loc[stability["single_plate"], "treatment"])
    notes = np.where(alone & (hits["call"] != "not_tested"), SINGLE_PLATE, "")
    both = np.where((notes != "") & (hits["note"] != ""), "; ", "")
    hits["note"] = hits["note"] + both + notes
    return hits
