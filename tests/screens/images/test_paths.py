"""Paths and addresses of images are the published ones, and what cannot be is refused."""

import pytest

from helpers.errors import UsageError
from helpers.screens.images.paths import image_address, image_path, parse_site, site_address, site_paths

SITE, OTHER = "HRCE-1_25_AA02_1", "HRCE-1_25_AA02_2"


PATHS = [f"images/HRCE-1/Plate25/AA02_s1_w{channel}.png" for channel in range(1, 6)]


def test_path_and_address_are_the_published_ones():
    assert image_path("HRCE-1", 25, "AA02", 1, 1) == PATHS[0]
    assert image_path("HRCE-1", "25", "B2", 4, 5) == "images/HRCE-1/Plate25/B02_s4_w5.png"
    base = "https://storage.googleapis.com/rxrx/RxRx19a/"
    assert image_address("HRCE-1", 25, "AA02", 1, 1) == base + PATHS[0]
    assert site_address(SITE) == tuple(base + path for path in PATHS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"channel": 6}, "channel 6: allowed are 1 to 5"),
        ({"channel": 0}, "1 Hoechst 33342"),
        ({"site": 5}, "site 5: allowed are 1 to 4"),
        ({"well": "AG02"}, "well 'AG02'"),
        ({"well": "A49"}, "columns 01 to 48"),
        ({"experiment": "../etc"}, "experiment '../etc'"),
        ({"experiment": ".."}, "experiment '..'"),
        ({"plate": "2/5"}, "plate '2/5'"),
        ({"plate": ""}, "plate ''"),
    ],
)
def test_what_cannot_be_is_refused_by_name(change, said):
    right = {"experiment": "HRCE-1", "plate": 25, "well": "AA02", "site": 1, "channel": 1}
    with pytest.raises(UsageError) as raised:
        image_path(**right | change)
    assert said in str(raised.value)


def test_a_site_has_a_path_per_stain():
    assert site_paths(SITE) == tuple(PATHS)
    assert parse_site("my_own_screen_P_7_B02_3") == ("my_own_screen_P", "7", "B02", 3)
    assert (
        site_address("my screen_1_B02_1", base_url="http://x/")[0]
        == "http://x/images/my%20screen/Plate1/B02_s1_w1.png"
    )


@pytest.mark.parametrize("site_id", ["HRCE-1_25_AA02", "AA02", "", "HRCE-1_25_AA02_x", "HRCE-1_25_AA02_-1"])
def test_half_an_id_is_none(site_id):
    with pytest.raises(UsageError, match="like HRCE-1_25_AA02_1"):
        site_paths(site_id)
