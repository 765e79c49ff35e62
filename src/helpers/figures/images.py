"""Images of sites: the five stains each in its own colour, their composite, and several sites side by side."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from helpers.figures.style import INK, WIDTH, axes_or_new, hide_spare, plot_missing
from helpers.screens.facts import STAINS
from helpers.text import drawn, visible

UM_PER_PIXEL = 0.65
"""A third party's account of RxRx19a; the publisher states no scale."""

PERCENTILES = (1.0, 99.7)
"""Grey levels of a stain that are shown as black and as full colour."""

STAIN_COLORS = {1: "#4A7AFF", 2: "#1FC79A", 3: "#F26B1D", 4: "#F7EE7F", 5: "#F2A0DA"}
"""Told apart by hue and by lightness; in a composite, which mixes them, the single stains are the key."""

DRAWN = ("drawing, not a photograph", "drawings, not photographs")
"""What figures of one drawn site, and of several, say."""

_BAR_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # um
_SHARES = {1: 0.95, 2: 0.50, 3: 0.70, 4: 0.36, 5: 0.85}  # of each stain in a composite
_PIXELS = 600  # that a panel can show: larger pictures are averaged first, which keeps pages light
_OUTLINE = [withStroke(linewidth=2.5, foreground="black")]


def stretch_limits(
    images: Sequence[np.ndarray], percentiles: tuple[float, float] = PERCENTILES
) -> np.ndarray:
    """Return the grey levels between which each stain is stretched, common to all images.

    Parameters
    ----------
    images : sequence of array, each of shape (5, height, width)
        Sites that will be compared.
    percentiles : (float, float)
        Of the pixels of all images together, per stain.

    Returns
    -------
    limits : float array, shape (5, 2)
        Levels shown as black and as full colour; 8 or more apart, so that an empty site does not show its noise.

    Examples
    --------
    >>> dark = np.zeros((5, 10, 10), dtype=np.uint8)
    >>> bright = dark + np.array([10, 20, 30, 40, 50], dtype=np.uint8)[:, None, None]
    >>> stretch_limits([dark, bright], percentiles=(0, 100))
    array([[ 0., 10.],
           [ 0., 20.],
           [ 0., 30.],
           [ 0., 40.],
           [ 0., 50.]])
    """
    pooled = np.concatenate([image.reshape(len(STAINS), -1) for image in images], axis=1)
    low, high = np.percentile(pooled, percentiles, axis=1)
    return np.column_stack([low, np.maximum(high, low + 8)])


def color_stain(plane: np.ndarray, channel: int, limits: np.ndarray) -> np.ndarray:
    """Return one stain in its colour as RGB from 0 to 1, shape (height, width, 3).

    Lightness rises with the signal all the way, at last towards white, so a grey printer keeps it.

    Parameters
    ----------
    plane : array, shape (height, width)
        Grey levels.
    channel : int
        1 to 5.
    limits : array, shape (2,)
        Grey levels shown as black and as full colour.
    """
    low, high = limits
    level = np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1)[..., None]
    color = np.array(to_rgb(STAIN_COLORS[channel]), np.float32)
    return level * color + 0.6 * np.clip(5 * level - 4, 0, 1) * (1 - color)


