"""Recipes compared: technical variation removed against biology kept, the rule's own measure, shared compounds."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from helpers.figures.style import FAINT, INK, MARKERS, SERIES, WIDTH, format_um, plot_missing
from helpers.text import drawn

TECHNICAL = {
    "plate_predictability": ("plate\npredict-\nability", "low"),
    "experiment_predictability": ("experiment\npredict-\nability", "low"),
    "position_predictability": ("position\npredict-\nability", "low"),
    "uv_mock_gap": ("UV to mock\ngap", "low"),
}
"""Measures of what a recipe removes: column -> name on the axis, and whether `low` or `high` is better."""
BIOLOGY = {
    "replicate_map": ("replicate\nmAP", "high"),
    "control_auroc": ("control\nAUROC", "high"),
    "z_prime_robust": ("robust\nZ′", "high"),
    "replicate_error": ("replicate\nerror", "low"),
    "shared_agreement": ("shared\narms", "high"),
}
"""Measures of what a recipe keeps: column -> name on the axis, and whether `low` or `high` is better."""
GUARD = {"null_ratio": ("null\nratio", "")}
"""The measure by which the rule bars recipes: column -> name on the axis; neither end is better."""
TRUTH = {"truth_rmse": ("error\nto truth", "low"), "truth_rank": ("rank\ncorrelation\nto truth", "high")}
MEASURES = TECHNICAL | BIOLOGY | GUARD | TRUTH
"""Columns of `normalization.csv` with a short name and the direction that is better, if one is."""


def plot_recipe_choice(
    recipes: pd.DataFrame, *, technical: str = "plate_predictability", biology: str = "replicate_map"
) -> Figure:
    """Draw what each recipe removes and keeps, and below it the measure by which the rule picks one.

    Markers are the same in both parts, so the lower one is the upper one's legend. Recipes that the rule does not
    consider are hollow; lines are intervals over plates, where plates tell one; the selected recipe has a ring.

    Parameters
    ----------
    recipes : DataFrame
        `normalization.csv`.
    technical, biology : str
        Columns of the upper part.

    Returns
    -------
    Figure
        A new one.
    """
    criterion = "replicate_error" if _known(recipes, "replicate_error") else "z_prime_robust"
    if not _known(recipes, criterion):
        return plot_missing("Without embeddings and both controls the recipes cannot be compared.").figure
    placed = _known(recipes, technical) and _known(recipes, biology)
    low = 0.31 * len(recipes) + 0.9
    figure, axes = plt.subplots(
        2 if placed else 1,
        1,
        figsize=(WIDTH, (3.5 if placed else 0) + low),
        layout="constrained",
        squeeze=False,
        gridspec_kw={"height_ratios": [3.5, low] if placed else [1]},
    )
    if placed:
        _draw_tradeoff(axes[0, 0], recipes, technical, biology)
    _draw_criterion(axes[-1, 0], recipes, criterion)
    return figure


def _known(recipes: pd.DataFrame, column: str) -> bool:
    return column in recipes and bool(recipes[column].notna().any())


def _draw_tradeoff(ax: Axes, recipes: pd.DataFrame, technical: str, biology: str) -> None:
    """Draw each recipe with its intervals in both directions."""
    for i, (_, row) in enumerate(recipes.iterrows()):
        x, y = row[technical], row[biology]
        if pd.isna(x) or pd.isna(y):
            continue
        color = SERIES[i % len(SERIES)]
        ax.plot(_interval(row, technical), [y, y], color=color, lw=1, alpha=0.6)
        ax.plot([x, x], _interval(row, biology), color=color, lw=1, alpha=0.6)
        _mark(ax, x, y, i, row)
    ax.set_xlabel(f"{_words(technical)} (lower = less technical variation)")
    ax.set_ylabel(f"{_words(biology)}\n(higher = more biology)")
    ax.margins(0.08, 0.1)


def _draw_criterion(ax: Axes, recipes: pd.DataFrame, criterion: str) -> None:
    """Draw the rule's measure of every recipe, and how often the bootstrap picks it."""
    for i, (_, row) in enumerate(recipes.iterrows()):
        if pd.notna(row[criterion]):
            ax.plot(_interval(row, criterion), [i, i], color=SERIES[i % len(SERIES)], lw=1.2, alpha=0.7)
            _mark(ax, row[criterion], i, i, row)
        ax.text(1.02, i, _share(row), transform=ax.get_yaxis_transform(), va="center", fontsize=10)
    ax.text(1.02, -0.75, "picked", transform=ax.get_yaxis_transform(), va="bottom", fontsize=10)
    ax.set_yticks(range(len(recipes)), recipes["recipe"].astype(str))
    for text, selected in zip(ax.get_yticklabels(), recipes["selected"], strict=True):
        text.set_fontweight("bold" if selected else "normal")
    ax.set_ylim(len(recipes) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)
    if criterion == "replicate_error":
        _log_scale(ax)
    better = "lower" if criterion == "replicate_error" else "higher"
    unit = ", axis lengths, log scale" if criterion == "replicate_error" else ""
    ax.set_xlabel(f"{_words(criterion)} ({better} is better{unit})")


