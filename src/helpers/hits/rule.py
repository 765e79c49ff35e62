"""The rule: from tests, rescue and distance to a call and a score. Every threshold of the calls is here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import UsageError

CALLS = ("rescue", "rescue_off_target", "toxic", "worsens", "inactive")
"""What a compound can be called, in the order in which :class:`helpers.hits.Rule` asks."""


@dataclass(frozen=True)
class Rule:
    """The rule by which compounds are called, first match wins.

    ==================== ==========================================================================================
    `rescue`             q <= fdr, and an on-target arm: p <= fdr and off-disease at most `max_off_ratio` x its rescue
    `rescue_off_target`  q <= fdr, and no such arm
    `toxic`              an arm with off-disease >= `toxic_off`, and beyond what noise reaches (`off_limit`)
    `worsens`            the mirror-image test (rescue at least -`min_rescue`) has q <= fdr
    `inactive`           none of these
    ==================== ==========================================================================================

    Rescue beyond 1 counts as 1 in the first row: cells driven past mock are not more like mock.

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
    ...     "q_value": [0.01, 0.01, 0.9, 0.9], "q_worsens": [0.9, 0.9, 0.9, 0.01],
    ...     "on_target": [True, False, False, False], "toxic": [False, False, True, False],
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
            rescue, off_disease, p_value, off_limit.

        Returns
        -------
        DataFrame
            With three columns more.
        """
        reach = self.max_off_ratio * arms["rescue"].clip(upper=1)
        return arms.assign(
            score=on_target_score(arms["rescue"], arms["off_disease"]),
            on_target=(arms["p_value"] <= self.fdr) & (arms["off_disease"] <= reach),
            toxic=(arms["off_disease"] >= self.toxic_off) & (arms["off_disease"] > arms["off_limit"]),
        )

    def call(self, hits: pd.DataFrame) -> np.ndarray:
        """Return the call of compounds with q_value, q_worsens, on_target and toxic.

        Parameters
        ----------
        hits : DataFrame
            q_value, q_worsens, on_target, toxic: one row per compound.

        Returns
        -------
        array of str
            Shape (n_compounds,), of :data:`helpers.hits.CALLS`.
        """
        found, harmed = hits["q_value"] <= self.fdr, hits["q_worsens"] <= self.fdr
        rules = [found & hits["on_target"], found, hits["toxic"], harmed]
        return np.select(rules, CALLS[:-1], default=CALLS[-1])


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
    """Return the calls of compounds under another rule, from tables made with the same `min_rescue`.

    Parameters
    ----------
    arms, hits : DataFrame
        From :func:`helpers.hits.call_hits`.
    rule : Rule
        The rule; its `off_limit` is that of the tables.

    Returns
    -------
    array of str
        The calls, shape (n_compounds,), in the order of `hits`.

    Examples
    --------
    >>> arms = pd.DataFrame({
    ...     "experiment": "HRCE-1", "treatment": ["one", "two"], "rescue": [0.8, 0.5], "off_disease": [0.2, 0.9],
    ...     "p_value": 0.001, "off_limit": 0.5,
    ... })
    >>> hits = arms[["experiment", "treatment"]].assign(q_value=[0.002, 0.03], q_worsens=1.0)
    >>> recall(arms, hits, Rule()).tolist(), recall(arms, hits, Rule(fdr=0.01)).tolist()
    (['rescue', 'rescue_off_target'], ['rescue', 'inactive'])
    """
    keys = ["experiment", "treatment"]
    judged = rule.judge_arms(arms).groupby(keys, observed=True)[["on_target", "toxic"]].any().reset_index()
    return rule.call(hits[[*keys, "q_value", "q_worsens"]].merge(judged, on=keys, how="left"))
