"""Distance of arms from the disease axis, freed of what noise adds to it.

The norm of a noisy mean grows with the number of features. Its square is therefore estimated from inner products
between different plates, whose noise is independent, and what noise alone can reach is learnt from pseudo-arms of
infected untreated wells.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from helpers.hits.shifts import MIN_BULK
from helpers.hits.tail import Tail
from helpers.profiles.selection import as_slice, controls, rows_by, treated, usable

ARM_KEY = ["treatment", "dose_um"]
N_DRAWS, MIN_DRAWS = 20_000, 300
MOST_PRODUCTS = 4_000_000
"""Pseudo-arms to draw, fewer where arms have many wells, and inner products to take at a time."""
MOST_WELLS = 4_000
"""Infected untreated wells to keep the inner products of: 128 MB."""
MIN_CONTROLS = 3
"""With fewer infected untreated wells a plate is taken relative to its middle treated well, if it has enough."""
MIN_ARMS = 20
"""With fewer arms than this their own noise is not compared with that of infected untreated wells."""


def off_disease(
    away: np.ndarray, obs: pd.DataFrame, length: float, *, quantile: float, seed: int
) -> pd.DataFrame:
    """Return how far each arm lies from the axis, and how far noise alone reaches, in axis lengths.

    Parameters
    ----------
    away : array
        Rejections from the axis, :func:`helpers.hits.project`, shape (n_wells, n_features).
    obs : DataFrame
        Their annotation.
    length : float
        Of the axis, in embedding units.
    quantile : float
        Of the noise, for `off_limit`: what noise exceeds at none of a compound's doses with this probability.
    seed : int
        Of the pseudo-arms.

    Returns
    -------
    DataFrame
        One row per arm with usable wells: treatment, dose_um, off_disease, off_limit (which noise alone exceeds with
        probability 1 - `quantile`, shared out over the doses of the compound), off_square_sd (standard deviation of
        that noise in the square of off_disease).
    """
    away = _relative_to_plate(away, obs)
    chosen = np.flatnonzero(treated(obs) & usable(obs))
    if not len(chosen):
        numbers = pd.DataFrame(columns=["dose_um", "off_disease", "off_limit", "off_square_sd"], dtype=float)
        return numbers.assign(treatment=pd.Series(dtype=object))
    keys = [*ARM_KEY, "plate_id"]
    # in the order of names: categories of whatever order would round the sums otherwise
    members = obs.iloc[chosen][keys].astype({"treatment": str, "plate_id": str})
    group = members.groupby(keys, observed=True, sort=True, dropna=False).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    table = members.iloc[order[starts]][ARM_KEY].reset_index(drop=True)
    arm = table.groupby(ARM_KEY, observed=True, sort=True, dropna=False).ngroup().to_numpy()
    noise = _noise_square(away, obs)
    parts = Parts.of(away[chosen[order]], starts)
    squared, n_wells, n_plates = _mean_square(parts, arm, noise)
    out = table.drop_duplicates(ARM_KEY).reset_index(drop=True)
    out["off_disease"] = np.sqrt(np.maximum(squared, 0)) / length
    shapes = list(zip(n_wells, n_plates, strict=True))
    excess, reach = _noise_excess(parts, noise[0]), NoiseReach(away, _reference_rows(obs), noise, seed)
    draws = {shape: reach.squared(*shape) for shape in sorted(set(shapes))}
    tails = {shape: None if squares is None else Tail(squares) for shape, squares in draws.items()}
    doses = out.groupby("treatment")["treatment"].transform("size")
    rates = ((1 - quantile) / doses).to_numpy()
    limits = [
        np.inf if tails[s] is None else tails[s].quantile(1 - rate)
        for s, rate in zip(shapes, rates, strict=True)
    ]
    # nothing is known about the noise of a single well; its distance is then taken as it is
    sd = {s: 0.0 if d is None else d.std() for s, d in draws.items()}
    out["off_limit"] = np.sqrt(np.maximum(excess * np.array(limits), 0)) / length
    out["off_square_sd"] = excess * np.array([sd[s] for s in shapes]) / length**2
    return out


@dataclass(frozen=True)
class Parts:
    """What is needed of groups of wells, each an arm on a plate.

    Attributes
    ----------
    sums : array
        Sum of the rejections, shape (n_parts, n_features).
    squares : array
        Sum of their squared lengths, shape (n_parts,).
    sizes : array
        Number of wells, shape (n_parts,).
    """

    sums: np.ndarray
    squares: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, rejections: np.ndarray, starts: np.ndarray) -> "Parts":
        """Sum the wells, sorted by part, shape (n_wells, n_features); `starts` is where each part begins."""
        lengths = np.einsum("ij,ij->i", rejections, rejections, dtype=np.float64)
        sizes = np.diff(np.append(starts, len(rejections)))
        return cls(group_sums(rejections, starts), np.add.reduceat(lengths, starts), sizes)


def group_sums(X: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the sums of consecutive groups of rows: ``np.add.reduceat`` along rows, ten times as fast."""
    ends = np.append(starts, len(X))
    member = sparse.csr_matrix(
        (np.ones(len(X), dtype=X.dtype), np.arange(len(X)), ends), (len(starts), len(X))
    )
    return member @ X


