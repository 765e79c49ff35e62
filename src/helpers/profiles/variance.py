"""How much of the variance between wells goes with what: experiment, plate, condition, position, arm, chance.

The model is additive, x = experiment + plate + condition + position + arm + well, fitted by least squares in this
order; each factor is credited with the sum of squares that it adds to those before it. A factor with many levels
explains something by chance alone, so the chance part (its degrees of freedom times the mean square of the stratum that
it is tested in) is taken off: with the wells' for all but the experiment, and with the plates' for the experiment,
because plates are a random factor and two experiments differ already by having been run on different plates.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from helpers.profiles.linalg import principal_axes
from helpers.profiles.selection import controls, rows_by, treated, usable
from helpers.profiles.trend import position_basis

Projection = Callable[[np.ndarray], np.ndarray]
FACTORS = ("experiment", "plate", "condition", "position", "arm")
N_COMPONENTS = 50
N_RANDOM = 50
N_FOR_AXES = 20_000
N_SWEEPS = 30
TOLERANCE = 1e-5
"""A sweep over the factors that takes off less than this share of the variance is the last."""

SPANNED = {"experiment": ("plate",), "plate": ("position",), "condition": ("arm",)}
"""Factors whose levels are unions of another's: beside that one they need no projection of their own."""


def decompose_variance(
    wells: ad.AnnData, *, factors: tuple[str, ...] = FACTORS, seed: int = 0
) -> pd.DataFrame:
    """Return the share of the wells' variance that each factor explains.

    Parameters
    ----------
    wells : AnnData
        Wells with `qc_flag`, normalised or not; failed and blank wells are left out.
    factors : tuple of str
        Some of `experiment`, `plate`, `condition` (within the experiment), `position` (a quadratic in row and
        column, plate by plate) and `arm` (treatment at a dose, within the experiment), in the order of fitting.
    seed : int
        Of the directions that stand for the small components.

    Returns
    -------
    DataFrame
        One row per factor and one for `well` (what is left): factor, share (of 1, not below 0), degrees (of
        freedom). Factors with a single level are missing.
    """
    keep = usable(wells.obs)
    obs = wells.obs[keep]
    X = np.asarray(wells.X)[keep]
    Z = _sketch(X - X.mean(axis=0), seed)
    projections: dict[str, Projection] = {}
    degrees: dict[str, int] = {}
    for factor in factors:
        projection, df = _projection(factor, obs, beside=tuple(projections))
        if df > 0:
            projections[factor], degrees[factor] = projection, df
    explained, residual = _sequential(Z, projections)
    total = float((Z**2).sum())
    spare = max(len(Z) - 1 - sum(degrees.values()), 1)
    noise = residual / spare
    shares = {name: explained[name] - degrees[name] * noise for name in projections}
    if "experiment" in shares and "plate" in shares:
        plate_square = explained["plate"] / degrees["plate"]
        shares["experiment"] = explained["experiment"] - degrees["experiment"] * plate_square
    rows = [{"factor": n, "share": max(s, 0.0) / total, "degrees": degrees[n]} for n, s in shares.items()]
    rows.append({"factor": "well", "share": 1 - sum(row["share"] for row in rows), "degrees": spare})
    return pd.DataFrame(rows)


def decompose_stages(stages: Mapping[str, ad.AnnData], *, seed: int = 0) -> pd.DataFrame:
    """Decompose the variance of the same wells in several stages, such as recipes.

    Parameters
    ----------
    stages : mapping
        Name -> wells, as :func:`helpers.profiles.variance.decompose_variance` takes them.
    seed : int
        As there.

    Returns
    -------
    DataFrame
        The columns of :func:`helpers.profiles.variance.decompose_variance`, and `recipe`, the name of the stage.
    """
    with ThreadPoolExecutor(2) as pool:
        shares = pool.map(lambda wells: decompose_variance(wells, seed=seed), stages.values())
        parts = [table.assign(recipe=name) for name, table in zip(stages, shares, strict=True)]
    return pd.concat(parts, ignore_index=True)


def site_agreement(sites: ad.AnnData, *, seed: int = 0) -> pd.DataFrame:
    """Return how alike the sites of a well are: the intraclass correlation, per experiment.

    The share of the variance within plates that lies between wells and not between the sites of one well, after the
    mean of each site position of a plate was subtracted. 1 = sites of a well are identical, 0 = no more alike than
    any two sites of the plate.

    Parameters
    ----------
    sites : AnnData
        One row per site; `obs` has experiment, plate_id, well_id and site.
    seed : int
        As in :func:`helpers.profiles.variance.decompose_variance`.

    Returns
    -------
    DataFrame
        experiment, icc, sites_per_well; an experiment with one site a well has no icc.
    """
    records = []
    for experiment, rows in rows_by(sites.obs, "experiment").items():
        obs = sites.obs.iloc[rows]
        X = np.asarray(sites.X)[rows]
        Z = _sketch(X - X.mean(axis=0), seed)
        corner = obs.groupby(["plate_id", "site"], observed=True).ngroup().to_numpy()
        Z = Z - _group_means(Z, corner)
        wells = pd.factorize(obs["well_id"])[0]
        records.append({"experiment": experiment, **_intraclass(Z, wells, obs["plate_id"].nunique())})
    return pd.DataFrame(records)


