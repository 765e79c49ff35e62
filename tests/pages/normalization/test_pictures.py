"""Pictures of recipes: the same few plates before and after, and what is said where there is nothing to draw."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.normalization.pictures import one_plate_by_recipe, step_pictures
from helpers.profiles import RECIPES
from pages.tour.tour import three_plates

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures(tiny_wells):
    return step_pictures(tiny_wells, "2")


def test_every_recipe_but_raw_has_a_picture(pictures):
    assert set(pictures) == set(RECIPES) - {"raw"}
    lacking = {name for name, picture in pictures.items() if picture.missing}
    # embeddings are not positive
    assert lacking == {"percent_of_control", "log_percent_of_control"}
    assert "needs positive features" in pictures["percent_of_control"].missing


def spread_of_plates(table: pd.DataFrame, column: str, by: str = "plate_id") -> float:
    mock = table[(table["condition"] == "mock").to_numpy() & (table["qc_flag"] == "").to_numpy()]
    return float(np.ptp(mock.groupby(by, observed=True)[column].median()))


def test_pictures_show_what_recipes_do(pictures):
    raw, centred = pictures["plate_center"].panels.values()
    assert spread_of_plates(centred, "away") < 0.2 * spread_of_plates(raw, "away")
    raw, centred = pictures["experiment_center"].panels.values()
    assert spread_of_plates(centred, "away", "experiment") < 0.2 * spread_of_plates(raw, "away", "experiment")
    before, after = pictures["pca"].panels.values()
    assert after["off_disease"].median() < before["off_disease"].median()


def area(table: pd.DataFrame, condition: str) -> float:
    """Return the size of the cloud of one condition in its plane."""
    own = table.loc[table["condition"].eq(condition) & table["treatment"].isna() & table["qc_flag"].eq("")]
    return float(np.sqrt(np.linalg.det(np.cov(own[["along", "away"]].to_numpy(float).T))))


def test_the_picture_of_sphering_gives_the_too_narrow_null_away(tiny_wells):
    """Whitened by their own covariance, infected untreated wells get quieter than mock wells do."""
    gains = {"sphering": [], "recommended": []}
    for plate in ("HRCE-1_1", "HRCE-1_2", "HRCE-1_3"):
        pictures = step_pictures(tiny_wells, plate, tuple(gains))
        for recipe, found in gains.items():
            before, after = pictures[recipe].panels.values()
            gain = {kind: area(after, kind) / area(before, kind) for kind in ("mock", "infected")}
            found.append(np.log(gain["infected"] / gain["mock"]))
    assert np.exp(np.mean(gains["sphering"])) < 0.65
    assert np.exp(np.mean(gains["recommended"])) > 0.8


def test_the_plate_asked_for_is_the_one_drawn(pictures):
    for recipe in ("position", "sphering", "pca"):
        for table in pictures[recipe].panels.values():
            assert table["plate_id"].unique().tolist() == ["HRCE-1_2"]


def test_failed_wells_blow_up_the_standard_deviation_only(pictures):
    passed, let_in = pictures["plate_robust"].panels.values()
    sd, mad = (let_in[name] / passed[name] for name in ("sd", "mad"))
    assert sd.quantile(0.9) > 1.3 > mad.quantile(0.9)


def test_a_recipe_that_cannot_be_used_says_why(tiny_wells):
    obs = tiny_wells.obs
    untreated = (obs["condition"] == "infected").to_numpy() & obs["treatment"].isna().to_numpy()
    first = (obs["plate_id"] == "HRCE-1_1").to_numpy()
    wells = tiny_wells[~(untreated & first & (np.cumsum(untreated & first) > 3))].copy()
    pictures = step_pictures(wells, recipes=("plate_standard", "plate_center"), pooled=False)
    assert "a spread needs 8" in pictures["plate_standard"].missing
    assert not pictures["plate_center"].missing


def test_screens_without_an_axis_or_a_second_feature_say_so(tiny_wells):
    design = step_pictures(tiny_wells[:, :0].copy())
    assert set(design) == set(RECIPES) - {"raw"}
    assert all("no axis" in picture.missing for picture in design.values())
    flat = tiny_wells[:, :1].copy()
    flat.X[:] += 50 * (flat.obs["condition"] == "mock").to_numpy(np.float32)[:, None]
    pictures = step_pictures(flat, recipes=("plate_center", "pca"))
    assert pictures["plate_center"].flat
    assert not pictures["plate_center"].missing
    assert "one feature" in pictures["pca"].missing


@pytest.fixture
def wells() -> pd.DataFrame:
    return three_plates()


def test_before_and_after_are_two_maps_of_one_plate(wells):
    table = one_plate_by_recipe({"raw": wells, "plate_center": wells}, "2", "plate_center")
    assert list(table["experiment"].cat.categories) == ["raw:", "plate_center:"]
    assert len(table) == 16
    assert table.index.is_unique
    assert len(one_plate_by_recipe({"raw": wells}, "2", "raw")) == 8
