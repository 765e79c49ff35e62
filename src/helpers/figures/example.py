"""One site of a screen, stain by stain, or a sentence where no image is at hand."""

import numpy as np
from matplotlib.figure import Figure

from helpers.figures.images import show_site
from helpers.figures.style import plot_missing


def plot_stains(
    example: tuple[str, np.ndarray] | None, *, is_drawing: bool = False, window: int | None = None
) -> Figure:
    """Draw the composite and the five stains of an example site.

    Parameters
    ----------
    example : (str, uint8 array of shape (5, height, width)), optional
        What is shown and its image; None where no image is at hand.
    is_drawing : bool
        The image is drawn by a program; the figure then says so.
    window : int, optional
        Show only the middle, this many pixels wide.

    Returns
    -------
    Figure
        A new one.
    """
    if example is None:
        return plot_missing("No images are at hand, so no site is shown.").figure
    title, image = example
    return show_site(image, title=title, is_drawing=is_drawing, window=window)
