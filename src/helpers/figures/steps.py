"""What a recipe does, in one picture: the same wells before and after, side by side, on the same scale."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from helpers.figures.plates import plot_plates
from helpers.figures.style import (
    CONDITION_STYLE,
    FAINT,
    WIDTH,
    legend_handles,
    plate_label,
    plot_missing,
    scatter_classes,
    series_styles,
)
from helpers.profiles.planes import spread_ellipse
from helpers.profiles.selection import well_kind
from helpers.screens.order import natural_order

KINDS = ("mock", "uv", "infected")
HEIGHT = 3.1
MOST_POINTS = 900
"""Wells drawn in a panel; of more, so many at random."""


@dataclass(frozen=True)
class StepPicture:
    """What `plot_step` draws.

    Attributes
    ----------
    kind : str
        ``plates`` or ``experiments`` (where they lie), ``noise`` (controls of one plate), ``away`` (distance from the
        axis), ``map`` (one plate), ``spread`` (of features).
    panels : dict
        Title -> table, one or two. Wells with experiment, plate, condition, treatment, qc_flag and along and away
        (axis lengths), or rescue and off_disease; for ``spread`` a row per feature with sd and mad.
    missing : str
        Why there is nothing to draw.
    flat : bool
        There is no way off the axis: wells are spread at random in the vertical.

    Examples
    --------
    >>> StepPicture("spread", missing="This screen has no embeddings.").panels
    {}
    """

    kind: str
    panels: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    missing: str = ""
    flat: bool = False


def plot_step(picture: StepPicture) -> Figure:
    """Draw what a recipe does to the wells of a few plates.

    Parameters
    ----------
    picture : StepPicture
        What to draw.

    Returns
    -------
    Figure
        A new one.
    """
    if picture.missing or not picture.panels:
        return plot_missing(picture.missing or "There is nothing to draw.").figure
    if picture.kind == "map":
        return _plot_maps(picture.panels)
    figure, axes = plt.subplots(
        1,
        len(picture.panels),
        figsize=(WIDTH, HEIGHT),
        sharex=True,
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    draw = {"noise": _draw_noise, "away": _draw_away, "spread": _draw_spread}.get(picture.kind, _draw_groups)
    tables = [_fine(table) for table in picture.panels.values()]
    for ax, title, table in zip(axes[0], picture.panels, tables, strict=True):
        draw(ax, table, picture)
        ax.set_title(title)
    if picture.kind == "spread":
        _frame_spread(axes[0, 0], tables)
    else:
        _frame(axes[0, 0], tables, "off_disease" if picture.kind == "away" else "away")
    for ax in axes[0]:
        label = "standard deviation" if picture.kind == "spread" else "rescue (0 infected, 1 mock)"
        ax.set_xlabel(label, fontsize=10)
    axes[0, 0].set_ylabel("spread at random" if picture.flat else _LABELS[picture.kind])
    if picture.flat:
        axes[0, 0].set_yticks([])
    _explain(figure, picture.kind, tables)
    return figure


_LABELS = {
    "noise": "loudest way off the\naxis (axis lengths)",
    "away": "off-disease\n(axis lengths)",
    "spread": "median absolute deviation\n(scaled, embedding units)",
    "plates": "where plates differ\n(axis lengths)",
    "experiments": "where experiments differ\n(axis lengths)",
}


def _fine(table: pd.DataFrame) -> pd.DataFrame:
    """Return the controls that passed quality control, at most so many; a table of features as it is."""
    if "condition" not in table:
        return table
    fine = table[
        (table["qc_flag"].astype(str) == "").to_numpy() & well_kind(table).isin(KINDS).to_numpy()
    ].sort_index()
    if len(fine) <= MOST_POINTS:
        return fine
    rows = np.random.default_rng(0).choice(len(fine), MOST_POINTS, replace=False)
    return fine.iloc[np.sort(rows)]


def _draw_groups(ax: Axes, table: pd.DataFrame, picture: StepPicture) -> None:
    """Draw mock and infected wells by plate or by experiment."""
    table = table[well_kind(table).isin(["mock", "infected"]).to_numpy()]
    classes = _groups(table, picture.kind)
    styles = series_styles(natural_order(classes))
    scatter_classes(ax, table["along"], table["away"], classes, styles, size=7)
    _lines(ax)


def _groups(table: pd.DataFrame, kind: str) -> pd.Series:
    return table["experiment"].astype(str) if kind == "experiments" else plate_label(table)


def _draw_noise(ax: Axes, table: pd.DataFrame, picture: StepPicture) -> None:
    """Draw the controls of one plate with an ellipse around most of each kind, and write their noise along the axis."""
    classes = well_kind(table)
    look = {kind: CONDITION_STYLE[kind] for kind in KINDS}
    scatter_classes(ax, table["along"], table["away"], classes, look, size=7)
    for kind in ("mock", "infected"):
        own = table[(classes == kind).to_numpy()][["along", "away"]].to_numpy(float)
        if len(own) > 4 and not picture.flat:
            centre, width, height, angle = spread_ellipse(own)
            look = {"ec": CONDITION_STYLE[kind].color, "ls": "-" if kind == "mock" else "--", "lw": 1.6}
            ax.add_patch(Ellipse(centre, width, height, angle=angle, fill=False, zorder=5, **look))
    _lines(ax)
    spread = [
        f"{kind} {own.std(ddof=1):.2f}"
        for kind in ("infected", "mock")
        if len(own := table.loc[(classes == kind).to_numpy(), "along"]) > 2
    ]
    _remark(ax, "SD of rescue:", spread)


def _remark(ax: Axes, what: str, parts: list[str]) -> None:
    """Write numbers into the room above the wells, on white: dashed lines run through that room."""
    text = f"{what}\n{', '.join(parts)}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    ax.text(0.5, 0.99, text, transform=ax.transAxes, fontsize=9, va="top", ha="center", bbox=box)


def _draw_away(ax: Axes, table: pd.DataFrame, _: StepPicture) -> None:
    """Draw the controls of one plate by rescue and distance from the axis."""
    look = {kind: CONDITION_STYLE[kind] for kind in KINDS}
    classes = well_kind(table)
    scatter_classes(ax, table["rescue"], table["off_disease"], classes, look, size=7)
    _lines(ax)
    medians = table.groupby(classes, observed=True)["off_disease"].median()
    _remark(
        ax, "median off-disease:", [f"{k} {medians[k]:.2f}" for k in ("infected", "mock") if k in medians]
    )


def _draw_spread(ax: Axes, table: pd.DataFrame, _: StepPicture) -> None:
    """Draw each feature's standard deviation against its scaled median absolute deviation."""
    ax.scatter(
        table["sd"],
        table["mad"],
        s=14,
        c=CONDITION_STYLE["infected"].color,
        linewidths=0.3,
        edgecolors="white",
    )
    ax.axline((0, 0), slope=1, color=FAINT, lw=0.9, ls="--", zorder=0)


