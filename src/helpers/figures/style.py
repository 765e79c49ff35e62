"""One look for every figure: sizes, colours, markers, dose axes, and what is drawn where data are missing.

Every palette here differs in lightness as well as in hue, and every class has its own marker, so that a figure
survives colour blindness and a grey printer. `tests/figures/test_style.py` measures it.
"""

import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, LogFormatterSciNotation, NullLocator

from helpers.screens.order import natural_order
from helpers.text import drawn, visible

# Names come from users and may hold dollar signs: nothing that is drawn is read as a formula, whoever calls.
plt.rcParams["text.parse_math"] = False

WIDTH = 5.8
"""Width of a full figure in inches: 11 pt text stays legible when a phone shrinks it to its own width."""

INK = "#262626"
"""Text, axes and fitted lines."""

FAINT = "#8C8C8C"
"""Reference lines and remarks."""

EMPTY = "#F4F3F0"
"""Wells of a plate that hold nothing."""


@dataclass(frozen=True)
class Mark:
    """How one class of things is drawn in every figure.

    Attributes
    ----------
    label : str
        In legends.
    color : str
        As hexadecimal RGB.
    marker : str
        As matplotlib knows it.
    hatch : str
        Of areas, which are then white with this hatch: the colour alone would be taken for another class.
    """

    label: str
    color: str
    marker: str
    hatch: str = ""  # areas are then white with this hatch: the colour alone would be taken for another class


CONDITION_STYLE = {
    "mock": Mark("mock", "#0B3C7D", "o"),
    "uv": Mark("UV-inactivated", "#4FA8DC", "s"),
    "infected": Mark("infected, untreated", "#C8501E", "^"),
    "treated": Mark("infected, treated", "#CFC9B8", "."),
    "blank": Mark("blank", "#111111", "x", "////"),
}
"""How each condition is drawn in every figure, infected wells split into untreated and treated ones."""

CALL_STYLE = {
    "rescue": Mark("rescue", "#00664F", "o"),
    "rescue_off_target": Mark("rescue, off target", "#7FB98A", "D"),
    "toxic": Mark("toxic", "#4A0A5E", "X"),
    "worsens": Mark("worsens", "#CF5A8C", "v"),
    "inactive": Mark("inactive", "#C4C4C4", "."),
    "not_tested": Mark("not tested", "#111111", "x"),
}
"""How each call of `hits.csv` is drawn in every figure."""

CURVE_STYLE = {
    "active": Mark("active", "#003B30", "o"),
    "partial": Mark("partial", "#1E7A5A", "D"),
    "step": Mark("step", "#E08E2B", "s"),
    "bell": Mark("bell", "#A0522D", "P"),
    "below_range": Mark("below range", "#4FA8DC", "<"),
    "above_range": Mark("above range", "#0B3C7D", ">"),
    "worsening": Mark("worsening", "#CF5A8C", "v"),
    "toxic_top": Mark("toxic top", "#4A0A5E", "X"),
    "inactive": Mark("inactive", "#C4C4C4", "."),
    "not_fitted": Mark("not fitted", "#8C8C8C", "x"),
}
"""Curve classes of `dose_response.csv`: ten of them, told apart by marker first."""

SERIES = ("#0B3C7D", "#E08E2B", "#5B2A86", "#4FA8DC", "#8C2D04", "#3E8E6C", "#B9A3D0", "#6B6B6B")
"""Colours of classes without a meaning of their own, such as plates and experiments."""

MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
"""Markers that go with `SERIES`."""


def use_style() -> None:
    """Set the look of all figures of a notebook: call it once, at the top.

    Text is 9 pt or more, layout is constrained, SVG keeps its text as text and has reproducible ids. Text is text: what
    stands between two dollar signs is no formula, and a sign that the font lacks is a box and no warning.
    """
    plt.rcParams.update(
        {
            "text.parse_math": False,
            "figure.figsize": (WIDTH, 4.2),
            "figure.dpi": 180,
            "figure.constrained_layout.use": True,
            "savefig.dpi": 180,
            "savefig.bbox": None,
            "svg.fonttype": "none",
            "svg.hashsalt": "rxrx19",
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 11,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "legend.frameon": False,
            "legend.handletextpad": 0.4,
            "legend.columnspacing": 1.2,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.linewidth": 0.8,
            "lines.linewidth": 1.6,
        }
    )
    warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)


