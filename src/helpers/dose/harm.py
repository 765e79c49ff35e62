"""Harm: at which doses a compound harms cells, told from how far and how it moves them off the disease axis.

Every drug changes cells somehow, and a constant distance from the axis is the compound's own effect, not harm. Harm
grows with dose: it is further off the axis than the disease itself is long, or it grows off the axis while rescue
turns back.
"""

import numpy as np
import pandas as pd

from helpers.hits.rule import Rule

ARM = ["experiment", "treatment", "dose_um"]
PAIR = ARM[:2]
LEAST = 0.3
"""Distance from the axis, in axis lengths, below which nothing is called harm."""
GROWTH = 0.75
"""A dose below a toxic one still shows the same harm setting in if it lies less than this share as far off the axis."""
TURN = 0.25
"""Rescue has turned back if it is lower than it was by this much, in units of rescue ..."""
SURE = 2.5
"""... and by so many of its standard errors."""


def toxic_doses(arms: pd.DataFrame, toxic_off: float = Rule.toxic_off) -> pd.DataFrame:
    """Return the doses at the top of a compound's range at which it harms cells.

    Going down from the highest dose, a dose counts while one of three things holds, all beyond the noise of off-disease
    (`off_limit`) and :data:`helpers.dose.harm.LEAST`:

    - `far`: it lies at least `toxic_off` off the axis, and further than some dose below (what is there at every dose
      alike is no harm that a dose does);
    - `turned`: rescue is lower than at some dose below, and cells are further off the axis than there;
    - `begun`: a dose above counts, and cells lie less than :data:`helpers.dose.harm.GROWTH` as far off as there.

    Arms without a good well are passed over.

    Parameters
    ----------
    arms : DataFrame
        From :func:`helpers.hits.call_hits`: experiment, treatment, dose_um, off_disease, off_limit; rescue and
        rescue_se where `turned` is to be told.
    toxic_off : float
        In axis lengths.

    Returns
    -------
    DataFrame
        experiment, treatment, dose_um, reason (`far`, `turned` or `begun`) of these doses.

    Examples
    --------
    >>> arms = pd.DataFrame({
    ...     "experiment": "E", "treatment": "A", "dose_um": [0.1, 1.0, 10.0, 100.0], "off_limit": 0.1,
    ...     "off_disease": [0.4, 0.45, 0.9, 2.0],
    ... })
    >>> toxic_doses(arms)[["dose_um", "reason"]].to_dict("split")["data"]
    [[1.0, 'begun'], [10.0, 'begun'], [100.0, 'far']]
    """
    if not len(arms):
        return pd.DataFrame(columns=[*ARM, "reason"])
    arms = arms.dropna(subset=["dose_um", "off_disease"]).astype(dict.fromkeys(PAIR, str))
    arms = arms.sort_values(ARM, kind="stable").reset_index(drop=True)
    reason = np.full(len(arms), "", dtype=object)
    for rows in arms.groupby(PAIR, sort=False).indices.values():
        reason[rows] = _reasons(arms.iloc[rows], toxic_off)
    return arms.assign(reason=reason).loc[reason != "", [*ARM, "reason"]].reset_index(drop=True)


def _reasons(arms: pd.DataFrame, toxic_off: float) -> np.ndarray:
    """Return why each dose of one compound, ascending, counts as toxic; "" where it does not."""
    off = arms["off_disease"].to_numpy(float)
    beyond = (off > arms["off_limit"].to_numpy(float)) & (off >= LEAST)
    least_below = np.minimum.accumulate(np.append(np.inf, off))[:-1]
    far = beyond & (off >= toxic_off) & (least_below < GROWTH * off)
    turned = beyond & _turned(arms, off)
    out = np.full(len(off), "", dtype=object)
    for i in range(len(off) - 1, -1, -1):
        begun = i + 1 < len(off) and out[i + 1] != "" and beyond[i] and off[i] < GROWTH * off[i + 1]
        out[i] = "far" if far[i] else "turned" if turned[i] else "begun" if begun else ""
        if not out[i]:
            break
    return out


