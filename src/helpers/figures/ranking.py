"""Who rescues, and how sure is it: ranks, the on-/off-disease plane, the volcano, and truth where it is known."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from scipy import optimize, stats

from helpers.figures.points import beyond_handle, draw_beyond, show_limits
from helpers.figures.style import (
    CALL_STYLE,
    CONDITION_STYLE,
    FAINT,
    INK,
    WIDTH,
    axes_or_new,
    format_um,
    legend_below,
    legend_handles,
    plot_missing,
    scatter_classes,
    series_styles,
)
from helpers.hits.deciding import deciding_arms, with_calls
from helpers.screens.order import natural_order

HIGHEST = 10
"""Volcanoes end here: smaller q-values are extrapolations, and would flatten the part that matters."""

FEW = 12
"""So few compounds can be named beside their points."""

NOTHING_TO_RANK = "No compound can be scored: this screen lacks embeddings, controls or treatments."


def plot_rank(ranked: pd.DataFrame, *, ax: Axes | None = None, label: int = 5, title: str = "") -> Axes:
    """Draw every compound of one experiment by rank, with intervals, coloured by call.

    Parameters
    ----------
    ranked : DataFrame
        From `deciding_arms`, one experiment.
    ax : Axes, optional
        Where to draw; new axes by default.
    label : int
        Name so many compounds from the top.
    title : str
        Above the axes.
    """
    if ranked.empty:
        return plot_missing(NOTHING_TO_RANK, ax=ax)
    ax = axes_or_new(ax, (WIDTH, 3.6))
    table = ranked.sort_values("rank")
    colors = table["call"].astype(str).map({k: m.color for k, m in CALL_STYLE.items()})
    ax.vlines(
        table["rank"], table["rescue_low"], table["rescue_high"], colors=colors, lw=0.9, alpha=0.55, zorder=1
    )
    scatter_classes(ax, table["rank"], table["rescue_max"], table["call"], CALL_STYLE, size=20)
    _reference_lines(ax)
    _name_top(ax, table.head(label), beside=len(table) <= FEW)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlim(1 - 0.02 * len(table) - 0.5, len(table) * 1.02 + 0.5)
    shown = table[["rescue_max", "rescue_low", "rescue_high"]].to_numpy(float).ravel()
    low, high = show_limits(shown, include=(-0.1, 1.0))
    # Names in a column need the room above the points.
    ax.set_ylim(low, high if len(table) <= FEW else high + 0.4 * (high - low))
    draw_beyond(ax, table["rank"], table["rescue_max"], colors)
    ax.set_xlabel("rank of the compound")
    ax.set_ylabel("rescue at its\ndeciding dose")
    ax.set_title(title)
    return ax


def _reference_lines(ax: Axes) -> None:
    """Draw where infected (0) and mock (1) lie on a rescue axis."""
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axhline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)


def _name_top(ax: Axes, table: pd.DataFrame, *, beside: bool) -> None:
    """Name compounds beside their points where there is room, else in a column with a thin line to each."""
    top = table.dropna(subset=["rescue_max"]).sort_values("rescue_max", ascending=False)
    if top.empty:
        return
    if beside:
        for row in top.itertuples():
            look = {"xytext": (8, 0), "textcoords": "offset points", "fontsize": 9, "va": "center"}
            ax.annotate(str(row.treatment)[:26], (row.rank, row.rescue_max), **look)
        return
    start, step = 0.97, 0.068
    for i, row in enumerate(top.itertuples()):
        ax.annotate(
            str(row.treatment)[:26],
            (row.rank, row.rescue_max),
            xytext=(0.36, start - i * step),
            textcoords=ax.transAxes,
            fontsize=9,
            va="center",
            arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkB": 3, "relpos": (0, 0.5)},
        )


def plot_ranks(hits: pd.DataFrame, arms: pd.DataFrame, *, label: int = 5) -> Figure:
    """Draw `plot_rank` for every experiment, one below the other.

    Parameters
    ----------
    hits, arms : DataFrame
        `hits.csv` and `arms.csv`.
    label : int
        Name so many compounds per experiment.
    """
    if hits.empty:
        return plot_missing(NOTHING_TO_RANK).figure
    ranked = deciding_arms(hits, arms)
    experiments = natural_order(ranked["experiment"])
    figure, axes = plt.subplots(
        len(experiments),
        1,
        figsize=(WIDTH, 3.2 * len(experiments) + 0.6),
        layout="constrained",
        squeeze=False,
    )
    for ax, name in zip(axes.flat, experiments, strict=True):
        plot_rank(ranked[ranked["experiment"] == name], ax=ax, label=label, title=str(name))
    legend_below(axes[0, 0], legend_handles(CALL_STYLE, hits["call"].astype(str)), ncols=5)
    return figure


def plot_top(hits: pd.DataFrame, arms: pd.DataFrame, *, n: int = 15) -> Figure:
    """Draw the compounds of highest rank by name, with interval, dose and call.

    Parameters
    ----------
    hits, arms : DataFrame
        `hits.csv` and `arms.csv`.
    n : int
        How many compounds per experiment.
    """
    if hits.empty:
        return plot_missing(NOTHING_TO_RANK).figure
    ranked = deciding_arms(hits, arms).groupby("experiment", sort=False).head(n)
    groups = [ranked[ranked["experiment"] == e] for e in natural_order(ranked["experiment"])]
    heights = [len(g) + 1.6 for g in groups]
    figure, axes = plt.subplots(
        len(groups),
        1,
        figsize=(WIDTH, 0.25 * sum(heights) + 0.9),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
        sharex=True,
    )
    for ax, group in zip(axes.flat, groups, strict=True):
        _draw_forest(ax, group.reset_index(drop=True))
        ax.set_title(str(group["experiment"].iloc[0]))
    axes[-1, 0].set_xlabel("rescue at its deciding dose (0 = as infected, 1 = as mock)")
    legend_below(axes[0, 0], legend_handles(CALL_STYLE, ranked["call"].astype(str)), ncols=5)
    return figure


def _draw_forest(ax: Axes, group: pd.DataFrame) -> None:
    """Draw one row per compound."""
    for i, row in group.iterrows():
        mark = CALL_STYLE.get(str(row["call"]), CALL_STYLE["inactive"])
        ax.plot([row["rescue_low"], row["rescue_high"]], [i, i], color=mark.color, lw=1.6)
        ax.plot(
            row["rescue_max"],
            i,
            mark.marker,
            color=mark.color,
            ms=11 if mark.marker == "." else 6.5,
            mec="white",
        )
        dose = row["dose_at_max_um"]
        text = f"{format_um(dose)} µM" if pd.notna(dose) else "–"
        ax.text(1.02, i, text, transform=ax.get_yaxis_transform(), va="center", fontsize=9)
    for at, style in ((0, "infected"), (1, "mock")):
        ax.axvline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    ax.set_yticks(range(len(group)), [str(t)[:24] for t in group["treatment"]])
    ax.set_ylim(len(group) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def plot_on_off(
    arms: pd.DataFrame, hits: pd.DataFrame, *, off_limit: float = 0.999, ax: Axes | None = None
) -> Axes:
    """Draw arms in the plane of on-disease and off-disease scores.

    A compound that only undoes the disease moves to the left; one that does something else as well moves up. Points far
    beyond all others are arrowheads at the edge. Shaded: where arms without any effect lie (:func:`_draw_null`).

    Parameters
    ----------
    arms, hits : DataFrame
        `arms.csv` and `hits.csv` (for the calls).
    off_limit : float
        Share of arms without effect that stay below the column `off_limit`.
    ax : Axes, optional
        Where to draw; new axes by default.
    """
    if arms.empty or "off_disease" not in arms:
        return plot_missing(NOTHING_TO_RANK, ax=ax)
    table = with_calls(arms, hits)
    ax = axes_or_new(ax, (WIDTH, 4.4))
    scatter_classes(ax, table["on_disease"], table["off_disease"], table["call"], CALL_STYLE, size=16)
    for at, style in ((1, "infected"), (0, "mock")):
        ax.axvline(at, color=CONDITION_STYLE[style].color, lw=0.9, ls="--", zorder=0)
    ax.set_xlim(*show_limits(table["on_disease"], include=(0, 1)))
    top = max(show_limits(table["off_disease"], include=(0,))[1], 0.1)
    ax.set_ylim(-0.02 * top, top)
    colors = table["call"].map({k: m.color for k, m in CALL_STYLE.items()})
    beyond = draw_beyond(ax, table["on_disease"], table["off_disease"], colors)
    ax.set_xlabel("on-disease (0 = mock, 1 = infected, untreated)")
    ax.set_ylabel("off-disease (axis lengths)")
    legend_below(ax, [*_call_handles(table["call"], beyond), *_draw_null(ax, arms, off_limit)], ncols=3)
    return ax


NULL_SHARES = (0.5, 0.95, 0.999)


def _draw_null(ax: Axes, arms: pd.DataFrame, off_limit: float) -> list[Patch]:
    """Shade where about half, 95 % and 99.9 % of arms without effect lie, for the median arm; return its legend.

    Along the axis chance is Gaussian with the null's standard deviation. Away from it the *square* of the distance is
    taken as Gaussian too, of such a width that its limit is that of the pseudo-arms, and what would be below zero is
    zero.
    """
    needed = ["null_sd", "off_limit"]
    if not set(needed) <= set(arms):
        return []
    along, limit = arms[needed].replace(np.inf, np.nan).median()
    if not (np.isfinite(along) and np.isfinite(limit)):
        return []
    square = limit**2 / stats.norm.isf(1 - off_limit)
    angle = np.linspace(0, np.pi, 200)
    for share in NULL_SHARES:
        r = optimize.brentq(lambda r: _share_within(r) - share, 0, 10)  # noqa: B023 (used at once)
        on, off = 1 + along * r * np.cos(angle), np.sqrt(square * r * np.sin(angle))
        ax.fill(on, off, color=CONDITION_STYLE["infected"].color, alpha=0.12, lw=0, zorder=0.5)
        ax.plot(on, off, color=CONDITION_STYLE["infected"].color, lw=1.1, zorder=4)
    label = f"chance alone: about {', '.join(f'{100 * share:g}' for share in NULL_SHARES)} %"
    color = CONDITION_STYLE["infected"].color
    return [Patch(fc=to_rgba(color, 0.2), ec=color, lw=1.1, label=label)]


def _share_within(r: float) -> float:
    """Return the share of two standard normals, the second taken as 0 where negative, within a radius."""
    return 0.5 * stats.chi2.cdf(r**2, 2) + 0.5 * stats.chi2.cdf(r**2, 1)


def plot_volcano(
    arms: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    fdr: float = 0.05,
    min_rescue: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the effect of every arm against its q-value; q-values below 1e-10 are drawn there.

    Parameters
    ----------
    arms, hits : DataFrame
        `arms.csv` and `hits.csv` (for the calls).
    fdr : float
        Where to draw the horizontal line.
    min_rescue : float
        Where to draw the vertical line: the rescue that the hypothesis allows.
    ax : Axes, optional
        Where to draw; new axes by default.
    """
    if arms.empty or arms["q_value"].isna().all():
        return plot_missing("No arm has a q-value on this screen.", ax=ax)
    table = with_calls(arms, hits)
    ax = axes_or_new(ax, (WIDTH, 4.2))
    height = -np.log10(table["q_value"].clip(lower=10.0**-HIGHEST))
    scatter_classes(ax, table["rescue"], height, table["call"], CALL_STYLE, size=16)
    ax.axhline(-np.log10(fdr), color=FAINT, lw=0.9, ls="--", zorder=0)
    ax.axvline(min_rescue, color=FAINT, lw=0.9, ls=":", zorder=0)
    ax.text(1.0, -np.log10(fdr), f" q = {fdr:g}", transform=ax.get_yaxis_transform(), va="center", fontsize=9)
    ax.set_xlim(*show_limits(table["rescue"], include=(0, 1)))
    beyond = draw_beyond(
        ax, table["rescue"], height, table["call"].map({k: m.color for k, m in CALL_STYLE.items()})
    )
    ax.set_xlabel("rescue of the arm (0 = as infected, 1 = as mock)")
    ax.set_ylabel(f"−log₁₀ q (cut at {HIGHEST})")
    legend_below(ax, _call_handles(table["call"], beyond), ncols=3)
    return ax


