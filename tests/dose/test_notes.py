"""Where class and call seem to disagree a sentence says why."""

import pandas as pd
import pytest

from helpers.dose.notes import curve_notes


@pytest.mark.parametrize(
    ("klass", "n_toxic", "n_dropped", "call", "note"),
    [
        ("active", 0, 0, "rescue", ""),
        ("inactive", 0, 0, "inactive", ""),
        ("inactive", 0, 0, "rescue_off_target", "called rescue_off_target for its best doses"),
        ("not_fitted", 0, 0, "rescue", "called rescue: too few doses for a curve"),
        ("toxic_top", 2, 2, "rescue", "2 doses harm cells; below, a flat line fits"),
        ("toxic_top", 4, 0, "toxic", "4 doses harm cells; too few are left for a curve"),
        ("active", 1, 1, "rescue", "1 dose harms cells and is left out"),
        ("active", 2, 2, "rescue", "2 doses harm cells and are left out"),
        ("bell", 0, 1, "rescue", ""),
        ("below_range", 0, 0, "inactive", "called inactive: no dose rescues surely"),
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
