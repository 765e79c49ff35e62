"""Where class and call seem to disagree a sentence says why."""

import pandas as pd
import pytest

from helpers.dose.notes import UNJUDGED, curve_notes
from helpers.hits.calls import NO_LIMIT

SMALL = "no dose rescues surely by more than counts"


@pytest.mark.parametrize(
    ("klass", "n_toxic", "n_dropped", "call", "note"),
    [
        ("active", 0, 0, "rescue", ""),
        ("inactive", 0, 0, "inactive", ""),
        ("inactive", 0, 0, "rescue_off_target", "called rescue_off_target for its best doses"),
        ("not_fitted", 0, 0, "rescue", "called rescue: too few doses for a curve"),
        ("toxic_top", 2, 2, "rescue", "called rescue; 2 doses harm cells; below, nothing is told but harm"),
        ("toxic_top", 4, 0, "toxic", "4 doses harm cells; too few are left for a curve"),
        ("active", 1, 1, "rescue", "1 dose harms cells and is left out"),
        ("active", 2, 2, "rescue", "2 doses harm cells and are left out"),
        ("bell", 0, 1, "rescue", ""),
        ("below_range", 0, 0, "inactive", "called inactive: no dose rescues surely"),
        ("worsening", 0, 0, "inactive", "called inactive: no dose worsens surely"),
        ("worsening", 0, 0, "worsens", ""),
    ],
)
def test_notes(klass, n_toxic, n_dropped, call, note):
    pair = {"experiment": "E", "treatment": "A"}
    curves = pd.DataFrame(
        [pair | {"curve_class": klass, "n_toxic_doses": n_toxic, "n_dropped_doses": n_dropped}]
    )
    found = curve_notes(curves, pd.DataFrame([pair | {"call": call}]))[0]
    assert found.startswith(note)
    assert bool(found) == bool(note)


@pytest.mark.parametrize(
    ("klass", "note"),
    [("active", UNJUDGED), ("below_range", f"called inactive: {SMALL}; {UNJUDGED}"), ("inactive", "")],
)
def test_where_harm_cannot_be_told_the_curve_says_so(klass, note):
    pair = {"experiment": "E", "treatment": "A"}
    curves = pd.DataFrame(
        [pair | {"curve_class": klass, "n_toxic_doses": 0, "n_dropped_doses": 0}], index=[7]
    )
    call = "inactive" if klass != "active" else "rescue"
    hits = pd.DataFrame([pair | {"call": call, "note": f"one plate only; {NO_LIMIT}"}])
    assert curve_notes(curves, hits)[0] == note
