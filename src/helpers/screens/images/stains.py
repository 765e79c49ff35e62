"""The five stains of a drawn site, painted over its cells. All shapes and levels are invented."""

from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.draw import line_aa

from helpers.screens.facts import IMAGE_SIZE
from helpers.screens.images.cells import Cells, Territory, smooth_noise

SHAPE = (IMAGE_SIZE, IMAGE_SIZE)
FIBRES, GOLGI_SPOTS, NUCLEOLI, VESICLES = 16, 22, 3, 40  # of one healthy cell


def soft_step(distance: np.ndarray, width: float) -> np.ndarray:
    """Return 0 far below zero and 1 far above it, blurred over `width` pixels."""
    return 1 / (1 + np.exp(np.clip(-distance / width, -30, 30)))


class Scene:
    """Cells with their pixels, and one method per stain.

    Each stain is a float32 picture of shape (1024, 1024), about 1 where the stain is strong.

    Parameters
    ----------
    cells : Cells
    land : Territory
    rng : Generator
        Of textures and of the places of fibres and spots. Stains use it in the order of their channels.
    """

    def __init__(self, cells: Cells, land: Territory, rng: np.random.Generator):
        self.cells, self.land, self.rng = cells, land, rng
        self.body = soft_step(land.inside, 1.3)
        self.nucleus = self._ellipses(np.ones(len(cells)))
        self.beyond = np.maximum(land.away - self.spread(cells.radii.mean(axis=1)), 0)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return at each pixel the value of its cell."""
        return values.astype(np.float32)[self.land.owner] if len(values) else np.zeros(SHAPE, np.float32)

    @cached_property
    def thickness(self) -> np.ndarray:
        """How much higher than a healthy cell the cell at each pixel stands; round cells stand high."""
        cells = self.cells
        return self.spread(1 + 0.5 * cells.infection + 0.5 * cells.toxicity)

    def nuclei(self) -> np.ndarray:
        """Paint DNA: nuclei with grainy chromatin, dimmer with infection, small and bright with toxicity."""
        cells = self.cells
        level = (1 - 0.38 * cells.infection) * (1 + 0.45 * cells.toxicity) * cells.brightness[:, 0]
        grain = 1 + 0.13 * self._noise(2.2) + 0.10 * self._noise(5.0)
        return self._ellipses(level) * grain + 0.03 * self.body

    def reticulum(self) -> np.ndarray:
        """Paint the endoplasmic reticulum: a mesh, dense around the nucleus and thin at the edge."""
        mesh = 1.15 - 0.36 * np.abs(self._noise(1.8)) - 0.22 * np.abs(self._noise(4.0))
        falling = 0.22 + 0.78 * np.exp(-self.beyond / (0.26 * self.cells.pitch))
        rim = self.nucleus * (1 - self.nucleus) * 4
        level = self.body * falling * np.maximum(mesh, 0.1) * (1 - 0.78 * self.nucleus) + 0.25 * rim
        return level * self.spread(self.cells.brightness[:, 1]) * self.thickness

    def actin(self) -> np.ndarray:
        """Paint actin: a belt along cell borders and fibres through the cell; ill cells keep a thick belt."""
        healthy = self.spread((1 - self.cells.infection) * (1 - self.cells.toxicity))
        width = 3.0 + 2.5 * (1 - healthy)
        belt = np.exp(-np.square((self.land.inside - 1.5) / width)) * (1 + 0.25 * self._noise(6.0))
        fibres = gaussian_filter(self._fibres(), 0.9) * self.body
        diffuse = 0.13 * self.body * (1 + 0.35 * self._noise(3.0))
        level = 0.75 * belt + 0.85 * healthy * fibres + diffuse
        return level * self.spread(self.cells.brightness[:, 2]) * (0.7 + 0.3 * self.thickness)

    def rna(self) -> np.ndarray:
        """Paint RNA: nucleoli as bright spots, a pale nucleus, and a cytoplasm that infection fills."""
        cells = self.cells
        ill = self.spread(cells.infection)
        falling = np.exp(-self.beyond / (0.30 * cells.pitch))
        cytoplasm = self.body * (0.16 + (0.40 + 0.26 * ill) * falling) * (1 + 0.16 * self._noise(2.5))
        size = 3.6 * (1 - 0.35 * cells.infection) * (1 - 0.4 * cells.toxicity)
        nucleoli = self._spots(NUCLEOLI, np.sqrt(self.rng.random((len(cells), NUCLEOLI))) * 8.0, size)
        level = cytoplasm * (1 - 0.35 * self.nucleus) + 0.16 * self.nucleus + 0.85 * nucleoli * self.nucleus
        return level * self.spread(cells.brightness[:, 3]) * (0.6 + 0.4 * self.thickness)

    def golgi(self) -> np.ndarray:
        """Paint Golgi and plasma membrane: spots heaped beside the nucleus, which infection scatters."""
        cells, rng = self.cells, self.rng
        scattered = np.maximum(cells.infection, cells.toxicity)[:, None]
        away = cells.radii.mean(axis=1)[:, None] + 4 + rng.exponential(4.5, (len(cells), GOLGI_SPOTS))
        away += scattered * rng.uniform(0, 0.28 * cells.pitch, (len(cells), GOLGI_SPOTS))
        arc = (0.42 + 2.7 * scattered) * rng.standard_normal((len(cells), GOLGI_SPOTS))
        side = rng.uniform(0, 2 * np.pi, (len(cells), 1))
        heap = self._points(away, side + arc, 1.7) * (1 - 0.4 * self.spread(scattered[:, 0]))
        far = rng.uniform(0.2, 0.6, (len(cells), VESICLES)) * cells.pitch
        vesicles = self._points(far, rng.uniform(0, 2 * np.pi, far.shape), 1.0)
        membrane = np.exp(-np.square(self.land.inside / 2.4))
        level = 0.95 * heap + 0.30 * vesicles + 0.45 * membrane
        level = level * (1 - 0.5 * self.nucleus) * self.body + 0.10 * self.body * (1 + 0.2 * self._noise(4.0))
        return level * self.spread(cells.brightness[:, 4]) * (0.7 + 0.3 * self.thickness)

    def _noise(self, scale: float) -> np.ndarray:
        return smooth_noise(self.rng, SHAPE, scale)

    def _ellipses(self, levels: np.ndarray) -> np.ndarray:
        """Paint nuclei as soft ellipses of given levels; where two overlap the brighter one shows."""
        picture = np.zeros(SHAPE, np.float32)
        for (x, y), (a, b), angle, level in zip(
            self.cells.xy, self.cells.radii, self.cells.angle, levels, strict=True
        ):
            window = _window(x, y, 1.3 * max(a, b) + 6)
            dy, dx = np.mgrid[window] + 0.5 - np.array([y, x])[:, None, None]
            along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
            # A third harmonic takes away the look of a template.
            bump = 1 + 0.05 * np.cos(3 * np.arctan2(across, along) + 7 * angle)
            ellipse = soft_step((bump - np.hypot(along / a, across / b)) * np.sqrt(a * b), 1.1)
            picture[window] = np.maximum(picture[window], level * ellipse)
        return picture

    def _fibres(self) -> np.ndarray:
        """Paint straight fibres, nearly parallel in each cell, inside their own cell."""
        picture, cells, rng = np.zeros(SHAPE, np.float32), self.cells, self.rng
        reach, n = 0.62 * cells.pitch, len(cells)
        angle = cells.angle[:, None] + rng.normal(0, 0.10, (n, FIBRES))
        offset, start, end = (
            rng.uniform([[[-1]], [[-1]], [[0.1]]], [[[1]], [[-0.1]], [[1]]], (3, n, FIBRES)) * reach
        )
        level = rng.uniform(0.25, 1.0, (n, FIBRES))
        along, across = np.stack([np.cos(angle), np.sin(angle)]), np.stack([-np.sin(angle), np.cos(angle)])
        from_, to = (cells.xy.T[:, :, None] + across * offset + along * point for point in (start, end))
        for cell, fibre in np.ndindex(n, FIBRES):
            (x0, y0), (x1, y1) = (
                np.rint(from_[:, cell, fibre]).astype(int),
                np.rint(to[:, cell, fibre]).astype(int),
            )
            rows, cols, share = line_aa(y0, x0, y1, x1)
            seen = (rows >= 0) & (rows < IMAGE_SIZE) & (cols >= 0) & (cols < IMAGE_SIZE)
            rows, cols, share = rows[seen], cols[seen], share[seen]
            own = self.land.owner[rows, cols] == cell
            rows, cols = rows[own], cols[own]
            picture[rows, cols] = np.maximum(picture[rows, cols], level[cell, fibre] * share[own])
        return picture

    def _spots(self, n: int, away: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Paint n round spots at distances `away` from each nucleus' centre, shape (cells, n)."""
        picture = np.zeros(SHAPE, np.float32)
        angle = self.rng.uniform(0, 2 * np.pi, away.shape)
        x = self.cells.xy[:, :1] + away * np.cos(angle)
        y = self.cells.xy[:, 1:] + away * np.sin(angle)
        for cell, spot in np.ndindex(len(self.cells), n):
            window = _window(x[cell, spot], y[cell, spot], 3 * size[cell] + 2)
            dy, dx = np.mgrid[window] + 0.5 - np.array([y[cell, spot], x[cell, spot]])[:, None, None]
            blob = np.exp(-(np.square(np.hypot(dx, dy) / size[cell]) ** 1.5))
            picture[window] = np.maximum(picture[window], blob)
        return picture

    def _points(self, away: np.ndarray, angle: np.ndarray, blur: float) -> np.ndarray:
        """Paint blurred points at polar coordinates around each nucleus, each about 1 high."""
        picture = np.zeros(SHAPE, np.float32)
        cols = np.rint(self.cells.xy[:, :1] + away * np.cos(angle)).astype(int)
        rows = np.rint(self.cells.xy[:, 1:] + away * np.sin(angle)).astype(int)
        cell = np.broadcast_to(np.arange(len(self.cells))[:, None], rows.shape)
        seen = (rows >= 0) & (rows < IMAGE_SIZE) & (cols >= 0) & (cols < IMAGE_SIZE)
        own = self.land.owner[rows[seen], cols[seen]] == cell[seen]
        np.add.at(picture, (rows[seen][own], cols[seen][own]), 1.0)
        return np.minimum(gaussian_filter(picture, blur) * 2 * np.pi * blur**2, 2.2)


def _window(x: float, y: float, reach: float) -> tuple[slice, slice]:
    """Return the slices of the picture that hold a square around a point; empty outside."""
    edges = [(int(c - reach), int(c + reach) + 1) for c in (y, x)]
    return tuple(slice(min(max(a, 0), IMAGE_SIZE), min(max(b, 0), IMAGE_SIZE)) for a, b in edges)
