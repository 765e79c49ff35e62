"""How much plates differ: their shifts and gains as random effects, of a size that all curves of a table tell together.

A curve seen on three plates is three curves: each plate may lie higher or lower (shift) and stretch or shrink the
effect (gain). Wells of one plate share both. Taking wells as independent makes intervals too narrow where plates hold
different doses, and far too wide where each holds them all, because shifts then only swell the residual variance. Three
plates cannot tell the variance of either (two degrees of freedom), and a percentile bootstrap of three plates cannot
cover. What is done depends on how many plates the table has in all:

- Many curves: the two variances are estimated once from all of them by restricted maximum likelihood (REML; the
  mixed model of Laird and Ware 1982, doi:10.2307/2529876), the shift relative to the variance of a response and the
  gain relative to the effect, so that curves in different units can be mixed. Each fit then knows both. The EC50 too
  may differ from plate to plate (dilution series, donors): its variance between plates is estimated from what single
  plates say of it, and widens the intervals.
- Few curves: shift and gain of every plate are free (fixed effects). Nothing is assumed about plates then; each costs
  two degrees of freedom, and the EC50 is told by the shape within plates alone. That it is the same on all of them
  cannot be tested then.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from helpers.dose.curves import saturation, saturation_gradient
from helpers.dose.design import DoseGroup
from helpers.dose.fit import Fit
from helpers.dose.grid import Penalty, _absorb, normal_equations

MIN_DEGREES = 40
"""Plates beyond the first, summed over curves, from which the variances between plates are estimated."""
FREE, STIFF = 1e-4, 1e6
"""Penalties, per unit of weight, that leave plates free or make them one."""


@dataclass(frozen=True)
class PlateSpread:
    """Variance of shifts relative to that of a response, SD of gains relative to the effect; inf = left free.

    `noise` is the variance of a response about its own plate's curve relative to the residual variance of the pooled
    fit, which plates inflate; `potency` is the variance of log EC50 between plates, 0 where too few tell it.
    `shift_sd` is the SD of shifts in units of the response, where other wells tell it, in place of `shift`.
    """

    shift: float
    gain: float
    noise: float = 1.0
    potency: float = 0.0
    shift_sd: float | None = None

    def with_known(self, shift_sd: float | None, gain_sd: float | None) -> "PlateSpread":
        """Return the spread with what other wells tell in place of what would be left free.

        Parameters
        ----------
        shift_sd, gain_sd : float, optional
            As in :class:`helpers.dose.known.Known`.
        """
        shift_sd = shift_sd if np.isinf(self.shift) else None
        gain = self.gain if gain_sd is None or np.isfinite(self.gain) else gain_sd
        return replace(self, shift_sd=shift_sd, gain=gain)

    def penalty(self, group: DoseGroup, fit: Fit, significant: np.ndarray) -> Penalty:
        """Return the penalties that belong to the pooled fits of a group; gain only where there is an effect."""
        unit = _unit(group)
        relative = self.shift
        if self.shift_sd is not None:
            relative = self.shift_sd**2 * unit / (self.noise * _noise(group, fit))
        shift = unit * np.clip(1 / np.maximum(relative, 1e-12), FREE, STIFF)
        with np.errstate(divide="ignore", over="ignore"):
            gain = self.noise * _noise(group, fit) / (self.gain * _effect(group, fit)) ** 2
        gain = np.where(significant, np.clip(gain, FREE * unit, STIFF * unit), STIFF * unit)
        return Penalty(np.broadcast_to(shift, gain.shape).copy(), gain)

    def degrees(self, group: DoseGroup, n_parameters: int, significant: np.ndarray) -> np.ndarray:
        """Return the residual degrees of freedom of each curve's fit, at least 1."""
        doses = (group.weight > 0).sum(axis=2)
        free = np.isinf(self.shift) and self.shift_sd is None
        first = np.where(free, (doses > 0).sum(axis=1) - 1, 0)
        free_gain = np.isinf(self.gain) & significant
        second = np.where(free_gain, np.maximum((doses > 1).sum(axis=1) - 1, 0), 0)
        return np.maximum(group.n_points - n_parameters - first - second, 1)

    def potency_variance(self, group: DoseGroup, fit: Fit) -> np.ndarray:
        """Return the variance that plates of different EC50 add to the log EC50 of each curve, shape (n_curves,)."""
        if self.potency == 0:
            return np.zeros(len(group.curves))
        weight = 1 / _plate_potencies(group, fit)[1]
        total = weight.sum(axis=1)
        share = weight / np.where(total > 0, total, 1.0)[:, None]
        return self.potency * np.where(total > 0, (share**2).sum(axis=1), 1.0)


def _unit(group: DoseGroup) -> np.ndarray:
    """Return the mean weight of a response of each curve."""
    return group.weight.sum(axis=(1, 2)) / group.n_points


def _noise(group: DoseGroup, fit: Fit) -> np.ndarray:
    """Return the residual variance of the pooled fit for weight 1."""
    return np.maximum(fit.rss / np.maximum(group.n_points - 4, 1), 1e-300)


