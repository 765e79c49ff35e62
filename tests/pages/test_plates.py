"""Plates are chosen by number or name, and the worst one by its quality."""

import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.pages import plates
from pages.tour.tour import three_plates


@pytest.fixture
def wells() -> pd.DataFrame:
    return three_plates()


def test_plates_are_chosen_by_number_or_id(wells):
    assert plates.choose_plates(wells, "all") is wells
    assert set(plates.choose_plates(wells, "2, E-2_10")["plate_id"]) == {"E-1_2", "E-2_10"}
    with pytest.raises(UsageError, match="no plate 7; valid: all, E-1_1, E-1_2, E-2_10"):
        plates.choose_plates(wells, "7")


def test_worst_plate(wells):
    quality = pd.DataFrame({"experiment": ["E-1", "E-2"], "plate": [2, 10], "z_prime_robust": [0.1, 0.5]})
    assert set(plates.worst_plate(wells, quality)["plate_id"]) == {"E-1_2"}
    assert set(plates.worst_plate(wells, quality.head(0))["plate_id"]) == {"E-1_1"}
