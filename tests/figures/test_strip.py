"""Every well of one compound, beside the controls of its plates."""

from helpers.figures.strip import plot_strip


def test_strip_shows_every_well_and_both_controls(wells):
    ax = plot_strip(wells, "HRCE-1", "TWN-0060")
    assert sum(len(c.get_offsets()) for c in ax.collections) == 24
    assert len(ax.patches) == 2
    legend = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert legend[:2] == ["plate 1", "plate 2"]
    assert legend[-3:] == ["mean", "mock, middle 90 %", "infected, untreated, middle 90 %"]
    assert ax.get_title() == "TWN-0060, HRCE-1"
    assert "no scored wells" in plot_strip(wells, "HRCE-1", "nobody").texts[0].get_text()
