"""Arms: one treatment at one dose in one experiment, with its rescue, its interval and its distance from the axis."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.axis import Axis, fit_axis, project
from helpers.hits.moderation import moderate
from helpers.hits.null import Null, benjamini_hochberg
from helpers.profiles.selection import as_slice, controls, treated, usable

ARM_KEY = ["treatment", "dose_um"]


def summarize_arms(
    scored: ad.AnnData, rows: np.ndarray, null: Null, *, min_rescue: float, level: float = 0.95
) -> pd.DataFrame:
    """Summarise the arms of one experiment.

    Rescue is the mean over the arm's wells. Its interval takes the plate as the replicate: the variance between
    the arm's plate means, moderated over arms (an arm alone has two degrees of freedom on three plates). On a
    single plate the wells are all there is; `interval_basis` then says `wells`, and plate-to-plate variation is
    not in the interval. The p-value tests *rescue at most `min_rescue`* against the null.

    Off-disease is the length of the mean rejection from the axis, estimated without bias from inner products
    between different plates (between wells on a single plate): the norm of a noisy mean grows with dimension.

    Returns
    -------
    DataFrame
        DESIGN's columns plus `interval_basis`, `null_sd`, `p_worsens`, `tail_fitted`; arms all of whose wells
        failed are kept, with `n_wells` 0 and missing numbers.
    """
    obs = scored.obs.iloc[rows]
    members = obs[treated(obs)]
    arms = members.groupby(ARM_KEY, observed=True, sort=True).size().index.to_frame(index=False)
    arms.insert(0, "experiment", str(obs["experiment"].iloc[0]))
    counts = _plate_means(members[usable(members)], null)
    arms = arms.merge(_rescue_table(counts), on=ARM_KEY, how="left")
    arms[["n_wells", "n_plates"]] = arms[["n_wells", "n_plates"]].fillna(0).astype(int)
    arms["interval_basis"] = arms["interval_basis"].fillna("")
    _add_interval(arms, null, level)
    axis = fit_axis(np.asarray(scored.X[as_slice(rows)]), obs)
    arms = arms.merge(_off_disease(np.asarray(scored.X[as_slice(rows)]), obs, axis), on=ARM_KEY, how="left")
    return _add_p_values(arms, null, min_rescue)


def _plate_means(members: pd.DataFrame, null: Null) -> pd.DataFrame:
    """Return one row per arm and plate: wells, mean, variance within, and the null variance of the mean."""
    grouped = members.groupby([*ARM_KEY, "plate_id"], observed=True, sort=True)["rescue"]
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
        share=plates["k"] / plates.groupby(ARM_KEY, observed=True)["k"].transform("sum"),
    )
    plates["part"] = plates["share"] * plates["mean"]
    plates["part_variance"] = plates["share"] ** 2 * plates["null_variance"]
    plates["within_ss"] = plates["within"].fillna(0.0) * (plates["k"] - 1) / plates["well_variance"]
    table = plates.groupby(ARM_KEY, observed=True, sort=True).agg(
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


def _add_interval(arms: pd.DataFrame, null: Null, level: float) -> None:
    """Add rescue_low, rescue_high and null_sd, moderating the relative variances over arms."""
    arms["null_sd"] = np.sqrt(arms["null_variance"])
    half = pd.Series(np.nan, index=arms.index)
    for basis in ("plates", "wells"):
        group = arms.index[arms["interval_basis"] == basis]
        posterior, degrees = moderate(
            arms.loc[group, "ratio"].to_numpy(float),
            arms.loc[group, "degrees"].to_numpy(float),
            default=1.0,
            default_degrees=null.degrees,
        )
        half[group] = stats.t.ppf(0.5 + level / 2, degrees) * np.sqrt(posterior) * arms.loc[group, "null_sd"]
    arms["rescue_low"], arms["rescue_high"] = arms["rescue"] - half, arms["rescue"] + half


def _off_disease(X: np.ndarray, obs: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return the unbiased off-disease of each arm, in axis lengths."""
    _, away = project(X, obs, axis)
    chosen = np.flatnonzero(treated(obs) & usable(obs))
    members = obs.iloc[chosen]
    group = members.groupby([*ARM_KEY, "plate_id"], observed=True, sort=True).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rejections = away[chosen[order]]
    sums = np.add.reduceat(rejections, starts, axis=0)
    table = members.iloc[order[starts]][ARM_KEY].reset_index(drop=True)
    table["k"] = np.diff(np.append(starts, len(order)))
    table["plate_square"] = np.einsum("ij,ij->i", sums, sums, dtype=np.float64)
    squares = np.einsum("ij,ij->i", rejections, rejections, dtype=np.float64)
    table["well_squares"] = np.add.reduceat(squares, starts)
    by_arm = table.groupby(ARM_KEY, observed=True, sort=True)
    # group numbers run in the order of the keys, so the plate sums of an arm stand next to each other
    first = np.flatnonzero(~table.duplicated(ARM_KEY))
    total = np.add.reduceat(sums, first, axis=0)
    out = by_arm.agg(
        n=("k", "sum"),
        kk=("k", lambda k: (k**2).sum()),
        plates=("k", "size"),
        same_plate=("plate_square", "sum"),
        same_well=("well_squares", "sum"),
    ).reset_index()
    out["total"] = np.einsum("ij,ij->i", total, total, dtype=np.float64)
    squared = _unbiased_square(out, _noise_square(away, obs))
    out["off_disease"] = np.sqrt(np.maximum(squared, 0)) / axis.length
    return out[[*ARM_KEY, "off_disease"]]


def _unbiased_square(sums: pd.DataFrame, noise: float) -> np.ndarray:
    """Return the squared length of the mean rejection, from products of wells that share no noise."""
    across = (sums["total"] - sums["same_plate"]) / (sums["n"] ** 2 - sums["kk"]).clip(lower=1)
    within = (sums["total"] - sums["same_well"]) / (sums["n"] ** 2 - sums["n"]).clip(lower=1)
    single = sums["total"] - noise
    return np.select([sums["plates"] > 1, sums["n"] > 1], [across, within], default=single)


def _noise_square(away: np.ndarray, obs: pd.DataFrame) -> float:
    """Return the mean squared rejection of infected untreated wells, all of which is noise."""
    reference = away[controls(obs, "infected")]
    return float(np.einsum("ij,ij->", reference, reference, dtype=np.float64) / max(len(reference), 1))


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
    arms["q_value"] = benjamini_hochberg(arms["p_value"])
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
    extra = ["p_value", "q_value", "p_worsens", "null_sd", "interval_basis", "tail_fitted"]
    return arms[columns + extra]
