"""Harm is told from what grows off the axis with dose, not from what is there at every dose."""

import numpy as np
import pandas as pd
import pytest

from helpers.dose.harm import harm_on_axis, off_axis, toxic_doses

DOSES = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0]


def arms(off, rescue=None, limit=0.35, error=0.03):
    table = pd.DataFrame({"experiment": "E", "treatment": "A", "dose_um": DOSES[: len(off)]})
    table = table.assign(off_disease=off, off_limit=limit)
    return table if rescue is None else table.assign(rescue=rescue, rescue_se=error)


@pytest.mark.parametrize(
    ("off", "toxic"),
    [
        ([0, 0, 0, 0, 0.2, 0.3], []),
        # a distance of its own at every dose, near or far: nothing that a dose does
        ([0.4, 0.5, 0.4, 0.45, 0.5, 0.6], []),
        ([2.0, 2.2, 1.9, 2.1, 2.0, 2.3], []),
        # short of the disease's own length nothing tells harm from another effect on cells
        ([0, 0, 0, 0.3, 0.6, 0.9], []),
        ([0, 0, 0, 0.1, 0.2, 1.6], [3.0]),
        # harm sets in below the dose at which it is plain, down to where distance stops growing
        ([0, 0, 0.1, 0.5, 0.9, 2.0], [0.3, 1.0, 3.0]),
        ([0.4, 0.4, 0.4, 0.45, 0.9, 2.0], [0.3, 1.0, 3.0]),
        ([0, 0, 0, 0.8, 0.9, 1.1], [3.0]),
        # no top
        ([0, 1.8, 0, 0, 0, 0], []),
        # all wells of the highest dose failed
        ([0, 0, 0, 0, 1.8, np.nan], [1.0]),
    ],
)
def test_toxic_doses_are_a_top_that_grows(off, toxic):
    assert toxic_doses(arms(off))["dose_um"].tolist() == toxic


def test_noise_is_no_harm():
    assert toxic_doses(arms([0, 0, 0, 0, 0.2, 1.6], limit=1.7)).empty


def test_rescue_that_turns_back_as_cells_leave_the_axis_is_harm():
    off, rescue = [0, 0, 0.1, 0.1, 0.2, 0.7], [0, 0.1, 0.5, 0.9, 0.9, 0.4]
    found = toxic_doses(arms(off, rescue))
    assert found[["dose_um", "reason"]].to_numpy().tolist() == [[3.0, "turned"]]
    assert toxic_doses(arms(off, rescue, error=0.5)).empty, "the fall is within its error"
    falls = [0.0, 0.0, -0.1, -0.3, -0.5, -0.6]
    assert toxic_doses(arms(off, falls)).empty, "what never rose cannot turn back"
    assert toxic_doses(arms([0.7] * 6, rescue)).empty, "cells do not move further off"
    assert toxic_doses(arms(off, [0, 0.1, 0.5, 0.9, 0.9, 0.85])).empty


def test_the_limit_is_that_of_the_caller():
    assert toxic_doses(arms([0, 0, 0, 0, 0.1, 0.6]), 0.5)["dose_um"].tolist() == [3.0]


def test_harm_feigns_at_most_what_is_seen_where_it_is_plain():
    table = arms([0.1, 0.0, 0.2, 0.1, 0.8, 2.0], [0, 0, 0.1, 0.1, 0.4, 0.8])
    toxic = toxic_doses(table)
    assert toxic["dose_um"].tolist() == [1.0, 3.0]
    harm = harm_on_axis(table, toxic)
    # the larger ratio of the two toxic doses; below, off the axis no further than at any dose above
    np.testing.assert_allclose(harm, 0.5 * np.array([0, 0, 0.1, 0.1, 0.8, 2.0]))
    worse = harm_on_axis(table.assign(rescue=-table["rescue"]), toxic)
    assert (worse == 0).all()


def test_the_distance_is_kept_for_doses_that_are_fitted_and_those_that_are_not():
    table = arms([0.1, 0.0, 0.4, 0.1, 0.2, 2.0])
    row = off_axis(table, toxic_doses(table)).iloc[0]
    assert (row["off_fitted"], row["off_toxic"]) == (0.4, 2.0)
    row = off_axis(table, toxic_doses(table.head(0))).iloc[0]
    assert row["off_fitted"] == 2.0
    assert np.isnan(row["off_toxic"])
