"""Drawings of sites for the simulated twin: five invented stains of invented cells, no photograph.

They let everything that reads and shows images run without the 445 GB of the release. How infection and toxicity
look here is made up after common descriptions (cells round up, fuse, detach; nuclei shrink and dim), so nothing
about RxRx19a can be learned from them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from helpers.errors import UsageError
from helpers.screens.images.cells import place_cells, share_out
from helpers.screens.images.stains import SHAPE, Scene

# Grey levels of the empty well, and of full signal above it, by channel.
BACKGROUND = (9.0, 12.0, 8.0, 11.0, 10.0)
GAIN = (125.0, 135.0, 120.0, 130.0, 120.0)
# Share of the signal that a dim well loses: nuclei most.
DIMMED = (0.85, 0.60, 0.60, 0.65, 0.60)


@dataclass(frozen=True)
class SiteState:
    """What a drawn site shows.

    Parameters
    ----------
    n_cells : int
        Cells in the picture while the site is healthy, 1 to 400.
    infection : float
        0 = as mock, 1 = as infected untreated.
    toxicity : float
        0 or more, in axis lengths, as in the twin's truth; cells thin out by about two thirds at 1.
    dim : float
        0 = stained as usual, 1 = hardly stained, as in a failed well.

    Raises
    ------
    UsageError
        If a value lies outside its range.

    Examples
    --------
    >>> SiteState(infection=1.0)
    SiteState(n_cells=130, infection=1.0, toxicity=0.0, dim=0.0)
    >>> SiteState(infection=2.0)
    Traceback (most recent call last):
    helpers.errors.UsageError: infection 2.0: allowed are 0 to 1
    """

    n_cells: int = 130
    infection: float = 0.0
    toxicity: float = 0.0
    dim: float = 0.0

    def __post_init__(self) -> None:
        limits = {"n_cells": (1, 400), "infection": (0, 1), "toxicity": (0, np.inf), "dim": (0, 1)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not (np.isfinite(value) and low <= value <= high):
                allowed = f"{low} to {high}" if np.isfinite(high) else f"numbers from {low}"
                raise UsageError(f"{name} {value}: allowed are {allowed}")


def draw_site(state: SiteState, *, seed: int) -> np.ndarray:
    """Draw the five stains of one site.

    Two states with one seed show the same cells in different health.

    Parameters
    ----------
    state : SiteState
        What it shows.
    seed : int
        From 0; same state and seed, same pixels.

    Returns
    -------
    image : uint8 array, shape (5, 1024, 1024)
        Channels in the order of `facts.STAINS`.

    Examples
    --------
    >>> image = draw_site(SiteState(n_cells=3), seed=0)
    >>> image.shape, image.dtype
    ((5, 1024, 1024), dtype('uint8'))
    """
    placing, sharing, painting, noise = np.random.default_rng(seed).spawn(4)
    harm = 1 - np.exp(-state.toxicity)
    cells = place_cells(state.n_cells, state.infection, harm, placing)
    scene = Scene(cells, share_out(cells, sharing), painting)
    stains = (scene.nuclei(), scene.reticulum(), scene.actin(), scene.rna(), scene.golgi())
    return np.stack([_expose(stain, channel, state.dim, noise) for channel, stain in enumerate(stains)])


def _expose(stain: np.ndarray, channel: int, dim: float, rng: np.random.Generator) -> np.ndarray:
    """Return a stain as a camera sees it: glow, uneven light, shot noise, 8 bit."""
    stain = stain * (1 - dim * DIMMED[channel])
    glow = gaussian_filter(stain[::4, ::4], 4).repeat(4, axis=0).repeat(4, axis=1)
    edge = np.square(np.linspace(-1, 1, SHAPE[0], dtype=np.float32))
    light = 1 - 0.05 * (edge[:, None] + edge[None, :])
    grey = BACKGROUND[channel] + GAIN[channel] * light * (0.85 * gaussian_filter(stain, 0.7) + 0.15 * glow)
    grey += rng.standard_normal(SHAPE, dtype=np.float32) * (0.5 + 0.2 * np.sqrt(np.maximum(grey, 0)))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
