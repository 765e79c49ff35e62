"""The page on normalisation: recipes, measures and choice in words, and what is said where something is missing."""

import pandas as pd

from helpers.figures import BIOLOGY, TECHNICAL
from helpers.pages.normalization import evidence
from pages.normalization.made import made_recipes


def test_measures_carry_their_intervals():
    table = evidence.measure_table(made_recipes(), [*TECHNICAL, *BIOLOGY])
    assert table["replicate mAP"].tolist() == ["0.1 (0.05 to 0.15)", "0.3", "0.4 (0.3 to 0.5)"]
    assert "UV to mock gap" not in table, "a measure that no recipe has is no column"


def test_recipes_that_could_not_be_used_are_listed():
    assert evidence.unusable(made_recipes()) == ""
    text = evidence.unusable(made_recipes(reason=["", "", "plate P has 3 wells"]))
    assert "- `sphering`: plate P has 3 wells." in text


def test_site_offsets_are_told_or_said_to_be_missing():
    named = pd.DataFrame({"experiment": ["E", "F"], "predictability": [0.912, -0.01]})
    assert "0.91 in E and 0 in F" in evidence.site_offsets(named)
    assert "cannot be compared" in evidence.site_offsets(named.head(0))


def test_measures_without_an_interval_are_named_with_the_experiments_that_have_few_plates():
    wells = pd.DataFrame({"experiment": ["E"] * 3 + ["F"] * 2, "plate_id": ["1", "2", "3", "4", "5"]})
    text = evidence.intervals_missing(made_recipes(), ["replicate_map", "control_auroc"], wells)
    assert "no recipe has one for *control AUROC*; some lack one for *replicate mAP* (1 of 3 recipes)" in text
    assert text.endswith("Here F has 2 plates.")
    whole = made_recipes(replicate_map_low=0.0)
    assert evidence.intervals_missing(whole, ["replicate_map", "uv_mock_gap"], wells) == ""
