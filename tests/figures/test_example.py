"""One site, stain by stain."""

from helpers.figures.example import plot_stains


def words(figure) -> str:
    """Return the text of a figure that draws a sentence."""
    return " ".join(text.get_text().replace("\n", " ") for ax in figure.axes for text in ax.texts)


def test_without_an_image_a_sentence_stands_there():
    assert "No images" in words(plot_stains(None))