def _sketch(X: np.ndarray, seed: int) -> np.ndarray:
    """Return a narrow matrix whose sums of squares are those of `X`, float64, shape (n_wells, at most 100).

    The leading principal components are kept as they are. All the others together are flat enough to be represented
    by a few random directions among them, scaled up to their number.
    """
    # Every few wells will do to find directions: what matters is that these and the random ones span everything.
    axes = principal_axes(X[:: max(1, len(X) // N_FOR_AXES)], N_COMPONENTS)
    rest = X.shape[1] - axes.shape[1]
    if rest <= N_RANDOM:
        return X.astype(np.float64)
    noise = np.random.default_rng(seed).standard_normal((X.shape[1], N_RANDOM))
    noise -= axes @ (axes.T @ noise)
    directions = np.linalg.qr(noise)[0].astype(np.float32)
    return np.hstack([X @ axes, np.sqrt(np.float32(rest / N_RANDOM)) * (X @ directions)]).astype(np.float64)


def _intraclass(Z: np.ndarray, wells: np.ndarray, n_plates: int) -> dict:
    """Return the one-way random-effects intraclass correlation and the mean number of sites a well."""
    n_wells, n = wells.max() + 1, len(wells)
    per_well = n / n_wells
    if n <= n_wells:
        return {"icc": np.nan, "sites_per_well": per_well}
    means = _group_means(Z, wells)
    between = (means**2).sum() / max(n_wells - n_plates, 1)
    within = ((Z - means) ** 2).sum() / (n - n_wells)
    return {
        "icc": max(0.0, (between - within) / (between + (per_well - 1) * within)),
        "sites_per_well": per_well,
    }


def _projection(factor: str, obs: pd.DataFrame, beside: tuple[str, ...]) -> tuple[Projection, int]:
    """Return a function that projects a matrix on a factor, and the factor's degrees of freedom beyond the former.

    The projection is on the factor together with those of `beside` that it spans
    (:data:`helpers.profiles.variance.SPANNED`).
    """
    experiment = obs["experiment"].astype(str)
    if factor == "position":
        return _position_projection(obs, "plate" in beside), 5 * obs["plate_id"].nunique()
    if factor == "arm":
        return _arm_projection(obs, "condition" in beside)
    labels = {
        "experiment": experiment,
        "plate": obs["plate_id"].astype(str),
        "condition": experiment + "|" + obs["condition"].astype(str),
    }[factor]
    codes, levels = pd.factorize(labels)
    df = len(levels) - (1 if factor == "experiment" else experiment.nunique())
    return (lambda Z: _group_means(Z, codes)), df


def _arm_projection(obs: pd.DataFrame, with_condition: bool) -> tuple[Projection, int]:
    """Project treated wells on their arms; untreated wells are the level to which arms are compared.

    With the condition, untreated wells are projected on theirs.
    """
    arms = treated(obs)
    keys = obs.loc[arms, ["experiment", "treatment", "dose_um"]].astype({"experiment": str, "treatment": str})
    codes = keys.groupby(["experiment", "treatment", "dose_um"], dropna=False).ngroup().to_numpy()
    df = int(codes.max() + 1) if len(codes) else 0
    if not controls(obs, "infected").any():
        df -= obs["experiment"].nunique()  # nothing to compare to: one level per experiment is lost
    if with_condition:
        level = np.full(len(obs), -1)
        level[arms] = codes
        every = obs[["experiment", "condition"]].astype(str).assign(arm=level)
        every = every.groupby(list(every)).ngroup().to_numpy()
        return (lambda Z: _group_means(Z, every)), df

    def project(Z: np.ndarray) -> np.ndarray:
        out = np.zeros_like(Z)
        out[arms] = _group_means(Z[arms], codes)
        return out

    return project, df


def _position_projection(obs: pd.DataFrame, with_plate: bool) -> Projection:
    """Project on a quadratic in row and column, plate by plate, with the mean of the plate or without."""
    entries, start = [], 0
    for rows in rows_by(obs, "plate_id").values():
        basis, _ = position_basis(obs.iloc[rows])
        if with_plate:
            basis = np.column_stack([np.ones(len(basis)), basis])
        q = np.linalg.qr(basis.astype(np.float64))[0]
        columns = np.arange(start, start := start + q.shape[1])
        entries.append((q.ravel(), np.repeat(rows, q.shape[1]), np.tile(columns, len(rows))))
    values, rows, columns = (np.concatenate(part) for part in zip(*entries, strict=True))
    # One sparse product for all plates: small dense ones make the threads of a busy machine wait for each other.
    q = sparse.csr_matrix((values, (rows, columns)), shape=(len(obs), start))
    across = q.T.tocsr()
    return lambda Z: q @ (across @ Z)


def _sequential(Z: np.ndarray, projections: dict) -> tuple[dict, float]:
    """Return the sum of squares that each factor adds to those before it, and what none explains.

    The least-squares fit of several crossed factors comes from projecting on them in turn until nothing moves, so
    no design matrix with thousands of columns is needed.
    """
    explained, residual = {}, Z
    left = float((Z**2).sum())
    for number, name in enumerate(projections):
        names = list(projections)[: number + 1]
        active = [projections[n] for i, n in enumerate(names) if not set(SPANNED.get(n, ())) & set(names[i:])]
        residual = _project_out(residual, active)
        now = float((residual**2).sum())
        explained[name], left = left - now, now
    return explained, left


def _project_out(Z: np.ndarray, projections: list) -> np.ndarray:
    for _ in range(N_SWEEPS):
        before = float((Z**2).sum())
        for project in reversed(projections):
            Z = Z - project(Z)
        if len(projections) == 1 or before - float((Z**2).sum()) <= TOLERANCE * max(before, 1e-300):
            break
    return Z


def _group_means(Z: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return each row's group mean, shape of Z."""
    counts = np.bincount(codes)
    members = sparse.csr_matrix(
        (np.ones(len(codes)), (codes, np.arange(len(codes)))), (len(counts), len(codes))
    )
    return ((members @ Z) / counts[:, None])[codes]
