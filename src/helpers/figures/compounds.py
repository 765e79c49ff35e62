"""Structures of compounds, drawn with RDKit."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.style import FAINT, WIDTH, hide_spare, plot_missing
from helpers.screens.compounds import parse_smiles
from helpers.text import drawn

PIXELS = (520, 380)
"""Width and height of a drawn structure: sharp at the width of its panel."""


def plot_structures(compounds: pd.DataFrame, *, ncols: int = 3) -> Figure:
    """Draw the structures of compounds in a grid, each under its name.

    Parameters
    ----------
    compounds : DataFrame
        treatment (its name) and smiles (missing where the files give none), in the order in which they are drawn.
    ncols : int
        Structures side by side.

    Returns
    -------
    Figure
        A new one.
    """
    if compounds.empty:
        return plot_missing("There are no compounds to draw the structures of.").figure
    if compounds["smiles"].isna().all():
        return plot_missing("The files of this screen give no structures of these compounds.").figure
    ncols = min(ncols, len(compounds))
    nrows = -(-len(compounds) // ncols)
    panel = WIDTH / ncols
    size = (WIDTH, nrows * (panel * PIXELS[1] / PIXELS[0] + 0.32))
    figure, axes = plt.subplots(nrows, ncols, figsize=size, layout="constrained", squeeze=False)
    for ax, row in zip(axes.flat, compounds.itertuples(), strict=False):
        _draw_structure(ax, row.smiles)
        ax.set_title(drawn(row.treatment, 24), fontsize=10, loc="center")
    hide_spare(axes.flat[len(compounds) :])
    return figure


def _draw_structure(ax: Axes, smiles: str | float | None) -> None:
    ax.set_axis_off()
    picture = structure_picture(smiles)
    if picture is None:
        ax.text(0.5, 0.5, "no structure\nin the files", ha="center", va="center", style="italic", color=FAINT)
        return
    ax.imshow(picture)


def structure_picture(smiles: str | float | None) -> np.ndarray | None:
    """Return a structure as RGB picture, shape (height, width, 3) uint8; None where there is none to draw."""
    if not isinstance(smiles, str) or not smiles:
        return None
    from PIL import Image
    from rdkit.Chem.Draw import rdMolDraw2D

    molecule = parse_smiles(smiles)
    if molecule is None:
        return None
    drawer = rdMolDraw2D.MolDraw2DCairo(*PIXELS)
    options = drawer.drawOptions()
    # Black atoms and bonds: the colours of elements vanish on a grey printer and mean nothing here.
    options.useBWAtomPalette()
    options.bondLineWidth = 3
    options.fixedFontSize = 30
    options.fixedBondLength = 46
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule)
    drawer.FinishDrawing()
    return np.asarray(Image.open(io.BytesIO(drawer.GetDrawingText())).convert("RGB"))
