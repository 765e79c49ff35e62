"""Energy distance: whether a compound's wells, all doses together, differ in distribution from infected untreated ones.

The energy distance (Szekely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018) is zero only if two distributions are equal,
so it sees any change of cells, in whatever direction, and assumes no shape. Labels are permuted within plates, so
plates and their shifts cannot make a difference.
"""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.hits.activity import N_COMPONENTS, components
from helpers.hits.distance import ARM_KEY, MIN_ARMS
from helpers.hits.null import Tail, benjamini_hochberg
from helpers.profiles.selection import as_slice, controls, rows_by, treated, usable

N_PERMUTATIONS = 1_000
MIN_PERMUTATIONS = 100
MAX_EXCESS = 1.2
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
    wells
        Normalised wells, scored or not.
    n_components
        Principal components in which Euclidean distances are taken.
    n_permutations
        Of the labels within each plate, at least 100; beyond them a generalised Pareto tail gives the p-value.
    seed
        Of the permutations.

    Returns
    -------
    DataFrame
        One row per experiment and treatment: n_wells, n_plates, energy (energy distance, mean over plates weighted as
        in the test, in embedding units), p_value, q_value (Benjamini-Hochberg over an experiment's compounds).

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
    plates = sorted(rows_by(obs, "plate_id").items(), key=lambda item: str(item[0]))
    for number, (_, rows) in enumerate(plates):
        for name, n, weight, values in _plate_energies(
            Z[rows], obs.iloc[rows], n_permutations, [seed, number]
        ):
            old = sums.get(name, [0, 0, 0.0, 0.0])
            sums[name] = [old[0] + n, old[1] + 1, old[2] + weight, old[3] + weight * values]
    records = [
        {
            "treatment": name,
            "n_wells": n,
            "n_plates": n_plates,
            "energy": values[0] / weight,
            "p_value": float(Tail(values[1:]).p_value(values[0])),
        }
        for name, (n, n_plates, weight, values) in sorted(sums.items())
    ]
    table = pd.DataFrame(records, columns=COLUMNS[1:-1])
    table["q_value"] = benjamini_hochberg(table["p_value"].astype(float))
    return table


def _plate_energies(Z: np.ndarray, obs: pd.DataFrame, n_permutations: int, seed: list):
    """Yield treatment, number of wells, weight, and energy distances: the found one, then the permuted ones.

    Compounds with as many wells take the same permutations: each test is valid by itself, and nothing needs them to
    be independent of each other.
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
    labels: dict[int, np.ndarray] = {}
    groups = pd.Series(members).groupby(obs["treatment"].astype(str).to_numpy()[members], sort=True)
    for name, mine in groups:
        n, total = len(mine), len(mine) + len(reference)
        if n not in labels:
            labels[n] = _permutations(n, total, n_permutations, np.random.default_rng([*seed, n]))
        pool = np.r_[mine.to_numpy(), reference]
        yield name, n, n * (total - n) / total, energies(distance[np.ix_(pool, pool)], labels[n])


def _permutations(n: int, total: int, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Return labels, shape (total, 1 + n_permutations): the first n ones, then n ones drawn at random."""
    first = (np.arange(total) < n)[:, None]
    drawn = rng.random((total, n_permutations)).argsort(axis=0) < n
    return np.hstack([first, drawn]).astype(np.float32)


def energies(distance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the energy distance between wells with label 1 and label 0, for each column of labels.

    Parameters
    ----------
    distance
        Between wells, shape (n, n), zero diagonal.
    labels
        Zeros and ones, shape (n, n_columns).
    """
    n, m = labels.sum(axis=0), len(labels) - labels.sum(axis=0)
    one = np.einsum("ij,ij->j", labels, distance @ labels, dtype=np.float64)
    cut = distance.sum(axis=1, dtype=np.float64) @ labels.astype(np.float64)
    between = cut - one
    zero = distance.sum(dtype=np.float64) - 2 * between - one
    return 2 * between / (n * m) - one / n**2 - zero / m**2