def axes_or_new(ax: Axes | None, figsize: tuple[float, float] = (WIDTH, 4.2)) -> Axes:
    """Return `ax`, or the axes of a new figure of `figsize` inches when it is None."""
    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def hide_spare(axes: Iterable[Axes]) -> None:
    """Make the unused axes of a grid invisible."""
    for ax in axes:
        ax.set_axis_off()


def plot_missing(reason: str, *, ax: Axes | None = None) -> Axes:
    """Draw a sentence in place of a figure that a screen cannot have.

    Parameters
    ----------
    reason : str
        What the screen lacks and what follows from it.
    ax : Axes, optional
        Where to draw; a new low figure by default.

    Returns
    -------
    Axes
        Those that were drawn on.

    Examples
    --------
    >>> ax = plot_missing("This screen has no doses.")
    >>> ax.texts[0].get_text()
    'This screen has no doses.'
    >>> plt.close(ax.figure)
    """
    ax = axes_or_new(ax, (WIDTH, 1.4))
    ax.set_axis_off()
    text = textwrap.fill(visible(" ".join(reason.split()), 1000), 62)
    ax.text(0.5, 0.5, text, ha="center", va="center", style="italic", transform=ax.transAxes)
    return ax


def plate_label(obs: pd.DataFrame) -> pd.Series:
    """Return ``HRCE-1_25`` for every row, ``plate 25`` where the table holds one experiment only.

    Two plates never share a label: of ``A_1`` plate ``2`` and ``A`` plate ``1_2`` the second one is numbered.
    """
    pairs = list(zip(obs["experiment"].astype(str), obs["plate"].astype(str), strict=True))
    several = len(set(obs["experiment"])) > 1
    labels: dict[tuple[str, str], str] = {}
    for pair in dict.fromkeys(pairs):
        label, n = "_".join(pair) if several else f"plate {pair[1]}", 1
        while label in labels.values():
            n += 1
            label = f"{'_'.join(pair)} ({n})"
        labels[pair] = label
    return pd.Series([labels[pair] for pair in pairs], index=obs.index, dtype=object)


def plates_in_order(obs: pd.DataFrame) -> list[tuple]:
    """Return the (experiment, plate) pairs of a table in natural order."""
    pairs = obs[["experiment", "plate"]].drop_duplicates()
    rank = {value: i for i, value in enumerate(natural_order(pairs["plate"]))}
    first = {value: i for i, value in enumerate(natural_order(pairs["experiment"]))}
    return sorted(pairs.itertuples(index=False, name=None), key=lambda p: (first[p[0]], rank[p[1]]))


def of_plate(obs: pd.DataFrame, pair: tuple) -> pd.DataFrame:
    """Return the rows of one (experiment, plate) pair."""
    return obs[(obs["experiment"] == pair[0]) & (obs["plate"] == pair[1])]


def format_um(value: float, digits: int = 3) -> str:
    """Return a dose in µM without trailing zeros or an exponent (``0.003``, ``10``)."""
    return np.format_float_positional(float(f"{value:.{digits}g}"), trim="-")


def dose_positions(doses: pd.Series) -> pd.Series:
    """Return where doses stand on a logarithmic axis: zero goes half a decade below the lowest real dose."""
    doses = doses.astype(float)
    positive = doses[doses > 0]
    return doses.mask(doses == 0, positive.min() / 10**0.5 if len(positive) else 1.0)


