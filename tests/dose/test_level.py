"""Infected wells tell where curves start, and how far a compound's level has to lie from there."""

import numpy as np
import pandas as pd
import pytest

from helpers.dose.known import LEVEL_SHARE, Known
from helpers.dose.level import FLOOR, known_from_controls, level_p
from helpers.dose.screen import curve_points
from helpers.hits.null import Null


@pytest.fixture
def null():
    plates = ["E_1", "E_2", "E_3"]
    every = dict.fromkeys(plates, 0.1)
    return Null(
        every, np.inf, dict.fromkeys(plates, 20), dict.fromkeys(plates, 0.25), 1.0, 0.0, np.empty(0),
        centre_variance=dict.fromkeys(plates, 0.0025),
    )  # fmt: skip


def responses(rng, n_compounds, level, n_wells=2):
    plate, _ = np.meshgrid(["E_1", "E_2", "E_3"], np.arange(n_wells))
    table = pd.DataFrame({"plate_id": np.tile(plate.ravel(), n_compounds)})
    table["treatment"] = np.repeat([f"c{i}" for i in range(n_compounds)], plate.size)
    shift = rng.normal(0, 0.05, (n_compounds, 3)).repeat(1, axis=0)
    shared = shift[:, None, :].repeat(n_wells, axis=1).reshape(-1)
    return table.assign(rescue=level + shared + rng.normal(0, 0.1, len(table)))


def test_a_level_at_the_limit_is_told_from_it_at_the_nominal_rate(null):
    rng = np.random.default_rng(0)
    p = level_p(responses(rng, 4000, 0.1), null, 0.1)
    # of a two-sided test, at one end of what is no effect
    assert (p <= 0.1).mean() == pytest.approx(0.05, abs=0.01)
    assert (level_p(responses(rng, 4000, 0.0), null, 0.1) <= 0.05).mean() < 0.01
    # a tail of twelve standard deviations is no number that anybody has seen
    assert (level_p(responses(rng, 200, 0.8), null, 0.1) == FLOOR).all()
    assert (level_p(responses(rng, 200, -0.8), null, 0.1) == FLOOR).all()


def test_wells_that_scatter_as_mock_does_need_a_larger_level(null):
    rng = np.random.default_rng(1)
    table = responses(rng, 50, 0.25)
    wide = level_p(table, null, 0.1)
    null.spread_gain = 30.0
    assert (level_p(table, null, 0.1) > wide).all()


def test_controls_tell_what_plates_share(tiny_scored):
    experiment = str(tiny_scored.obs["experiment"].iloc[0])
    obs = curve_points(tiny_scored).query("experiment == @experiment")
    known = known_from_controls(tiny_scored, obs, experiment, min_rescue=0.1, seed=0)
    assert 0 < known.shift_sd < 0.1
    assert 0 < known.gain_sd < 0.1
    assert set(known.level_p.index) == set(obs["treatment"])
    assert known.level_p.between(0, 1).all()


def test_what_is_not_known_counts_for_nothing():
    known = Known(pd.Series({"a": 0.01}))
    assert known.levels(["b", "a"]).tolist() == [1.0, 0.01]
    assert Known().levels(["a"]).tolist() == [1.0]
    assert 0 < LEVEL_SHARE < 0.5
