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
from helpers.hits.robust import draw_in
from helpers.hits.scan import max_window
from helpers.hits.shifts import MIN_BULK, MIN_COMPOUNDS, plate_variances
from helpers.hits.tail import Tail
from helpers.profiles.selection import controls, rows_by, treated, usable

N_DRAWS = 40_000
MIN_SPREAD = 8
"""Mock wells from which on they tell how much they scatter."""
MIN_DEGREES = 8
"""Degrees of freedom that treated wells must tell noise with, where infected untreated ones cannot."""
IDLE = 2.0
"""An arm does nothing if its middle well lies within so many standard deviations of the bulk of its plate."""
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
    plate_variance : dict
        Plate -> variance of what all its wells share: the error of its centre, if the recipe centres plates; the shift
        it kept, if not, or if it had no reference wells to be centred on; and how far the bulk of its treated wells
        lies from its reference wells beyond chance, because controls stand elsewhere on a plate.
    spread_gain : float
        Variance of mock wells relative to that of infected untreated ones, at least 1: wells that are rescued scatter
        like mock.
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
    centre_variance : dict
        Plate -> the part of `plate_variance` that control wells tell by themselves; all of it on plates without them.
    """

    scale: dict
    degrees: float
    n_reference: dict
    plate_variance: dict
    spread_gain: float
    offset: float
    residuals: np.ndarray
    seed: int = 0
    n_draws: int = N_DRAWS
    excess: float = 1.0
    centre_variance: dict = field(default_factory=dict)
    tails_: dict = field(default_factory=dict, repr=False)
    efficiencies_: dict = field(default_factory=dict, repr=False)

    def arm_variance(self, counts: dict) -> float:
        """Return the variance of the mean rescue of an arm with `counts` wells on each plate."""
        total = sum(counts.values())
        return sum((k / total) ** 2 * self.plate_mean_variance(plate, k) for plate, k in counts.items())

    def plate_mean_variance(self, plate: str, k: int) -> float:
        """Return the variance of the mean of `k` wells on a plate."""
        return self.scale[plate] ** 2 / k + self.plate_variance[plate]

    def efficiency(self, n_wells: int) -> float:
        """Return the variance of a mean of `n_wells` wells, drawn in, relative to that of their plain mean."""
        if n_wells not in self.efficiencies_:
            rng = np.random.default_rng([self.seed, n_wells, 17])
            self.efficiencies_[n_wells] = float(self._residual_means(rng, n_wells).var() * n_wells)
        return self.efficiencies_[n_wells]

    def tail(
        self,
        n_doses: int,
        n_wells: int,
        n_plates: float,
        *,
        apart: float = 0.0,
        statistic: str = "max",
        worse: bool = False,
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
            As in :func:`helpers.hits.scan.max_window`.
        worse : bool
            Of effects away from mock: where noise is skewed its two tails differ.
        """
        plates, apart = round(min(n_plates, n_wells), 6), round(apart, 6)
        key = (n_doses, n_wells, plates, apart, statistic if n_doses > 1 else "max", worse)
        if key not in self.tails_:
            self.tails_[key] = Tail(self._draw(*key))
        return self.tails_[key]

    def _draw(
        self, n_doses: int, n_wells: int, n_plates: float, apart: float, statistic: str, worse: bool
    ) -> np.ndarray:
        """Draw pseudo-compounds and return their largest standardised window mean, shape (n_draws,)."""
        rng = np.random.default_rng([self.seed, n_doses, n_wells, int(min(n_plates, 1e9) * 1e6)])
        scale = float(np.mean(list(self.scale.values())))
        shared = np.median(list(self.plate_variance.values())) / scale**2
        means = np.empty((self.n_draws, n_doses))
        for dose in range(n_doses):
            means[:, dose] = self._residual_means(rng, n_wells) * (-1 if worse else 1)
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
        return draw_in(self.residuals[picks], 1.0).mean(axis=1)


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
        If no plate has two infected untreated wells and there are hardly any treated ones: then there is no noise to
        compare with.
    """
    obs = scored.obs.iloc[rows]
    reference = obs[controls(obs, "infected")]
    by_plate = sorted(rows_by(reference, "plate_id").items(), key=lambda item: str(item[0]))
    values = {plate: reference["rescue"].to_numpy()[r] for plate, r in by_plate}
    posterior, degrees, pooled, excess = _variances(obs, values, inflate)
    scale = dict(zip(values, np.sqrt(posterior), strict=True))
    for plate in obs["plate_id"].unique():  # a plate without reference wells has the experiment's noise
        scale.setdefault(plate, np.sqrt(pooled))
    shared, by_controls, centred = plate_variances(scored, obs, values, scale, pooled)
    every = np.concatenate([*values.values(), np.empty(0)])
    return Null(
        scale,
        degrees,
        {plate: len(v) for plate, v in values.items()},
        shared,
        _spread_gain(obs, pooled),
        float(every.mean()) if centred and len(every) else 0.0,
        _residuals(values, scale, obs),
        seed,
        n_draws,
        excess,
        {plate: by_controls[plate] if plate in values else shared[plate] for plate in shared},
    )


def _variances(obs: pd.DataFrame, values: dict, inflate: bool) -> tuple[np.ndarray, float, float, float]:
    """Return the variance of a well on each plate of `values`, its degrees of freedom, the pooled one, and the excess.

    Where no plate has two infected untreated wells, replicates of treated wells are all that tells noise.
    """
    n = np.array([len(v) for v in values.values()])
    default, default_degrees = _replicate_variance(obs)
    if n.max(initial=0) < 2:
        default, default_degrees = max((default, default_degrees), _bulk_variance(obs), key=lambda v: v[1])
        if default_degrees < MIN_DEGREES:
            raise DataError(
                f"experiment {obs['experiment'].iloc[0]} has no plate with two infected untreated wells, and too few "
                f"treated ones: there is no null to test against; leave it out with the parameter experiments"
            )
        return np.full(len(n), default), default_degrees, default, 1.0
    variances = np.array([v.var(ddof=1) if len(v) > 1 else 0.0 for v in values.values()])
    # a plate without others was split into halves, each with its own origin
    used_up = 2 if len(rows_by(obs, "plate_id")) == 1 else 1
    own = np.maximum(n - used_up, np.minimum(n - 1, 1)).astype(float)
    variances *= (n - 1) / np.maximum(own, 1)
    pooled = float(variances @ own / own.sum())
    posterior, degrees = moderate(variances, own, default=default, default_degrees=default_degrees)
    excess = _noise_excess(default, default_degrees, pooled, own.sum()) if inflate else 1.0
    # wells that do not scatter at all, such as counts of 0, tell no noise; replicates of treated ones may
    least = max(default, np.finfo(float).tiny)
    posterior = np.where(posterior > 0, posterior, least)
    return (
        posterior * excess,
        float(degrees.mean()),
        max(pooled, least if pooled == 0 else 0.0) * excess,
        excess,
    )


def _bulk_variance(obs: pd.DataFrame) -> tuple[float, float]:
    """Return the robust variance of treated wells within plates, most of which do nothing, and its degrees of freedom.

    A scaled median absolute deviation has .37 of the efficiency of a standard deviation.
    """
    members = obs[treated(obs) & usable(obs)]
    plates = members.groupby("plate_id", observed=True)["rescue"]
    residual = (members["rescue"] - plates.transform("median"))[plates.transform("size") > 2]
    if not len(residual):
        return 0.0, 0.0
    return float(stats.median_abs_deviation(residual, scale="normal")) ** 2, 0.37 * len(residual)


def _spread_gain(obs: pd.DataFrame, pooled: float) -> float:
    """Return the variance of mock wells within plates relative to `pooled`, at least 1."""
    mock = obs[controls(obs, "mock")]
    grouped = mock.groupby("plate_id", observed=True)["rescue"]
    residual = (mock["rescue"] - grouped.transform("median")).to_numpy()[
        grouped.transform("size").to_numpy() > 2
    ]
    if len(residual) < MIN_SPREAD or pooled <= 0:
        return 1.0
    return max(1.0, float(stats.median_abs_deviation(residual, scale="normal")) ** 2 / pooled)


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


def _residuals(values: dict, scale: dict, obs: pd.DataFrame) -> np.ndarray:
    """Return standardised residuals: of the infected untreated wells, and of treated wells of arms that do nothing.

    In units of the plates' moderated scales: by its own standard deviation no well of n lies further off than
    sqrt(n - 1), which would cut the tail short. Treated wells went through the same quality control as the wells
    that are judged, and failures that it left in are among them as often. An arm counts as doing nothing if the middle
    of its wells, the one nearer to none of two, does.
    """
    unit = {plate: s if s > 0 else 1.0 for plate, s in scale.items()}
    parts = [
        (v - v.mean()) * np.sqrt(len(v) / (len(v) - 1)) / unit[plate]
        for plate, v in values.items()
        if len(v) > 2
    ]
    parts.append(_idle_residuals(obs, unit))
    # sorted, so that the draws do not depend on the order of the wells
    residuals = np.sort(np.concatenate(parts))
    spread = residuals.std() if len(residuals) else 0.0
    return (residuals - residuals.mean()) / spread if spread > 0 else residuals


def _idle_residuals(obs: pd.DataFrame, unit: dict) -> np.ndarray:
    """Return the standardised wells of treated arms whose middle well shows nothing, relative to their plate's bulk."""
    members = obs[treated(obs) & usable(obs)]
    plates = members.groupby("plate_id", observed=True)["rescue"]
    compounds = members.groupby("plate_id", observed=True)["treatment"].transform("nunique")
    enough = (plates.transform("size") >= MIN_BULK) & (compounds >= MIN_COMPOUNDS)
    members = members[enough.to_numpy()]
    if not len(members):
        return np.empty(0)
    z = (
        members["rescue"] - members.groupby("plate_id", observed=True)["rescue"].transform("median")
    ).to_numpy()
    z = z / members["plate_id"].astype(object).map(unit).to_numpy(float)
    arm = members.groupby(["treatment", "dose_um"], observed=True, dropna=False).ngroup().to_numpy()
    order = np.lexsort((z, arm))
    starts = np.flatnonzero(np.diff(arm[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    low, high = z[order][starts + (sizes - 1) // 2], z[order][starts + sizes // 2]
    middle = np.minimum(np.abs(low), np.abs(high))
    idle = (middle <= IDLE / np.sqrt(np.maximum(sizes / 2, 1))) & (sizes > 1)
    return z[order][np.repeat(idle, sizes)]
