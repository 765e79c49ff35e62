"""Position effects: how a value varies over the rows and columns of plates."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.plates import VALUE_LABELS
from helpers.figures.style import FAINT, WIDTH, plot_missing, series_styles, well_kind
from helpers.screens.layout import row_label


def position_profile(
    obs: pd.DataFrame, value: str, by: str = "row", *, kinds: tuple[str, ...] = ("infected", "treated")
) -> pd.DataFrame:
    """Take the median of a value over the rows or columns of all plates, relative to each plate's own median.

    Only wells that stand scattered over the plate are used by default: few of the treated ones do anything, and
    their treatments are drawn anew on every plate, so the medians show position and not compound.

    Parameters
    ----------
    obs : DataFrame
        Wells; flagged ones are left out.
    value : str
        A numeric column.
    by : str
        ``row`` or ``col``.
    kinds : tuple of str
        Kinds of wells (see `well_kind`).

    Returns
    -------
    DataFrame
        One row per plate row or column: position, median, low, high (two standard errors of a median), n.
    """
    chosen = obs[well_kind(obs).isin(kinds).to_numpy()]
    if "qc_flag" in chosen:
        chosen = chosen[(chosen["qc_flag"].astype(str) == "").to_numpy()]
    plates = chosen.groupby(["experiment", "plate"], observed=True)[value]
    grouped = (chosen[value] - plates.transform("median")).groupby(chosen[by].to_numpy())
    table = pd.DataFrame({"median": grouped.median(), "n": grouped.count()})
    spread = grouped.quantile(0.75) - grouped.quantile(0.25)
    # 1.349 quartile distances to a standard deviation, 1.253 of its errors to that of a median.
    error = 2 * 1.253 * spread / 1.349 / np.sqrt(table["n"])
    table["low"], table["high"] = table["median"] - error, table["median"] + error
    return table.rename_axis("position").reset_index()


def position_trend(profile: pd.DataFrame) -> tuple[float, float, float]:
    """Fit a straight line to a profile: its change from the first to the last position, and two standard errors of it.

    Medians are weighted by their own errors. Where they scatter around the line by more than these, as over a curved
    profile, the errors are widened to match.

    Parameters
    ----------
    profile : DataFrame
        From `position_profile`.

    Returns
    -------
    change, low, high : float
        NaN where fewer than three positions have a median.
    """
    known = profile.dropna(subset=["median"])
    if len(known) < 3:
        return (float("nan"),) * 3
    x, y = known["position"].to_numpy(float), known["median"].to_numpy(float)
    error = ((known["high"] - known["low"]) / 4).to_numpy(float)
    usual = float(np.median(error))
    # A position with few wells that happen to agree must not decide the line alone.
    weight = 1 / np.maximum(error, 0.2 * usual) ** 2 if usual > 0 else np.ones(len(x))
    centre = np.average(x, weights=weight)
    squares = np.sum(weight * (x - centre) ** 2)
    slope = np.sum(weight * (x - centre) * y) / squares
    rest = y - np.average(y, weights=weight) - slope * (x - centre)
    wider = max(float(usual > 0), np.sum(weight * rest**2) / (len(x) - 2))
    length = float(np.ptp(x))
    change, reach = slope * length, 2 * np.sqrt(wider / squares) * length
    return float(change), float(change - reach), float(change + reach)


def plot_position_profiles(wells: Mapping[str, pd.DataFrame] | pd.DataFrame, value: str = "rescue") -> Figure:
    """Draw the median of a value along rows and along columns, for one table or for several to compare.

    Parameters
    ----------
    wells : DataFrame or dict of them
        Wells; a dict's keys name what is compared, such as recipes.
    value : str
        A numeric column.
    """
    tables = {"": wells} if isinstance(wells, pd.DataFrame) else dict(wells)
    if all(value not in obs or obs[value].isna().all() for obs in tables.values()):
        return plot_missing("Without scores there are no profiles over rows and columns.").figure
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.3), sharey=True, layout="constrained")
    styles = series_styles(list(tables))
    for ax, by in zip(axes, ("row", "col"), strict=True):
        for name, obs in tables.items():
            table = position_profile(obs, value, by)
            look = {"color": styles[name].color, "marker": styles[name].marker, "ms": 3.5, "lw": 1.2}
            ax.plot(table["position"], table["median"], label=name, **look)
            ax.fill_between(
                table["position"], table["low"], table["high"], color=look["color"], alpha=0.15, lw=0
            )
        ax.axhline(0, color=FAINT, lw=0.8, ls="--", zorder=0)
        ax.set_xlabel("row" if by == "row" else "column")
    _letter_rows(axes[0])
    axes[0].set_ylabel(f"{VALUE_LABELS.get(value, value).split(' (')[0]}, relative to the plate")
    if len(tables) > 1:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)))
    return figure


def _letter_rows(ax: Axes) -> None:
    """Label the ticks of a row axis with row letters."""
    low, high = ax.get_xlim()
    step = max(int((high - low) // 6), 1)
    ticks = [r for r in range(step, 33, step) if low <= r <= high]
    ax.set_xticks(ticks, [row_label(r) for r in ticks])