def composite(image: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return the five stains in one RGB picture from 0 to 1, shape (height, width, 3).

    What shows is 1 minus the product of what each stain leaves dark, so nothing is cut off at white. Stains that
    fill whole cells are weighted down.
    """
    dark = np.ones((*image.shape[1:], 3), np.float32)
    for channel, share in _SHARES.items():
        dark *= 1 - share * color_stain(image[channel - 1], channel, limits[channel - 1])
    return 1 - dark


def plot_site(
    image: np.ndarray,
    *,
    channel: int | None = None,
    limits: np.ndarray | None = None,
    is_drawing: bool = False,
    um_per_pixel: float = UM_PER_PIXEL,
    ax: Axes | None = None,
) -> Axes:
    """Draw one stain of a site, or the composite of all five, with a scale bar.

    Parameters
    ----------
    image : uint8 array, shape (5, height, width)
        From the `site` method of an image store.
    channel : int, optional
        1 to 5; the composite by default.
    limits : array, shape (5, 2), optional
        From `stretch_limits`; of this image alone by default.
    is_drawing : bool
        Mark the picture as a drawing.
    um_per_pixel : float
        Scale.
    ax : Axes, optional
        Where to draw; new axes by default. Coordinates are pixels of the image.

    Returns
    -------
    Axes
        Those that were drawn on.

    Examples
    --------
    >>> image = np.zeros((5, 64, 64), dtype=np.uint8)
    >>> ax = plot_site(image, channel=1)
    >>> [float(end) for end in ax.get_xlim()]
    [0.0, 64.0]
    >>> plt.close(ax.figure)
    """
    ax = axes_or_new(ax, (WIDTH, WIDTH))
    limits = stretch_limits([image]) if limits is None else limits
    height, width = image.shape[1:]
    small = _averaged(image)
    rgb = composite(small, limits)
    if channel is not None:
        rgb = color_stain(small[channel - 1], channel, limits[channel - 1])
    ax.imshow(np.rint(rgb * 255).astype(np.uint8), extent=(0, width, height, 0), interpolation="antialiased")
    ax.set_axis_off()
    _scale_bar(ax, width, height, um_per_pixel)
    if is_drawing:
        _write(ax, 0.03 * width, 0.03 * height, "drawing", ha="left", va="top", style="italic")
    return ax


def show_site(
    image: np.ndarray,
    *,
    title: str = "",
    is_drawing: bool = False,
    um_per_pixel: float = UM_PER_PIXEL,
    percentiles: tuple[float, float] = PERCENTILES,
    window: int | None = None,
) -> Figure:
    """Draw the composite of a site and each of its five stains, with a legend and a scale bar.

    Parameters
    ----------
    image : uint8 array, shape (5, height, width)
        From the `site` method of an image store.
    title : str
        Which site this is.
    is_drawing : bool
        The store's attribute of that name; the figure then says so.
    um_per_pixel : float
        Scale; the default is a third party's account.
    percentiles : (float, float)
        Of each stain's pixels in this site, shown as black and as full colour.
    window : int, optional
        Show only the middle, this many pixels wide.

    Returns
    -------
    Figure
        A new one.

    Examples
    --------
    >>> image = np.zeros((5, 64, 64), dtype=np.uint8)
    >>> figure = show_site(image, title="HRCE-1_25_AA02_1")
    >>> len(figure.axes)
    6
    >>> plt.close(figure)
    """
    image = _middle(image, window)
    limits = stretch_limits([image], percentiles)
    figure, axes = plt.subplots(3, 2, figsize=(WIDTH, 1.5 * WIDTH + 2.5), layout="constrained")
    look = {"limits": limits, "is_drawing": is_drawing, "um_per_pixel": um_per_pixel}
    for ax, channel in zip(axes.flat, (None, *STAINS), strict=True):
        plot_site(image, channel=channel, ax=ax, **look)
        ax.set_title(
            "composite" if channel is None else f"w{channel} {STAINS[channel][0]}",
            fontsize=10,
            fontweight="normal",
        )
    _explain(figure, [title, DRAWN[0] * is_drawing], "in this picture", um_per_pixel, percentiles)
    return figure


def plot_sites(
    images: Mapping[str, np.ndarray],
    *,
    channel: int | None = None,
    title: str = "",
    is_drawing: bool = False,
    um_per_pixel: float = UM_PER_PIXEL,
    percentiles: tuple[float, float] = PERCENTILES,
    window: int | None = None,
    ncols: int = 2,
) -> Figure:
    """Draw several sites side by side, all stretched alike, so that brightness can be compared.

    Parameters
    ----------
    images : dict of uint8 array, each of shape (5, height, width)
        Sites by the title of their panel, such as the condition.
    channel : int, optional
        Show this stain, 1 to 5; the composite by default.
    title : str
        What is compared.
    is_drawing : bool
        As in :func:`helpers.figures.show_site`.
    um_per_pixel : float
        As there.
    percentiles : (float, float)
        As there, but of all these sites together.
    window : int, optional
        As there.
    ncols : int
        Panels in a row.

    Returns
    -------
    Figure
        A new one.
    """
    if not images:
        return plot_missing("There are no images to compare.").figure
    images = {name: _middle(image, window) for name, image in images.items()}
    limits = stretch_limits(list(images.values()), percentiles)
    ncols = min(ncols, len(images))
    nrows = -(-len(images) // ncols)
    size = (WIDTH, nrows * (WIDTH / ncols + 0.25) + 2.0)
    figure, axes = plt.subplots(nrows, ncols, figsize=size, squeeze=False, layout="constrained")
    look = {"channel": channel, "limits": limits, "is_drawing": is_drawing, "um_per_pixel": um_per_pixel}
    for ax, (name, image) in zip(axes.flat, images.items(), strict=False):
        plot_site(image, ax=ax, **look)
        ax.set_title(drawn(name), fontsize=10, fontweight="normal")
    hide_spare(axes.flat[len(images) :])
    shown = STAINS if channel is None else (channel,)
    heading = [title, DRAWN[len(images) > 1] * is_drawing]
    _explain(figure, heading, "over all these pictures", um_per_pixel, percentiles, shown)
    return figure


def _middle(image: np.ndarray, window: int | None) -> np.ndarray:
    """Return the central square of `window` pixels, or the whole image."""
    if window is None:
        return image
    top, left = ((side - min(window, side)) // 2 for side in image.shape[1:])
    return image[:, top : top + window, left : left + window]


def _averaged(image: np.ndarray) -> np.ndarray:
    """Return the image averaged over blocks of pixels until a panel can show it."""
    step = max(1, round(image.shape[-1] / _PIXELS))
    rows, cols = (side - side % step for side in image.shape[1:])
    blocks = image[:, :rows, :cols].reshape(len(image), rows // step, step, cols // step, step)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


def _scale_bar(ax: Axes, width: int, height: int, um_per_pixel: float) -> None:
    """Draw a bar of a round length, at most a quarter of the picture, with its length above it."""
    length = max((n for n in _BAR_LENGTHS if n <= 0.25 * width * um_per_pixel), default=_BAR_LENGTHS[0])
    pixels = length / um_per_pixel
    right, bottom = 0.96 * width, 0.96 * height
    bar = Rectangle(
        (right - pixels, bottom - 0.014 * height), pixels, 0.014 * height, fc="white", ec="black", lw=0.5
    )
    bar.set_gid("scale-bar")
    ax.add_patch(bar)
    _write(ax, right - pixels / 2, bottom - 0.025 * height, f"{length} µm", ha="center", va="bottom")


def _write(ax: Axes, x: float, y: float, text: str, **look: str) -> None:
    """Write white letters with a dark outline, legible on any picture."""
    ax.text(x, y, text, color="white", fontsize=9, path_effects=_OUTLINE, **look)


def _explain(
    figure: Figure,
    heading: list[str],
    pooled: str,
    um_per_pixel: float,
    percentiles: tuple[float, float],
    channels: Sequence[int] = tuple(STAINS),
) -> None:
    """Write the heading, the legend of stains and what the scale and the contrast rest on."""
    words = "\n".join(textwrap.fill(visible(line), 62) for line in heading if line)
    if words:
        figure.suptitle(words, fontsize=11, fontweight="bold", x=0.01, ha="left")
    handles = [
        Rectangle((0, 0), 1, 1, fc=STAIN_COLORS[c], ec=INK, lw=0.5, label=_stain_label(c)) for c in channels
    ]
    account = ", by a third party's account" if um_per_pixel == UM_PER_PIXEL else ""
    note = (
        f"Scale: {um_per_pixel:g} µm per pixel{account}.\n"
        f"Contrast: percentiles {percentiles[0]:g} to {percentiles[1]:g} of each stain {pooled}."
    )
    look = {"fontsize": 9, "title_fontsize": 9, "alignment": "left"}
    figure.legend(handles=handles, loc="outside lower left", title=note, **look)
    figure.get_layout_engine().set(h_pad=0.05)


def _stain_label(channel: int) -> str:
    stain, target = STAINS[channel]
    return f"w{channel} {stain}: {target}"
