"""Planes with a known disease axis, known plate shifts and known noise."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.hits import score_wells
from helpers.profiles.planes import between_direction, in_plane, noise_direction


@pytest.fixture(scope="module")
def wells() -> ad.AnnData:
    """Return three plates: disease along feature 0, plates apart along 1, loud noise along 2."""
    rng = np.random.default_rng(0)
    kinds = np.tile(np.repeat(["mock", "infected"], 30), 3)
    obs = pd.DataFrame({"condition": pd.Categorical(kinds), "treatment": None, "qc_flag": ""})
    obs["plate_id"] = np.repeat(["E_1", "E_2", "E_3"], 60)
    obs["experiment"] = "E"
    obs["row"], obs["col"] = np.arange(180) % 60 // 10 + 1, np.arange(180) % 10 + 1
    X = 0.1 * rng.normal(size=(180, 5))
    X[:, 0] += 4.0 * (kinds == "infected")
    X[:, 1] += np.repeat([-8.0, 0.0, 8.0], 60)
    X[:, 2] += rng.normal(size=180)
    return ad.AnnData(X.astype(np.float32), obs=obs.set_index("w" + obs.index.astype(str)))


def test_plates_lie_apart_where_they_were_moved(wells):
    assert abs(between_direction(wells, "plate_id")[1]) == pytest.approx(1, abs=0.01)
    assert between_direction(wells, "experiment") is None, "there is one experiment"


def test_the_loudest_way_is_that_of_the_noise_and_off_the_axis(wells):
    direction = noise_direction(wells, "E_1")
    assert abs(direction[2]) == pytest.approx(1, abs=0.02)
    assert abs(direction[0]) < 0.02


def test_the_drawn_plate_has_no_say_in_its_direction(wells):
    other = wells.copy()
    first = (other.obs["plate_id"] == "E_1").to_numpy()
    other.X[first, 3] *= 100
    np.testing.assert_allclose(noise_direction(other, "E_1"), noise_direction(wells, "E_1"))


def test_places_are_in_axis_lengths(wells):
    """Plates 8 apart with an axis of 4: two axis lengths."""
    table = in_plane(score_wells(wells), between_direction(wells, "plate_id"))
    medians = table.groupby("plate_id")["away"].median()
    assert abs(medians["E_3"] - medians["E_2"]) == pytest.approx(2, rel=0.05)
    np.testing.assert_array_equal(table["along"], table["rescue"])


def test_without_a_second_feature_wells_are_spread_at_random(wells):
    flat = wells[:, :1].copy()
    assert between_direction(flat, "plate_id") is None
    assert noise_direction(flat, "E_1") is None
    table = in_plane(score_wells(flat), None)
    assert table["away"].between(-0.5, 0.5).all()