def _seen(group: DoseGroup, fit: Fit) -> np.ndarray:
    """Return the share of each fitted curve's effect that lies within its doses."""
    low, high = group.dose_range()
    ends = (special.expit(fit.hill * (np.log(dose) - fit.log_ec50)) for dose in (high, low))
    return np.subtract(*ends)


def _effect(group: DoseGroup, fit: Fit) -> np.ndarray:
    """Return the change of the fitted curve over its doses, in size."""
    return np.maximum(np.abs((fit.back - fit.front) * _seen(group, fit)), 1e-150)


def plate_spread(
    groups: list[DoseGroup], fits: list[Fit], significant: list[np.ndarray], *, known_front: bool = False
) -> PlateSpread:
    """Estimate how much plates shift and stretch the curves of a table.

    Parameters
    ----------
    groups : list of DoseGroup
        With their plates.
    fits : list of Fit
        Of the same groups with plates pooled; they lend the shape of each curve.
    significant : list of arrays
        Which curves have an effect that a gain could stretch, one array for each group.
    known_front : bool
        Whether curves start at a known level. A free shift would then take the effect for itself, so that even few
        plates tell how large it is.
    """
    extra = [group.weight.any(axis=2).sum(axis=1) - 1 for group in groups]
    n_shift = sum(e.sum() for e in extra)
    n_gain = sum(e[s].sum() for e, s in zip(extra, significant, strict=True))
    if n_shift < (1 if known_front else MIN_DEGREES):
        return PlateSpread(np.inf, np.inf)
    quadratics = [_quadratics(group, fit) for group, fit in zip(groups, fits, strict=True)]
    estimate_gain = n_gain >= MIN_DEGREES
    noise = _noise_ratio(groups, fits, quadratics)

    def loss(x: np.ndarray) -> float:
        spread = PlateSpread(np.exp(x[0]), np.exp(x[1]) if estimate_gain else np.inf, noise)
        return sum(
            _restricted_likelihood(group, fit, chosen, quadratic, spread)
            for group, fit, chosen, quadratic in zip(groups, fits, significant, quadratics, strict=True)
        )

    bounds = [(np.log(1e-6), np.log(1e3)), (np.log(1e-4), np.log(3.0))]
    options = {"xatol": 1e-2, "fatol": 1e-3, "maxfev": 150}
    best = optimize.minimize(loss, np.log([0.1, 0.1]), method="Nelder-Mead", bounds=bounds, options=options)
    gain = float(np.exp(best.x[1])) if estimate_gain else np.inf
    return PlateSpread(float(np.exp(best.x[0])), gain, noise, _potency_spread(groups, fits, significant))


