"""Curves in words, against one made-up curve of each class."""

import numpy as np
import pytest

from helpers.pages import truth
from helpers.pages.dose import findings


def test_classes_are_counted(curves):
    text = findings.curve_classes(curves)
    assert text.startswith("Of 6 curves: ")
    assert "1 not told from a flat line, so without an EC50" in text
    assert "Of the active ones" not in text
    loose = curves.assign(ec50_um=[np.nan, *curves["ec50_um"][1:]])
    assert "Of the active ones 1 has no EC50 all the same" in findings.curve_classes(loose)
    assert "EC50 `<`" in text


@pytest.mark.parametrize(
    ("index", "part"),
    [
        (0, "Hill slope of 1.5; the curve explains 80 %"),
        (1, "between 0.3 and 1 µM. The response jumps"),
        (2, "no EC50 is given"),
        (3, "EC50 < 0.03 µM. The doses limit its half-way point on one side only"),
    ],
)
def test_a_curve_in_words(curves, index, part):
    text = findings.one_curve(curves.iloc[index])
    assert part in text
    assert text.startswith(f"{curves['treatment'][index]} in E is of the class")


def test_most_potent_curve_reaches_half_way(curves):
    text = findings.potency(curves)
    assert "on both sides: 2;" in text
    assert "is A in E (EC50 0.4 µM (0.1 to 0.8))" in text
    assert "None of them" in findings.potency(curves.assign(back=0.4))
    assert "No rising curve" in findings.potency(curves.head(0))


def test_a_plateau_at_its_limit_is_said_to_be_assumed(curves):
    bounded = curves.assign(back=[1.25, 0.9, 0, 0.5, 0.8, np.nan], at_bound=True)
    assert "For 1 of them the plateau stands at 1.25" in findings.potency(bounded)
    assert "the largest that the fit allows (1.25)" in findings.one_curve(bounded.iloc[0])
    assert "largest" not in findings.potency(curves)
    assert "largest" not in findings.one_curve(curves.iloc[0])


def test_falling_curves_are_counted_by_what_is_known(curves):
    falls = curves.assign(curve_class=["worsening"] * 5 + ["inactive"])
    text = findings.falling(falls)
    assert "5 curves fall with dose" in text
    assert "2 with limits of the EC50 on both sides, 2 with a bound, 1 without an EC50" in text
    assert findings.falling(curves) == "No significant curve falls with dose."


def test_share_of_intervals_that_hold_the_truth(curves, known):
    text = findings.truth_share(curves, known)
    assert "2 of 2 intervals (100 %; from so few, 16 % to 100 %) for compounds that only rescue." in text
    wrong = curves.assign(ec50_low_um=0.3)
    assert "1 of 2 intervals (50 %" in findings.truth_share(wrong, known)
    assert "only where the truth is known" in findings.truth_share(curves, None)


def test_true_potency(curves, known):
    assert truth.true_potencies(curves, known)["treatment"].tolist() == ["A", "B"]
    text = findings.truth_potency(curves, known)
    assert "off by a factor of 1.5 in the median" in text
    assert "2 of 2 intervals (100 %" in text
    assert "not known" in findings.truth_potency(curves, None)
