"""Arms: one treatment at one dose in one experiment, with its rescue, its interval and its distance from the axis."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.axis import Axis, axis_kind, fit_axis, project
from helpers.hits.distance import ARM_KEY, off_disease
from helpers.hits.moderation import moderate
from helpers.hits.multiple import q_values
from helpers.hits.null import Null
from helpers.hits.robust import draw_in_arms
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
    X = np.asarray(scored.X[as_slice(rows)])
    # it was long enough when the wells were scored
    axis = fit_axis(X, obs, axis_kind(scored, obs["experiment"].iloc[0]), min_length=0.0)
    counts = _plate_means(members[usable(members)], null, axis)
    arms = arms.merge(_rescue_table(counts), on=ARM_KEY, how="left")
    arms[["n_wells", "n_plates"]] = arms[["n_wells", "n_plates"]].fillna(0).astype(int)
    arms["interval_basis"] = arms["interval_basis"].fillna("")
    _add_interval(arms, null, level, axis.windows.common)
    away = project(X, obs, axis)[1]
    distance = off_disease(away, obs, axis.length, quantile=off_limit, seed=null.seed)
    arms = arms.merge(distance, on=ARM_KEY, how="left")
    return _add_p_values(arms, null, min_rescue)


def _plate_means(members: pd.DataFrame, null: Null, axis: Axis) -> pd.DataFrame:
    """Return one row per arm and plate: wells, mean, variance within, and what to expect of these.

    Wells are drawn in towards the middle of their arm first. `null_variance` is that of the plain mean without effect,
    `expected_variance` that of the mean of wells drawn in, and `gain_variance` how little is known of the strength of
    effects on the plate.
    """
    plate = members["plate_id"].astype(object)
    scale = plate.map(null.scale).to_numpy(float)
    gain = plate.map(axis.windows.variances).to_numpy(float)
    effect = members["rescue"].to_numpy(float)
    spread = np.sqrt(scale**2 + plate.map(null.plate_variance).to_numpy(float) + gain * effect**2)
    arm = members.groupby(ARM_KEY, observed=True, sort=True, dropna=False).ngroup().to_numpy()
    drawn = draw_in_arms(effect - null.offset, spread, arm) + null.offset
    grouped = members.assign(rescue=drawn).groupby(
        [*ARM_KEY, "plate_id"], observed=True, sort=True, dropna=False
    )
    table = grouped["rescue"].agg(k="size", mean="mean", within="var").reset_index()
    table["null_variance"] = [
        null.plate_mean_variance(plate, k) for plate, k in zip(table["plate_id"], table["k"], strict=True)
    ]
    n_wells = table.groupby(ARM_KEY, observed=True, dropna=False)["k"].transform("sum")
    efficiency = n_wells.map({n: null.efficiency(n) for n in n_wells.unique()})
    own = table["plate_id"].astype(object).map(null.scale).astype(float) ** 2 / table["k"]
    table["own_variance"] = efficiency * own
    table["expected_variance"] = table["null_variance"] - own + table["own_variance"]
    table["well_variance"] = table["plate_id"].map(null.scale).astype(float) ** 2
    table["gain_variance"] = table["plate_id"].astype(object).map(axis.windows.variances).astype(float)
    table["leaning"] = table["plate_id"].astype(object).map(axis.windows.leaning).astype(float)
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
    plates["part_expected"] = plates["share"] ** 2 * plates["expected_variance"]
    plates["part_own"] = plates["share"] ** 2 * plates["own_variance"]
    plates["part_leaning"] = plates["share"] * plates["leaning"]
    plates["part_gain"] = plates["share"] ** 2 * plates["gain_variance"]
    plates["within_ss"] = plates["within"].fillna(0.0) * (plates["k"] - 1) / plates["well_variance"]
    table = plates.groupby(ARM_KEY, observed=True, sort=True, dropna=False).agg(
        n_wells=("k", "sum"),
        n_plates=("k", "size"),
        rescue=("part", "sum"),
        null_variance=("part_variance", "sum"),
        own_gain=("part_gain", "sum"),
        leaning=("part_leaning", "sum"),
        between=("mean", "var"),
        expected_variance=("part_expected", "sum"),
        own_variance=("part_own", "sum"),
        expected=("expected_variance", "mean"),
        within_ss=("within_ss", "sum"),
    )
    many = table["n_plates"] > 1
    within_degrees = table["n_wells"] - table["n_plates"]
    table["degrees"] = np.where(many, table["n_plates"] - 1, within_degrees).astype(float)
    within = table["within_ss"] / within_degrees.clip(lower=1)
    table["ratio"] = np.where(many, table["between"] / table["expected"], within)
    table["interval_basis"] = np.where(many, "plates", "wells")
    return table.reset_index()


def _add_interval(arms: pd.DataFrame, null: Null, level: float, common: float) -> None:
    """Add rescue_low, rescue_high, their standard error and null_sd, moderating the relative variances over arms.

    Two things scatter with the size of an effect, which moderation over arms, most of them without effect, would hide:
    plates show it more or less strongly, and wells that are rescued scatter as mock wells do.
    """
    arms["null_sd"] = np.sqrt(arms["null_variance"])
    arms["rescue_se"], arms["interval_df"] = np.nan, np.nan
    for basis in ("plates", "wells"):
        group = arms.index[arms["interval_basis"] == basis]
        effect = arms.loc[group, "rescue"]
        # wells so far rescued scatter so much more; relative to that, or moderation would share it with idle arms
        spread = 1 + effect.clip(0, 1) * max(null.spread_gain - 1, 0.0)
        own, expected = arms.loc[group, "own_variance"], arms.loc[group, "expected_variance"]
        whole = 1 + (spread - 1) * own / expected
        posterior, degrees = moderate(
            (arms.loc[group, "ratio"] / (whole if basis == "plates" else spread)).to_numpy(float),
            arms.loc[group, "degrees"].to_numpy(float),
            default=1.0,
            default_degrees=null.degrees,
        )
        if basis == "plates" or null.spread_gain > 1:
            # All arms share the errors of a few centres; where these happen to agree, no arm shows them. And how much
            # more rescued wells scatter is known on average only.
            posterior = np.maximum(posterior, 1.0)
        gain = effect**2 * (arms.loc[group, "own_gain"] + arms.loc[group, "leaning"] ** 2 * common)
        arms.loc[group, "rescue_se"] = np.sqrt(posterior * whole * expected + gain)
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
        tail, worse = (null.tail(1, int(n_wells), int(n_plates), worse=side) for side in (False, True))
        arms.loc[group.index, "p_value"] = tail.p_value(up[group.index])
        arms.loc[group.index, "p_worsens"] = worse.p_value(down[group.index])
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
