"""Cells of a drawn site: where they lie, how large and round they are, and which pixels are theirs.

Everything is drawn for a healthy site first and then deformed by the state, so that two states of one seed
show the same cells: a figure that compares them shows the state and not the draw. All numbers are invented.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, zoom
from scipy.spatial import cKDTree

from helpers.screens.facts import IMAGE_SIZE

MARGIN = 70  # pixels around the picture in which cells lie too, so that its edge cuts through cells
NUCLEUS_RADIUS = 18.0  # pixels
FIELD_STEP = 2  # pixels between the points at which distances are computed


@dataclass(frozen=True)
class Cells:
    """Cells that are still there, one entry each.

    Parameters
    ----------
    xy : float array, shape (n, 2)
        Centres of nuclei in pixels, x to the right and y down.
    pitch : float
        Distance between neighbours in a healthy site, pixels.
    body : int array
        Number of the cell body a nucleus belongs to; fused cells share one.
    reach : float array
        Distance from the nucleus to which a body extends where no neighbour stops it, pixels.
    radii : float array, shape (n, 2)
        Half axes of the nuclei, pixels.
    angle : float array
        Of the nuclei's long axes, radians.
    infection, toxicity : float array
        How far each cell is changed, 0 to 1: cells of one site differ.
    brightness : float array, shape (n, 5)
        Factor of each cell in each stain, around 1.
    """

    xy: np.ndarray
    pitch: float
    body: np.ndarray
    reach: np.ndarray
    radii: np.ndarray
    angle: np.ndarray
    infection: np.ndarray
    toxicity: np.ndarray
    brightness: np.ndarray

    def __len__(self) -> int:
        return len(self.xy)


@dataclass(frozen=True)
class Territory:
    """Which pixels belong to which cell; all arrays have the shape of the picture.

    Parameters
    ----------
    owner : int array
        The cell whose nucleus is nearest.
    inside : float32 array
        Distance to the edge of the cell body in pixels, negative outside.
    away : float32 array
        Distance to the centre of the owner's nucleus in pixels.
    """

    owner: np.ndarray
    inside: np.ndarray
    away: np.ndarray


def place_cells(n_cells: int, infection: float, toxicity: float, rng: np.random.Generator) -> Cells:
    """Draw the cells of a site in a given state.

    Infection and toxicity (both 0 to 1) take cells away, round them up and shrink their nuclei; infection fuses
    neighbours into syncytia. Of two states with one stream, the worse one holds a subset of the other's cells.

    Parameters
    ----------
    n_cells : int
        Cells in the picture of a healthy site, about.
    infection, toxicity : float
        0 to 1.
    rng : Generator
        Every number is drawn whatever the state, so that states can be compared.
    """
    xy, pitch = _lattice(n_cells, rng)
    n = len(xy)
    fate, threshold, size, partner = rng.random((4, n))
    radii = NUCLEUS_RADIUS * np.exp(rng.normal(0, 0.11, (n, 2))) * np.array([1.12, 0.9])
    angle = rng.uniform(0, np.pi, n)
    brightness = np.exp(rng.normal(0, 0.16, (n, 5)))
    # Cells respond one after the other: at half the infection some look ill and some healthy.
    ill = np.clip(1.5 * infection - 0.5 * threshold, 0, 1)
    sick = np.clip(1.5 * toxicity - 0.5 * threshold, 0, 1)
    radii *= (1 - 0.10 * ill - 0.38 * sick)[:, None]
    round_up = 1 - (1 - 0.65 * ill) * (1 - 0.95 * sick)
    reach = pitch * ((0.95 - 0.47 * round_up) * (0.85 + 0.3 * size))
    alive = fate < (1 - 0.30 * infection) * (1 - 0.82 * toxicity)
    body, xy = _fuse(xy, ill > 0.35 + 1.1 * partner)
    # A fused body is of one piece: its cells reach equally far and stain alike.
    widest = np.zeros(n)
    np.maximum.at(widest, body, reach)
    kept = (body, widest[body], radii, angle, ill, sick, brightness[body])
    return Cells(xy[alive], pitch, *(values[alive] for values in kept))


def _lattice(n_cells: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return centres on a shaken hexagonal lattice, in random order, and its pitch."""
    side = IMAGE_SIZE + 2 * MARGIN
    pitch = IMAGE_SIZE / np.sqrt(n_cells * np.sqrt(3) / 2)
    rows, cols = np.arange(0, side, pitch * np.sqrt(3) / 2), np.arange(0, side, pitch)
    x = cols[None, :] + 0.5 * pitch * (np.arange(len(rows)) % 2)[:, None]
    xy = np.column_stack([x.ravel(), np.repeat(rows, len(cols))]) - MARGIN
    xy += rng.uniform(-0.33, 0.33, xy.shape) * pitch
    return rng.permutation(xy), pitch


