"""What a screen lacks, and the tables that stand in for what it cannot give."""

import numpy as np
import pandas as pd
import pytest

from helpers import study
from helpers.study.absent import (
    NUMBERS,
    PARTS,
    TEXTS,
    empty,
    empty_table,
    has_part,
    lacking_sentences,
    lacks_axis,
    lacks_calls,
    lacks_curves,
    lacks_embeddings,
    unscored,
)
from study.same import assert_same


@pytest.mark.parametrize("name", list(NUMBERS))
def test_absent_tables_have_columns_and_no_rows(name):
    table = empty_table(name)
    assert table.empty
    assert list(table) == TEXTS[name] + NUMBERS[name]
    pd.testing.assert_frame_equal(empty(name)("any", argument=1), table)


def test_what_a_screen_lacks_is_said(wells, real_data):
    assert lacking_sentences(wells) == []
    design = study.to_wells(study.open_screen(str(real_data / "screens" / "vero1_design")))
    assert not has_part(design, "embeddings")
    assert any("no embeddings" in sentence for sentence in lacking_sentences(design))
    plate = study.to_wells(study.open_screen(str(real_data / "screens" / "hrce1_plate25")))
    assert any("plate-to-plate variation cannot be seen" in sentence for sentence in lacking_sentences(plate))


CUTS = {
    "embeddings": lambda wells: wells[:, :0],
    "plates": lambda wells: wells[wells.obs["plate_id"].isin(["HRCE-1_1", "HRCE-2_1"]).to_numpy()],
    "mock": lambda wells: wells[(wells.obs["condition"] != "mock").to_numpy()],
    "infected": lambda wells: wells[
        ((wells.obs["condition"] != "infected") | wells.obs["treatment"].notna()).to_numpy()
    ],
    "uv": lambda wells: wells[(wells.obs["condition"] != "uv").to_numpy()],
    "treatments": lambda wells: wells[wells.obs["treatment"].isna().to_numpy()],
}


@pytest.mark.parametrize("name", list(CUTS))
def test_each_part_is_missed_by_itself(wells, name):
    lacking = CUTS[name](wells).copy()
    assert not has_part(lacking, name)
    others = {"doses"} if name == "treatments" else set()
    assert {part for part in PARTS if not has_part(lacking, part)} == {name, *others}
    assert lacks_axis(lacking) == (name in ("embeddings", "mock", "infected"))
    assert lacks_calls(lacking) == (name in ("embeddings", "mock", "infected", "treatments"))
    assert lacks_curves(lacking) == lacks_calls(lacking)
    assert lacks_embeddings(lacking) == (name == "embeddings")


def test_a_screen_without_doses_lacks_curves_only(wells):
    lacking = wells.copy()
    lacking.obs["dose_um"] = np.nan
    assert not has_part(lacking, "doses")
    assert lacks_curves(lacking)
    assert not lacks_calls(lacking)


def test_wells_without_scores_keep_everything_else(wells):
    bare = unscored(wells, "plate_center", seed=3)
    assert bare.obs[["on_disease", "off_disease", "rescue"]].isna().all(axis=None)
    again = bare.copy()
    again.obs = again.obs.drop(columns=["on_disease", "off_disease", "rescue"])
    assert_same(again, wells.copy())
    assert "rescue" not in wells.obs
