"""Fits drawn for any table of responses, whatever its columns and units are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.errors import UsageError
from helpers.figures.curves import draw_ec50, draw_fit, draw_points
from helpers.figures.ec50 import ec50_text
from helpers.figures.style import WIDTH, dose_positions, format_um, hide_spare, plot_missing

NO_CURVES = "There are no curves to draw."


def plot_fits(
    table: pd.DataFrame,
    curves: pd.DataFrame,
    *,
    curve: str = "curve",
    dose: str = "dose",
    response: str = "response",
    cluster: str | None = None,
    ncols: int = 3,
    most: int = 12,
) -> Figure:
    """Draw the responses of a table and the curves fitted to them, a panel each.

    Parameters
    ----------
    table : DataFrame
        What :func:`helpers.dose.fit_curves` was given.
    curves : DataFrame
        What it returned; rows that are left out are not drawn, and the order is kept.
    curve, dose, response, cluster : str
        Columns of `table`, as they were named there; responses of one plate share a marker.
    ncols : int
        Panels side by side.
    most : int
        Draw at most so many curves, the first ones.

    Returns
    -------
    Figure
        A new one. The title of a panel holds name, class and EC50; the band is its interval, an arrow a limit.

    Raises
    ------
    UsageError
        For a column that does not exist.
    """
    columns = [name for name in (curve, dose, response, cluster) if name is not None]
    missing = [str(name) for name in columns if name not in table.columns]
    if missing:
        raise UsageError(
            f"no column {', '.join(missing)}; the table has {', '.join(map(str, table.columns))}"
        )
    chosen = curves.head(most).rename(columns=lambda name: f"{name}_um" if _is_dose(name) else name)
    if chosen.empty:
        return plot_missing(NO_CURVES).figure
    ncols = min(ncols, len(chosen))
    nrows = -(-len(chosen) // ncols)
    figure, axes = plt.subplots(
        nrows, ncols, figsize=(WIDTH, 2.3 * nrows + 0.4), layout="constrained", squeeze=False
    )
    for ax, (_, row) in zip(axes.flat, chosen.iterrows(), strict=False):
        mine = table[table[curve] == row["curve"]]
        points = pd.DataFrame(
            {
                "dose_um": pd.to_numeric(mine[dose], errors="coerce"),
                "rescue": pd.to_numeric(mine[response], errors="coerce"),
                "plate": mine[cluster] if cluster else "",
            }
        ).dropna(subset=["dose_um", "rescue"])
        _draw_panel(ax, points, row)
        ax.set_xlabel(dose if ax.get_subplotspec().is_last_row() else "")
        ax.set_ylabel(response if ax.get_subplotspec().is_first_col() else "")
    hide_spare(axes.flat[len(chosen) :])
    return figure


def _is_dose(name: str) -> bool:
    return name.startswith("ec50") and name != "ec50_censored"


def _draw_panel(ax: Axes, points: pd.DataFrame, row: pd.Series) -> None:
    """Draw one curve."""
    name = str(row["curve"])
    text = f"{str(row['curve_class']).replace('_', ' ')}\n{ec50_text(row).replace(' µM', '')}"
    ax.set_title(f"{name if len(name) <= 28 else name[:27] + '…'}\n{text}", fontsize=8)
    if points.empty or not (points["dose_um"] > 0).any():
        return
    draw_points(ax, points, 18, np.zeros(len(points), bool))
    at = dose_positions(points["dose_um"])
    ax.set_xscale("log")
    ax.set_xlim(at.min() / 1.8, at.max() * 1.8)
    ticks = 10.0 ** np.arange(np.ceil(np.log10(at.min())), np.floor(np.log10(at.max())) + 1)
    ticks = ticks[:: -(-len(ticks) // 4)] if len(ticks) else at.iloc[[0, -1]].to_numpy()
    ax.set_xticks(ticks, [format_um(tick) for tick in ticks])
    ax.minorticks_off()
    draw_fit(ax, points, row)
    draw_ec50(ax, points, row)