def _fuse(xy: np.ndarray, fusing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join fusing cells with their nearest two neighbours: return body numbers and centres drawn together."""
    body = np.arange(len(xy))
    _, near = cKDTree(xy).query(xy, k=3)
    for cell in np.flatnonzero(fusing):
        if body[cell] == cell:
            body[near[cell][body[near[cell]] == near[cell]]] = cell
    counts = np.bincount(body, minlength=len(xy))
    middle = (
        np.column_stack([np.bincount(body, part, len(xy)) for part in xy.T]) / np.maximum(counts, 1)[:, None]
    )
    apart = xy - middle[body]
    closest = 1.7 * NUCLEUS_RADIUS / np.maximum(np.linalg.norm(apart, axis=1), 1e-6)
    together = np.clip(closest, 0.42, 1.0)[:, None]
    return body, np.where((counts[body] > 1)[:, None], middle[body] + together * apart, xy)


def share_out(cells: Cells, rng: np.random.Generator) -> Territory:
    """Divide the picture among the cells: each pixel goes to the nearest nucleus within its reach.

    Borders waver, less so where cells have rounded up. Distances are computed at every second pixel and
    interpolated between.
    """
    shape = (IMAGE_SIZE // FIELD_STEP,) * 2
    y, x = (np.indices(shape, dtype=np.float32) + 0.5) * FIELD_STEP
    wavering = [smooth_noise(rng, shape, scale / FIELD_STEP) for scale in (26.0, 26.0, 9.0, 9.0)]
    if not len(cells):
        nowhere = np.full((IMAGE_SIZE, IMAGE_SIZE), -1e3, np.float32)
        return Territory(np.zeros_like(nowhere, dtype=int), nowhere, -nowhere)
    calm = 1 - 0.6 * float(np.mean(np.maximum(cells.infection, cells.toxicity)))
    x = x + calm * (0.15 * cells.pitch * wavering[0] + 2.2 * wavering[2])
    y = y + calm * (0.15 * cells.pitch * wavering[1] + 2.2 * wavering[3])
    k = min(5, len(cells))
    away, owner = cKDTree(cells.xy).query(np.stack([x.ravel(), y.ravel()], axis=1), k=k)
    away, owner = away.reshape(-1, k), owner.reshape(-1, k)
    other = np.where(cells.body[owner] == cells.body[owner[:, :1]], np.inf, away).min(axis=1)
    inside = np.minimum((other - away[:, 0]) / 2, cells.reach[owner[:, 0]] - away[:, 0])
    inside, away = (_enlarge(field.reshape(shape)) for field in (inside, away[:, 0]))
    owner = owner[:, 0].reshape(shape).repeat(FIELD_STEP, axis=0).repeat(FIELD_STEP, axis=1)
    return Territory(owner, inside, away)


def _enlarge(field: np.ndarray) -> np.ndarray:
    return zoom(field.astype(np.float32), FIELD_STEP, order=1, grid_mode=True, mode="nearest")


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    """Return Gaussian noise of variance 1 that varies over about `scale` pixels."""
    coarse = max(1, int(scale / 3))
    small = tuple(-(-side // coarse) for side in shape)
    noise = gaussian_filter(rng.standard_normal(small, dtype=np.float32), scale / coarse, mode="wrap")
    if coarse > 1:
        noise = zoom(noise, coarse, order=1, grid_mode=True, mode="nearest")[: shape[0], : shape[1]]
    return noise / noise.std()
