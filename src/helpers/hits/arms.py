"""Arms: one treatment at one dose in one experiment, with its rescue, its interval and its distance from the axis."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.axis import axis_kind, fit_axis, project
from helpers.hits.distance import ARM_KEY, off_disease
from helpers.hits.moderation import moderate
from helpers.hits.multiple import q_values
from helpers.hits.null import Null
from helpers.hits.rule import Rule
from helpers.profiles.selection import as_slice, treated, usable


def summarize_arms(
    scored: ad.AnnData,
    rows: np.ndarray,
    null: Null,
    *,
    min_rescue: float,
    level: float = 0.95,
    off_limit: float = Rule.off_limit,
) -> pd.DataFrame:
    """Summarise the arms of one experiment.

    Rescue is the mean over the arm's wells. Its interval takes the plate as the replicate: the variance between
    the arm's plate means, moderated over arms (an arm alone has two degrees of freedom on three plates), and how much
    the strength of effects varies between plates, told from the plates' own controls. On a single plate the wells are
    all there is; `interval_basis` then says `wells`, and plate-to-plate variation is not in the interval. The p-value
    tests "rescue at most `min_rescue`" against the null.

    Off-disease is the length of the mean rejection from the axis, estimated without bias from inner products
    between different plates (between wells on a single plate): the norm of a noisy mean grows with dimension.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    rows : array
        Positions of the experiment's wells in it, shape (n_wells,).
    null : Null
        Of the same wells.
    min_rescue : float
        Rescue up to this is no effect; 0 or more.
    level : float
        Of the intervals, in (0, 1).
    off_limit : float
        Quantile of the noise in off-disease that is reported, in (0.5, 1).

    Returns
    -------
    DataFrame
        The columns of arms.csv plus `interval_basis`, `rescue_se` (standard error, of `interval_df` degrees of
        freedom), `null_sd`, `p_worsens`, `tail_fitted`, and `off_limit`: the off-disease that noise alone exceeds
        with probability 1 - `off_limit` in arms of this size; `off_square_sd` is the standard deviation of that noise
        in the square of `off_disease`. Arms all of whose wells failed are kept, with `n_wells` 0 and missing numbers;
        wells without a dose form one arm of their compound.
    """
    obs = scored.obs.iloc[rows]
    members = obs[treated(obs)]
    # in the order of names, whatever the order of categories
    members = members.assign(treatment=members["treatment"].astype(str))
    arms = members.groupby(ARM_KEY, observed=True, sort=True, dropna=False).size().index.to_frame(index=False)
    arms.insert(0, "experiment", str(obs["experiment"].iloc[0]))
    counts = _plate_means(members[usable(members)], null)
    arms = arms.merge(_rescue_table(counts), on=ARM_KEY, how="left")
    arms[["n_wells", "n_plates"]] = arms[["n_wells", "n_plates"]].fillna(0).astype(int)
    arms["interval_basis"] = arms["interval_basis"].fillna("")
    X = np.asarray(scored.X[as_slice(rows)])
    # it was long enough when the wells were scored
    axis = fit_axis(X, obs, axis_kind(scored, obs["experiment"].iloc[0]), min_length=0.0)
    _add_interval(arms, null, level, axis.gain_variance)
    away = project(X, obs, axis)[1]
    distance = off_disease(away, obs, axis.length, quantile=off_limit, seed=null.seed)
    arms = arms.merge(distance, on=ARM_KEY, how="left")
    return _add_p_values(arms, null, min_rescue)


def _plate_means(members: pd.DataFrame, null: Null) -> pd.DataFrame:
    """Return one row per arm and plate: wells, mean, variance within, and the null variance of the mean."""
    grouped = members.groupby([*ARM_KEY, "plate_id"], observed=True, sort=True, dropna=False)["rescue"]
    table = grouped.agg(k="size", mean="mean", within="var").reset_index()
    table["null_variance"] = [
        null.plate_mean_variance(plate, k) for plate, k in zip(table["plate_id"], table["k"], strict=True)
    ]
    table["well_variance"] = table["plate_id"].map(null.scale).astype(float) ** 2
    return table


def _rescue_table(plates: pd.DataFrame) -> pd.DataFrame:
    """Return rescue and its variance ingredients per arm from the plate means.

    Variances are divided by what the null expects, so that arms with other numbers of wells compare; `ratio` is that
    relative variance and `degrees` what it rests on.
    """
    plates = plates.assign(
        share=plates["k"] / plates.groupby(ARM_KEY, observed=True, dropna=False)["k"].transform("sum"),
    )
    plates["part"] = plates["share"] * plates["mean"]
    plates["part_variance"] = plates["share"] ** 2 * plates["null_variance"]
    plates["within_ss"] = plates["within"].fillna(0.0) * (plates["k"] - 1) / plates["well_variance"]
    table = plates.groupby(ARM_KEY, observed=True, sort=True, dropna=False).agg(
        n_wells=("k", "sum"),
        n_plates=("k", "size"),
        rescue=("part", "sum"),
        null_variance=("part_variance", "sum"),
        between=("mean", "var"),
        expected=("null_variance", "mean"),
        within_ss=("within_ss", "sum"),
    )
    many = table["n_plates"] > 1
    within_degrees = table["n_wells"] - table["n_plates"]
    table["degrees"] = np.where(many, table["n_plates"] - 1, within_degrees).astype(float)
    within = table["within_ss"] / within_degrees.clip(lower=1)
    table["ratio"] = np.where(many, table["between"] / table["expected"], within)
    table["interval_basis"] = np.where(many, "plates", "wells")
    return table.reset_index()


def _add_interval(arms: pd.DataFrame, null: Null, level: float, gain_variance: float) -> None:
    """Add rescue_low, rescue_high, their standard error and null_sd, moderating the relative variances over arms.

    An effect that is stronger on some plates than on others scatters with its size, which moderation over arms,
    most of them without effect, would hide.
    """
    arms["null_sd"] = np.sqrt(arms["null_variance"])
    arms["rescue_se"], arms["interval_df"] = np.nan, np.nan
    for basis in ("plates", "wells"):
        group = arms.index[arms["interval_basis"] == basis]
        posterior, degrees = moderate(
            arms.loc[group, "ratio"].to_numpy(float),
            arms.loc[group, "degrees"].to_numpy(float),
            default=1.0,
            default_degrees=null.degrees,
        )
        if basis == "plates":
            # All arms share the errors of a few centres; where these happen to agree, no arm shows them.
            posterior = np.maximum(posterior, 1.0)
        gain = arms.loc[group, "rescue"] ** 2 * gain_variance / arms.loc[group, "n_plates"]
        arms.loc[group, "rescue_se"] = np.sqrt(posterior * arms.loc[group, "null_variance"] + gain)
        arms.loc[group, "interval_df"] = degrees
    half = stats.t.ppf(0.5 + level / 2, arms["interval_df"]) * arms["rescue_se"]
    arms["rescue_low"], arms["rescue_high"] = arms["rescue"] - half, arms["rescue"] + half


def _add_p_values(arms: pd.DataFrame, null: Null, min_rescue: float) -> pd.DataFrame:
    """Add the test of *rescue at most min_rescue*, its mirror image, and q-values."""
    effect = arms["rescue"] - null.offset
    up, down = (effect - min_rescue) / arms["null_sd"], (-effect - min_rescue) / arms["null_sd"]
    for column in ("p_value", "p_worsens"):
        arms[column] = np.nan
    arms["tail_fitted"] = False
    for (n_wells, n_plates), group in arms[arms["n_wells"] > 0].groupby(["n_wells", "n_plates"]):
        tail = null.tail(1, int(n_wells), int(n_plates))
        arms.loc[group.index, "p_value"] = tail.p_value(up[group.index])
        arms.loc[group.index, "p_worsens"] = tail.p_value(down[group.index])
        arms.loc[group.index, "tail_fitted"] = tail.fitted(up[group.index])
    arms["q_value"] = q_values(arms["p_value"])
    columns = [
        "experiment",
        *ARM_KEY,
        "n_wells",
        "n_plates",
        "rescue",
        "rescue_low",
        "rescue_high",
        "off_disease",
    ]
    extra = ["p_value", "q_value", "p_worsens", "null_sd", "off_limit", "interval_basis", "tail_fitted"]
    return arms[[*columns, *extra, "rescue_se", "interval_df", "off_square_sd"]]
