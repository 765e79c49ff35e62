"""Activity: whether a compound changes cells at all, whatever it does to the disease.

Mean average precision (Kalinin et al. 2025, doi:10.1038/s41467-025-60306-2) as copairs computes it, by whole matrices,
for a screen has millions of pairs: for each well, wells of the same arm on *other* plates are to be found among the
infected untreated wells of those same plates. Same plates on both sides, so what plates share helps neither. The null
is not the random ranking but pseudo-arms of infected untreated wells, treated the same way: wells of one plate are not
independent queries.
"""

import anndata as ad
import numpy as np
import pandas as pd
from scipy import special

from helpers.errors import DataError
from helpers.hits.distance import ARM_KEY
from helpers.hits.multiple import q_values
from helpers.hits.tail import Tail
from helpers.profiles.linalg import principal_axes
from helpers.profiles.selection import as_slice, controls, rows_by, treated, usable

N_COMPONENTS = 50
NULL_SIZE = 2_000
MIN_CONTROLS = 4
"""Infected untreated wells that a plate must have: with fewer there is no ranking to speak of."""
MIN_FEATURES = 3
MIN_NULL = 10
COLUMNS = ["experiment", *ARM_KEY, "n_wells", "n_plates", "map", "map_expected", "p_value", "q_value"]


def activity_map(
    wells: ad.AnnData, *, n_components: int = N_COMPONENTS, null_size: int = NULL_SIZE, seed: int = 0
) -> pd.DataFrame:
    """Return the mean average precision of every arm that stands on several plates, with a p-value.

    Parameters
    ----------
    wells : AnnData
        Normalised wells, scored or not.
    n_components : int
        Principal components in which cosine similarities are taken, from the plate's infected untreated centroid.
    null_size : int
        Pseudo-arms, at least, of each shape (wells per plate, plates) in an experiment.
    seed : int
        Of the pseudo-arms.

    Returns
    -------
    DataFrame
        One row per arm: experiment, treatment, dose_um, n_wells, n_plates, map, map_expected (of a random ranking),
        p_value, q_value (Benjamini-Hochberg over the arms of an experiment). Arms on a single plate are left out, and
        plates with fewer than four infected untreated wells take no part. Empty where nothing can be compared, and with
        fewer than three features, in which angles say little.

    Raises
    ------
    DataError
        If the screen has no embeddings.
    """
    if wells.n_vars == 0:
        raise DataError(
            "the screen has no embeddings, so activity cannot be measured; add an embeddings file"
        )
    tables = []
    experiments = rows_by(wells.obs, "experiment") if wells.n_vars >= MIN_FEATURES else {}
    for rows in experiments.values():
        obs = wells.obs.iloc[rows]
        Z = components(np.asarray(wells.X[as_slice(rows)]), obs, n_components)
        found = _precision_of_arms(Z, obs)
        if len(found):
            tables.append(_test(found, Z, obs, null_size, seed))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def compound_activity(table: pd.DataFrame) -> pd.DataFrame:
    """Return activity per compound: its arms' p-values joined by Simes' test.

    Parameters
    ----------
    table : DataFrame
        From :func:`helpers.hits.activity_map`.

    Returns
    -------
    DataFrame
        experiment, treatment, map_max, p_value (Simes 1986, doi:10.1093/biomet/73.3.751), q_value over the compounds of
        an experiment.

    Examples
    --------
    >>> arms = pd.DataFrame({
    ...     "experiment": "HRCE-1", "treatment": ["one", "one", "two"],
    ...     "map": [0.9, 0.4, 0.2], "p_value": [0.01, 0.04, 0.5],
    ... })
    >>> compound_activity(arms)
      experiment treatment  map_max  p_value  q_value
    0     HRCE-1       one      0.9     0.02     0.04
    1     HRCE-1       two      0.2     0.50     0.50
    """
    keys = ["experiment", "treatment"]
    out = (
        table.groupby(keys, observed=True, sort=True)
        .agg(map_max=("map", "max"), p_value=("p_value", _simes))
        .reset_index()
    )
    out["q_value"] = out.groupby("experiment", observed=True)["p_value"].transform(q_values)
    return out


def components(X: np.ndarray, obs: pd.DataFrame, n_components: int) -> np.ndarray:
    """Return wells of one experiment on principal components, each plate from its infected untreated centroid.

    The components are those of wells relative to their plate's mean. If the plates' own offsets were in, which hold the
    error of the infected untreated wells that plates were centred on, components would be chosen along which these
    wells happen to differ from all others. Plates without infected untreated wells keep the experiment's origin.
    """
    good = usable(obs)
    X = X - X[good].mean(axis=0)
    within = np.zeros_like(X)
    for rows in rows_by(obs, "plate_id").values():
        mine = rows[good[rows]]
        within[mine] = X[mine] - X[mine].mean(axis=0) if len(mine) else 0
    Z = X @ principal_axes(within[good], n_components)
    chosen = controls(obs, "infected")
    for rows in rows_by(obs, "plate_id").values():
        mine = rows[chosen[rows]]
        if len(mine):
            Z[rows] -= Z[mine].mean(axis=0)
    return Z


