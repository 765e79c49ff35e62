"""Example sites: typical ones, drawings called drawings, and addresses where there are no images."""

import numpy as np
import pandas as pd
import pytest

from helpers.publish import pictures
from publish.tour import screen


@pytest.fixture
def wells() -> pd.DataFrame:
    return screen()


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


def test_without_images_their_address_is_given_for_rxrx19a_only(wells):
    real = wells.assign(plate_id="HRCE-1_25").set_index("HRCE-1_25_E" + wells["col"].astype(str).str.zfill(2))
    real = real[~real.index.duplicated()]
    none = pictures.load_pictures(real, "rxrx19a", "rxrx19a")
    assert none.images == {}
    text = pictures.origin(none, "rxrx19a")
    assert "<https://storage.googleapis.com/rxrx/RxRx19a/images/HRCE-1/Plate25/E" in text
    assert text.count("_w") == 5
    user = pictures.origin(pictures.load_pictures(wells, "folder", "user"), "user")
    assert "storage.googleapis.com" not in user
    assert "`images` takes a folder" in user


def test_a_twin_is_drawn_and_says_so(tmp_path):
    from helpers.profiles import to_wells
    from helpers.publish.absent import unscored
    from helpers.screens import make_twin, open_screen

    folder = make_twin(tmp_path / "tiny", scale="tiny", seed=0)
    scored = unscored(to_wells(open_screen(str(folder), experiments="HRCE-1"))).obs
    scored = scored[scored["condition"].isin(["mock", "uv"]).to_numpy()]
    shots = pictures.load_pictures(scored, str(folder), "twin")
    assert shots.is_drawing
    assert {image.shape for image in shots.images.values()} == {(5, 1024, 1024)}
    assert "drawings, not photographs" in pictures.origin(shots, "twin")
    title, image = pictures.one_picture(shots)
    assert title == "mock"
    assert image.dtype == np.uint8


def test_images_that_are_not_there_are_named(wells, tmp_path):
    (tmp_path / "images").mkdir()
    shots = pictures.load_pictures(wells.iloc[:4], "folder", "user", images=str(tmp_path))
    assert pictures.one_picture(shots) is None
    assert "None of the example sites was found" in pictures.origin(shots, "user")
