"""Figures of sites say what they show: stains, targets, scale, contrast, and that a drawing is one."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from helpers.figures import plot_site, plot_sites, show_site, stretch_limits
from helpers.figures.images import STAIN_COLORS, color_stain, composite
from helpers.screens.facts import STAINS


@pytest.fixture(scope="module")
def site() -> np.ndarray:
    """A site in which channel c is a bright square at its own place on a dark ground."""
    image = np.random.default_rng(0).integers(4, 9, (5, 1024, 1024), dtype=np.uint8)
    for channel in range(5):
        image[channel, 300:500, 150 * channel + 100 : 150 * channel + 220] = 150 + 10 * channel
    return image


def panels(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.axes if ax.images]


def words(figure: Figure) -> str:
    figure.canvas.draw()
    legend = figure.legends[0]
    heading = figure.get_suptitle()
    return "\n".join([heading, legend.get_title().get_text(), *(t.get_text() for t in legend.get_texts())])


def scale_bar(ax: Axes) -> tuple[float, str]:
    """Return the length of the bar in pixels of the image, and its label."""
    (bar,) = (patch for patch in ax.patches if patch.get_gid() == "scale-bar")
    (label,) = (text.get_text() for text in ax.texts if "µm" in text.get_text())
    return bar.get_width(), label


@pytest.mark.slow
def test_a_site_has_a_composite_and_five_stains(site):
    figure = show_site(site, title="HRCE-1 plate 25, AA02")
    titles = [ax.get_title() for ax in panels(figure)]
    assert titles == ["composite", *(f"w{c} {stain}" for c, (stain, _) in STAINS.items())]
    said = words(figure)
    for stain, target in STAINS.values():
        assert f"{stain}: {target}" in said
    assert "HRCE-1 plate 25, AA02" in said
    assert "third party" in said
    assert "percentiles 1 to 99.7" in said


def test_the_legend_has_the_colours_of_the_panels(site):
    figure = show_site(site)
    handles = figure.legends[0].get_patches()
    for channel, (ax, handle) in enumerate(zip(panels(figure)[1:], handles, strict=True), start=1):
        shown = np.asarray(ax.images[0].get_array()).reshape(-1, 3) / 255
        brightest = shown[shown.sum(axis=1).argmax()]
        hue = np.array(handle.get_facecolor()[:3])
        # The brightest pixels are paler than the legend, never of another hue.
        assert np.corrcoef(brightest, hue)[0, 1] > 0.9, channel
        assert handle.get_facecolor()[:3] == to_rgb(STAIN_COLORS[channel])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("um_per_pixel", "window", "label"),
    [(0.65, None, "100 µm"), (0.65, 512, "50 µm"), (1.3, None, "200 µm"), (0.1, 300, "5 µm")],
)
def test_the_scale_bar_is_as_long_as_it_says(site, um_per_pixel, window, label):
    figure = show_site(site, um_per_pixel=um_per_pixel, window=window)
    assert len(panels(figure)) == 6
    for ax in panels(figure):
        pixels, said = scale_bar(ax)
        assert said == label
        assert pixels * um_per_pixel == pytest.approx(float(label.split()[0]))
        left, right = ax.get_xlim()
        assert right - left == (window or 1024), "the axes are in pixels of the image"
    assert ("third party" in words(figure)) == (um_per_pixel == 0.65)


def test_a_window_shows_the_middle(site):
    marked = site.copy()
    marked[0] = 0
    marked[0, 512, 512] = 255
    ax = panels(show_site(marked, window=301))[1]
    shown = np.asarray(ax.images[0].get_array())
    assert shown.shape[:2] == (301, 301)
    assert np.unravel_index(shown.sum(axis=2).argmax(), (301, 301)) == (151, 151)


@pytest.mark.slow
def test_a_drawing_is_called_one_in_every_panel(site):
    for figure, said in (
        (show_site(site, is_drawing=True), "drawing, not a photograph"),
        (plot_sites({"mock": site, "infected": site}, is_drawing=True), "drawings, not photographs"),
    ):
        assert said in words(figure)
        for ax in panels(figure):
            assert "drawing" in [text.get_text() for text in ax.texts]
    for figure in (show_site(site), plot_sites({"mock": site})):
        assert "drawing" not in words(figure)
        assert not any("drawing" in text.get_text() for ax in panels(figure) for text in ax.texts)


def test_sites_that_are_compared_are_stretched_alike(site):
    half = site // 2
    figure = plot_sites({"bright": site, "half": half}, channel=1)
    bright, dark = (np.asarray(ax.images[0].get_array()).astype(float).sum() for ax in panels(figure))
    assert [ax.get_title() for ax in panels(figure)] == ["bright", "half"]
    assert dark < 0.6 * bright
    assert "over all these pictures" in words(figure)
    alone = plot_sites({"half": half}, channel=1)
    assert np.asarray(panels(alone)[0].images[0].get_array()).sum() > 1.5 * dark


def test_one_stain_has_a_legend_of_one(site):
    figure = plot_sites({"mock": site}, channel=3)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["w3 phalloidin: actin"]


def test_limits_are_the_percentiles_of_all_images_together():
    images = [np.full((5, 10, 10), level, np.uint8) for level in (10, 20, 30, 200)]
    limits = stretch_limits(images, (0, 100))
    np.testing.assert_allclose(limits, [[10, 200]] * 5)
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 250, (5, 40, 40), dtype=np.uint8) for _ in range(3)]
    pooled = np.stack(images, axis=1).reshape(5, -1)
    np.testing.assert_allclose(stretch_limits(images, (1, 99)).T, np.percentile(pooled, (1, 99), axis=1))


def test_an_empty_site_stays_dark():
    noise = np.random.default_rng(0).integers(9, 12, (5, 64, 64), dtype=np.uint8)
    assert composite(noise, stretch_limits([noise])).mean() < 0.35


def test_lightness_rises_with_the_signal():
    """In grey, too, more stain is lighter: in each stain and in the composite."""
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)[None, :]
    grey = np.array([0.2126, 0.7152, 0.0722])
    for channel in STAINS:
        assert np.all(np.diff(color_stain(ramp, channel, np.array([0, 255])) @ grey) > 0)
    picture = composite(np.stack([ramp] * 5), np.array([[0, 255]] * 5))
    assert np.all(np.diff(picture @ grey) > 0)
    assert picture.max() <= 1


def test_stains_are_told_apart_by_lightness_and_by_the_colour_blind():
    from skimage.color import rgb2lab

    colors = np.array([to_rgb(color) for color in STAIN_COLORS.values()])
    lightness = np.sort(rgb2lab(colors[None])[0, :, 0])
    assert np.diff(lightness).min() > 3
    # Viénot, Brettel and Mollon 1999: what is left of linear RGB without the long or the middle cones.
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    for left in (protan, deutan):
        seen = rgb2lab((np.clip(colors**2.2 @ left.T, 0, 1) ** (1 / 2.2))[None])[0]
        assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def test_axes_that_are_passed_come_back(site):
    figure, ax = plt.subplots()
    assert plot_site(site, channel=2, ax=ax) is ax
    assert figure.axes == [ax]


def test_nothing_to_compare_is_said():
    assert "no images" in plot_sites({}).axes[0].texts[0].get_text()


def test_spare_panels_are_invisible(site):
    figure = plot_sites(dict.fromkeys(["a", "b", "c"], site))
    assert len(figure.axes) == 4
    assert len(panels(figure)) == 3
    assert not figure.axes[-1].axison


def test_letters_are_nine_points_or_more_and_fit_the_page(site):
    figure = show_site(
        site, title="A long title of a well, its treatment and its dose: " * 2, is_drawing=True
    )
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = [figure._suptitle, figure.legends[0].get_title(), *figure.legends[0].get_texts()]
    texts += [text for ax in panels(figure) for text in (ax.title, *ax.texts)]
    assert min(text.get_fontsize() for text in texts) >= 9
    page = figure.bbox
    for text in texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= page.x0 - 1, text.get_text()
        assert box.x1 <= page.x1 + 1, text.get_text()
    shown = [ax.get_window_extent(renderer) for ax in panels(figure)]
    assert min(box.width for box in shown) > 0.4 * page.width, "a phone has little room to waste"
