"""Where arms without any effect lie in the plane of on-disease and off-disease, by chance alone."""

import numpy as np
import pandas as pd
from scipy import optimize, stats

NULL_SHARES = (0.5, 0.95, 0.999)


def chance_contours(arms: pd.DataFrame, *, shares: tuple[float, ...] = NULL_SHARES) -> pd.DataFrame:
    """Return outlines that hold given shares of arms without effect, for the median arm.

    Along the axis chance is Gaussian with the null's standard deviation. Away from it the *square* of the distance is
    taken as Gaussian too, as wide as that of the pseudo-arms, and what would be below zero is zero.

    Parameters
    ----------
    arms : DataFrame
        `arms.csv` with null_sd and off_square_sd.
    shares : tuple of float
        What the outlines hold.

    Returns
    -------
    DataFrame
        share, on_disease, off_disease: the points of each outline in order; no rows where chance is not known.
    """
    columns = ["share", "on_disease", "off_disease"]
    if arms.empty or not {"null_sd", "off_square_sd"} <= set(arms):
        return pd.DataFrame(columns=columns)
    along, square = arms[["null_sd", "off_square_sd"]].replace(np.inf, np.nan).median()
    if not (np.isfinite(along) and np.isfinite(square)):
        return pd.DataFrame(columns=columns)
    angle = np.linspace(0, np.pi, 200)
    parts = []
    for share in shares:
        r = _radius(share)
        on, off = 1 + along * r * np.cos(angle), np.sqrt(square * r * np.sin(angle))
        parts.append(pd.DataFrame({"share": share, "on_disease": on, "off_disease": off}))
    return pd.concat(parts, ignore_index=True)


def _radius(share: float) -> float:
    """Return the radius within which a share lies of two standard normals, the second taken as 0 where negative."""

    def within(r: float) -> float:
        return 0.5 * stats.chi2.cdf(r**2, 2) + 0.5 * stats.chi2.cdf(r**2, 1)

    return optimize.brentq(lambda r: within(r) - share, 0, 10)
