"""Outlines of chance hold the share of arms without effect that they promise."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path
from scipy import stats

from helpers.hits.contours import chance_contours


@pytest.fixture
def arms() -> pd.DataFrame:
    return pd.DataFrame({"null_sd": [0.1] * 3, "off_limit": np.sqrt(0.04 * stats.norm.isf(0.001))})


def test_outlines_hold_their_share_of_arms_without_effect(arms):
    rng = np.random.default_rng(0)
    on = 1 + 0.1 * rng.standard_normal(20_000)
    off = np.sqrt(np.maximum(0.04 * rng.standard_normal(20_000), 0))
    points = np.column_stack([on, off + 1e-6])
    held = {
        share: Path(outline[["on_disease", "off_disease"]]).contains_points(points).mean()
        for share, outline in chance_contours(arms, off_limit=0.999).groupby("share")
    }
    assert held == pytest.approx({0.5: 0.5, 0.95: 0.95, 0.999: 0.999}, abs=0.01)


def test_a_lower_limit_means_a_wider_chance(arms):
    usual, low = (chance_contours(arms, off_limit=limit)["off_disease"].max() for limit in (0.999, 0.9))
    assert low / usual == pytest.approx(np.sqrt(stats.norm.isf(0.001) / stats.norm.isf(0.1)))


def test_the_median_arm_decides_and_arms_without_a_limit_do_not(arms):
    some = pd.concat([arms, arms.assign(off_limit=np.inf)])
    pd.testing.assert_frame_equal(chance_contours(some), chance_contours(arms))


@pytest.mark.parametrize("change", ["no rows", "no column", "no limit"])
def test_where_chance_is_not_known_there_is_no_outline(arms, change):
    given = {
        "no rows": arms.head(0),
        "no column": arms.drop(columns="null_sd"),
        "no limit": arms.assign(off_limit=np.inf),
    }[change]
    table = chance_contours(given)
    assert table.empty
    assert list(table) == ["share", "on_disease", "off_disease"]
