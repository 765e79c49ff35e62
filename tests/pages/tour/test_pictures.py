"""Example sites: typical ones, drawings called drawings, and addresses where there are no images."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.pages.tour import pictures
from helpers.study.absent import unscored
from pages.tour.tour import screen


@pytest.fixture
def wells() -> pd.DataFrame:
    return screen()


def scored(obs: pd.DataFrame, kind: str) -> ad.AnnData:
    """Return wells without features."""
    return ad.AnnData(np.zeros((len(obs), 0), np.float32), obs=obs, uns={"screen": {"kind": kind}})


def test_sites_are_typical_of_their_kind(wells):
    sites = pictures.example_sites(wells)
    assert list(sites) == [
        "mock",
        "UV-inactivated",
        "infected, untreated",
        "treated: A, 0.1 µM",
        "a failed well",
    ]
    assert sites["mock"] == "E-1_1_R5C9_1"  # at 0, between -0.1 and 0.1
    assert sites["a failed well"] == "E-1_1_R5C11_1"


def test_a_large_rescue_far_off_the_axis_is_no_example(wells):
    odd = wells.copy()
    odd.loc["E-1_1_R21C3", ["rescue", "off_disease"]] = [5.0, 9.0]
    assert pictures.example_sites(odd)["treated: A, 0.1 µM"] == "E-1_1_R20C4_1"


def test_the_example_of_a_treatment_moves_back_and_not_aside(wells):
    aside = wells.copy()
    strong = (wells["treatment"] == "A").to_numpy() & (wells["dose_um"] == 1).to_numpy()
    aside.loc[strong, ["rescue", "off_disease"]] = [1.0, 2.0]  # noise 0.5: drift of the root of 4 - 0.25
    arm = pictures.example_arm(aside)
    assert (arm["dose_um"], arm["rescue"], arm["drift"], arm["on_target"]) == (0.1, 0.5, 0.0, True)
    assert (
        "A at 0.1 µM (E-1). On average the wells of this arm have a rescue of 0.5 and lie no further"
        in pictures.treated_example(aside)
    )
    aside.loc[(wells["treatment"] == "A").to_numpy(), ["rescue", "off_disease"]] = [1.0, 2.0]
    aside.loc["E-1_1_R21C3", "rescue"] = -1.0
    assert pictures.example_arm(aside)["drift"] == pytest.approx(3.75**0.5)
    text = pictures.treated_example(aside)
    assert "not rescue alone" in text
    assert "lie 1.9 axis lengths off the axis" in text
    noisy = aside.assign(off_disease=np.where(np.arange(len(aside)) % 2, 0.1, 4.0))
    assert "than noise puts them" in pictures.treated_example(noisy)


def test_without_scores_no_arm_is_singled_out(wells):
    bare = wells.assign(rescue=np.nan, off_disease=np.nan)
    assert pictures.example_arm(bare) is None
    assert pictures.treated_example(bare) == ""
    assert "treated: A, 0.1 µM" in pictures.example_sites(bare)


def test_the_plate_is_one_on_which_the_example_stands(wells):
    best = wells.copy()
    best.loc[((wells["experiment"] == "E-2") & (wells["treatment"] == "A")).to_numpy(), "rescue"] = 0.9
    sites = pictures.example_sites(best)
    assert {site.rsplit("_", 2)[0] for site in sites.values()} == {"E-2_10"}


def test_without_images_their_address_is_given_for_rxrx19a_only(wells):
    real = wells.assign(plate_id="HRCE-1_25").set_index("HRCE-1_25_E" + wells["col"].astype(str).str.zfill(2))
    real = real[~real.index.duplicated()]
    none = pictures.load_pictures(scored(real, "rxrx19a"))
    assert none.images == {}
    text = pictures.origin(none, "rxrx19a")
    assert "`https://storage.googleapis.com/rxrx/RxRx19a/images/HRCE-1/Plate25/E" in text
    assert text.count("_w") == 5
    user = pictures.origin(pictures.load_pictures(scored(wells, "user")), "user")
    assert "storage.googleapis.com" not in user
    assert "`images` takes a folder" in user


@pytest.mark.slow
def test_a_twin_is_drawn_and_says_so(tiny_folder, tiny_wells):
    obs = tiny_wells.obs
    few = (obs["experiment"] == "HRCE-1").to_numpy() & obs["condition"].isin(["mock", "uv"]).to_numpy()
    wells = unscored(tiny_wells[few])
    wells.uns["screen"] = {**wells.uns["screen"], "path": str(tiny_folder)}
    shots = pictures.load_pictures(wells)
    assert shots.is_drawing
    assert {image.shape for image in shots.images.values()} == {(5, 1024, 1024)}
    assert "drawings, not photographs" in pictures.origin(shots, "twin")
    title, image = pictures.one_picture(shots)
    assert title == "mock"
    assert image.dtype == np.uint8


def test_images_that_are_not_there_are_named(wells, tmp_path):
    (tmp_path / "images").mkdir()
    shots = pictures.load_pictures(scored(wells.iloc[:4], "user"), images=str(tmp_path))
    assert pictures.one_picture(shots) is None
    assert "None of the example sites was found" in pictures.origin(shots, "user")
