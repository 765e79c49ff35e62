"""What a screen holds: bars of well counts, dose sets, and how replicates spread."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.style import (
    CONDITION_STYLE,
    FAINT,
    INK,
    WIDTH,
    area_patch,
    axes_or_new,
    dose_axis,
    legend_below,
    plot_missing,
    series_styles,
)
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order
from helpers.text import drawn


def plot_counts(wells: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the wells of every experiment as a bar, split by kind and annotated with counts.

    Parameters
    ----------
    wells : DataFrame
        One row per well: experiment, condition, treatment.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    table = pd.crosstab(wells["experiment"].astype(str), well_kind(wells).astype(str))
    table = table.reindex(index=natural_order(table.index)[::-1])
    kinds = [k for k in CONDITION_STYLE if k in table]
    ax = axes_or_new(ax, (WIDTH, 0.5 * len(table) + 1.6))
    start = pd.Series(0.0, index=table.index)
    for kind in kinds:
        mark, width = CONDITION_STYLE[kind], table[kind]
        look = {"color": mark.color, "ec": "white", "lw": 0.8}
        if mark.hatch:
            look = {"color": "white", "ec": CONDITION_STYLE[kind].color, "lw": 0.4, "hatch": mark.hatch}
        ax.barh(table.index, width, left=start, height=0.66, **look)
        _write_counts(ax, width, start, table.sum(axis=1).max(), dark=kind in {"mock", "infected"})
        start += width
    ax.set_xlabel("wells")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    legend_below(ax, [area_patch(CONDITION_STYLE[kind]) for kind in kinds], ncols=3)
    return ax


def _write_counts(ax: Axes, width: pd.Series, start: pd.Series, most: float, *, dark: bool) -> None:
    """Write counts into the segments that are wide enough for them."""
    for i, (count, left) in enumerate(zip(width, start, strict=True)):
        if count > most * 0.018 * (1 + len(f"{count:,}")):
            ax.text(
                left + count / 2,
                i,
                f"{count:,}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if dark else INK,
            )


def plot_dose_sets(dose_sets: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each dose set as a row of points at its doses, with the number of compounds that use it.

    Parameters
    ----------
    dose_sets : DataFrame
        One row per experiment x dose set: experiment, doses_um (tuple), n_compounds.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if dose_sets.empty:
        return plot_missing("This screen gives no doses, so there are no dose sets to draw.", ax=ax)
    table = dose_sets.iloc[::-1].reset_index(drop=True)
    ax = axes_or_new(ax, (WIDTH, 0.34 * len(table) + 1.1))
    for i, doses in enumerate(table["doses_um"]):
        ax.plot(doses, [i] * len(doses), "-o", color=CONDITION_STYLE["mock"].color, lw=0.8, ms=5)
    noun = table["n_compounds"].map(lambda n: "compound" if n == 1 else "compounds")
    counts = table["n_compounds"].map("{:,}".format)
    ax.set_yticks(range(len(table)), table["experiment"].map(drawn).astype(str) + ", " + counts + " " + noun)
    ax.set_ylim(-0.6, len(table) - 0.4)
    times = np.maximum(table["n_compounds"] // max(table["n_compounds"].max() // 20, 1), 1)
    dose_axis(
        ax, pd.Series([d for doses, n in zip(table["doses_um"], times, strict=True) for d in doses * n])
    )
    ax.grid(axis="x", color=FAINT, alpha=0.25, lw=0.6)
    ax.tick_params(axis="y", length=0)
    return ax


def plot_replicates(arm_sizes: pd.DataFrame) -> Figure:
    """Draw how many wells, and how many plates, an arm has.

    Parameters
    ----------
    arm_sizes : DataFrame
        One row per arm: experiment, n_wells, n_plates.

    Returns
    -------
    Figure
        A new one.
    """
    if arm_sizes.empty:
        return plot_missing("This screen has no treated wells, so it has no arms.").figure
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.2), sharey=True, layout="constrained")
    names = natural_order(arm_sizes["experiment"])
    styles = series_styles(names)
    for ax, column in zip(axes, ("n_wells", "n_plates"), strict=True):
        sns.countplot(
            arm_sizes.astype({"experiment": str}),
            x=column,
            hue="experiment",
            hue_order=[str(name) for name in names],
            palette={str(name): styles[name].color for name in names},
            saturation=1,
            edgecolor="white",
            ax=ax,
        )
        ax.get_legend().remove()
        for bars in ax.containers:
            counts = [f"{n:,.0f}" if n else "" for n in bars.datavalues]
            ax.bar_label(bars, counts, fontsize=9, padding=2, rotation=90 if len(names) > 1 else 0)
        ax.set_xlabel("wells per arm" if column == "n_wells" else "plates per arm")
        ax.margins(y=0.25 if len(names) > 1 else 0.12)
    axes[0].yaxis.set_major_formatter("{x:,.0f}")
    axes[0].set_ylabel("arms")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)))
    return figure
