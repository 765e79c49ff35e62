"""The null: what an arm without any effect would show, learned from infected untreated wells.

A pseudo-arm takes wells that got no compound, as many and on as many plates as the arm that is judged. Three
things make its mean scatter: the wells' noise on each plate, the error of the plate's centre (shared by all arms of the
plate, and invisible in wells that were centred on themselves), and, in recipes that do not centre plates, the plates'
own shifts. Each is accounted for; the shape of the distribution comes from resampled residuals, not from a Gaussian.
"""

from dataclasses import dataclass, field

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataError
from helpers.hits.moderation import moderate
from helpers.hits.tail import Tail
from helpers.profiles.selection import controls, rows_by, treated, usable

MEDIAN_VARIANCE = np.pi / 2
"""Variance of the median of many Gaussian values, relative to that of their mean."""
STATISTICS = ("max", "trend")
"""Statistics of a compound over its doses: the largest window of any doses, or of those that end at the highest one."""
N_DRAWS = 40_000
MIN_POOL = 50
"""With fewer residuals than this their own shape cannot be resampled, and a Gaussian takes their place."""


@dataclass
class Null:
    """Noise of the infected untreated wells of one experiment, in units of rescue.

    Attributes
    ----------
    scale : dict
        Plate -> standard deviation of a well, moderated over plates.
    degrees : float
        Degrees of freedom of these, inf if all plates agree.
    n_reference : dict
        Plate -> number of infected untreated wells.
    centre_variance : dict
        Plate -> variance of the plate's centre, 0 if the recipe centres no plates; of a plate that had no reference
        wells to be centred on, that of the shift it kept.
    shift_variance : float
        Variance of the plates' own shifts that is left over.
    offset : float
        Mean rescue of the infected untreated wells. Plates are centred on their median, and where noise is skewed
        the mean of any arm lies off it by this much.
    residuals : array
        Standardised residuals, shape (n,), mean 0 and variance 1.
    seed, n_draws : int
        Of the simulated null.
    excess : float
        Variance of treated wells within arm and plate relative to that of the infected untreated wells, 1 unless it
        is larger than chance explains. Some recipes (sphering and tvn on infected wells) are fitted on the very wells
        of the null and make them quieter than any other wells; `scale` is put right by it.
    """

    scale: dict
    degrees: float
    n_reference: dict
    centre_variance: dict
    shift_variance: float
    offset: float
    residuals: np.ndarray
    seed: int = 0
    n_draws: int = N_DRAWS
    excess: float = 1.0
    tails_: dict = field(default_factory=dict, repr=False)

    def arm_variance(self, counts: dict) -> float:
        """Return the variance of the mean rescue of an arm with `counts` wells on each plate."""
        total = sum(counts.values())
        return sum((k / total) ** 2 * self.plate_mean_variance(plate, k) for plate, k in counts.items())

    def plate_mean_variance(self, plate: str, k: int) -> float:
        """Return the variance of the mean of `k` wells on a plate."""
        return self.scale[plate] ** 2 / k + self.centre_variance[plate] + self.shift_variance

    def tail(
        self, n_doses: int, n_wells: int, n_plates: float, *, apart: float = 0.0, statistic: str = "max"
    ) -> Tail:
        """Return the null distribution of the largest standardised window mean over `n_doses` doses.

        Parameters
        ----------
        n_doses : int
            1 for a single arm.
        n_wells : int
            Wells per dose, over all plates.
        n_plates : float
            Plates over which they are spread and which the doses share; inf where each dose has plates of its own.
        apart : float
            Variance of a dose's own plates' errors, of those the doses do not share, relative to that of one plate.
        statistic : str
            As in :func:`helpers.hits.null.max_window`.
        """
        plates, apart = round(min(n_plates, n_wells), 6), round(apart, 6)
        key = (n_doses, n_wells, plates, apart, statistic if n_doses > 1 else "max")
        if key not in self.tails_:
            self.tails_[key] = Tail(self._draw(*key))
        return self.tails_[key]

    def _draw(self, n_doses: int, n_wells: int, n_plates: float, apart: float, statistic: str) -> np.ndarray:
        """Draw pseudo-compounds and return their largest standardised window mean, shape (n_draws,)."""
        rng = np.random.default_rng([self.seed, n_doses, n_wells, int(min(n_plates, 1e9) * 1e6)])
        scale = float(np.mean(list(self.scale.values())))
        shared = (np.mean(list(self.centre_variance.values())) + self.shift_variance) / scale**2
        means = np.empty((self.n_draws, n_doses))
        for dose in range(n_doses):
            means[:, dose] = self._residual_means(rng, n_wells)
        # Doses that stand on the same plates share the errors of their centres.
        means += rng.normal(0, np.sqrt(shared / n_plates), size=(self.n_draws, 1))
        if apart > 0:
            means += rng.normal(0, np.sqrt(shared * apart), size=means.shape)
        # The scale itself is an estimate; this is what makes the tail that of a t distribution.
        if np.isfinite(self.degrees):
            means /= np.sqrt(rng.chisquare(self.degrees, size=(self.n_draws, 1)) / self.degrees)
        own = np.full(n_doses, 1 / n_wells + shared * apart)
        return max_window(means, own, shared / n_plates, statistic=statistic)

    def _residual_means(self, rng: np.random.Generator, n_wells: int) -> np.ndarray:
        if len(self.residuals) < MIN_POOL or n_wells > 60:  # the mean of so many wells is Gaussian anyway
            return rng.normal(0, 1 / np.sqrt(n_wells), size=self.n_draws)
        picks = rng.integers(len(self.residuals), size=(self.n_draws, n_wells))
        return self.residuals[picks].mean(axis=1)


