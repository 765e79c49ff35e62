"""The tail of a simulated null: p-values and quantiles, also beyond the draws."""

import numpy as np


class Tail:
    """Survival function of a simulated null, with a fitted tail beyond the draws.

    The far tail is a generalised Pareto fitted by moments to the largest 1 % of the draws (Knijnenburg 2009,
    doi:10.1093/bioinformatics/btp211), never lighter than exponential.

    Parameters
    ----------
    draws : array
        Of the statistic under the null, shape (n_draws,).
    """

    def __init__(self, draws: np.ndarray):
        self.draws = np.sort(draws)
        n_top = max(len(draws) // 100, 50)
        self.threshold = self.draws[-n_top]
        excess = self.draws[-n_top + 1 :] - self.threshold
        self.top_share = n_top / len(draws)
        mean, variance = excess.mean(), excess.var()
        self.shape = float(np.clip(0.5 * (1 - mean**2 / variance), 0.0, 0.45)) if variance > 0 else 0.0
        self.scale = max(float(mean * (1 - self.shape)), 1e-300)

    def p_value(self, statistic: np.ndarray) -> np.ndarray:
        """Return the chance of a value at least as large under the null; never exactly 0 unless nan was given."""
        statistic = np.asarray(statistic, dtype=float)
        above = len(self.draws) - np.searchsorted(self.draws, statistic, side="left")
        body = (above + 1) / (len(self.draws) + 1)
        beyond = np.maximum(statistic - self.threshold, 0) / self.scale
        if self.shape > 0:
            tail = self.top_share * (1 + self.shape * beyond) ** (-1 / self.shape)
        else:
            tail = self.top_share * np.exp(-beyond)
        p = np.where(statistic > self.threshold, np.maximum(tail, 1e-300), body)
        return np.where(np.isnan(statistic), np.nan, np.minimum(p, 1.0))

    def quantile(self, share: float) -> float:
        """Return the value that the null exceeds with probability 1 - `share`."""
        beyond = 1 - share
        if beyond >= self.top_share:
            return float(np.quantile(self.draws, share))
        ratio = self.top_share / beyond
        reach = np.log(ratio) if self.shape == 0 else (ratio**self.shape - 1) / self.shape
        return float(self.threshold + self.scale * reach)

    def fitted(self, statistic: np.ndarray) -> np.ndarray:
        """Return where the p-value comes from the fitted tail instead of counted draws."""
        return np.asarray(statistic) > self.threshold
