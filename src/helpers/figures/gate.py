"""Control separation of every plate against the line from which on a plate passes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.figures.style import FAINT, INK, SERIES, WIDTH, of_plate, plates_in_order, plot_missing
from helpers.text import drawn

LOWEST = -3.0
"""Z′ is drawn down to this; what lies lower stands on the edge."""

PASS_COLOR = "#8C2D04"


def plot_gate(quality: pd.DataFrame, min_z_prime: float = 0.0) -> Figure:
    """Draw Z′, robust Z′, SSMD and AUROC of every plate, with the line at which the gate stands.

    Filled markers are plates that pass, hollow ones those that do not or cannot be judged.

    Parameters
    ----------
    quality : DataFrame
        `assay_quality.csv`: experiment, plate, z_prime, z_prime_robust, ssmd, auroc, passes.
    min_z_prime : float
        Robust Z′ from which on a plate passes.

    Returns
    -------
    Figure
        A new one.
    """
    if quality.empty or quality["z_prime_robust"].isna().all():
        text = "No plate has two or more wells of both controls: quality cannot be measured plate by plate."
        return plot_missing(text).figure
    pairs = plates_in_order(quality)
    table = pd.concat([of_plate(quality, pair) for pair in pairs]).reset_index(drop=True)
    height = (0.3 if len(table) <= 24 else 0.2) * len(table) + 1.9
    layout = {"layout": "constrained", "gridspec_kw": {"width_ratios": (1.5, 1, 1)}}
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, height), sharey=True, **layout)
    _draw_dots(axes[0], table, "z_prime", SERIES[3], "s")
    _draw_dots(axes[0], table, "z_prime_robust", SERIES[0], "o")
    _draw_dots(axes[1], table, "ssmd", SERIES[0], "D")
    _draw_dots(axes[2], table, "auroc", SERIES[0], "^")
    for ax, label in zip(axes, ("Z′", "SSMD", "AUROC"), strict=True):
        ax.set_xlabel(f"{label}\n(no unit)")
        ax.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)
        ax.tick_params(axis="y", length=0)
    _frame(axes, table, min_z_prime)
    axes[0].set_yticks(range(len(table)), [drawn(f"{e}_{p}") for e, p in pairs])
    axes[0].set_ylim(len(table) - 0.4, -0.6)
    figure.legend(handles=_gate_legend(min_z_prime), loc="outside lower center", ncols=2)
    return figure


def _draw_dots(ax: Axes, table: pd.DataFrame, column: str, color: str, marker: str) -> None:
    """Draw one number per plate, filled where the plate passes."""
    passes = table["passes"].fillna(False).astype(bool).to_numpy()
    low = LOWEST if column.startswith("z_prime") else -np.inf
    value = table[column].astype(float).clip(lower=low)
    face = np.where(passes, color, "white")
    ax.scatter(value, np.arange(len(table)), marker=marker, s=30, c=face, edgecolors=color, zorder=3)


def _frame(axes: np.ndarray, table: pd.DataFrame, min_z_prime: float) -> None:
    """Set the limits of the three panels and draw the lines that mean something."""
    lowest = np.nanmin([*table["z_prime"], *table["z_prime_robust"], min_z_prime])
    axes[0].set_xlim(max(lowest, LOWEST) - 0.15, 1.03)
    axes[0].axvline(min_z_prime, color=PASS_COLOR, lw=1.6, zorder=1)
    axes[1].set_xlim(min(0, np.nanmin(table["ssmd"])) - 0.5, np.nanmax(table["ssmd"]) * 1.08)
    axes[1].axvline(0, color=FAINT, lw=0.9, ls="--", zorder=0)
    axes[2].set_xlim(min(0.45, np.nanmin(table["auroc"]) - 0.05), 1.04)
    axes[2].axvline(0.5, color=FAINT, lw=0.9, ls="--", zorder=0)


def _gate_legend(min_z_prime: float) -> list[Line2D]:
    points = (
        ("robust Z′", SERIES[0], "o", SERIES[0]),
        ("Z′", SERIES[3], "s", SERIES[3]),
        ("hollow: does not pass", INK, "o", "white"),
    )
    handles = [
        Line2D([], [], ls="", marker=marker, color=edge, mfc=face, label=label)
        for label, edge, marker, face in points
    ]
    gate = f"{min_z_prime:g}".replace("-", "−")
    handles.append(Line2D([], [], color=PASS_COLOR, lw=1.6, label=f"the gate: robust Z′ of {gate}"))
    return [*handles, Line2D([], [], color=FAINT, lw=0.9, ls="--", label="no separation")]
