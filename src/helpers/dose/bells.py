"""Bells: curves that turn back at their highest doses."""

import numpy as np
from scipy import stats

from helpers.dose.curves import response_at
from helpers.dose.engine import Curves
from helpers.dose.fit import fit_group
from helpers.dose.options import Fitting

BELL_LEVEL = 0.01
BELL_FALL = (0.2, 1.5)
"""A curve turns back if its top doses fall short of it significantly and by this share of its effect, at least and at
most: what falls far beyond the start is another effect, not the loss of this one."""


def find_bells(curves: Curves, options: Fitting) -> np.ndarray:
    """Return which doses to keep, shape (n_curves, n_doses): without the top ones where a curve turns back there.

    The two highest doses, or the highest, are given means of their own. The curve turns back if that lowers the sum of
    squares more than noise does (F-test, Bonferroni over the two tries), the freed doses lie a fifth of the effect or
    more towards the front, and the doses before them are told from a flat line by themselves.
    """
    group, keep = curves.group.pooled(), curves.group.used.copy()
    best_p = np.full(len(group.curves), BELL_LEVEL / 2)
    used = group.used
    rank = used[:, ::-1].cumsum(axis=1)[:, ::-1]  # 1 = highest dose
    for n_top in (1, 2):
        left = used & (rank > n_top)
        # no curve can gain more than down to the scatter within doses; few are worth a fit
        spare = np.maximum(group.n_points - options.n_parameters - n_top, 1)
        scatter = np.maximum(group.within_ss / spare, 1e-300)
        most = np.maximum(curves.fit.rss - group.within_ss, 0.0) / n_top / scatter
        possible = stats.f.sf(most, n_top, spare) < BELL_LEVEL / 2
        rows = np.flatnonzero((left.sum(axis=1) >= options.min_doses) & possible)
        if not len(rows):
            continue
        rest = group.take(rows).keep_doses(left[rows])
        fit = fit_group(rest, curves.grid, limits=curves.limits.take(rows))
        top = used[rows] & ~left[rows]
        rss = fit.rss + (group.within[rows, 0] * top).sum(axis=1)
        freedom = group.n_points[rows] - options.n_parameters - n_top
        gain = (curves.fit.rss[rows] - rss) / n_top / np.maximum(rss / np.maximum(freedom, 1), 1e-300)
        p = np.where(freedom >= 2, stats.f.sf(np.maximum(gain, 0), n_top, np.maximum(freedom, 1)), 1.0)
        edge = np.where(left[rows], group.doses, 0.0).max(axis=1)
        reached = response_at(edge, fit.front, fit.back, fit.ec50, fit.hill)
        weight = group.weight[rows, 0] * top
        mean = (weight * group.mean[rows, 0]).sum(axis=1) / weight.sum(axis=1)
        effect = reached - fit.front
        fall = (reached - mean) * np.sign(effect)
        turns = (fall >= BELL_FALL[0] * np.abs(effect)) & (fall <= BELL_FALL[1] * np.abs(effect))
        own = rest.n_points - options.n_parameters
        rise = (rest.null_rss - fit.rss) / 3 / np.maximum(fit.rss / np.maximum(own, 1), 1e-300)
        turns &= stats.f.sf(np.maximum(rise, 0), 3, np.maximum(own, 1)) <= BELL_LEVEL
        found = turns & (p < best_p[rows]) & fit.converged
        best_p[rows[found]], keep[rows[found]] = p[found], left[rows[found]]
    return keep
