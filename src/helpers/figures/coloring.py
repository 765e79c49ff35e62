"""How the wells of a plate map are coloured."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm, Normalize
from matplotlib.patches import Patch

from helpers.figures.style import CONDITION_STYLE, EMPTY, Mark, area_patch, series_styles
from helpers.profiles.selection import well_kind

RESCUE_MAP = LinearSegmentedColormap.from_list(
    "rescue", ["#FCE3C0", "#EBA777", "#A2738F", "#46508F", "#0B2A5E"]
)
"""From infected (pale orange) to mock (dark blue), darker all the way so that grey prints read alike."""


@dataclass(frozen=True)
class Coloring:
    """How the wells of one or several plates become colours.

    Attributes
    ----------
    values : Series
        A number per well; missing = background.
    cmap : object
        Colour map.
    norm : Normalize
        From numbers to the colour map.
    handles : list of Patch
        Entries of the legend, for classes.
    label : str
        Of the scale, for numbers.
    ticks : list of float, optional
        Of the scale.
    hatched : tuple of float
        Values whose wells get a stroke.
    """

    values: pd.Series  # a number per well, NaN = background
    cmap: object
    norm: Normalize
    handles: list[Patch]  # for classes
    label: str  # for numbers
    ticks: list[float] | None = None
    hatched: tuple[float, ...] = ()  # values whose wells get a stroke


def color_wells(obs: pd.DataFrame, color_by: str) -> Coloring:
    """Return the colours of wells by a column, alike for all plates of `obs`.

    Parameters
    ----------
    obs : DataFrame
        Wells of one or several plates.
    color_by : str
        ``condition`` (treated wells told apart), ``dose_um`` (logarithmic), or any column of `obs`: numbers
        become a scale, text becomes classes.

    Returns
    -------
    Coloring
        To be shared by the maps of several plates.

    Raises
    ------
    ValueError
        If `obs` has no column `color_by`.
    """
    if color_by == "condition":
        return _by_class(well_kind(obs), CONDITION_STYLE)
    if color_by not in obs:
        raise ValueError(f"no column {color_by!r} to colour wells by; there are {', '.join(obs.columns)}")
    if color_by == "dose_um":
        return _by_dose(obs["dose_um"].astype(float))
    if pd.api.types.is_numeric_dtype(obs[color_by]) and color_by not in {"plate", "row", "col", "n_sites"}:
        return _by_number(obs[color_by].astype(float), color_by)
    present = obs[color_by].astype(object).replace("", np.nan)
    return _by_class(present, series_styles(sorted(present.dropna().unique(), key=str)))


def _by_class(classes: pd.Series, look: Mapping[str, Mark]) -> Coloring:
    """Return colours for classes; a legend entry for each that occurs. Hatched classes are white."""
    codes = {name: float(i) for i, name in enumerate(look)}
    values = classes.astype(object).map(codes).astype(float)
    handles = [area_patch(mark) for name, mark in look.items() if (values == codes[name]).any()]
    cmap = ListedColormap(["white" if mark.hatch else mark.color for mark in look.values()] or [EMPTY])
    hatched = tuple(codes[name] for name, mark in look.items() if mark.hatch)
    return Coloring(values, cmap, Normalize(-0.5, max(len(look), 1) - 0.5), handles, "", hatched=hatched)


def _by_dose(doses: pd.Series) -> Coloring:
    """Return colours for doses on a logarithmic scale, ticks at the tested ones."""
    positive = doses.where(doses > 0)
    low, high = (positive.min(), positive.max()) if positive.notna().any() else (0.01, 10.0)
    ticks = sorted(positive.dropna().unique())
    ticks = ticks if len(ticks) <= 8 else [t for t in ticks if np.isclose(np.log10(t) % 1, 0)]
    norm = LogNorm(low, high if high > low else low * 10)
    return Coloring(positive, plt.get_cmap("viridis_r"), norm, [], "dose (µM)", [float(t) for t in ticks])


def _by_number(values: pd.Series, name: str) -> Coloring:
    """Return colours for numbers between their 2nd and 98th percentile.

    Rescue has a meaning at 0 (as infected) and at 1 (as mock), so its scale is centred on one half.
    """
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [2, 98]) if len(finite) else (0.0, 1.0)
    if name in {"rescue", "on_disease"}:
        reach = max(abs(high - 0.5), abs(low - 0.5), 0.6)
        cmap = RESCUE_MAP if name == "rescue" else RESCUE_MAP.reversed()
        return Coloring(values, cmap, Normalize(0.5 - reach, 0.5 + reach), [], VALUE_LABELS[name])
    norm = Normalize(low, high if high > low else low + 1)
    return Coloring(values, plt.get_cmap("cividis"), norm, [], VALUE_LABELS.get(name, name.replace("_", " ")))


VALUE_LABELS = {
    "rescue": "rescue (0 = as infected, 1 = as mock)",
    "on_disease": "on-disease (0 = mock, 1 = infected)",
    "off_disease": "off-disease (axis lengths)",
}
"""Axis labels of the scores: they are fractions of the mock-to-infected distance."""