def _call_handles(calls: pd.Series, beyond: int) -> list:
    """Return the legend of calls, with the arrowheads of points beyond the edge where there are any."""
    return legend_handles(CALL_STYLE, calls) + ([beyond_handle()] if beyond else [])


def plot_truth(
    table: pd.DataFrame,
    *,
    estimate: str = "rescue",
    truth: str = "rescue_true",
    label: str = "rescue",
    classes: str | None = None,
    log: bool = False,
    low: str | None = None,
    high: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates against the known truth of a twin, with the line where both agree.

    Parameters
    ----------
    table : DataFrame
        One row per arm or compound, with the columns named.
    estimate, truth : str
        The columns compared.
    label : str
        What they hold, with its unit.
    classes : str, optional
        A column whose values get their own marker.
    log : bool
        Both axes logarithmic, for EC50s.
    low, high : str, optional
        Columns of the interval.
    ax : Axes, optional
        Where to draw; new axes by default.
    """
    needed = [estimate, truth]
    table = table.dropna(subset=needed) if set(needed) <= set(table) else table.head(0)
    if table.empty:
        return plot_missing("No truth to compare with: this screen was measured, not simulated.", ax=ax)
    ax = axes_or_new(ax, (WIDTH * 0.8, WIDTH * 0.8))
    if low and high:
        ax.vlines(table[truth], table[low], table[high], color=FAINT, lw=0.7, alpha=0.3, zorder=1)
    kinds = table[classes].astype(str) if classes else pd.Series("compounds", index=table.index)
    styles = {
        k: replace(m, label=str(k).replace("_", " ")) for k, m in series_styles(natural_order(kinds)).items()
    }
    scatter_classes(ax, table[truth], table[estimate], kinds, styles, size=20)
    ends = np.nanpercentile(table[needed], [0, 100])
    ax.plot(ends, ends, color=INK, lw=1, ls="--", zorder=0)
    if log:
        ax.set_xscale("log")
        ax.set_yscale("log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: format_um(value)))
    ax.set_xlabel(f"true {label}")
    ax.set_ylabel(f"estimated {label}")
    if classes:
        legend_below(ax, legend_handles(styles, kinds), ncols=3)
    return ax