def max_window(
    means: np.ndarray, variances: np.ndarray, shared: float | np.ndarray, *, statistic: str = "max"
) -> np.ndarray:
    """Return the largest standardised mean over windows of consecutive doses.

    Scanning windows finds a compound that works at its top doses (a window that ends at the top), one that turns
    toxic there (a window in the middle), and one that works at a single dose alike, at the price of one maximum whose
    null is drawn the same way.

    Parameters
    ----------
    means : array
        Mean at each dose in dose order, shape (..., n_doses); nan = no wells.
    variances : array
        Variance of each, without the part that all doses share, shape (..., n_doses) or (n_doses,).
    shared : float or array
        Variance of the error shared by all doses, a number or shape (...,).
    statistic : str
        One of :data:`helpers.hits.STATISTICS`: `max` over all windows; `trend` over those that end at the highest
        dose, step contrasts against a monotone effect, in the spirit of Williams 1971 (doi:10.2307/2528930).

    Returns
    -------
    ndarray, shape (...,)
    """
    variances = np.broadcast_to(variances, means.shape)
    shared = np.asarray(shared, dtype=float)[..., None]
    present = np.isfinite(means)
    weight = np.where(present, 1 / variances, 0.0)
    zero = np.zeros((*means.shape[:-1], 1))
    total = np.concatenate([zero, np.cumsum(weight, axis=-1)], axis=-1)
    weighted = np.concatenate([zero, np.cumsum(weight * np.where(present, means, 0.0), axis=-1)], axis=-1)
    best = np.full(means.shape[:-1], -np.inf)
    for length in range(1, means.shape[-1] + 1):
        w = total[..., length:] - total[..., :-length]
        with np.errstate(invalid="ignore", divide="ignore"):
            z = (weighted[..., length:] - weighted[..., :-length]) / w / np.sqrt(1 / w + shared)
        z = np.where(w > 0, z, -np.inf)
        best = np.maximum(best, z[..., -1] if statistic == "trend" else z.max(axis=-1))
    return best


def fit_null(
    scored: ad.AnnData, rows: np.ndarray, *, seed: int = 0, n_draws: int = N_DRAWS, inflate: bool = True
) -> Null:
    """Learn the null of one experiment from its infected untreated wells.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    rows : array
        Row indices of the experiment's wells.
    seed : int
        Of the draws.
    n_draws : int
        Pseudo-compounds that are drawn for a null distribution.
    inflate : bool
        Take the noise of treated wells where infected untreated ones are quieter than chance allows (`Null.excess`);
        False leaves what the infected untreated wells tell by themselves.

    Raises
    ------
    DataError
        If no plate has two infected untreated wells: then there is no noise to compare with.
    """
    obs = scored.obs.iloc[rows]
    reference = obs[controls(obs, "infected")]
    by_plate = sorted(rows_by(reference, "plate_id").items(), key=lambda item: str(item[0]))
    values = {plate: reference["rescue"].to_numpy()[r] for plate, r in by_plate}
    n = {plate: len(v) for plate, v in values.items()}
    if max(n.values(), default=0) < 2:
        raise DataError(
            f"experiment {obs['experiment'].iloc[0]} has no plate with two infected untreated wells: there is no "
            f"null to test against; leave it out with the parameter experiments"
        )
    variances = np.array([v.var(ddof=1) if len(v) > 1 else 0.0 for v in values.values()])
    # a plate without others was split into halves, each with its own origin
    used_up = 2 if len(rows_by(obs, "plate_id")) == 1 else 1
    own = np.array([max(len(v) - used_up, min(len(v) - 1, 1), 0) for v in values.values()], dtype=float)
    variances *= np.array([(len(v) - 1) / max(o, 1) for v, o in zip(values.values(), own, strict=True)])
    pooled = float(variances @ own / own.sum())
    default, default_degrees = _replicate_variance(obs)
    posterior, degrees = moderate(variances, own, default=default, default_degrees=default_degrees)
    excess = _noise_excess(default, default_degrees, pooled, own.sum()) if inflate else 1.0
    posterior, pooled = posterior * excess, pooled * excess
    scale = dict(zip(values, np.sqrt(posterior), strict=True))
    for plate in obs["plate_id"].unique():  # a plate without reference wells has the experiment's noise
        scale.setdefault(plate, np.sqrt(pooled))
    # On a single plate the origin of rescue is that plate's own centre, whatever the recipe.
    centred = _centres_plates(scored) or len(rows_by(obs, "plate_id")) == 1
    centre = {p: MEDIAN_VARIANCE * s**2 / n[p] if centred and p in n else 0.0 for p, s in scale.items()}
    if centred:
        centre |= _left_shifts(obs, [plate for plate in scale if plate not in n])
    shift = 0.0 if centred else _shift_variance(values, pooled)
    offset = float(np.concatenate(list(values.values())).mean()) if centred else 0.0
    return Null(
        scale,
        float(degrees.mean()),
        n,
        centre,
        shift,
        offset,
        _residuals(values, scale),
        seed,
        n_draws,
        excess,
    )