def _turned(arms: pd.DataFrame, off: np.ndarray) -> np.ndarray:
    """Return at which doses rescue is lower than at some dose below, and cells further off the axis than there."""
    if not {"rescue", "rescue_se"} <= set(arms.columns):
        return np.zeros(len(off), dtype=bool)
    rescue, error = arms["rescue"].to_numpy(float), arms["rescue_se"].to_numpy(float)
    fall = rescue[None, :] - rescue[:, None]
    sure = fall > np.maximum(TURN, SURE * np.hypot(error[None, :], error[:, None]))
    further = off[:, None] > 1.5 * off[None, :]
    below = np.tri(len(off), k=-1, dtype=bool)
    # a rescue that never rose cannot turn back: a compound that worsens is none that harms
    rose = rescue[None, :] > np.maximum(TURN, SURE * error[None, :])
    return (sure & further & below & rose).any(axis=1)


def harm_on_axis(arms: pd.DataFrame, toxic: pd.DataFrame) -> pd.Series:
    """Return how much of the rescue at each dose harm could feign, for compounds that have toxic doses.

    Harm moves cells off the axis and, in a ratio that is the compound's own, along it. At toxic doses all that is seen
    along the axis may be harm, so the ratio is at most what it is there. Below, cells lie no further off the axis by
    harm than at any dose above.

    Parameters
    ----------
    arms : DataFrame
        As for :func:`helpers.dose.harm.toxic_doses`, with rescue.
    toxic : DataFrame
        What that returned.

    Returns
    -------
    Series
        Index: experiment, treatment, dose_um; in units of rescue, 0 or more.

    Examples
    --------
    >>> arms = pd.DataFrame({
    ...     "experiment": "E", "treatment": "A", "dose_um": [1.0, 10.0, 100.0], "off_limit": 0.3,
    ...     "off_disease": [0.2, 0.1, 2.0], "rescue": [0.0, 0.1, 1.0],
    ... })
    >>> harm_on_axis(arms, toxic_doses(arms)).round(3).to_list()
    [0.05, 0.05, 1.0]
    """
    arms = arms.dropna(subset=["dose_um", "off_disease"]).astype(dict.fromkeys(PAIR, str)).sort_values(ARM)
    arms = arms.merge(toxic[PAIR].drop_duplicates(), on=PAIR)
    harmful = pd.MultiIndex.from_frame(arms[ARM]).isin(pd.MultiIndex.from_frame(toxic[ARM]))
    ratio = (arms["rescue"] / arms["off_disease"]).where(harmful).clip(lower=0.0)
    ratio = ratio.groupby([arms[name] for name in PAIR]).transform("max")
    downwards = arms.iloc[::-1].groupby(PAIR, sort=False)["off_disease"].cummin().iloc[::-1]
    return pd.Series((ratio * downwards).to_numpy(), index=pd.MultiIndex.from_frame(arms[ARM]))


def off_axis(arms: pd.DataFrame, toxic: pd.DataFrame) -> pd.DataFrame:
    """Return how far off the axis each compound moves cells.

    Parameters
    ----------
    arms : DataFrame
        As for :func:`helpers.dose.harm.toxic_doses`.
    toxic : DataFrame
        What that returned.

    Returns
    -------
    DataFrame
        experiment, treatment, `off_fitted` and `off_toxic`: the largest off-disease among doses that are not toxic, and
        among those that are, in axis lengths.
    """
    arms = arms.dropna(subset=["dose_um"]).astype(dict.fromkeys(PAIR, str))
    harmful = pd.MultiIndex.from_frame(arms[ARM]).isin(pd.MultiIndex.from_frame(toxic[ARM]))
    largest = [
        arms[chosen].groupby(PAIR)["off_disease"].max().rename(name)
        for chosen, name in ((~harmful, "off_fitted"), (harmful, "off_toxic"))
    ]
    return pd.concat(largest, axis=1).reset_index()