def _lines(ax: Axes) -> None:
    """Mark where infected untreated and mock wells should stand."""
    for at in (0, 1):
        ax.axvline(at, color=FAINT, lw=0.8, ls="--", zorder=0)


def _frame(ax: Axes, tables: list[pd.DataFrame], away: str) -> None:
    """Give the panels, which share their scales, limits that hold nearly all wells, and room for a remark."""
    for set_limits, column in ((ax.set_xlim, "along" if away == "away" else "rescue"), (ax.set_ylim, away)):
        values = np.concatenate([table[column].dropna().to_numpy(float) for table in tables])
        low, high = np.percentile(values, [0.3, 99.7])
        room = 0.12 * (high - low) or 0.1
        above = 3.2 * room if column == away and "rescue" in tables[0] else room
        set_limits(0 if column == "off_disease" else low - room, high + above)


def _frame_spread(ax: Axes, tables: list[pd.DataFrame]) -> None:
    """Give both axes one scale, from zero to beyond nearly all features."""
    spreads = np.concatenate([table[["sd", "mad"]].to_numpy(float) for table in tables])
    ax.set(xlim=(0, top := 1.05 * np.percentile(spreads, 99.9)), ylim=(0, top))


def _explain(figure: Figure, kind: str, tables: list[pd.DataFrame]) -> None:
    """Put the legend below."""
    if kind == "spread":
        return
    if kind in ("noise", "away"):
        present = well_kind(pd.concat(tables)).dropna().unique()
        handles = legend_handles({k: CONDITION_STYLE[k] for k in KINDS}, present)
    else:
        classes = natural_order(_groups(tables[0], kind))
        handles = legend_handles(series_styles(classes), classes)
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _plot_maps(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one plate once per panel."""
    parts = [
        table.assign(experiment=f"{title}:", plate_id=f"{title}_{table['plate_id'].iloc[0]}")
        for title, table in panels.items()
    ]
    joined = pd.concat(parts)
    order = [part["experiment"].iloc[0] for part in parts]
    joined["experiment"] = pd.Categorical(joined["experiment"], order, ordered=True)
    return plot_plates(
        joined.set_axis(joined["plate_id"].astype(str) + "_" + joined["well"].astype(str)), "rescue"
    )
