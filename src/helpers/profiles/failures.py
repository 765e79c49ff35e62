"""Failures: which wells of an experiment failed, on evidence that tells failure from effect.

Wells without a compound are judged first: between the bulk of the plates and where their kind stands is where they
belong, and a compound cannot excuse them. A treated well may be far away for a good reason. It fails if it is far from
the bulk, from all kinds of controls and from every way between them, and no replicate supports it; or if it lies where
wells of other plates fail and its replicates, or its next higher dose, do not. A compound whose wells agree over doses
is not taken for a failure, however strong it is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.profiles.reach import Reach, effective_dimensions, fit_reach
from helpers.profiles.residuals import Residuals, nearest_half

FAR = "failed: far from where such wells lie, and alone there"
TECHNICAL = "failed: where wells of several plates fail"

MIN_GROUP, MIN_PLATE_GROUP, MIN_OWN_LIMIT = 3, 5, 20
"""Untreated wells of a kind that show where it stands, where it stands on a plate, and how far it scatters."""
BEYOND = 1.3
"""A well between the bulk and this share of the way to its kind's centre is on the way, not off it."""
SUPPORT = 0.4
"""A replicate supports a well if it goes at least this share as far in the same direction."""
POOL_RATE = 0.1
"""Directions are looked for among wells farther off than all but this share of good wells."""
N_DIRECTIONS = 4
MIN_MEMBERS, MIN_PLATES = 3, 2
"""Wells and plates that must lie along a technical direction to confirm it."""
ONE_SIDED = 4
"""As many times more of its wells lie on its side than on the other."""
LIKE_CONTROLS = 0.7
"""A direction with a cosine above this to a way between controls is not technical."""
OWN_NOISE = 15.0
"""Directions' worth of typical noise by which a well's own noise is moderated."""
MARGIN = 7.0
"""A technical failure lies at least so many robust deviations of every kind of controls away."""
STRAIGHT = 0.9
"""A treated well without a replicate fails along a technical direction only if it points that way, to this cosine."""


@dataclass(frozen=True)
class Wells:
    """What the rules see of the wells of one experiment.

    Attributes
    ----------
    Z, noise : array
        Positions and differences, as in :class:`helpers.profiles.residuals.Residuals`.
    plate, kind : array of str
        Plate and condition, shape (n_wells,).
    untreated : array of bool
        Shape (n_wells,).
    arm, compound : array of int
        Numbers of the arm and the compound, -1 for untreated wells, shape (n_wells,).
    level : array of int
        Number of the dose within its compound, -1 for untreated wells.
    centres : dict
        Kind of untreated wells -> where it stands, shape (n_features,).
    """

    Z: np.ndarray
    noise: np.ndarray
    plate: np.ndarray
    kind: np.ndarray
    untreated: np.ndarray
    arm: np.ndarray
    compound: np.ndarray
    level: np.ndarray
    centres: dict[str, np.ndarray]

    @classmethod
    def of(cls, residuals: Residuals, obs: pd.DataFrame) -> "Wells":
        """Take apart the annotation of the wells."""
        Z = residuals.positions
        untreated, kind = obs["treatment"].isna().to_numpy(), obs["condition"].astype(str).to_numpy()
        compound, arm, level = (np.full(len(obs), -1) for _ in range(3))
        given = obs[~untreated]
        if len(given):
            grouped = given.groupby("treatment", observed=True)
            compound[~untreated] = grouped.ngroup()
            arm[~untreated] = given.groupby(["treatment", "dose_um"], observed=True, dropna=False).ngroup()
            level[~untreated] = grouped["dose_um"].rank("dense", na_option="top").astype(int)
        kinds = {k: np.flatnonzero(untreated & (kind == k)) for k in np.unique(kind) if k != "blank"}
        centres = {k: nearest_half(Z[rows]) for k, rows in kinds.items() if len(rows) >= MIN_GROUP}
        plate = obs["plate_id"].astype(str).to_numpy()
        return cls(Z, residuals.noise, plate, kind, untreated, arm, compound, level, centres)

    def group(self, kind: str) -> np.ndarray:
        """Return the untreated wells of a kind."""
        return np.flatnonzero(self.untreated & (self.kind == kind))


