"""Names of users in figures: drawn as they are, none read as a formula, none left out of a legend."""

import warnings

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from helpers.figures.calibration import plot_p_values
from helpers.figures.plates import plot_plates
from helpers.figures.quality import plot_control_separation
from helpers.figures.ranking import plot_ranks
from helpers.figures.style import plate_label, plot_missing, series_styles, use_style
from helpers.hits.deciding import deciding_arms

EXPERIMENTS = {"HRCE-1": r"_E$\x$2", "VERO-1": "US$ 1 | 2$ \u202e"}
COMPOUND = r"$\frac{$ {math}`x` 日本👨"


def texts(figure) -> list[str]:
    """Return all that is drawn as text, after it was drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def renamed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with names that are no names of files."""
    table = table.assign(experiment=table["experiment"].astype(str).map(EXPERIMENTS))
    if "plate_id" in table:
        table["plate_id"] = table["experiment"] + "_" + table["plate"].astype(str)
    if "treatment" in table:
        named = table["treatment"].astype(object)
        table["treatment"] = named.where(named.isna(), COMPOUND + named.astype(str))
    return table


@pytest.mark.filterwarnings("ignore:Glyph")
def test_names_are_drawn_as_they_are(wells, arms, hits):
    odd = renamed(wells)
    ranks = plot_ranks(deciding_arms(renamed(hits), renamed(arms)))
    titles = [ax.get_title() for ax in ranks.axes]
    assert sorted(titles) == [r" _E$\x$2", "US$ 1 | 2$ ⟨U+202E⟩"]
    assert any(text.startswith(r"$\frac{$ {math}`x`") for text in texts(ranks))
    assert any(r"_E$\x$2_" in text for text in texts(plot_plates(odd, "rescue")))
    assert any(r"_E$\x$2_" in text for text in texts(plot_control_separation(odd).figure))
    assert r"no $\x$ here" in texts(plot_missing("no $\\x$\nhere").figure)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
def test_any_name_stands_in_the_legend(names):
    handles = [
        plt.Line2D([], [], marker=mark.marker, label=mark.label) for mark in series_styles(names).values()
    ]
    figure = plt.figure()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        legend = figure.legend(handles=handles)
        assert len(legend.get_texts()) == len(names)
        figure.canvas.draw()
    plt.close(figure)


def test_a_sign_that_the_font_lacks_warns_nobody():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use_style()
        texts(plot_missing("日本 👨").figure)
    assert [str(w.message) for w in caught] == []


def test_own_labels_need_no_formulas():
    steps = [10.0**-i for i in range(6)]
    table = pd.DataFrame({"level": "arms", "p": steps, "share": steps, "share_se": 0.0})
    labels = texts(plot_p_values(table).figure)
    assert "0.001" in labels
    assert not any("$" in label for label in labels)


def test_two_plates_never_share_a_label():
    obs = pd.DataFrame({"experiment": ["U2OS_24h", "U2OS", "U2OS_24h"], "plate": ["P1", "24h_P1", "P1"]})
    labels = plate_label(obs)
    assert labels[0] == labels[2] == "U2OS_24h_P1"
    assert labels[1] == "U2OS_24h_P1 (2)"