def _simes(p: pd.Series) -> float:
    ordered = np.sort(p.dropna().to_numpy())
    return float((ordered * len(ordered) / np.arange(1, len(ordered) + 1)).min()) if len(ordered) else np.nan


def _table(obs: pd.DataFrame) -> pd.DataFrame:
    """Return what identifies treated and infected untreated wells: row, arm, plate, position and whether a control."""
    chosen = controls(obs, "infected")
    plates = obs["plate_id"].astype(str)
    enough = plates[chosen].value_counts()
    keep = ((treated(obs) & usable(obs)) | chosen) & plates.isin(
        enough.index[enough >= MIN_CONTROLS]
    ).to_numpy()
    rows = np.flatnonzero(keep)
    table = obs.iloc[rows][[*ARM_KEY, "row", "col"]].assign(
        place=rows, plate=plates.to_numpy()[rows], control=chosen[rows]
    )
    # by position, so that the order of the table does not matter
    return table.sort_values(["plate", "row", "col"], ignore_index=True)


def _plate_sets(table: pd.DataFrame) -> pd.DataFrame:
    """Return arms with the plates they stand on, as one string, and their shape; arms on one plate are left out."""
    arms = table[~table["control"]].groupby([*ARM_KEY, "plate"], observed=True, dropna=False).size()
    arms = arms.rename("k").reset_index()
    grouped = arms.groupby(ARM_KEY, observed=True, dropna=False, sort=True)
    out = grouped.agg(
        n_wells=("k", "sum"), n_plates=("k", "size"), plates=("plate", lambda p: "|".join(sorted(p)))
    )
    return out[out["n_plates"] > 1].reset_index()


def _precision_of_arms(Z: np.ndarray, obs: pd.DataFrame) -> pd.DataFrame:
    """Return treatment, dose_um, n_wells, n_plates, plates, map and map_expected of the arms of one experiment."""
    table = _table(obs)
    arms = _plate_sets(table)
    if not len(arms):
        return arms
    arms["arm"] = np.arange(len(arms))
    table = table.merge(arms[[*ARM_KEY, "arm"]], on=ARM_KEY, how="left")
    found = []
    for plates, group in arms.groupby("plates", sort=True):
        here = table["plate"].isin(plates.split("|"))
        wells = table[here & table["arm"].isin(group["arm"]) & ~table["control"]]
        others = table[here & table["control"]]
        precision, expected = average_precision(
            Z[wells["place"]],
            wells["arm"].to_numpy(),
            wells["plate"].to_numpy(),
            Z[others["place"]],
            others["plate"].to_numpy(),
        )
        parts = pd.DataFrame({"arm": wells["arm"].to_numpy(), "map": precision, "map_expected": expected})
        found.append(parts.groupby("arm").mean().reset_index())
    return arms.merge(pd.concat(found), on="arm")


