"""The twin's drawings: the same for the same state, and changed by it in ways that can be measured."""

import time

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops

from helpers.errors import UsageError
from helpers.screens.images.drawing import SiteState, draw_site

SEEDS = (0, 1)


def nuclei(image: np.ndarray) -> list:
    """Find nuclei as anybody would: smooth, threshold, count what is large enough."""
    smooth = gaussian_filter(image[0].astype(float), 1.5)
    found = label(smooth > threshold_otsu(smooth))
    return [region for region in regionprops(found, image[0]) if region.area > 60]


def empty_share(image: np.ndarray) -> float:
    """Return the share of the picture without cells, by the stain of the endoplasmic reticulum."""
    return float(np.mean(gaussian_filter(image[1].astype(float), 3) < 18))


@pytest.fixture(scope="module")
def drawn():
    """Return drawings by (parameter, value, seed)."""
    series = {"infection": (0.5, 1.0), "toxicity": (0.5, 1.5), "dim": (0.4, 0.8)}
    healthy = {seed: draw_site(SiteState(), seed=seed) for seed in SEEDS}
    return {
        (name, value, seed): draw_site(SiteState(**{name: value}), seed=seed) if value else healthy[seed]
        for name, values in series.items()
        for value in (0.0, *values)
        for seed in SEEDS
    }


def along(drawn: dict, name: str, seed: int, measure) -> list[float]:
    return [measure(image) for (n, _, s), image in drawn.items() if (n, s) == (name, seed)]


def falls(values: list[float], by: float) -> bool:
    """Tell if values fall at each step, and by this share in all."""
    return all(np.diff(values) < 0) and values[-1] < (1 - by) * values[0]


@pytest.mark.slow
def test_form_and_repeatability():
    state = SiteState(infection=0.6, toxicity=0.4)
    image = draw_site(state, seed=5)
    assert image.shape == (5, 1024, 1024)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, draw_site(state, seed=5))
    assert np.mean(image != draw_site(state, seed=6)) > 0.5


@pytest.mark.slow
def test_a_healthy_site_holds_the_cells_asked_for():
    for n_cells in (40, 130, 200):
        assert len(nuclei(draw_site(SiteState(n_cells=n_cells), seed=1))) == pytest.approx(n_cells, rel=0.2)


@pytest.mark.slow
def test_channels_use_their_range_without_clipping(drawn):
    for image in drawn.values():
        assert np.all((image == 255).mean(axis=(1, 2)) < 0.002)
    healthy = drawn["infection", 0.0, 0]
    assert np.all(np.percentile(healthy, 99.7, axis=(1, 2)) > 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_toxicity_takes_cells_away_and_shrinks_nuclei(drawn, seed):
    assert falls(along(drawn, "toxicity", seed, lambda image: len(nuclei(image))), 0.5)
    areas = along(drawn, "toxicity", seed, lambda image: np.median([n.area for n in nuclei(image)]))
    assert falls(areas, 0.4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_infection_opens_gaps_and_dims_nuclei(drawn, seed):
    gaps = along(drawn, "infection", seed, empty_share)
    assert all(np.diff(gaps) > 0)
    assert gaps[0] < 0.02
    assert gaps[-1] > 0.08
    light = along(drawn, "infection", seed, lambda im: np.median([n.intensity_mean for n in nuclei(im)]))
    assert falls(light, 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_dim_wells_lose_light_and_no_cells(drawn, seed):
    light = along(drawn, "dim", seed, lambda image: np.percentile(image[0], 99))
    assert falls(light, 0.5)
    for channel in range(5):
        assert falls(along(drawn, "dim", seed, lambda image, c=channel: image[c].mean()), 0.1)
    counts = along(drawn, "dim", seed, lambda image: len(nuclei(image)))
    assert max(counts) - min(counts) <= 0.1 * counts[0]


@pytest.mark.slow
def test_states_of_one_seed_show_the_same_cells(drawn):
    """Nuclei that survive a toxic dose stand where one stood before; a few were counted as one with a neighbour."""
    before, after = (drawn["toxicity", dose, 0] for dose in (0.0, 1.5))
    places = np.array([n.centroid for n in nuclei(before)])
    moved = [np.min(np.linalg.norm(places - n.centroid, axis=1)) for n in nuclei(after)]
    assert len(moved) > 10
    assert np.quantile(moved, 0.9) < 6


@pytest.mark.slow
@pytest.mark.parametrize("state", [SiteState(n_cells=1), SiteState(n_cells=1, infection=1, toxicity=50)])
def test_hardly_any_cells_are_no_error(state):
    assert draw_site(state, seed=0).shape == (5, 1024, 1024)


@pytest.mark.parametrize(
    "state",
    [{"infection": 1.1}, {"infection": -0.1}, {"toxicity": -1}, {"dim": 2}, {"n_cells": 0}, {"dim": np.nan}],
)
def test_impossible_states_are_refused(state):
    (name,) = state
    with pytest.raises(UsageError, match=f"{name} .*allowed are"):
        SiteState(**state)


@pytest.mark.slow
def test_a_site_is_drawn_fast():
    draw_site(SiteState(), seed=0)
    start = time.process_time()
    draw_site(SiteState(infection=0.5), seed=0)
    assert time.process_time() - start < 3, "about 0.7 s on the machine this was written on"
