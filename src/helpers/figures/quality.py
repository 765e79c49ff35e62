"""How well an assay works, plate by plate and recipe by recipe."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.figures.style import (
    CONDITION_STYLE,
    FAINT,
    INK,
    MARKERS,
    SERIES,
    WIDTH,
    axes_or_new,
    legend_below,
    legend_handles,
    of_plate,
    plates_in_order,
    plot_missing,
    series_styles,
)
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order
from helpers.text import drawn

GOOD = 0.5
"""Robust Z′ from which Zhang et al. (1999) call an assay excellent."""


def plot_control_separation(
    scored: pd.DataFrame, quality: pd.DataFrame | None = None, *, max_plates: int = 20, ax: Axes | None = None
) -> Axes:
    """Draw where the controls of every plate lie on the on-disease axis, with the plate's robust Z′.

    Parameters
    ----------
    scored : DataFrame
        One row per well: experiment, plate, condition, treatment, on_disease, qc_flag.
    quality : DataFrame, optional
        `assay_quality.csv`; its z_prime_robust is written beside each plate.
    max_plates : int
        Draw at most so many plates; of more, those with the lowest robust Z′.
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    if "on_disease" not in scored or scored["on_disease"].notna().sum() == 0:
        return plot_missing("Without embeddings, or without both controls, nothing can be scored.", ax=ax)
    pairs = _worst_plates(plates_in_order(scored), quality, max_plates)
    ax = axes_or_new(ax, (WIDTH, 0.44 * len(pairs) + 1.7))
    rng = np.random.default_rng(0)
    for y, pair in enumerate(pairs):
        wells = of_plate(scored, pair)
        _draw_controls(ax, wells[well_kind(wells).isin(["mock", "uv", "infected"]).to_numpy()], y, rng)
    low, high = np.nanpercentile(_controls(scored)["on_disease"], [0.5, 99.5])
    ax.set_xlim(min(low, 0) - 0.15 * (high - low), max(high, 1) + 0.1 * (high - low))
    _write_z_prime(ax, pairs, quality)
    for at in (0, 1):
        ax.axvline(at, color=FAINT, lw=0.8, zorder=0)
    several = len({experiment for experiment, _ in pairs}) > 1
    ax.set_yticks(range(len(pairs)), [drawn(f"{e}_{p}" if several else f"plate {p}") for e, p in pairs])
    ax.set_ylim(len(pairs) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("on-disease (0 = mock, 1 = infected, untreated)")
    legend_below(ax, legend_handles(CONDITION_STYLE, well_kind(_controls(scored)).unique()), ncols=4)
    return ax


def _controls(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the control wells of a table: everything untreated with a known condition."""
    return scored[well_kind(scored).isin(["mock", "uv", "infected"]).to_numpy()]


def _worst_plates(pairs: list[tuple], quality: pd.DataFrame | None, most: int) -> list[tuple]:
    """Return at most so many plates, those with the lowest robust Z′, in natural order."""
    if len(pairs) <= most or quality is None:
        return pairs[:most]
    lowest = quality.sort_values("z_prime_robust", na_position="first").head(most)
    kept = set(zip(lowest["experiment"].astype(str), lowest["plate"].astype(str), strict=True))
    return [pair for pair in pairs if (str(pair[0]), str(pair[1])) in kept]


def _draw_controls(ax: Axes, wells: pd.DataFrame, y: float, rng: np.random.Generator) -> None:
    """Draw the controls of one plate as a strip with a tick at each median; flagged wells are hollow."""
    kind = well_kind(wells)
    flagged = (
        (wells["qc_flag"].astype(str) != "").to_numpy() if "qc_flag" in wells else np.zeros(len(wells), bool)
    )
    for name, lift in (("infected", 0.17), ("uv", 0.0), ("mock", -0.17)):
        chosen, mark = (kind == name).to_numpy(), CONDITION_STYLE[name]
        for fine in (True, False):
            x = wells["on_disease"].to_numpy(float)[chosen & (flagged != fine)]
            face = mark.color if fine else "white"
            height = y + lift + rng.uniform(-0.07, 0.07, len(x))
            ax.scatter(
                x, height, s=9, marker=mark.marker, c=face, edgecolors=mark.color, linewidths=0.5, alpha=0.75
            )
        middle = wells["on_disease"].to_numpy(float)[chosen & ~flagged]
        if len(middle):
            ax.plot([np.median(middle)] * 2, [y + lift - 0.13, y + lift + 0.13], color=INK, lw=1.4, zorder=4)


def _write_z_prime(ax: Axes, pairs: list[tuple], quality: pd.DataFrame | None) -> None:
    """Write each plate's robust Z′ at the right."""
    if quality is None or quality.empty:
        return
    ax.text(1.0, -0.7, "robust Z′", transform=ax.get_yaxis_transform(), fontsize=10, va="bottom", ha="left")
    for y, pair in enumerate(pairs):
        row = quality[
            (quality["experiment"].astype(str) == str(pair[0]))
            & (quality["plate"].astype(str) == str(pair[1]))
        ]
        value = row["z_prime_robust"].iloc[0] if len(row) else np.nan
        text = "–" if pd.isna(value) else f"{value:.2f}".replace("-", "−")
        ax.text(1.03, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=10)


def plot_before_after(
    tables: dict[str, pd.DataFrame], value: str = "rescue", *, kind: str = "infected", ax: Axes | None = None
) -> Axes:
    """Draw how a value of untreated wells spreads on each plate, for several recipes one above the other.

    Parameters
    ----------
    tables : dict
        Name of the recipe -> wells with experiment, plate, condition, treatment and the value.
    value : str
        ``rescue`` or ``on_disease``.
    kind : str
        The kind of wells drawn (see `well_kind`).
    ax : Axes, optional
        Where to draw; new axes by default.

    Returns
    -------
    Axes
        Those that were drawn on.
    """
    tables = {name: t for name, t in tables.items() if value in t and t[value].notna().any()}
    if not tables:
        return plot_missing("Without embeddings and controls there is nothing to compare.", ax=ax)
    plates = max(len(plates_in_order(t)) for t in tables.values())
    height = min(max(0.5, 0.1 * plates), 2.6, max(8 / len(tables), 0.5))
    ax = axes_or_new(ax, (WIDTH, height * len(tables) + 1.6))
    for y, wells in enumerate(tables.values()):
        chosen = wells[(well_kind(wells) == kind).to_numpy()]
        if "qc_flag" in chosen:
            chosen = chosen[(chosen["qc_flag"].astype(str) == "").to_numpy()]
        pairs = plates_in_order(chosen)
        for i, pair in enumerate(pairs):
            offset = 0.36 * (2 * (i + 0.5) / len(pairs) - 1)
            _draw_spread(ax, of_plate(chosen, pair)[value].dropna(), y + offset, pair, chosen)
    ax.set_yticks(range(len(tables)), list(tables))
    ax.set_ylim(len(tables) - 0.45, -0.55)
    ax.axvline(0 if value == "rescue" else 1, color=FAINT, lw=0.8, ls="--", zorder=0)
    ax.set_xlabel(f"{value.replace('_', '-')} of {CONDITION_STYLE[kind].label} wells, one line per plate")
    ax.tick_params(axis="y", length=0)
    names = natural_order(pd.concat([t["experiment"].astype(str) for t in tables.values()]))
    legend_below(ax, legend_handles(series_styles(names), names), ncols=4)
    return ax


def _draw_spread(ax: Axes, values: pd.Series, y: float, pair: tuple, wells: pd.DataFrame) -> None:
    """Draw the middle 90 % of one plate as a line with its median."""
    if values.empty:
        return
    place = natural_order(wells["experiment"]).index(pair[0])
    color = SERIES[place % len(SERIES)]
    low, middle, high = np.percentile(values, [5, 50, 95])
    ax.plot([low, high], [y, y], color=color, lw=1.3, alpha=0.8, solid_capstyle="round")
    ax.plot(middle, y, MARKERS[place % len(MARKERS)], color=color, ms=4)
