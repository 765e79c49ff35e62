"""Outlines of chance hold the share of arms without effect that they promise."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path

from helpers.hits.contours import chance_contours


@pytest.fixture
def arms() -> pd.DataFrame:
    return pd.DataFrame({"null_sd": [0.1] * 3, "off_square_sd": 0.04})


def test_outlines_hold_their_share_of_arms_without_effect(arms):
    rng = np.random.default_rng(0)
    on = 1 + 0.1 * rng.standard_normal(20_000)
    off = np.sqrt(np.maximum(0.04 * rng.standard_normal(20_000), 0))
    points = np.column_stack([on, off + 1e-6])
    held = {
        share: Path(outline[["on_disease", "off_disease"]]).contains_points(points).mean()
        for share, outline in chance_contours(arms).groupby("share")
    }
    assert held == pytest.approx({0.5: 0.5, 0.95: 0.95, 0.999: 0.999}, abs=0.01)


def test_noise_that_is_four_times_as_wide_in_the_square_reaches_twice_as_far(arms):
    wide = arms.assign(off_square_sd=0.16)
    near, far = (chance_contours(table)["off_disease"].max() for table in (arms, wide))
    assert far / near == pytest.approx(2)


def test_the_median_arm_decides_and_arms_without_a_limit_do_not(arms):
    some = pd.concat([arms, arms.assign(off_square_sd=np.inf)])
    pd.testing.assert_frame_equal(chance_contours(some), chance_contours(arms))


@pytest.mark.parametrize("change", ["no rows", "no column", "no limit"])
def test_where_chance_is_not_known_there_is_no_outline(arms, change):
    given = {
        "no rows": arms.head(0),
        "no column": arms.drop(columns="null_sd"),
        "no limit": arms.assign(off_square_sd=np.inf),
    }[change]
    table = chance_contours(given)
    assert table.empty
    assert list(table) == ["share", "on_disease", "off_disease"]
