"""Recipes in a table of dots."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.style import FAINT, SERIES, WIDTH, plot_missing

RECIPE_MEASURES = {
    "plate_predictability": ("plate\npredict-\nability", "low"),
    "experiment_predictability": ("experiment\npredict-\nability", "low"),
    "uv_mock_gap": ("UV to mock\ngap", "low"),
    "replicate_map": ("replicate\nmAP", "high"),
    "control_auroc": ("control\nAUROC", "high"),
    "z_prime_robust": ("robust\nZ′", "high"),
}
"""Columns of `normalization.csv` with a short name and the direction that is better."""


def plot_recipe_table(recipes: pd.DataFrame, measures: dict | None = None) -> Figure:
    """Draw the comparison of recipes as a table of dots: a row per recipe, a column per measure.

    The arrow beside a measure points to what is better; the best recipe of each measure is filled.

    Parameters
    ----------
    recipes : DataFrame
        `normalization.csv`.
    measures : dict, optional
        Columns to draw, each with its name and ``low`` or ``high`` for what is better.

    Returns
    -------
    Figure
        A new one.
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