def _replicate_variance(obs: pd.DataFrame) -> tuple[float, float]:
    """Return the variance of treated wells within arm and plate, and its degrees of freedom.

    On one or two plates the infected untreated wells alone may be too few to know the noise; wells that got the same
    compound at the same dose on the same plate differ by the same noise. The smaller of mean and scaled median of the
    arms' variances is taken, for toxic compounds scatter more.
    """
    members = obs[treated(obs) & usable(obs)]
    groups = members.groupby(["treatment", "dose_um", "plate_id"], observed=True, dropna=False)["rescue"]
    table = groups.agg(["var", "size"]) if len(members) else pd.DataFrame({"var": [], "size": []})
    table = table[table["size"] > 1]
    own = table["size"].to_numpy(float) - 1
    if not len(own):
        return 0.0, 0.0
    variances = table["var"].to_numpy(float)
    median = float(np.median(variances * own / stats.chi2.ppf(0.5, own)))
    mean = float(variances @ own / own.sum())
    return min(mean, median) if len(own) >= MIN_POOL else mean, float(own.sum())


def _noise_excess(variance: float, degrees: float, pooled: float, own_degrees: float) -> float:
    """Return how much noisier treated wells are than the infected untreated ones, 1 if that may be chance."""
    if degrees < MIN_POOL or pooled <= 0 or variance <= pooled:
        return 1.0
    return variance / pooled if stats.f.sf(variance / pooled, degrees, own_degrees) < 0.01 else 1.0


def _centres_plates(scored: ad.AnnData) -> bool:
    steps = scored.uns.get("normalization", {}).get("steps", {})
    return any(step.get("centers") == "plate_id" for step in steps.values())


def _shift_variance(values: dict, pooled: float) -> float:
    """Return how much plate means scatter beyond their wells' noise."""
    means = np.array([v.mean() for v in values.values()])
    if len(means) < 2:
        return 0.0
    noise = float(np.mean([pooled / len(v) for v in values.values()]))
    return max(0.0, float(means.var(ddof=1)) - noise)


def _left_shifts(obs: pd.DataFrame, plates: list) -> dict:
    """Return the variance of plates that had no reference wells to be centred on, told by their treated wells.

    Most compounds do nothing, so the median treated well of a plate says where the plate lies; a variance taken from
    one such shift is doubled.
    """
    members = obs[treated(obs) & usable(obs)]
    usual = members["rescue"].median()
    middle = members.groupby("plate_id", observed=True)["rescue"].median()
    return {plate: 2 * float((middle[plate] - usual) ** 2) if plate in middle else 0.0 for plate in plates}


def _residuals(values: dict, scale: dict) -> np.ndarray:
    """Return standardised residuals of all plates together.

    In units of the plates' moderated scales: by its own standard deviation no well of n lies further off than
    sqrt(n - 1), which would cut the tail short.
    """
    parts = [
        (v - v.mean()) * np.sqrt(len(v) / (len(v) - 1)) / (scale[plate] if scale[plate] > 0 else 1.0)
        for plate, v in values.items()
        if len(v) > 2
    ]
    if not parts:
        return np.empty(0)
    # sorted, so that the draws do not depend on the order of the wells
    residuals = np.sort(np.concatenate(parts))
    spread = residuals.std()
    return (residuals - residuals.mean()) / (spread if spread > 0 else 1.0)
