"""Pictures of recipes: the same few plates before and after, and what is said where there is nothing to draw."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.normalization.pictures import step_pictures
from helpers.profiles import RECIPES
from helpers.publish import Analysis
from helpers.screens import make_twin


@pytest.fixture(autouse=True)
def screen():
    """Undo the stand-in of the other tests of this folder: these read a real screen."""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    folder = make_twin(tmp_path_factory.mktemp("screen") / "tiny", scale="tiny", seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Analysis(str(folder), recipes="raw,plate_center", results=str(tmp_path_factory.mktemp("out")))


@pytest.fixture(scope="module")
def pictures(analysis):
    return step_pictures(analysis, "2")


def test_every_recipe_but_raw_has_a_picture(pictures):
    assert set(pictures) == set(RECIPES) - {"raw"}
    assert not [p.missing for p in pictures.values() if p.missing]


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


def test_the_picture_of_sphering_gives_the_too_narrow_null_away(analysis):
    """Whitened by their own covariance, infected untreated wells get quieter than mock wells do."""
    gains = {"sphering": [], "recommended": []}
    for plate in ("HRCE-1_1", "HRCE-1_2", "HRCE-1_3"):
        pictures = step_pictures(analysis, plate, tuple(gains))
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


def test_a_recipe_that_cannot_be_used_says_why(analysis):
    lacking = Analysis(analysis.source, recipes="raw")
    wells = analysis.wells.copy()
    untreated = (wells.obs["condition"] == "infected").to_numpy() & wells.obs["treatment"].isna().to_numpy()
    first = (wells.obs["plate_id"] == "HRCE-1_1").to_numpy()
    lacking.__dict__["wells"] = wells[~(untreated & first & (np.cumsum(untreated & first) > 3))].copy()
    pictures = step_pictures(lacking, recipes=("plate_standard", "plate_center"))
    assert "a spread needs 8" in pictures["plate_standard"].missing
    assert not pictures["plate_center"].missing


def test_screens_without_an_axis_or_a_second_feature_say_so(analysis):
    class Design:
        def has(self, _):
            return False

    assert all(p.missing for p in step_pictures(Design()).values())
    flat = Analysis(analysis.source, recipes="raw")
    flat.__dict__["wells"] = analysis.wells[:, :1].copy()
    flat.wells.X[:] += 50 * (flat.wells.obs["condition"] == "mock").to_numpy(np.float32)[:, None]
    pictures = step_pictures(flat, recipes=("plate_center", "pca"))
    assert pictures["plate_center"].flat
    assert not pictures["plate_center"].missing
    assert "one feature" in pictures["pca"].missing