def _plate_potencies(group: DoseGroup, fit: Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what each plate by itself says of log EC50, to first order around the pooled fit.

    Three numbers are fitted to a plate: its level, its effect, and how far its log EC50 lies from that of the fit.

    Returns
    -------
    distance, variance, rss, degrees
        Of shape (n_curves, n_plates) each: that distance, its variance for a residual variance of 1 (inf where the
        plate does not tell), the residual sum of squares and its degrees of freedom.
    """
    share, slope, _ = saturation_gradient(group.doses, fit.log_ec50[:, None], fit.log_hill[:, None])
    columns = np.stack([np.ones_like(share), share, slope], axis=-1)
    weighted = group.weight[..., None] * columns[:, None]
    normal = np.swapaxes(weighted, -1, -2) @ columns[:, None]
    right = (weighted * group.mean[..., None]).sum(axis=2)
    several = (group.weight > 0).sum(axis=2) >= 3
    size = np.sqrt(np.maximum(np.einsum("npjj->npj", normal), 1e-300))
    scaled = normal / (size[..., :, None] * size[..., None, :])
    told = several & (np.linalg.det(scaled) > 1e-6)
    inverse = np.linalg.inv(np.where(told[..., None, None], scaled, np.eye(3)))
    found = np.einsum("npij,npj->npi", inverse, right / size) / size
    square = (group.weight * group.mean**2).sum(axis=2) + group.within.sum(axis=2)
    rss = np.maximum(square - (found * right).sum(axis=2), 0.0)
    effect = fit.back - fit.front
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = found[..., 2] / effect[:, None]
        variance = inverse[..., 2, 2] / (size[..., 2] * effect[:, None]) ** 2
    told &= np.isfinite(distance) & np.isfinite(variance) & (variance > 0)
    degrees = np.where(told, group.count.sum(axis=2) - 3, 0)
    return np.where(told, distance, 0.0), np.where(told, variance, np.inf), np.where(told, rss, 0.0), degrees


def _potency_spread(groups: list[DoseGroup], fits: list[Fit], significant: list[np.ndarray]) -> float:
    """Return the variance of log EC50 between plates; 0 where plates differ no more than their noise lets them.

    The variance at which the weighted squares within curves are as large as expected (Paule and Mandel 1982,
    doi:10.6028/jres.087.022). Plates that leave log EC50 within a factor of e at best do not take part.
    """
    squares = []
    for group, fit, chosen in zip(groups, fits, significant, strict=True):
        rows = np.flatnonzero(chosen & fit.converged & _inside(group, fit))
        distance, variance, rss, degrees = _plate_potencies(group.take(rows), fit.take(rows))
        s2 = rss.sum(axis=1) / np.maximum(degrees.sum(axis=1), 1)
        variance = variance * np.where(degrees.sum(axis=1) > 2, s2, np.inf)[:, None]
        variance[~(variance < 1)] = np.inf
        squares.append((distance, variance, degrees.sum(axis=1)))
    told = [(np.isfinite(v).sum(axis=1) - 1).clip(min=0) for _, v, _ in squares]
    # a weight taken from d degrees of freedom is too large by d / (d - 2) on average
    pairs = [(t, np.maximum(d, 3)) for t, (_, _, d) in zip(told, squares, strict=True)]
    expected = float(sum((t * d / (d - 2)).sum() for t, d in pairs))
    if sum(t.sum() for t in told) < MIN_DEGREES:
        return 0.0

    def excess(spread: float) -> float:
        total = 0.0
        for distance, variance, _ in squares:
            weight = 1 / (variance + spread)
            centre = (weight * distance).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
            total += (weight * (distance - centre[:, None]) ** 2).sum()
        return total - expected

    most = 4.0
    if excess(0.0) <= 0:
        return 0.0
    return most if excess(most) > 0 else float(optimize.brentq(excess, 0.0, most, xtol=1e-6))


def _inside(group: DoseGroup, fit: Fit) -> np.ndarray:
    low, high = group.dose_range()
    return (fit.ec50 > low) & (fit.ec50 < high)


def _quadratics(group: DoseGroup, fit: Fit) -> list[tuple]:
    """Return each plate's quadratic in its plateaus at the shape of the pooled fit.

    An EC50 off the doses is put at the nearest one: at its own place a plateau that was never seen may have any size,
    and a sum of squares that is a difference of huge numbers.
    """
    low, high = group.dose_range()
    log_ec50 = np.clip(fit.log_ec50, np.log(low), np.log(high))
    shapes = saturation(group.doses, log_ec50[:, None], fit.log_hill[:, None])
    plates = range(group.weight.shape[1])
    return [normal_equations(_one_plate(group, plate), shapes[:, :, None], None) for plate in plates]


def _noise_ratio(groups: list[DoseGroup], fits: list[Fit], quadratics: list[list[tuple]]) -> float:
    """Return by how much the residual variance falls when plates are left free, over all curves; at most 1."""
    parts = []
    for group, fit, quadratic in zip(groups, fits, quadratics, strict=True):
        unit = FREE * _unit(group)
        free = [_absorb(plate, Penalty(unit, unit)) for plate in quadratic]
        a, b, c, p, q, square = (sum(terms)[:, 0] for terms in zip(*free, strict=True))
        determinant = np.maximum(a * c - b**2, 1e-12 * (a + c) ** 2)
        rss = square - (c * p**2 - 2 * b * p * q + a * q**2) / determinant + group.within_ss
        doses = (group.weight > 0).sum(axis=2)
        degrees = group.n_points - np.minimum(doses, 2).sum(axis=1) - 2
        usable = (degrees > 0) & (fit.rss > 0)
        relative = np.maximum(rss, 0) / _noise(group, fit)
        parts.append((relative[usable].sum(), degrees[usable].sum()))
    rss, degrees = np.sum(parts, axis=0)
    return float(np.clip(rss / degrees, 1e-3, 1.0)) if degrees > 0 else 1.0


def _one_plate(group: DoseGroup, plate: int) -> DoseGroup:
    rows = [a[:, plate : plate + 1] for a in (group.weight, group.mean, group.within, group.count)]
    return DoseGroup(group.curves, group.doses, *rows)


def _restricted_likelihood(
    group: DoseGroup, fit: Fit, significant: np.ndarray, quadratics: list[tuple], spread: PlateSpread
) -> float:
    """Return minus twice the restricted log likelihood of a group, constants left out."""
    penalty = spread.penalty(group, fit, significant)
    l11, l12, l22 = (element[:, None] for element in penalty.matrix())
    log_penalty = np.log(l11 * l22 - l12**2)
    absorbed, log_det = [], 0.0
    for quadratic in quadratics:
        a, b, c = quadratic[:3]
        present = (a + c > 0).astype(float)
        log_det = log_det + present * (np.log((a + l11) * (c + l22) - (b + l12) ** 2) - log_penalty)
        absorbed.append(_absorb(quadratic, penalty))
    a, b, c, p, q, square = (sum(terms) for terms in zip(*absorbed, strict=True))
    determinant = np.maximum(a * c - b**2, 1e-12 * (a + c) ** 2)
    rss = square - (c * p**2 - 2 * b * p * q + a * q**2) / determinant
    # a ridge where the shape leaves a plateau unseen keeps the sum of squares from going below what is within cells
    rss = np.maximum(rss, 0)[:, 0] + group.within_ss
    degrees = np.maximum(group.n_points - 4, 1)
    values = degrees * np.log(np.maximum(rss, 1e-300)) + (log_det + np.log(determinant))[:, 0]
    return float(values.sum())