def average_precision(
    Z: np.ndarray, arm: np.ndarray, plate: np.ndarray, others: np.ndarray, other_plate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each well's average precision, and what a random ranking would give.

    Parameters
    ----------
    Z, arm, plate : array
        Treated wells, shape (n_wells, n_components), their arms and plates.
    others, other_plate : array
        Infected untreated wells and their plates.

    Returns
    -------
    precision, expected
        Each of shape (n_wells,), missing for a well whose arm has no well on another plate.
    """
    Z, others = _unit_rows(Z), _unit_rows(others)
    precision, expected = np.full(len(Z), np.nan), np.full(len(Z), np.nan)
    for name in np.unique(plate):
        queries, mates = np.flatnonzero(plate == name), np.flatnonzero(plate != name)
        mates = mates[np.argsort(arm[mates], kind="stable")]
        first, last = (np.searchsorted(arm[mates], arm[queries], side=side) for side in ("left", "right"))
        count = last - first
        slot = first[:, None] + np.arange(count.max(initial=0))
        real = slot < last[:, None]
        positive = (
            Z[mates[np.where(real, slot, 0)]] if len(mates) else np.zeros((len(queries), 0, Z.shape[1]))
        )
        similar = np.einsum("qd,qpd->qp", Z[queries], positive)
        similar = -np.sort(np.where(real, -similar, np.inf), axis=1)
        negative = Z[queries] @ others[other_plate != name].T
        above = (negative[:, None, :] > similar[:, :, None]).sum(axis=2)
        place = np.arange(1, similar.shape[1] + 1)
        terms = np.where(np.sort(~real, axis=1), 0.0, place / (place + above))
        some = count > 0
        precision[queries[some]] = terms[some].sum(axis=1) / count[some]
        expected[queries[some]] = expected_precision(count[some], negative.shape[1])
    return precision, expected


def expected_precision(n_positive: np.ndarray, n_negative: np.ndarray) -> np.ndarray:
    """Return the mean average precision of random rankings (Bestgen 2015, doi:10.1515/pralin-2015-0007)."""
    total = np.asarray(n_positive) + n_negative
    harmonic = special.digamma(total + 1) + np.euler_gamma
    return (harmonic + (n_positive - 1) / np.maximum(total - 1, 1) * (total - harmonic)) / total


def _unit_rows(Z: np.ndarray) -> np.ndarray:
    return Z / np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-12)


def _test(arms: pd.DataFrame, Z: np.ndarray, obs: pd.DataFrame, null_size: int, seed: int) -> pd.DataFrame:
    """Add experiment, p_value and q_value; what is compared is the precision beyond that of a random ranking."""
    table = _table(obs)
    pools = table[table["control"]]
    arms["p_value"] = np.nan
    gain = (arms["map"] - arms["map_expected"]) / (1 - arms["map_expected"])
    for n_wells, group in arms.groupby("n_wells", sort=True):
        for n_plates, same in group.groupby("n_plates", sort=True):
            null = _pseudo_gains(pools, Z, sorted(set(same["plates"])), int(n_wells), null_size, seed)
            if len(null) >= MIN_NULL * int(n_plates):
                arms.loc[same.index, "p_value"] = Tail(null).p_value(gain[same.index].to_numpy())
    arms["q_value"] = q_values(arms["p_value"])
    return arms.assign(experiment=str(obs["experiment"].iloc[0]))[COLUMNS]


def _pseudo_gains(
    pools: pd.DataFrame, Z: np.ndarray, sets: list[str], n_wells: int, null_size: int, seed: int
) -> np.ndarray:
    """Return the precision beyond chance of pseudo-arms of infected untreated wells on the given sets of plates.

    In each round the infected untreated wells of a set of plates are dealt out to pseudo-arms; each pseudo-arm is to be
    told from all the others.
    """
    found, per_set = [], -(-null_size // len(sets))
    for number, plates in enumerate(sets):
        rng = np.random.default_rng([seed, n_wells, number])
        names = plates.split("|")
        own = [np.flatnonzero(pools["plate"].to_numpy() == name) for name in names]
        own = [wells for wells in own if len(wells)]
        counts = np.full(len(names), n_wells // len(names)) + (np.arange(len(names)) < n_wells % len(names))
        if len(own) < len(names) or min(map(len, own)) < 2 * counts.max():
            continue  # two pseudo-arms at least, else there is nothing to be told from
        ranks = _cross_plate_ranks(_unit_rows(Z[pools["place"]]), pools["plate"].to_numpy(), own)
        n_arms = min(map(len, own)) // counts.max()
        for _ in range(-(-per_set // n_arms)):
            members = np.hstack(
                [
                    rng.permutation(wells)[: n_arms * k].reshape(n_arms, k)
                    for wells, k in zip(own, counts, strict=True)
                ]
            )
            found.append(_gains(ranks, members, np.repeat(np.arange(len(names)), counts), own))
            counts = rng.permutation(counts)
    return np.concatenate(found) if found else np.empty(0)


def _cross_plate_ranks(Z: np.ndarray, plate: np.ndarray, own: list[np.ndarray]) -> np.ndarray:
    """Return the rank (1 = most alike) of each control among those of the set's other plates, for each as query."""
    inside = np.zeros(len(Z), dtype=bool)
    inside[np.concatenate(own)] = True
    similar = Z @ Z.T
    similar[(plate[:, None] == plate) | ~inside] = -np.inf
    return (-similar).argsort(axis=1, kind="stable").argsort(axis=1) + 1


def _gains(
    ranks: np.ndarray, members: np.ndarray, column_plate: np.ndarray, own: list[np.ndarray]
) -> np.ndarray:
    """Return the precision beyond chance of pseudo-arms, shape (n_arms,).

    Parameters
    ----------
    ranks : array
        From `_cross_plate_ranks`.
    members : array
        Wells of each pseudo-arm, shape (n_arms, n_wells).
    column_plate : array
        The plate of each of these columns.
    own : list of arrays
        Wells of each plate.
    """
    sizes = np.array([len(wells) for wells in own])
    total = np.zeros(len(members))
    for column, plate in enumerate(column_plate):
        others = members[:, column_plate != plate]
        place = np.sort(np.take_along_axis(ranks[members[:, column]], others, axis=1), axis=1)
        n = others.shape[1]
        precision = (np.arange(1, n + 1) / place).mean(axis=1)
        expected = expected_precision(n, sizes.sum() - sizes[plate] - n)
        total += (precision - expected) / (1 - expected)
    return total / members.shape[1]
