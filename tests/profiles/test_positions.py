"""Position effects: a known trend comes back, and plates, controls and failed wells do not bend it."""

import numpy as np
import pandas as pd
import pytest

from helpers.profiles.positions import position_profile, position_profiles, position_trend
from made_up import made_up_wells


@pytest.fixture(scope="module")
def wells() -> pd.DataFrame:
    return made_up_wells()


def test_profile_recovers_a_trend_and_ignores_plate_shifts(wells):
    shift = wells["plate_id"].astype(str).map({"HRCE-1_1": 5.0, "VERO-1_2": -3.0}).fillna(0.0).astype(float)
    shifted = wells.assign(rescue=0.01 * wells["row"] + shift)
    table = position_profile(shifted, "rescue", "row").set_index("position")
    slope = (table["median"].loc[31] - table["median"].loc[2]) / 29
    assert slope == pytest.approx(0.01, rel=1e-6)
    assert position_profile(shifted, "rescue", "col")["median"].abs().max() < 0.05


def test_profile_leaves_flagged_and_control_wells_out(wells):
    spoiled = wells.copy()
    spoiled.loc[(spoiled["qc_flag"] != "") | (spoiled["condition"] == "mock"), "rescue"] = 1e6
    assert position_profile(spoiled, "rescue")["median"].abs().max() < 10


def test_a_line_through_a_profile_recovers_its_change_and_its_error():
    rng = np.random.default_rng(0)
    x, hits = np.arange(2, 32), []
    for _ in range(300):
        y = 0.002 * x + 0.01 * rng.standard_normal(len(x))
        profile = pd.DataFrame({"position": x, "median": y, "low": y - 0.02, "high": y + 0.02})
        change, low, high = position_trend(profile)
        assert change == pytest.approx(29 * np.polyfit(x, y, 1)[0])  # equal errors: least squares
        hits.append(low <= 0.058 <= high)
    assert 0.93 < np.mean(hits) <= 1
    assert np.isnan(position_trend(profile.head(2))).all()


def test_both_directions_stand_in_one_table(wells):
    table = position_profiles(wells)
    for by in ("row", "col"):
        mine = table[table["by"] == by].drop(columns="by")
        pd.testing.assert_frame_equal(mine, position_profile(wells, "rescue", by))


def test_a_value_that_is_missing_has_no_profile(wells):
    for table in (wells.assign(rescue=np.nan), wells.drop(columns="rescue")):
        assert position_profiles(table).empty
        assert {"by", "position", "median", "low", "high"} <= set(position_profiles(table))