def find_failures(residuals: Residuals, obs: pd.DataFrame, *, rate: float) -> np.ndarray:
    """Return the reason for which each well failed, "" where it did not, shape (n_wells,) of str.

    Parameters
    ----------
    residuals : Residuals
        Wells of one experiment in units of noise.
    obs : DataFrame
        Their annotation: plate_id, condition, treatment, dose_um.
    rate : float
        Share of good wells whose distance noise alone may carry beyond the limit, in (0, 1).
    """
    wells = Wells.of(residuals, obs)
    reach = fit_reach(_squares(wells.noise), effective_dimensions(wells.noise))
    nothing = np.zeros(len(obs), dtype=bool)
    off, far = _untreated(wells, reach, rate)
    suspects = _unsupported(wells, reach.limit(rate), nothing)
    technical = _technical(wells, reach, off, far | suspects, rate)
    # a well whose only replicate failed for a known reason is not to be blamed for standing alone
    far |= _unsupported(wells, reach.limit(rate), technical)
    return np.select([far, technical], [FAR, TECHNICAL], default="").astype(object)


def _untreated(wells: Wells, reach: Reach, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how wells lie off where they belong, shape of `Z`, and which untreated ones are too far off."""
    off, far = wells.Z.copy(), np.zeros(len(wells.Z), dtype=bool)
    for kind, centre in wells.centres.items():
        rows = wells.group(kind)
        off[rows] = _off_way(wells.Z[rows], centre)
        for plate in np.unique(wells.plate[rows]):
            mine = rows[wells.plate[rows] == plate]
            if len(mine) >= MIN_PLATE_GROUP:
                own = _off_way(wells.Z[mine], nearest_half(wells.Z[mine]))
                closer = _squares(own) < _squares(off[mine])
                off[mine[closer]] = own[closer]
        # few wells do not tell exactly where their kind stands: the nearer half of them says it
        distance, limit = _squares(off[rows]), reach.limit(rate) * (1 + 2 / len(rows))
        if len(rows) >= MIN_OWN_LIMIT:
            limit = max(limit, fit_reach(distance, reach.dimensions).limit(rate))
        far[rows] = distance > limit
    blank = wells.group("blank")
    if len(blank) and wells.centres:
        ways = np.array([_off_way(wells.Z[blank], centre) for centre in wells.centres.values()])
        nearest = np.array([_squares(way) for way in ways]).argmin(axis=0)
        off[blank] = ways[nearest, np.arange(len(blank))]
    return off, far


def _unsupported(wells: Wells, limit: float, failed: np.ndarray) -> np.ndarray:
    """Return which treated wells are far from everything, where a replicate that did not fail does not go along."""
    norm = _squares(wells.Z)
    near = norm <= limit
    for centre in wells.centres.values():
        # the centre scatters as the well does, so the limit grows with how far along the way the well stands
        share = _along(wells.Z, centre)
        near |= _squares(wells.Z - share[:, None] * centre) <= limit * (1 + share**2)
    treated = ~wells.untreated & ~failed
    replicates = np.bincount(wells.arm[treated], minlength=wells.arm.max(initial=0) + 1)[wells.arm]
    suspects = treated & ~near & (replicates > 1)
    noise = float(np.median(_squares(wells.noise)))
    for compound in np.unique(wells.compound[suspects]):
        rows = np.flatnonzero(treated & (wells.compound == compound))
        product = wells.Z[rows] @ wells.Z[rows].T
        # of a well's squared length, what noise adds is not its way
        support = product / np.maximum(np.diag(product) - noise, 1e-12)[:, None]
        level = wells.level[rows]
        mates = np.abs(level[:, None] - level) <= 1
        np.fill_diagonal(mates, False)
        suspects[rows[np.where(mates, support, -np.inf).max(axis=1) >= SUPPORT]] = False
    return suspects


def _technical(wells: Wells, reach: Reach, off: np.ndarray, far: np.ndarray, rate: float) -> np.ndarray:
    """Return which wells lie in a direction in which wells of several plates fail."""
    failed, off, limit = np.zeros(len(off), dtype=bool), off.copy(), reach.limit(POOL_RATE)
    pool = np.flatnonzero((wells.untreated | far) & (_squares(off) > limit))
    ways = _ways_between(wells)
    for _ in range(N_DIRECTIONS):
        if len(pool) < MIN_MEMBERS:
            break
        direction = _common_direction(off[pool])
        position, edge = _positions_along(wells, reach, off, direction, rate)
        like_controls = (np.abs(ways @ direction) > LIKE_CONTROLS).any()
        if not like_controls and _is_technical(wells, pool, position, edge):
            failed |= _lie_along(wells, position, edge, direction)
        off -= np.outer(off @ direction, direction)
        pool = pool[(np.abs(position[pool]) <= edge) & (_squares(off[pool]) > limit)]
    return failed


def _common_direction(off: np.ndarray) -> np.ndarray:
    """Return the unit vector that most of these wells share, pointing to the side on which they lie."""
    unit = off / np.sqrt(_squares(off))[:, None]
    direction = np.linalg.svd(unit, full_matrices=False)[2][0].astype(np.float32)
    position = off @ direction
    strongest = np.argsort(-np.abs(position))[: max(MIN_MEMBERS, len(off) // 10)]
    return -direction if np.median(position[strongest]) < 0 else direction


def _positions_along(
    wells: Wells, reach: Reach, off: np.ndarray, direction: np.ndarray, rate: float
) -> tuple[np.ndarray, float]:
    """Return positions along a direction in units of each well's own noise, and how far good wells reach."""
    k = wells.Z.shape[1]

    def position(Z: np.ndarray) -> np.ndarray:
        along = Z @ direction
        rest = np.maximum(_squares(Z) - along**2, 0)
        return along / np.sqrt((OWN_NOISE + rest) / (OWN_NOISE + k - 1))

    found = position(off)
    limit = np.sqrt(reach.along(position(wells.noise) ** 2, k).limit(rate / 10))
    for kind in wells.centres:
        rows = wells.group(kind)
        near = rows[np.argsort(_squares(off[rows]), kind="stable")[: (len(rows) + 1) // 2]]
        limit = max(limit, MARGIN * np.median(np.abs(found[near])) / stats.norm.ppf(0.75))
    return found, float(limit)


def _is_technical(wells: Wells, pool: np.ndarray, position: np.ndarray, limit: float) -> bool:
    """Return whether enough wells of enough plates lie beyond the limit, on one side, and no kind of controls does."""
    members, opposite = pool[position[pool] > limit], pool[position[pool] < -limit]
    plates = len(np.unique(wells.plate[members]))
    most = any((position[wells.group(kind)] > limit).mean() > 0.5 for kind in wells.centres)
    return (
        len(members) >= max(MIN_MEMBERS, ONE_SIDED * len(opposite))
        and plates >= min(MIN_PLATES, len(np.unique(wells.plate)))
        and not most
    )


def _lie_along(wells: Wells, position: np.ndarray, limit: float, direction: np.ndarray) -> np.ndarray:
    """Return the wells beyond the limit, without treated ones that their replicates or higher doses speak for.

    Replicates speak for a well if half of the others go half as far. Where all wells of an arm went wrong together,
    those of the next higher dose do not go along: what a compound does grows with dose.
    """
    beyond = position > limit
    rows = np.flatnonzero(~wells.untreated)
    arm, half = wells.arm[rows], position[rows] > limit / 2
    n, with_it = np.bincount(arm, minlength=1), np.bincount(arm, weights=half, minlength=1)
    others = (with_it[arm] - half) / np.maximum(n[arm] - 1, 1)
    straight = wells.Z[rows] @ direction > STRAIGHT * np.sqrt(_squares(wells.Z[rows]))
    above = _next_dose(wells, rows)[arm]
    higher = np.where(above >= 0, with_it[above] / n[above], 1.0)
    spoken_for = np.where(n[arm] == 1, ~straight, others >= 0.5) & (higher >= 0.5)
    beyond[rows] &= ~spoken_for
    return beyond


def _next_dose(wells: Wells, rows: np.ndarray) -> np.ndarray:
    """Return the number of the arm at the next higher dose of the same compound, -1 where there is none."""
    arms = np.unique(np.column_stack([wells.compound[rows], wells.level[rows], wells.arm[rows]]), axis=0)
    same = arms[1:, 0] == arms[:-1, 0]
    above = np.full(wells.arm.max(initial=0) + 1, -1)
    above[arms[:-1, 2][same]] = arms[1:, 2][same]
    return above


def _ways_between(wells: Wells) -> np.ndarray:
    """Return unit vectors from the bulk to each kind of controls, and between kinds, shape (n, n_features)."""
    centres = list(wells.centres.values())
    ways = [*centres, *(a - b for i, a in enumerate(centres) for b in centres[:i])]
    ways = [way / np.linalg.norm(way) for way in ways if np.linalg.norm(way) > 0]
    return np.array(ways).reshape(-1, wells.Z.shape[1])


def _along(Z: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return how far along the way from the bulk to a centre wells stand: 0 at the bulk, 1 at the centre."""
    return np.clip(Z @ centre / max(float(centre @ centre), 1e-12), 0, BEYOND)


def _off_way(Z: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return how wells lie off the way from the bulk to a centre."""
    return Z - _along(Z, centre)[:, None] * centre


def _squares(Z: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", Z, Z)
