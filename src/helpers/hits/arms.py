"""Arms: one treatment at one dose in one experiment, with its rescue, its interval and its distance from the axis."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.hits.axis import fit_axis, project
from helpers.hits.moderation import moderate
from helpers.hits.null import Null, benjamini_hochberg
from helpers.profiles.selection import as_slice, controls, rows_by, treated, usable

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
        The columns of arms.csv plus `interval_basis`, `null_sd`, `p_worsens`, `tail_fitted`, and `off_limit`: the
        off-disease that noise alone exceeds once in a thousand arms of this size. Arms all of whose wells failed are
        kept, with `n_wells` 0 and missing numbers; wells without a dose form one arm of their compound.
    """
    obs = scored.obs.iloc[rows]
    members = obs[treated(obs)]
    arms = members.groupby(ARM_KEY, observed=True, sort=True, dropna=False).size().index.to_frame(index=False)
    arms.insert(0, "experiment", str(obs["experiment"].iloc[0]))
    counts = _plate_means(members[usable(members)], null)
    arms = arms.merge(_rescue_table(counts), on=ARM_KEY, how="left")
    arms[["n_wells", "n_plates"]] = arms[["n_wells", "n_plates"]].fillna(0).astype(int)
    arms["interval_basis"] = arms["interval_basis"].fillna("")
    _add_interval(arms, null, level)
    X = np.asarray(scored.X[as_slice(rows)])
    axis = fit_axis(X, obs)
    away = _relative_to_plate(project(X, obs, axis)[1], obs)
    arms = arms.merge(_off_disease(away, obs, axis.length, null.seed), on=ARM_KEY, how="left")
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


def _off_disease(away: np.ndarray, obs: pd.DataFrame, length: float, seed: int) -> pd.DataFrame:
    """Return the unbiased off-disease of each arm and the value that noise alone seldom exceeds, in axis lengths.

    `away` are rejections relative to each plate's infected untreated wells.
    """
    chosen = np.flatnonzero(treated(obs) & usable(obs))
    members = obs.iloc[chosen]
    keys = [*ARM_KEY, "plate_id"]
    group = members.groupby(keys, observed=True, sort=True, dropna=False).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    table = members.iloc[order[starts]][ARM_KEY].reset_index(drop=True)
    arm = table.groupby(ARM_KEY, observed=True, sort=True, dropna=False).ngroup().to_numpy()
    noise = _noise_square(away, obs)
    squared, n_wells, n_plates = _mean_square(away[chosen[order]], starts, arm, noise)
    out = table.drop_duplicates(ARM_KEY).reset_index(drop=True)
    out["off_disease"] = np.sqrt(np.maximum(squared, 0)) / length
    limits = {
        shape: np.sqrt(max(_noise_limit(away, obs, *shape, noise, seed), 0.0)) / length
        for shape in set(zip(n_wells, n_plates, strict=True))
    }
    out["off_limit"] = [limits[shape] for shape in zip(n_wells, n_plates, strict=True)]
    return out


def _mean_square(
    rejections: np.ndarray, starts: np.ndarray, arm: np.ndarray, noise: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the squared length of each arm's mean rejection without noise, its wells and its plates.

    Parameters
    ----------
    rejections
        Wells sorted by arm, then plate, shape (n_wells, n_features).
    starts
        Where each arm-and-plate begins, shape (n_parts,).
    arm
        The arm of each part, 0, 1, ... ascending, shape (n_parts,).
    noise
        Squared length that noise adds to a well, and to a plate's centre.
    """
    first = np.flatnonzero(np.diff(arm, prepend=-1))
    sums = np.add.reduceat(rejections, starts, axis=0)
    total = np.add.reduceat(sums, first, axis=0)
    k = np.diff(np.append(starts, len(rejections)))
    well_squares = np.add.reduceat(np.einsum("ij,ij->i", rejections, rejections, dtype=np.float64), starts)
    n, kk = np.add.reduceat(k, first), np.add.reduceat(k**2, first)
    plates = np.diff(np.append(first, len(starts)))
    square = np.einsum("ij,ij->i", total, total, dtype=np.float64)
    same_plate = np.add.reduceat(np.einsum("ij,ij->i", sums, sums, dtype=np.float64), first)
    same_well = np.add.reduceat(well_squares, first)
    across = (square - same_plate) / np.maximum(n**2 - kk, 1)
    # wells of one plate share the error of its centre, which their products therefore hold
    within = (square - same_well) / np.maximum(n**2 - n, 1) - noise[1]
    single = square - noise[0] - noise[1]
    return np.select([plates > 1, n > 1], [across, within], default=single), n, plates


def _noise_square(away: np.ndarray, obs: pd.DataFrame) -> tuple[float, float]:
    """Return the mean squared noise of a well and of a plate's centre, from infected untreated wells."""
    chosen = controls(obs, "infected")
    counts = obs.loc[chosen, "plate_id"].astype(str).value_counts().to_numpy()
    degrees = max(counts.sum() - len(counts), 1)
    well = float(np.einsum("ij,ij->", away[chosen], away[chosen], dtype=np.float64) / degrees)
    return well, well * float(np.mean(1 / counts))


def _noise_limit(away, obs, n_wells: int, n_plates: int, noise, seed: int, n_draws: int = 300) -> float:
    """Return the squared off-disease that pseudo-arms of infected untreated wells exceed once in a thousand.

    Mean and standard deviation of 300 draws, taken as Gaussian. A single well has no finite limit, for nothing tells
    a failed well from a toxic compound then.
    """
    if n_wells < 2:
        return np.inf
    rng = np.random.default_rng([seed, n_wells, n_plates])
    pools = [rows for rows in _reference_rows(obs) if len(rows) >= -(-n_wells // n_plates)]
    if len(pools) < n_plates:
        return np.inf
    counts = np.full(n_plates, n_wells // n_plates) + (np.arange(n_plates) < n_wells % n_plates)
    picks, starts, arm = [], [], []
    for draw in range(n_draws):
        for pool, k in zip(rng.permutation(len(pools))[:n_plates], counts, strict=True):
            starts.append(sum(map(len, picks)) if not picks else starts[-1] + len(picks[-1]))
            picks.append(rng.choice(pools[pool], size=k, replace=False))
            arm.append(draw)
    squared, _, _ = _mean_square(away[np.concatenate(picks)], np.array(starts), np.array(arm), noise)
    limit = float(squared.mean() + 3.1 * squared.std())
    # On one plate the error of its centre is in every arm and in no pseudo-arm; a few correlated directions hold most
    # of it, so its squared length scatters like a chi-square of three: five times its mean is seldom exceeded.
    return limit if n_plates > 1 else limit + 5 * noise[1]


def _reference_rows(obs: pd.DataFrame) -> list[np.ndarray]:
    chosen = controls(obs, "infected")
    return [mine for rows in rows_by(obs, "plate_id").values() if len(mine := np.sort(rows[chosen[rows]]))]


def _relative_to_plate(away: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
    """Return rejections relative to the mean infected untreated well of each plate that has any."""
    chosen = controls(obs, "infected")
    away = away.copy()
    for rows in rows_by(obs, "plate_id").values():
        mine = rows[chosen[rows]]
        if len(mine):
            away[as_slice(rows)] -= away[mine].mean(axis=0)
    return away


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
    extra = ["p_value", "q_value", "p_worsens", "null_sd", "off_limit", "interval_basis", "tail_fitted"]
    return arms[columns + extra]
