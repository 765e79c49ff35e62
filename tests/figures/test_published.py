"""Published scores and mechanism classes are drawn at their numbers, with the names that matter."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import plot_agreement, plot_classes, plot_published, plot_two_cells
from helpers.figures.classes import CLASS_STYLE, verdicts
from helpers.figures.published import HIT_STYLE, disagreements


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.fixture
def scores() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = np.r_[0.9, 0.75, 0.65, rng.normal(0.1, 0.1, 200)]
    return pd.DataFrame({"name": [f"drug {i}" for i in range(len(values))], "score": values})


@pytest.fixture
def effects() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "class": ["up", "down", "flat", "small", "a class with a name that is far too long"],
            "n_members": [7, 4, 20, 2, 5],
            "auc": [0.9, 0.1, 0.52, np.nan, 0.6],
            "p_value": [1e-4, 1e-3, 0.7, np.nan, 0.4],
            "q_value": [4e-4, 2e-3, 0.7, np.nan, 0.5],
            "auc_own": [0.7, np.nan, 0.5, np.nan, 0.5],
        }
    )
    table["auc_low"], table["auc_high"] = table["auc"] - 0.08, table["auc"] + 0.08
    return pd.concat([table.assign(cells="HRCE"), table.assign(cells="VERO", auc=1 - table["auc"])])


def test_every_published_score_stands_at_its_rank(scores):
    ax = plot_published(scores.sample(frac=1, random_state=1), noise=0.1)
    drawn = np.vstack(
        [line.get_xydata() for line in ax.lines if len(line.get_xydata()) > 2 and line.get_marker() != "None"]
    )
    expected = np.sort(scores["score"])[::-1]
    np.testing.assert_allclose(drawn[np.argsort(drawn[:, 0])][:, 1], expected)
    assert texts(ax) == ["drug 0  0.90", "drug 1  0.75", "drug 2  0.65"]
    band = next(patch for patch in ax.patches)
    low, high = band.get_window_extent().transformed(ax.transData.inverted()).get_points()[:, 1]
    assert (low, high) == pytest.approx((scores["score"].median() - 0.2, scores["score"].median() + 0.2))


def test_noise_that_is_not_known_is_not_drawn(scores):
    ax = plot_published(scores)
    assert not ax.patches
    assert [t.get_text() for t in ax.figure.legends[0].get_texts()] == ["published hit", "no hit"]


def test_forest_has_a_row_per_class_in_the_order_of_its_auc(effects):
    figure = plot_classes(effects, other="auc_own", other_label="here")
    assert [ax.get_title() for ax in figure.axes] == ["HRCE", "VERO"]
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["up", "a class with a name that is…", "flat", "down"], "what was not tested is not drawn"
    assert texts(figure.axes[0]) == ["n = 7", "n = 5", "n = 20", "n = 4"]
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == [*(mark.label for mark in CLASS_STYLE.values()), "here"]
    diamonds = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert diamonds == [0.7, 0.5, 0.5]


def test_forest_keeps_the_classes_of_smallest_p(effects):
    figure = plot_classes(effects[effects["cells"] == "HRCE"], n=2)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["up", "down"]


def test_verdicts_need_the_rate(effects):
    one = effects[effects["cells"] == "HRCE"]
    assert verdicts(one, 0.05).tolist() == ["higher", "lower", "none", "none", "none"]
    assert verdicts(one, 0.001).tolist() == ["higher", "none", "none", "none", "none"]


@pytest.mark.parametrize("styles", [CLASS_STYLE, HIT_STYLE])
def test_styles_differ_in_grey_and_by_marker(styles):
    from matplotlib.colors import to_rgb

    grey = sorted(np.dot(to_rgb(mark.color), [0.299, 0.587, 0.114]) for mark in styles.values())
    assert np.diff(grey).min() > 0.04
    assert len({mark.marker for mark in styles.values()}) == len(styles)


def test_two_cell_lines(scores):
    table = pd.DataFrame({"name": ["a", "b", "c"], "HRCE": [0.9, 0.1, 0.1], "VERO": [0.2, 0.8, 0.15]})
    ax = plot_two_cells(table, label=2)
    drawn = np.vstack([c.get_offsets() for c in ax.collections])
    assert sorted(map(tuple, drawn.tolist())) == sorted(
        table[["HRCE", "VERO"]].itertuples(index=False, name=None)
    )
    assert set(texts(ax)) == {"a", "b"}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("published score in HRCE", "published score in VERO")


def test_agreement_draws_one_cell_line_and_names_hits_first():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"name": [f"d{i}" for i in range(30)], "published": rng.random(30) * 0.5, "cells": "HRCE"}
    )
    table["score"] = table["published"] + 0.02 * rng.standard_normal(30)
    table.loc[0, ["published", "score"]] = 0.9, 0.01
    few = table.head(3).assign(cells="VERO")
    ax = plot_agreement(pd.concat([few, table]), label=1)
    assert ax.get_title() == "HRCE"
    assert texts(ax) == ["d0"]
    assert sum(len(c.get_offsets()) for c in ax.collections) == 30


def test_disagreements_are_ranked_by_how_far_the_ranks_differ():
    table = pd.DataFrame(
        {"name": list("abcd"), "published": [0.1, 0.2, 0.3, 0.9], "score": [4.0, 2.0, 1.0, 3.0]}
    )
    found = disagreements(table)
    assert found["name"].tolist() == ["d", "a", "c", "b"]
    assert found.set_index("name")["gap"].to_dict() == {"d": -0.25, "a": 0.75, "c": -0.5, "b": 0.0}


def test_nothing_to_draw_is_said(scores, effects):
    assert "not here" in texts(plot_published(scores.head(0)))[0]
    assert "not here" in texts(plot_two_cells(pd.DataFrame({"name": [], "HRCE": [], "VERO": []})))[0]
    assert "Nothing to compare" in texts(plot_agreement(pd.DataFrame()))[0]
    assert "No class can be tested" in texts(plot_classes(effects.head(0)).axes[0])[0]
    untested = effects.assign(p_value=np.nan)
    assert "No class can be tested" in texts(plot_classes(untested).axes[0])[0]
