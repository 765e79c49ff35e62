"""Failed wells are counted by plate and place, and every kind of well lands somewhere."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import plot_failures, plot_landing
from helpers.figures.failures import MOST_PLATES


def words(figure) -> str:
    """Return the text of a figure that draws a sentence."""
    return " ".join(text.get_text().replace("\n", " ") for ax in figure.axes for text in ax.texts)


class TestFailures:
    def test_bars_and_map_count_the_failed_wells(self, wells):
        figure = plot_failures(wells)
        bars, chart = figure.axes[:2]
        failed = wells[wells["qc_flag"] != ""]
        assert sum(bar.get_width() for bar in bars.patches) == len(failed)
        shown = chart.images[0].get_array()
        assert np.nansum(shown) == len(failed)
        row, col = failed[["row", "col"]].iloc[0]
        same = ((failed["row"] == row) & (failed["col"] == col)).sum()
        assert shown[row - 1, col - 1] == same
        assert figure.axes[-1].get_xlabel() == "plates on which the well failed"

    def test_of_many_plates_the_worst_are_drawn(self, wells):
        many = [
            wells[wells["plate_id"] == "HRCE-1_1"].assign(plate_id=f"E_{i}").head(20 + i) for i in range(30)
        ]
        table = pd.concat(many).assign(qc_flag="failed")
        bars = plot_failures(table).axes[0]
        names = [text.get_text() for text in bars.get_yticklabels()]
        assert len(names) == MOST_PLATES
        assert set(names) == {f"E_{i}" for i in range(10, 30)}
        assert "the worst 20 of 30" in (bars.get_title(loc="left") or bars.get_title())

    def test_without_failures_a_sentence_stands_there(self, wells):
        assert "No well" in words(plot_failures(wells.assign(qc_flag="")))


class TestLanding:
    def test_every_kind_has_a_row_and_its_median(self, wells):
        figure = plot_landing(wells)
        labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert labels == [
            "mock", "UV-inactivated", "infected, untreated", "infected, treated", "blank", "failed, any kind",
        ]  # fmt: skip
        fine = wells[(wells["qc_flag"] == "") & (wells["condition"] == "mock")]
        medians = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linewidth() == 2]
        assert medians[0] == pytest.approx(fine["on_disease"].median())

    def test_units_are_on_the_axes(self, wells):
        labels = [ax.get_xlabel() for ax in plot_landing(wells).axes]
        assert labels == ["on-disease\n(0 = mock, 1 = infected)", "off-disease\n(axis lengths)"]

    def test_without_scores_a_sentence_stands_there(self, wells):
        assert "nothing can be scored" in words(plot_landing(wells.assign(on_disease=np.nan)))
