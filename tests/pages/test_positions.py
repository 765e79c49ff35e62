"""Position effects in words: a slope is told from noise."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages import positions
from pages.tour.tour import three_plates


@pytest.fixture
def wells() -> pd.DataFrame:
    return three_plates()


def test_position_effect_needs_wells(wells):
    assert "cannot be told from noise" in positions.position_effect(wells, wells)
    many = pd.concat([wells] * 10)
    text = positions.position_effect(many.assign(rescue=0.01 * many["row"]), many)
    assert (
        "between the rows with the lowest and the highest median it differs by 0.28 before and 0 after"
        in text
    )
    assert "before and by 0 (0 to 0) after: only the change before is more than noise can do" in text


def test_a_wiggle_is_not_called_a_slope(wells):
    rng = np.random.default_rng(0)
    many = pd.concat([wells] * 40)
    noise = many.assign(rescue=rng.standard_normal(len(many)))
    assert positions.position_effect(noise, noise).count("neither is more than noise can do") == 2
