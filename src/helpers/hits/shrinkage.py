"""Shrinkage: what estimates are likely to be in truth, given what all estimates of a screen look like.

The compound that came out best did so in part by luck, and to know how much, one has to look at the others: where most
show nothing, a large estimate with a large error is probably a small effect. The prior is a mixture of normals around
zero, fitted to all arms (adaptive shrinkage; Stephens 2017, doi:10.1093/biostatistics/kxw041).
"""

from dataclasses import dataclass

import numpy as np

N_ROUNDS = 200
STEP = np.sqrt(2)
"""Between one standard deviation of the mixture and the next."""


@dataclass(frozen=True)
class Prior:
    """A mixture of normals around zero.

    Attributes
    ----------
    spreads : array
        Standard deviations of the components, the first 0, shape (n_components,).
    weights : array
        Their shares, shape (n_components,).
    """

    spreads: np.ndarray
    weights: np.ndarray

    def draw(self, values: np.ndarray, errors: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw truths that go with estimates, shape (n, n_values).

        Parameters
        ----------
        values, errors : array
            Estimates and their standard errors, shape (n_values,).
        n : int
            Draws.
        rng : Generator
            Of the draws.
        """
        weights = _responsibilities(values, errors, self.spreads, self.weights)
        edges = np.cumsum(weights, axis=1)
        picks = (rng.random((n, len(values), 1)) > edges[None, :, :-1]).sum(axis=2)
        spread = self.spreads[picks] ** 2
        share = spread / (spread + errors**2)
        return share * values + np.sqrt(share) * errors * rng.standard_normal((n, len(values)))


def fit_prior(values: np.ndarray, errors: np.ndarray) -> Prior:
    """Fit the mixture by expectation maximisation.

    Parameters
    ----------
    values, errors : array
        Estimates and their standard errors, all above 0, shape (n_values,).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = np.where(np.arange(400) < 40, 1.0, 0.0)
    >>> prior = fit_prior(truth + rng.normal(0, 0.1, 400), np.full(400, 0.1))
    >>> 0.8 < float(prior.weights[prior.spreads < 0.1].sum()) < 0.95
    True
    """
    least, most = errors.min() / 10, 2 * np.sqrt(max(float((values**2 - errors**2).max()), errors.min() ** 2))
    n = int(np.ceil(np.log(most / least) / np.log(STEP))) + 1
    spreads = np.r_[0.0, least * STEP ** np.arange(n)]
    weights = np.full(len(spreads), 1 / len(spreads))
    for _ in range(N_ROUNDS):
        weights = _responsibilities(values, errors, spreads, weights).mean(axis=0)
    return Prior(spreads, weights)


def _responsibilities(
    values: np.ndarray, errors: np.ndarray, spreads: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return how likely each value comes from each component, shape (n_values, n_components)."""
    variance = spreads[None] ** 2 + errors[:, None] ** 2
    log = np.log(np.maximum(weights, 1e-300)) - 0.5 * np.log(variance) - 0.5 * values[:, None] ** 2 / variance
    odds = np.exp(log - log.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