LEAST_RANGE = 1.5
"""Factor that the scale of errors spans at least."""
FEWEST_TICKS = 4
"""With fewer ticks the eye takes a logarithmic axis for a linear one."""


def _log_scale(ax: Axes) -> None:
    """Make the x axis logarithmic with plain numbers, enough of them to read it: errors differ by factors."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    if high < LEAST_RANGE * low:  # small differences are drawn as small
        middle, reach = np.sqrt(low * high), np.sqrt(LEAST_RANGE)
        low, high = middle / reach, middle * reach
        ax.set_xlim(low, high)
    ticks = []
    for step in (
        (1,),
        (1, 3),
        (1, 2, 5),
        (1, 1.5, 2, 3, 5, 7),
        np.arange(1, 10, 0.5),
        np.arange(1, 10, 0.1),
    ):
        ticks = [m * 10.0**e for e in range(-6, 4) for m in step if low <= m * 10.0**e <= high]
        if len(ticks) >= FEWEST_TICKS:
            break
    ax.set_xticks(ticks, [format_um(tick) for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def _mark(ax: Axes, x: float, y: float, i: int, row: pd.Series) -> None:
    """Draw the marker of the i-th recipe; hollow if the rule does not consider it, ringed if it is selected."""
    # Beyond eight recipes colours come again, with other markers.
    marker, color = MARKERS[(i + i // len(SERIES)) % len(MARKERS)], SERIES[i % len(SERIES)]
    face = "white" if row.get("excluded", "") else color
    ax.scatter(x, y, s=48, marker=marker, c=face, edgecolors=color, linewidths=1.4, zorder=4)
    if row["selected"]:
        ax.scatter(x, y, s=210, facecolors="none", edgecolors=INK, linewidths=1.2, zorder=3)


def _interval(row: pd.Series, column: str) -> list[float]:
    """Return the ends of an interval; the value itself where there is none."""
    value = row[column]
    ends = (row.get(f"{column}_low", np.nan), row.get(f"{column}_high", np.nan))
    return [value if pd.isna(end) else end for end in ends]


def _share(row: pd.Series) -> str:
    share = row.get("selection_share", np.nan)
    return "–" if pd.isna(share) else f"{share:.0%}".replace("%", " %")


def _words(column: str) -> str:
    """Return the name of a measure on one line."""
    return MEASURES[column][0].replace("-\n", "").replace("\n", " ") if column in MEASURES else column


def plot_shared(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the rescue of arms that two experiments share, one against the other, once per recipe.

    Parameters
    ----------
    tables : dict
        Recipe -> arms: treatment, dose_um, and the rescue in two experiments, a column each.

    Returns
    -------
    Figure
        A new one.
    """
    tables = {name: arms for name, arms in tables.items() if len(arms)}
    if not tables:
        return plot_missing("No two experiments of this screen share enough arms to compare.").figure
    first = next(iter(tables.values()))
    one, two = first.columns[2:4]
    figure, axes = plt.subplots(
        1,
        len(tables),
        figsize=(WIDTH, WIDTH / max(len(tables), 2) + 0.5),
        sharex=True,
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    values = np.concatenate([arms[[one, two]].to_numpy(float).ravel() for arms in tables.values()])
    low, high = np.percentile(values, [0.3, 99.7])
    room = 0.06 * (high - low)
    for ax, (name, arms) in zip(axes[0], tables.items(), strict=True):
        ax.axline((0, 0), slope=1, color=FAINT, lw=0.9, ls="--", zorder=0)
        inside = arms[[one, two]].clip(low - room / 2, high + room / 2)
        ax.scatter(inside[one], inside[two], s=16, c=SERIES[0], linewidths=0.3, edgecolors="white")
        r = np.corrcoef(arms[one], arms[two])[0, 1]
        ax.set_title(name)
        ax.text(0.04, 0.96, f"r = {r:.2f}".replace("-", "−"), transform=ax.transAxes, va="top", fontsize=10)
        ax.set(xlim=(low - room, high + room), ylim=(low - room, high + room), aspect="equal")
        ax.set_xlabel(f"rescue in {drawn(one)}")
    axes[0, 0].set_ylabel(f"rescue in {drawn(two)}")
    return figure