def dose_axis(ax: Axes, doses: pd.Series, *, max_ticks: int = 8) -> None:
    """Make the x axis of `ax` logarithmic in µM, with ticks at tested doses.

    Where more than `max_ticks` doses were tested, the commonest ones that leave room are labelled. A zero dose is
    labelled 0 at the place `dose_positions` gives it.
    """
    table = pd.DataFrame({"dose": doses.astype(float), "at": dose_positions(doses)}).dropna()
    table = table.groupby("at", as_index=False).agg(dose=("dose", "first"), n=("dose", "size"))
    ax.set_xscale("log")
    if len(table):
        shown = table[_spread(np.log10(table["at"].to_numpy()), table["n"].to_numpy(), max_ticks)]
        ax.xaxis.set_major_locator(FixedLocator(shown["at"].to_numpy()))
        ax.set_xticks(shown["at"], [format_um(dose) for dose in shown["dose"]])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("dose (µM)")


class PlainLog(LogFormatterSciNotation):
    """The labels that matplotlib chooses on a logarithmic axis, as plain numbers: its own are formulas."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick, an empty one where there is to be none."""
        return format_um(x) if super().__call__(x, pos) else ""


def _spread(positions: np.ndarray, weights: np.ndarray, most: int) -> np.ndarray:
    """Return which positions can be labelled, the heaviest first, at a distance of (range / most) or more."""
    gap = np.ptp(positions) / most * 0.999
    kept = np.zeros(len(positions), bool)
    for i in np.argsort(-weights, kind="stable"):
        kept[i] = not np.any(np.abs(positions[kept] - positions[i]) < gap)
    return kept


def legend_handles(styles: dict[str, Mark], present: Iterable[str], size: float = 6) -> list[Line2D]:
    """Return legend entries for the classes that are present, in the order of `styles`."""
    present = set(present)
    return [
        Line2D([], [], ls="", marker=m.marker, color=m.color, label=m.label, ms=_even_size(m.marker, size))
        for name, m in styles.items()
        if name in present
    ]


def area_patch(mark: Mark) -> Patch:
    """Return the legend entry of a class that is drawn as an area."""
    return Patch(
        facecolor="white" if mark.hatch else mark.color,
        edgecolor=INK if mark.hatch else FAINT,
        hatch=mark.hatch,
        lw=0.4,
        label=mark.label,
    )


def legend_below(ax: Axes, handles: Sequence, ncols: int = 3) -> None:
    """Put a legend under the figure of `ax`, where it never covers data."""
    if len(handles):
        ax.figure.legend(handles=handles, loc="outside lower center", ncols=min(ncols, len(handles)))


def series_styles(values: Sequence) -> dict[str, Mark]:
    """Return a colour and marker for each value of a class without a meaning of its own."""
    return {
        v: Mark(drawn(v), SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]) for i, v in enumerate(values)
    }


def scatter_classes(
    ax: Axes, x: pd.Series, y: pd.Series, classes: pd.Series, styles: dict[str, Mark], *, size: float = 18
) -> None:
    """Draw points by class: the last of `styles` first, so that the named classes lie on top.

    Points grow where there are few. Large classes are rasterized: an SVG with 100,000 circles opens nowhere.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : Series
        Of the points.
    classes : Series
        The class of each.
    styles : dict
        Class -> how it is drawn; points of other classes are left out.
    size : float
        Area of a point in square points, where there are many.
    """
    size *= 2.2 if len(x) < 60 else 1.4 if len(x) < 300 else 1.0
    for layer, (name, mark) in enumerate(reversed(styles.items())):
        chosen = (classes == name).to_numpy()
        edge = {} if mark.marker == "x" else {"linewidths": 0.3, "edgecolors": "white"}
        scale = 2.2 if mark.marker == "." else 1.0
        ax.scatter(
            x[chosen],
            y[chosen],
            s=size * scale,
            c=mark.color,
            marker=mark.marker,
            label=mark.label,
            zorder=2 + layer / 10,
            rasterized=bool(chosen.sum() > 2000),
            **edge,
        )


def _even_size(marker: str, size: float) -> float:
    """Return the size at which a point marker looks as large as the others."""
    return size * 1.6 if marker == "." else size
