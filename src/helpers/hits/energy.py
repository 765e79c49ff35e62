"""Energy distance: whether a compound's wells differ in distribution from infected untreated ones.

The energy distance (Szekely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018) is zero only if two distributions are equal,
so it sees any change of cells, in whatever direction, and assumes no shape. Labels are permuted within plates, so
plates and their shifts cannot make a difference.

Among all wells of a compound, those of one dose that does something are lost. So three windows are tested, all doses,
the upper half of them and the highest one; the largest of the three counts, each in units of its own permutations, and
the same is done with the permuted wells.
"""

from collections.abc import Iterator

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.hits.activity import N_COMPONENTS, components
from helpers.hits.distance import ARM_KEY, MIN_ARMS
from helpers.hits.multiple import q_values
from helpers.hits.tail import Tail
from helpers.profiles.selection import as_slice, controls, rows_by, treated, usable

N_PERMUTATIONS = 1_000
MIN_PERMUTATIONS = 100
MAX_EXCESS = 1.2
WINDOWS = (1.0, 0.5, 0.0)
"""Shares of a compound's doses that are tested together, from the highest down; always at least one dose."""
COLUMNS = ["experiment", "treatment", "n_wells", "n_plates", "energy", "p_value", "q_value"]


def energy_test(
    wells: ad.AnnData,
    *,
    n_components: int = N_COMPONENTS,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every compound's wells with the infected untreated wells of the same plates.

    The permutation test needs wells that are alike but for the compound. A recipe that whitens by the infected
    untreated wells themselves (sphering, tvn) makes those quieter than any others; the test would find every compound.
    Where the variance of wells of one arm and plate is more than 1.2 times that of infected untreated wells, p-values
    are missing.

    Parameters
    ----------
    wells : AnnData
        Normalised wells, scored or not.
    n_components : int
        Principal components in which Euclidean distances are taken.
    n_permutations : int
        Of the labels within each plate, at least 100; beyond them a generalised Pareto tail gives the p-value.
    seed : int
        Of the permutations.

    Returns
    -------
    DataFrame
        One row per experiment and treatment: n_wells, n_plates, energy (energy distance of all doses, mean over plates
        weighted as in the test, in embedding units), p_value (of the largest of the windows), q_value
        (Benjamini-Hochberg over an experiment's compounds).

    Raises
    ------
    DataError
        If the screen has no embeddings.
    UsageError
        For too few permutations.
    """
    if wells.n_vars == 0:
        raise DataError(
            "the screen has no embeddings, so distances cannot be measured; add an embeddings file"
        )
    if n_permutations < MIN_PERMUTATIONS:
        raise UsageError(f"n_permutations={n_permutations} is too few; choose at least {MIN_PERMUTATIONS}")
    tables = []
    for experiment, rows in rows_by(wells.obs, "experiment").items():
        obs = wells.obs.iloc[rows]
        Z = components(np.asarray(wells.X[as_slice(rows)]), obs, n_components)
        table = _test_compounds(Z, obs, n_permutations, seed)
        if noise_excess(Z, obs) > MAX_EXCESS:
            table[["p_value", "q_value"]] = np.nan
        tables.append(table.assign(experiment=str(experiment))[COLUMNS])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def noise_excess(Z: np.ndarray, obs: pd.DataFrame) -> float:
    """Return the variance of wells within arm and plate relative to that of infected untreated wells within plate.

    The median over arms, for toxic compounds scatter more; missing (nan) where there is nothing to compare.
    """
    plates = obs["plate_id"].astype(str).to_numpy()
    reference, members = controls(obs, "infected"), treated(obs) & usable(obs)
    own = _within_variance(Z[reference], pd.Series(plates[reference]))
    keys = obs.loc[members, ARM_KEY].assign(plate=plates[members])
    arms = _within_variance(
        Z[members], keys.groupby([*ARM_KEY, "plate"], observed=True, dropna=False).ngroup()
    )
    if not len(own) or len(arms) < MIN_ARMS:
        return np.nan
    return float(np.median(arms["variance"]) / np.average(own["variance"], weights=own["degrees"]))


def _within_variance(Z: np.ndarray, groups: pd.Series) -> pd.DataFrame:
    """Return variance (summed over components) and degrees of freedom of each group of several wells."""
    table = pd.DataFrame(Z).groupby(groups.to_numpy(), sort=True)
    degrees = table.size() - 1
    out = pd.DataFrame({"variance": table.var().sum(axis=1), "degrees": degrees})
    return out[out["degrees"] > 0]


def _test_compounds(Z: np.ndarray, obs: pd.DataFrame, n_permutations: int, seed: int) -> pd.DataFrame:
    """Add up the plates of every compound: each by the harmonic size of its two samples, the test's own weight."""
    sums: dict[str, list] = {}
    limits = _lowest_doses(obs)
    plates = sorted(rows_by(obs, "plate_id").items(), key=lambda item: str(item[0]))
    for number, (_, rows) in enumerate(plates):
        plate = _plate_energies(Z[rows], obs.iloc[rows], limits, n_permutations, [seed, number])
        for name, n, weight, values in plate:
            old = sums.get(name, [0, 0, 0.0, 0.0])
            sums[name] = [old[0] + n, old[1] + 1, old[2] + weight[0], old[3] + weight[:, None] * values]
    records = [
        {
            "treatment": name,
            "n_wells": n,
            "n_plates": n_plates,
            "energy": values[0, 0] / weight,
            "p_value": _p_value(values),
        }
        for name, (n, n_plates, weight, values) in sorted(sums.items())
    ]
    table = pd.DataFrame(records, columns=COLUMNS[1:-1])
    table["q_value"] = q_values(table["p_value"].astype(float))
    return table


def _lowest_doses(obs: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the lowest dose of each window of each compound, -inf where it has no doses, shape (n_windows,)."""
    members = obs[treated(obs) & usable(obs)]
    limits = {}
    for name, doses in members["dose_um"].groupby(members["treatment"].astype(str)):
        levels = np.sort(doses.dropna().unique())[::-1]
        last = [max(int(np.ceil(share * len(levels))), 1) - 1 for share in WINDOWS]
        limits[name] = levels[last] if len(levels) else np.full(len(WINDOWS), -np.inf)
        limits[name][0] = -np.inf  # wells without a dose belong to all doses
    return limits


def _p_value(values: np.ndarray) -> float:
    """Return the p-value of the largest window; the first column is what was found, the others are permuted."""
    centre, spread = values[:, 1:].mean(axis=1, keepdims=True), values[:, 1:].std(axis=1, keepdims=True)
    largest = ((values - centre) / np.maximum(spread, 1e-12)).max(axis=0)
    return float(Tail(largest[1:]).p_value(largest[0]))


def _plate_energies(
    Z: np.ndarray, obs: pd.DataFrame, limits: dict, n_permutations: int, seed: list
) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Yield treatment, number of wells, weights (n_windows,), and energies (n_windows, 1 + n_permutations).

    The first column is found, the others are permuted. Compounds with as many wells in each window take the same
    permutations: each test is valid by itself, and nothing needs them to be independent of each other.
    """
    order = np.lexsort([obs["col"].to_numpy(), obs["row"].to_numpy()])
    Z, obs = Z[order].astype(np.float64), obs.iloc[order]
    reference = np.flatnonzero(controls(obs, "infected"))
    members = np.flatnonzero(treated(obs) & usable(obs))
    if len(reference) < 2 or not len(members):
        return
    squares = np.einsum("ij,ij->i", Z, Z)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * Z @ Z.T, 0)).astype(np.float32)
    np.fill_diagonal(distance, 0)
    dose = np.nan_to_num(obs["dose_um"].to_numpy(float), nan=-np.inf)
    ranks: dict[int, np.ndarray] = {}
    groups = pd.Series(members).groupby(obs["treatment"].astype(str).to_numpy()[members], sort=True)
    for name, mine in groups:
        own = mine.to_numpy()[np.argsort(-dose[mine.to_numpy()], kind="stable")]
        total = len(own) + len(reference)
        if len(own) not in ranks:
            ranks[len(own)] = _permutations(total, n_permutations, np.random.default_rng([*seed, len(own)]))
        sizes = (dose[own][:, None] >= limits[name]).sum(axis=0)
        pool = np.r_[own, reference]
        values = energies(distance[np.ix_(pool, pool)], ranks[len(own)], sizes, len(own))
        yield name, len(own), sizes * len(reference) / (sizes + len(reference)), values


def _permutations(total: int, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Return which place each well takes, shape (total, 1 + n_permutations): first its own, then ones drawn."""
    drawn = rng.random((total, n_permutations)).argsort(axis=0).argsort(axis=0)
    return np.hstack([np.arange(total)[:, None], drawn])


def energies(distance: np.ndarray, places: np.ndarray, sizes: np.ndarray, n: int) -> np.ndarray:
    """Return the energy distances between windows of a compound and the reference, for each column of places.

    Parameters
    ----------
    distance : array
        Between wells, shape (total, total), zero diagonal.
    places : array
        Place of each well, shape (total, n_columns): 0 to n - 1 are those of the compound, from the highest dose
        down, the others those of the reference.
    sizes : array
        How many of the compound's places are in each window, shape (n_windows,), the largest, n, first.
    n : int
        Places of the compound.

    Returns
    -------
    ndarray, shape (n_windows, n_columns)
        0 for an empty window.
    """
    rest = (places >= n).astype(np.float32)
    to_rest, m = distance @ rest, len(places) - n
    within_rest = np.einsum("ij,ij->j", rest, to_rest, dtype=np.float64) / m**2
    whole = distance.sum(axis=1, dtype=np.float64)[:, None] - to_rest
    out = np.zeros((len(sizes), places.shape[1]))
    done: dict[int, np.ndarray] = {}
    for number, size in enumerate(sizes):
        if size and size not in done:
            window = (places < size).astype(np.float32)
            to_window = whole if size == n else distance @ window
            between = np.einsum("ij,ij->j", window, to_rest, dtype=np.float64) / (size * m)
            within = np.einsum("ij,ij->j", window, to_window, dtype=np.float64) / size**2
            done[size] = 2 * between - within - within_rest
        if size:
            out[number] = done[size]
    return out
