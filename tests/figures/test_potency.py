"""Potency against effect: what is drawn, what is an arrowhead, what is named."""

import numpy as np

from helpers.figures.potency import plot_potency


def test_potency_leaves_out_curves_without_an_ec50(curves):
    ax = plot_potency(curves)
    drawn = np.vstack([c.get_offsets() for c in ax.collections[1:] if len(c.get_offsets())])
    assert sorted(drawn[:, 0]) == [0.01, 0.1732, 0.2, 3.0]
    assert (ax.get_xlabel(), ax.get_xscale()) == ("EC50 (µM)", "log")
    assert "No curve" in plot_potency(curves.head(0)).texts[0].get_text()


def test_potency_shows_extrapolated_plateaus_as_arrowheads(curves):
    ax = plot_potency(curves.assign(back=[1.0, -40.0, 0.6, 0.9, 0.01]))
    drawn = np.vstack([c.get_offsets() for c in ax.collections[1:] if len(c.get_offsets())])
    low = ax.get_ylim()[0]
    assert -1.2 < low < -1
    assert [0.1732, low] in drawn.round(6).tolist()
    assert len(drawn) == 4
    assert "beyond the edge" in [text.get_text() for text in ax.figure.legends[0].get_texts()]


def test_potency_rims_fits_at_a_bound(curves):
    ax = plot_potency(curves.assign(at_bound=[False, False, True, False, False]))
    rims = [c for c in ax.collections[1:] if len(c.get_offsets()) and not len(c.get_facecolor())]
    np.testing.assert_allclose(np.vstack([c.get_offsets() for c in rims]), [[0.01, 0.6]])
    assert "at a bound of the fit" in [text.get_text() for text in ax.figure.legends[0].get_texts()]


def test_potency_names_the_most_potent_that_reach_half_way(curves):
    written = [text.get_text() for text in plot_potency(curves).texts if text.get_text()]
    assert written == ["TWN-0050", "TWN-0060"]