def _mean_square(
    parts: Parts, arm: np.ndarray, noise: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the squared length of each arm's mean rejection without noise, its wells and its plates.

    Parameters
    ----------
    parts : Parts
        Arms on plates, sorted by arm.
    arm : array
        The arm of each part, 0, 1, ... ascending, shape (n_parts,).
    noise : tuple of float
        Squared length that noise adds to a well, and to a plate's centre.
    """
    first = np.flatnonzero(np.diff(arm, prepend=-1))
    total, k = group_sums(parts.sums, first), parts.sizes
    n, kk = np.add.reduceat(k, first), np.add.reduceat(k**2, first)
    plates = np.diff(np.append(first, len(k)))
    square = np.einsum("ij,ij->i", total, total, dtype=np.float64)
    same_plate = np.add.reduceat(np.einsum("ij,ij->i", parts.sums, parts.sums, dtype=np.float64), first)
    same_well = np.add.reduceat(parts.squares, first)
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


def _noise_excess(parts: Parts, noise: float) -> float:
    """Return how much more noise wells of one arm and plate have than infected untreated wells, at least 1.

    Above 1 only where a recipe was fitted on the infected untreated wells so closely that they became quieter.
    """
    several = parts.sizes > 1
    if several.sum() < MIN_ARMS:
        return 1.0
    squares = parts.squares - np.einsum("ij,ij->i", parts.sums, parts.sums, dtype=np.float64) / parts.sizes
    return max(1.0, float(np.median(squares[several] / (parts.sizes[several] - 1))) / max(noise, 1e-300))


class NoiseReach:
    """How far noise alone carries arms off the axis, told by pseudo-arms of infected untreated wells.

    All they need is in the inner products of these wells, so many can be drawn. A pseudo-arm's wells were centred on
    themselves and others; an arm's are not among those that made its plate's centre. Sums over a plate are scaled up by
    the ratio of the two variances.
    """

    def __init__(self, away: np.ndarray, pools: list[np.ndarray], noise: tuple[float, float], seed: int):
        self.behind = np.array([len(rows) for rows in pools], dtype=int)  # wells behind each plate's centre
        most = max(MOST_WELLS // max(len(pools), 1), 2)
        rng = np.random.default_rng([seed, 7])
        pools = [r if len(r) <= most else np.sort(rng.choice(r, most, replace=False)) for r in pools]
        wells = np.concatenate(pools) if pools else np.empty(0, dtype=int)
        self.gram = away[wells].astype(np.float64) @ away[wells].astype(np.float64).T
        self.ends = np.cumsum([0, *map(len, pools)])
        self.noise, self.seed = noise, seed

    def squared(self, n_wells: int, n_plates: int) -> np.ndarray | None:
        """Draw squared off-disease of pseudo-arms of this size, sorted; None where it cannot be told.

        A single well has no finite limit, for nothing tells a failed well from a toxic compound then. Arms with more
        wells than plates have controls take the limit of smaller ones, which noise carries further.
        """
        counts = np.full(n_plates, n_wells // n_plates) + (np.arange(n_plates) < n_wells % n_plates)
        sizes = np.diff(self.ends)
        fewest = np.sort(sizes)[-n_plates] if len(sizes) >= n_plates else 0
        if counts.max() >= fewest:
            counts = np.minimum(counts, fewest // 2)
        n_wells = int(counts.sum()) if counts.all() else 0
        pools = np.flatnonzero(sizes > counts.max())
        if n_wells < 2 or len(pools) < n_plates:
            return None
        rng = np.random.default_rng([self.seed, n_wells, n_plates])
        at_a_time = max(MOST_PRODUCTS // n_wells**2, 1)
        n_draws = int(np.clip(at_a_time, MIN_DRAWS, N_DRAWS))
        parts = [
            self._draw(rng, pools, counts, min(at_a_time, n_draws - done))
            for done in range(0, n_draws, at_a_time)
        ]
        return np.sort(np.concatenate(parts))

    def _draw(
        self, rng: np.random.Generator, pools: np.ndarray, counts: np.ndarray, n_draws: int
    ) -> np.ndarray:
        """Draw pseudo-arms of so many wells on each of their plates."""
        n_wells, n_plates, sizes = counts.sum(), len(counts), np.diff(self.ends)
        plates = pools[_distinct(rng, np.full(n_draws, len(pools)), n_plates)]
        picks = np.concatenate(
            [
                self.ends[chosen][:, None] + _distinct(rng, sizes[chosen], k)
                for chosen, k in zip(plates.T, counts, strict=True)
            ],
            axis=1,
        )
        place = np.repeat(np.arange(n_plates), counts)
        products = self.gram[picks[:, :, None], picks[:, None, :]]
        if n_plates == 1:
            pairs = products.sum(axis=(1, 2)) - np.einsum("dii->d", products)
            # The error of the plate's centre is in every arm and in no pseudo-arm; a few correlated directions hold
            # most of it, so its squared length scatters like a chi-square of three: five times its mean is seldom
            # exceeded.
            return pairs / (n_wells**2 - n_wells) + 4 * self.noise[1]
        k, n = counts[place][None], self.behind[plates][:, place]
        factor = np.sqrt((1 / k + 1 / n) / (1 / k - 1 / n))
        apart = place[:, None] != place[None, :]
        across = np.einsum("dij,di,dj->d", products * apart, factor, factor)
        return across / (n_wells**2 - (counts**2).sum())


def _distinct(rng: np.random.Generator, sizes: np.ndarray, k: int) -> np.ndarray:
    """Draw k different numbers below each size, shape (len(sizes), k)."""
    picks = np.empty((len(sizes), k), dtype=int)
    for i in range(k):
        new = (rng.random(len(sizes)) * (sizes - i)).astype(int)
        for earlier in np.sort(picks[:, :i], axis=1).T:  # step over those that are taken
            new += new >= earlier
        picks[:, i] = new
    return picks


def _reference_rows(obs: pd.DataFrame) -> list[np.ndarray]:
    """Return the infected untreated wells of each plate, in the order of names and positions, not of the table."""
    chosen = np.flatnonzero(controls(obs, "infected"))
    keys = [obs[name].iloc[chosen].to_numpy() for name in ("col", "row")]
    chosen = chosen[np.lexsort([*keys, obs["plate_id"].iloc[chosen].astype(str).to_numpy()])]
    return [chosen[rows] for rows in rows_by(obs.iloc[chosen], "plate_id").values()]


def _relative_to_plate(away: np.ndarray, obs: pd.DataFrame) -> np.ndarray:
    """Return rejections relative to the mean infected untreated well of each plate.

    A plate that has none, or one or two, is taken relative to its middle treated well, for most compounds do nothing:
    a recipe that had nothing to centre it on left its own shift in it, and all its compounds would seem to move cells.
    """
    chosen, others = controls(obs, "infected"), treated(obs) & usable(obs)
    away = away.copy()
    for rows in rows_by(obs, "plate_id").values():
        mine, bulk = rows[chosen[rows]], rows[others[rows]]
        if len(mine) < MIN_CONTROLS and len(bulk) >= MIN_BULK:
            away[as_slice(rows)] -= np.median(away[bulk], axis=0)
        elif len(mine):
            away[as_slice(rows)] -= away[mine].mean(axis=0)
    return away
