"""Reach: how far from where they belong wells lie that did not fail, told by the bulk of the distances."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

HEAVINESS = (1e6, 50.0, 20.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.5)
"""Degrees of freedom of the tails that are tried, from Gaussian on."""
FEW = 100
"""With fewer distances than this, tails heavier than seven degrees cannot be told."""
LEAST = 8
"""With fewer distances than this nothing is said."""
BULK = np.array([0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65])
"""Quantiles that the fit looks at: a third of the wells may have failed."""
BETTER = 0.8
"""A heavier tail is taken where it leaves less than this share of the error of fit."""


@dataclass(frozen=True)
class Reach:
    """A scaled F distribution of squared distances: what a multivariate t leaves of wells around their centre.

    Attributes
    ----------
    dimensions : float
        Number of directions that the noise has, in effect.
    heaviness : float
        Degrees of freedom of the t distribution; a million is Gaussian.
    scale : float
        Factor of the F distribution.
    """

    dimensions: float
    heaviness: float
    scale: float

    def limit(self, rate: float) -> float:
        """Return the squared distance that a well which did not fail exceeds with probability `rate`."""
        return float(self.scale * stats.f.isf(rate, self.dimensions, self.heaviness))

    def along(self, squares: np.ndarray, n_features: int) -> "Reach":
        """Return the reach along one direction, given squared positions of noise along it.

        The bulk of one number says little of its tail, so the tail is the one of all directions. Positions there are
        in units of the well's own noise (see `own_noise`), which takes tails away that all directions share.
        """
        heaviness = self.heaviness + n_features - 1
        scale = np.median(np.quantile(squares, BULK) / stats.f.ppf(BULK, 1, heaviness))
        return Reach(1.0, heaviness, float(scale))


def fit_reach(squares: np.ndarray, dimensions: float) -> Reach:
    """Fit the distribution of squared distances by their bulk.

    Parameters
    ----------
    squares : array
        Squared distances, shape (n,), of which a third may be those of failed wells.
    dimensions : float
        As in :class:`helpers.profiles.reach.Reach`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> squares = rng.chisquare(10, 1000)
    >>> squares[:200] += 500
    >>> 30 < fit_reach(squares, 10).limit(1e-4) < 100
    True
    """
    squares = squares[squares > 0]
    if len(squares) < LEAST:
        return Reach(dimensions, HEAVINESS[0], np.inf)
    seen = np.log(np.quantile(squares, BULK))
    best, error = None, np.inf
    for heaviness in HEAVINESS:
        if len(squares) < FEW and heaviness < 7:
            break
        expected = np.log(stats.f.ppf(BULK, dimensions, heaviness))
        shift = float((seen - expected).mean())
        own = float(((seen - expected - shift) ** 2).sum())
        if own < BETTER * error:
            best, error = Reach(dimensions, heaviness, float(np.exp(shift))), own
    return best


def effective_dimensions(noise: np.ndarray) -> float:
    """Return in how many directions noise varies, in effect: the participation ratio of its spectrum.

    Parameters
    ----------
    noise : array
        Shape (n, n_features); the farthest tenth is left out.
    """
    lengths = np.einsum("ij,ij->i", noise, noise)
    noise = noise[lengths <= np.quantile(lengths, 0.9)]
    tall = noise.shape[1] <= len(noise)
    gram = noise.T @ noise if tall else noise @ noise.T
    return float(np.trace(gram) ** 2 / np.sum(gram * gram))
