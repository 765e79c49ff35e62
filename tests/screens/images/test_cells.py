"""Cells of a drawn site: as many as asked for, fewer and rounder when ill, and every pixel somebody's."""

import numpy as np
import pytest

from helpers.screens.facts import IMAGE_SIZE
from helpers.screens.images.cells import NUCLEUS_RADIUS, place_cells, share_out, smooth_noise


def cells(infection: float = 0.0, toxicity: float = 0.0, n: int = 100):
    return place_cells(n, infection, toxicity, np.random.default_rng(3))


def inside(found) -> int:
    return int(((found.xy >= 0) & (found.xy < IMAGE_SIZE)).all(axis=1).sum())


@pytest.mark.parametrize("n", [20, 100, 200])
def test_about_as_many_cells_as_asked_for_lie_in_the_picture(n):
    assert inside(cells(n=n)) == pytest.approx(n, rel=0.2)


def test_a_worse_state_holds_a_subset_of_the_cells():
    healthy, sick = cells(), cells(toxicity=0.8)
    assert 0 < len(sick) < 0.6 * len(healthy)
    theirs = {tuple(point) for point in healthy.xy.round(6)}
    assert {tuple(point) for point in sick.xy.round(6)} <= theirs


def test_toxicity_shrinks_nuclei_and_infection_fuses_bodies():
    healthy, sick, ill = cells(), cells(toxicity=1.0), cells(infection=1.0)
    assert sick.radii.mean() < 0.75 * healthy.radii.mean()
    assert healthy.radii.mean() == pytest.approx(NUCLEUS_RADIUS, rel=0.1)
    assert len(np.unique(healthy.body)) == len(healthy)
    assert len(np.unique(ill.body)) < len(ill)
    one = np.bincount(ill.body).argmax()
    assert len(set(ill.reach[ill.body == one])) == 1, "a fused body is of one piece"


def test_the_same_stream_gives_the_same_cells():
    np.testing.assert_array_equal(cells().xy, cells().xy)
    assert not np.array_equal(cells().xy[:50], place_cells(100, 0, 0, np.random.default_rng(4)).xy[:50])


def test_each_pixel_goes_to_a_near_nucleus():
    found = cells()
    land = share_out(found, np.random.default_rng(0))
    assert land.owner.shape == land.inside.shape == land.away.shape == (IMAGE_SIZE, IMAGE_SIZE)
    far = np.flatnonzero(np.all((found.xy > 60) & (found.xy < IMAGE_SIZE - 60), axis=1))
    x, y = np.rint(found.xy[far]).astype(int).T
    assert np.mean(land.inside[y, x] > 0) > 0.95, "a nucleus lies in its own cell"
    assert np.mean(land.owner[y, x] == far) > 0.95
    assert np.median(land.away) < 0.6 * found.pitch, "half of a cell's pixels are near its nucleus"
    assert set(np.unique(land.owner)) <= set(range(len(found)))


def test_without_cells_all_is_outside():
    found = cells()
    none = type(found)(
        *(value[:0] if isinstance(value, np.ndarray) else value for value in vars(found).values())
    )
    land = share_out(none, np.random.default_rng(0))
    assert (land.inside < 0).all()


@pytest.mark.parametrize("scale", [1.5, 9.0, 26.0])
def test_noise_has_variance_one_and_its_scale(scale):
    noise = smooth_noise(np.random.default_rng(0), (300, 310), scale)
    assert noise.shape == (300, 310)
    assert noise.std() == pytest.approx(1, abs=0.01)
    near = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    far = np.corrcoef(noise[:, : -int(6 * scale)].ravel(), noise[:, int(6 * scale) :].ravel())[0, 1]
    assert near > 0.75
    assert abs(far) < 0.35
