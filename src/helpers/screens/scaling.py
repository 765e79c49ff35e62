"""Features of different units put on one scale, as ``scale_features: robust`` of a ``screen.yml`` asks."""

import numpy as np
import polars as pl

from helpers.screens.problems import Problem, fatal, listed, note
from helpers.screens.rounding import varies
from helpers.screens.source import Source

MAD_SCALE = 1.4826


def reference_rows(sites: pl.DataFrame) -> np.ndarray:
    """Return which sites set the scale, shape (n_sites,): those of infected untreated wells."""
    is_infected = (pl.col("condition") == "infected") & pl.col("treatment").is_null()
    return sites.select(is_infected.fill_null(False).alias("is"))["is"].to_numpy()


def feature_spreads(values: np.ndarray) -> np.ndarray:
    """Return the spread (1.4826 MAD) of each feature among reference sites, 0 where it is rounding only.

    Parameters
    ----------
    values : array
        Of reference sites, shape (n_reference, n_features).

    Examples
    --------
    >>> values = np.array([[1.0, 300.00003], [2.0, 300.0], [3.0, 300.0], [4.0, 299.99997]], dtype=np.float32)
    >>> feature_spreads(values).round(3).tolist()
    [1.483, 0.0]
    """
    values = values.astype(np.float64)
    centre = np.median(values, axis=0)
    spread = MAD_SCALE * np.median(np.abs(values - centre), axis=0)
    return np.where(varies(spread, centre), spread, 0.0)


def scaling_problems(source: Source, spreads: np.ndarray) -> list[Problem]:
    """Report features without a scale of their own: fatal if none has one."""
    without = [name for name, spread in zip(source.features, spreads, strict=True) if not spread > 0]
    if not without:
        return []
    label, where = source.tables[0].label, "infected untreated wells"
    if len(without) == len(source.features):
        message = f"no feature varies among {where}, so `scale_features: robust` has no scale; set it to none"
        return [fatal(label, "", message)]
    message = (
        f"{len(without):,} of {len(source.features):,} features do not vary among {where} (but for rounding), have no "
        f"scale and are left out: {listed(without)}"
    )
    return [note(label, "", message)]
