"""How well an assay works, plate by plate and recipe by recipe."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.points import name_points
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

GOOD = 0.5
"""Robust Z′ from which Zhang et al. (1999) call an assay excellent."""

RECIPE_MEASURES = {
    "plate_predictability": ("plate\npredict-\nability", "low"),
    "experiment_predictability": ("experiment\npredict-\nability", "low"),
    "uv_mock_gap": ("UV to mock\ngap", "low"),
    "replicate_map": ("replicate\nmAP", "high"),
    "control_auroc": ("control\nAUROC", "high"),
    "z_prime_robust": ("robust\nZ′", "high"),
}
"""Columns of `normalization.csv` with a short name and the direction that is better."""


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
    ax.set_yticks(range(len(pairs)), [f"{e}_{p}" if several else f"plate {p}" for e, p in pairs])
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


def plot_assay_quality(quality: pd.DataFrame) -> Figure:
    """Draw robust Z′, plain Z′ and AUROC of every plate.

    Filled markers are plates that pass, hollow ones those that do not.

    Parameters
    ----------
    quality : DataFrame
        `assay_quality.csv`: experiment, plate, z_prime, z_prime_robust, auroc, passes.
    """
    if quality.empty or quality[["z_prime_robust", "auroc"]].isna().all(axis=None):
        return plot_missing(
            "No plate has both controls with embeddings, so quality cannot be measured."
        ).figure
    pairs = plates_in_order(quality)
    table = pd.concat([of_plate(quality, pair) for pair in pairs]).reset_index(drop=True)
    height = (0.3 if len(table) <= 24 else 0.2) * len(table) + 1.6
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, height), sharey=True, layout="constrained")
    _dots(axes[0], table, "z_prime", SERIES[3], "s", "Z′")
    _dots(axes[0], table, "z_prime_robust", SERIES[0], "o", "robust Z′")
    _dots(axes[1], table, "auroc", SERIES[0], "o", "AUROC")
    for ax, at, label in ((axes[0], GOOD, "Z′ (no unit)"), (axes[1], 0.5, "AUROC (no unit)")):
        ax.axvline(at, color=FAINT, lw=0.9, ls="--", zorder=0)
        ax.set_xlabel(label)
        ax.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)
        ax.tick_params(axis="y", length=0)
    axes[1].set_xlim(min(0.45, np.nanmin(table["auroc"]) - 0.05), 1.03)
    axes[0].set_xlim(max(np.nanmin(table[["z_prime", "z_prime_robust"]].to_numpy()) - 0.15, -3), 1.03)
    axes[0].set_yticks(range(len(table)), [f"{e}_{p}" for e, p in pairs])
    axes[0].set_ylim(len(table) - 0.4, -0.6)
    figure.legend(handles=_quality_legend(), loc="outside lower center", ncols=3)
    return figure


def _dots(ax: Axes, table: pd.DataFrame, column: str, color: str, marker: str, label: str) -> None:
    """Draw one number per plate, filled where the plate passes."""
    passes = table["passes"].fillna(False).astype(bool).to_numpy()
    face = np.where(passes, color, "white")
    value = table[column].astype(float).clip(lower=-3)
    ax.scatter(
        value, np.arange(len(table)), marker=marker, s=32, c=face, edgecolors=color, label=label, zorder=3
    )


def _quality_legend() -> list:
    """Return the legend of `plot_assay_quality`."""
    looks = (
        ("robust Z′ and AUROC", SERIES[0], "o", SERIES[0]),
        ("Z′", SERIES[3], "s", SERIES[3]),
        ("hollow: does not pass", INK, "o", "white"),
    )
    return [
        plt.Line2D([], [], ls="", marker=marker, color=edge, mfc=face, label=label)
        for label, edge, marker, face in looks
    ]


def plot_recipe_tradeoff(
    recipes: pd.DataFrame,
    *,
    technical: str = "plate_predictability",
    biology: str = "replicate_map",
    ax: Axes | None = None,
) -> Axes:
    """Draw each recipe by the technical variation it leaves and the biology it keeps.

    The upper left is best. The selected recipe has a ring.

    Parameters
    ----------
    recipes : DataFrame
        `normalization.csv`.
    technical, biology : str
        Columns of the x and y axis.
    ax : Axes, optional
        Where to draw; new axes by default.
    """
    table = recipes.dropna(subset=[technical, biology]) if len(recipes) else recipes
    if table.empty:
        return plot_missing(
            "On this screen the recipes cannot be placed: it has no embeddings, one plate, or no replicates.",
            ax=ax,
        )
    ax = axes_or_new(ax, (WIDTH, 3.8))
    for i, row in enumerate(table.itertuples()):
        x, y = getattr(row, technical), getattr(row, biology)
        if row.selected:
            ax.scatter(x, y, s=260, facecolors="none", edgecolors=INK, linewidths=1.2, zorder=3)
        # Beyond eight recipes colours come again, with other markers.
        marker = MARKERS[(i + i // len(SERIES)) % len(MARKERS)]
        ax.scatter(x, y, s=70, c=SERIES[i % len(SERIES)], marker=marker, zorder=4)
    ax.set_xlabel(f"{_measure(technical)} (lower = less technical variation)")
    ax.set_ylabel(f"{_measure(biology)}\n(higher = more biology)")
    ax.margins(0.3, 0.25)
    table = table.sort_values("selected", ascending=False, kind="stable")
    name_points(ax, table[[technical, biology]], table["recipe"], most=len(table))
    return ax


def _measure(column: str) -> str:
    """Return the name of a measure on one line."""
    return (
        RECIPE_MEASURES[column][0].replace("-\n", "").replace("\n", " ")
        if column in RECIPE_MEASURES
        else column.replace("_", " ")
    )


def plot_recipe_table(recipes: pd.DataFrame, measures: dict | None = None) -> Figure:
    """Draw the comparison of recipes as a table of dots: a row per recipe, a column per measure.

    The arrow beside a measure points to what is better; the best recipe of each measure is filled.

    Parameters
    ----------
    recipes : DataFrame
        `normalization.csv`.
    measures : dict, optional
        Columns to draw, each with its name and ``low`` or ``high`` for what is better.
    """
    measures = {
        k: v for k, v in (measures or RECIPE_MEASURES).items() if k in recipes and recipes[k].notna().any()
    }
    if recipes.empty or not measures:
        return plot_missing("Without embeddings and controls the recipes cannot be compared.").figure
    names = recipes["recipe"].astype(str).tolist()
    figure, axes = plt.subplots(
        1,
        len(measures),
        figsize=(WIDTH, 0.5 * len(names) + 1.5),
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for ax, (column, (label, better)) in zip(axes[0], measures.items(), strict=True):
        _draw_measure(ax, recipes[column].to_numpy(float), better)
        arrow = "↓" if better == "low" else "↑"
        ax.set_title(f"{label} {arrow}", fontsize=9, fontweight="normal", loc="center")
    axes[0, 0].set_yticks(range(len(names)), [name.replace("_", "_\n") for name in names])
    for text, selected in zip(axes[0, 0].get_yticklabels(), recipes["selected"], strict=True):
        text.set_fontweight("bold" if selected else "normal")
    axes[0, 0].set_ylim(len(names) - 0.5, -0.6)
    return figure


SMALLEST_RANGE = 0.1
"""Range that a column of `plot_recipe_table` has at least: smaller differences are drawn as small."""


def _draw_measure(ax: Axes, values: np.ndarray, better: str) -> None:
    """Draw one measure of all recipes with its values; the best is filled, and whatever is written like it."""
    finite = np.isfinite(values)
    texts = _written(values)
    best = np.nanargmin(values) if better == "low" else np.nanargmax(values)
    rows = np.arange(len(values))
    ax.hlines(rows[finite], *np.nanpercentile(values, [0, 100]), color=FAINT, alpha=0.25, lw=0.8)
    face = np.where(np.array(texts) == texts[best], SERIES[0], "white")
    ax.scatter(values[finite], rows[finite], s=46, c=face[finite], edgecolors=SERIES[0], zorder=3)
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        x = value if np.isfinite(value) else np.nanmean(values)
        ax.annotate(
            text, (x, row), xytext=(0, -7), textcoords="offset points", ha="center", va="top", fontsize=9
        )
    middle = np.nanpercentile(values, [0, 100]).mean()
    reach = 0.85 * max(np.ptp(values[finite]), SMALLEST_RANGE)
    ax.set_xlim(middle - reach, middle + reach)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _written(values: np.ndarray) -> list[str]:
    """Return the values with two digits, with three where two would hide that they differ."""
    finite = values[np.isfinite(values)]
    few = len(set(finite.round(2))) < len(set(finite.round(3))) or np.ptp(finite) < SMALLEST_RANGE
    digits = 3 if few else 2
    return [f"{v + 0.0:.{digits}f}".replace("-", "−") if np.isfinite(v) else "–" for v in values]


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
