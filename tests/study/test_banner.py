"""The banner names the screen behind a page."""

import pytest

from helpers.study.banner import banner_html, banner_markdown


@pytest.mark.parametrize(
    ("screen", "said", "unsaid"),
    [
        ({"kind": "twin", "scale": "tiny", "seed": 3}, "Simulated twin.** Every number here", "Recursion"),
        ({"kind": "rxrx19a", "name": "rxrx19a"}, "Recursion's RxRx19a", "simulated"),
        ({"kind": "user", "name": "my_<screen>"}, r"Screen: my\_\<screen\>", "simulated"),
    ],
)
def test_the_banner_names_the_screen(screen: dict, said: str, unsaid: str) -> None:
    text = banner_markdown(screen)
    assert said in text
    assert unsaid not in text
    assert text.startswith("> **")
    assert "\n" not in text


def test_the_banner_names_scale_and_seed_of_a_twin_and_is_safe_html() -> None:
    assert "(tiny, seed 3)" in banner_html({"kind": "twin", "scale": "tiny", "seed": 3})
    assert "my_&lt;screen&gt;" in banner_html({"kind": "user", "name": "my_<screen>"})
