"""Bars and dose sets say what the tables say."""

import pandas as pd

from helpers.figures.design import plot_counts, plot_dose_sets, plot_replicates


def test_bars_add_up_to_the_wells(wells):
    ax = plot_counts(wells)
    widths = {}
    for bar in ax.patches:
        widths.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(bar.get_width())
    assert sorted(sum(w) for w in widths.values()) == [2680, 2680]
    assert ax.get_xlabel() == "wells"
    assert {text.get_text() for text in ax.texts} >= {"1,440", "1,020"}


def test_blank_wells_are_hatched_like_their_legend(wells):
    ax = plot_counts(wells)
    hatched = [bar.get_width() for bar in ax.patches if bar.get_hatch()]
    counts = wells[wells["condition"] == "blank"].groupby("experiment", observed=True).size()
    assert sorted(hatched) == sorted(counts)
    handles = {h.get_label(): h.get_hatch() for h in ax.figure.legends[0].legend_handles}
    assert [label for label, hatch in handles.items() if hatch] == ["blank"]


def test_first_experiment_is_on_top(wells):
    labels = [label.get_text() for label in plot_counts(wells).get_yticklabels()]
    assert labels == ["VERO-1", "HRCE-1"]


def test_dose_sets_name_their_compounds():
    table = pd.DataFrame(
        {
            "experiment": ["E", "E"],
            "doses_um": [(0.1, 1.0), (10.0,)],
            "n_doses": [2, 1],
            "n_compounds": [1632, 1],
        }
    )
    ax = plot_dose_sets(table)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["E, 1 compound", "E, 1,632 compounds"]
    assert list(ax.lines[1].get_xdata()) == [0.1, 1.0]


def test_no_doses_is_said():
    empty = pd.DataFrame(columns=["experiment", "doses_um", "n_doses", "n_compounds"])
    assert "no doses" in plot_dose_sets(empty).texts[0].get_text()


def test_replicate_bars_count_arms(arms):
    figure = plot_replicates(arms)
    wells_axis, plates_axis = figure.axes
    bars = [bar for container in wells_axis.containers for bar in container]
    assert sorted(bar.get_height() for bar in bars) == [360, 360]
    assert sum(bar.get_height() for bar in wells_axis.patches) == 720, "and nothing else has a height"
    assert [label.get_text() for label in plates_axis.get_xticklabels()] == ["2"]
