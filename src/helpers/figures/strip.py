"""Every well of one compound, beside the controls of the same plates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from helpers.dose.screen import wells_of_curve
from helpers.figures.curves import fitted_wells, plot_curve
from helpers.figures.style import CONDITION_STYLE, INK, dose_positions, plot_missing


def plot_strip(wells: pd.DataFrame, experiment: str, treatment: str, *, ax: Axes | None = None) -> Axes:
    """Draw every well of a compound over dose and plate, beside the controls of the same plates.

    Parameters
    ----------
    wells : DataFrame
        Scored wells of the screen.
    experiment, treatment : str
        Which compound.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    points = wells_of_curve(wells, experiment, treatment)
    if points.empty:
        return plot_missing(f"{treatment} has no scored wells with a dose in {experiment}.", ax=ax)
    same = wells[
        (wells["experiment"].astype(str) == str(experiment)) & wells["plate"].isin(points["plate"].unique())
    ]
    same = fitted_wells(same[same["treatment"].isna() & same["condition"].isin(["mock", "infected"])])
    ax = plot_curve(points, ax=ax, title=f"{treatment}, {experiment}", extra=_strip_handles(same))
    for name, rows in same.groupby(same["condition"].astype(str)):
        low, high = np.nanpercentile(rows["rescue"], [5, 95])
        ax.axhspan(low, high, color=CONDITION_STYLE[name].color, alpha=0.12, lw=0, zorder=0)
    mean = fitted_wells(points).groupby("dose_um")["rescue"].mean()
    ax.plot(dose_positions(mean.index.to_series()), mean, color=INK, lw=1.2, zorder=2)
    return ax


def _strip_handles(controls: pd.DataFrame) -> list:
    """Return the legend of the line and the bands of `plot_strip`."""
    present = set(controls["condition"].astype(str))
    bands = [
        Patch(fc=mark.color, alpha=0.25, label=f"{mark.label}, middle 90 %")
        for name, mark in CONDITION_STYLE.items()
        if name in present
    ]
    return [Line2D([], [], color=INK, lw=1.2, label="mean"), *bands]
