"""The banner names the screen behind a page."""

import pytest

from helpers.study.banner import banner_html, banner_text, show_banner


@pytest.mark.parametrize(
    ("screen", "said", "unsaid"),
    [
        ({"kind": "twin", "scale": "tiny"}, "<strong>Simulated twin.</strong> Every number", "Recursion"),
        ({"kind": "rxrx19a", "name": "rxrx19a"}, "Recursion&#x27;s RxRx19a", "simulated"),
        ({"kind": "user", "name": "my_<screen>{math}`x`"}, "Screen: my_&lt;screen&gt;{math}`x`", "simulated"),
    ],
)
def test_the_banner_names_the_screen(screen: dict, said: str, unsaid: str) -> None:
    text = banner_html(screen)
    assert said in text
    assert unsaid not in text
    assert "\n" not in text


def test_the_banner_names_scale_and_seed_of_a_twin_and_is_safe_html() -> None:
    assert "(tiny, seed 3)" in banner_html({"kind": "twin", "scale": "tiny", "seed": 3})
    assert "my_&lt;screen&gt;" in banner_html({"kind": "user", "name": "my_<screen>"})


def test_a_page_shows_the_banner_of_its_wells(wells) -> None:
    shown = show_banner(wells.uns["screen"]).data
    assert shown.startswith("<blockquote")
    assert banner_html(wells.uns["screen"]) in shown
    assert "Simulated twin" in shown
    assert "(tiny, seed 0)" in shown


def test_a_screen_without_a_name_is_unnamed() -> None:
    assert banner_text({"kind": "user"})[0] == "Screen: unnamed"
    assert "simulated screen with" in banner_text({"kind": "twin"})[1]
