"""The rule: from tests, rescue and distance to a call and a score. Every threshold of the calls is here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import UsageError

CALLS = ("rescue", "rescue_off_target", "toxic", "worsens", "inactive", "not_tested")
"""What a compound can be called, in the order in which :class:`helpers.hits.Rule` asks."""


@dataclass(frozen=True)
class Rule:
    """The rule by which compounds are called, first match wins.

    ==================== ==========================================================================================
    `not_tested`         no usable well: nothing is said about the compound
    `rescue`             `q_on_target` <= fdr: it rescues, and by arms whose off-disease is at most `max_off_ratio` x
                         their rescue
    `rescue_off_target`  `q_value` <= fdr: it rescues, but no such arms show it
    `toxic`              an arm with off-disease >= `toxic_off`, and beyond what noise reaches (`off_limit`)
    `worsens`            `q_worsens` <= fdr: the mirror-image test (rescue at least -`min_rescue`)
    `inactive`           none of these
    ==================== ==========================================================================================

    `q_on_target` and `q_worsens` are one family of Benjamini and Hochberg with two tests a compound: of the compounds
    of an experiment called `rescue` or `worsens`, a share of `fdr` is expected to be called so falsely. `q_value` is
    in a second family, again with `q_worsens`: the same holds for `rescue`, `rescue_off_target` and `worsens` together.

    Rescue beyond 1 counts as 1 in the second row: cells driven past mock are not more like mock.

    Attributes
    ----------
    fdr : float
        False discovery rate, in (0, 1).
    min_rescue : float
        Rescue up to this does not count, in [0, 1).
    max_off_ratio : float
        Off-disease that an on-target arm may have, relative to its rescue; above 0.
    toxic_off : float
        Off-disease from which on an arm is toxic, in axis lengths; above 0.
    off_limit : float
        Quantile of the noise in off-disease that a toxic arm must exceed, between 0.5 and 1.

    Examples
    --------
    >>> hits = pd.DataFrame({
    ...     "q_on_target": [0.01, 0.8, 0.9, 0.9], "q_value": [0.01, 0.01, 0.9, 0.9], "q_worsens": [0.9, 0.9, 0.9, 0.01],
    ...     "toxic": [False, False, True, False],
    ... })
    >>> Rule().call(hits).tolist()
    ['rescue', 'rescue_off_target', 'toxic', 'worsens']
    >>> Rule(fdr=0.001).call(hits).tolist()
    ['inactive', 'inactive', 'toxic', 'inactive']
    """

    fdr: float = 0.05
    min_rescue: float = 0.1
    max_off_ratio: float = 1.0
    toxic_off: float = 1.0
    off_limit: float = 0.999

    def __post_init__(self) -> None:
        if not 0 < self.fdr < 1:
            raise UsageError(f"fdr={self.fdr} is not a rate; choose a number between 0 and 1")
        if not 0 <= self.min_rescue < 1:
            raise UsageError(f"min_rescue={self.min_rescue} is outside [0, 1)")
        if not 0.5 < self.off_limit < 1:
            raise UsageError(
                f"off_limit={self.off_limit} is no upper quantile; choose a number between 0.5 and 1"
            )
        for name in ("max_off_ratio", "toxic_off"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name}={getattr(self, name)} is not above 0")

    def judge_arms(self, arms: pd.DataFrame) -> pd.DataFrame:
        """Return the arms with their `score`, and whether each is `on_target` and `toxic`.

        Parameters
        ----------
        arms : DataFrame
            rescue, off_disease, off_limit.

        Returns
        -------
        DataFrame
            With three columns more.
        """
        reach = self.max_off_ratio * arms["rescue"].clip(upper=1)
        return arms.assign(
            score=on_target_score(arms["rescue"], arms["off_disease"]),
            on_target=(arms["rescue"] > 0) & (arms["off_disease"] <= reach),
            toxic=(arms["off_disease"] >= self.toxic_off) & (arms["off_disease"] > arms["off_limit"]),
        )

    def call(self, hits: pd.DataFrame) -> np.ndarray:
        """Return the call of compounds from their three tests and whether an arm is toxic.

        Parameters
        ----------
        hits : DataFrame
            q_on_target, q_value, q_worsens, toxic: one row per compound.

        Returns
        -------
        array of str
            Shape (n_compounds,), of :data:`helpers.hits.CALLS`.
        """
        tests = ("q_on_target", "q_value", "q_worsens")
        rescued, moved, harmed = (hits[name] <= self.fdr for name in tests)
        rules = [hits["q_value"].isna(), rescued, moved, hits["toxic"], harmed]
        return np.select(rules, ["not_tested", *CALLS[:4]], default="inactive")


def on_target_score(rescue: pd.Series, off_disease: pd.Series) -> pd.Series:
    """Return rescue, at most 1, times the cosine between the effect and the rescue direction; at least -1.

    A compound that moves cells straight from infected to mock scores its rescue; one that moves them mostly elsewhere
    scores less. This is a reconstruction in the spirit of the published hit score, whose formula is not public.
    """
    distance = np.hypot(rescue, off_disease)
    cosine = np.abs(rescue) / np.where(distance > 0, distance, 1.0)
    return np.clip(rescue, -1, 1) * cosine


def best_by_score(arms: pd.DataFrame) -> pd.DataFrame:
    """Return per compound: largest rescue and its dose, and the score of largest size over the arms given."""
    grouped = arms.groupby("treatment", observed=True)
    best = arms.loc[grouped["rescue"].idxmax()]
    best = best.rename(columns={"rescue": "rescue_max", "dose_um": "dose_at_max_um"})
    extreme = arms.loc[arms["score"].abs().groupby(arms["treatment"], observed=True).idxmax()]
    table = best[["treatment", "rescue_max", "dose_at_max_um", "off_disease"]]
    return table.merge(extreme[["treatment", "score"]], on="treatment")


def recall(arms: pd.DataFrame, hits: pd.DataFrame, rule: Rule) -> np.ndarray:
    """Return the calls of compounds at another rate or toxic limit.

    Parameters
    ----------
    arms, hits : DataFrame
        From :func:`helpers.hits.call_hits`.
    rule : Rule
        The rule; its `min_rescue`, `max_off_ratio` and `off_limit` are those of the tables.

    Returns
    -------
    array of str
        The calls, shape (n_compounds,), in the order of `hits`.

    Examples
    --------
    >>> arms = pd.DataFrame({
    ...     "experiment": "HRCE-1", "treatment": ["one", "two"], "rescue": [0.8, 0.5], "off_disease": [0.2, 0.9],
    ...     "off_limit": 0.5,
    ... })
    >>> hits = arms[["experiment", "treatment"]].assign(
    ...     q_on_target=[0.002, 0.9], q_value=[0.002, 0.03], q_worsens=1.0
    ... )
    >>> recall(arms, hits, Rule()).tolist(), recall(arms, hits, Rule(fdr=0.01)).tolist()
    (['rescue', 'rescue_off_target'], ['rescue', 'inactive'])
    """
    keys = ["experiment", "treatment"]
    judged = rule.judge_arms(arms).groupby(keys, observed=True)[["toxic"]].any().reset_index()
    tests = ["q_on_target", "q_value", "q_worsens"]
    return rule.call(hits[[*keys, *tests]].merge(judged, on=keys, how="left"))
