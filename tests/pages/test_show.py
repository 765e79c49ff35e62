"""Tables on pages: units, cuts, and a style of their own."""

import re

import pandas as pd

from helpers.pages.show import HEADERS, say, show_table


def test_table_has_units_and_says_how_much_it_leaves_out():
    table = pd.DataFrame(
        {"dose_um": [0.3, 10.0, 30.0], "q_value": [1e-30, 0.2, 0.5], "passes": [True, False, True]}
    )
    html = show_table(table, rows=2).to_html()
    for text in ("dose (µM)", "&lt; 1e−6" if "&lt;" in html else "< 1e−6", "yes", "The first 2 of 3 rows"):
        assert text in html
    assert ">30<" not in html


def test_table_is_the_same_html_twice_and_leaves_the_data_alone():
    table = pd.DataFrame({"doses_um": [(0.1, 1.0)], "n_wells": [1234]})
    before = table.copy()
    assert show_table(table).to_html() == show_table(table).to_html()
    assert "0.1, 1" in show_table(table).to_html()
    assert "1,234" in show_table(table).to_html()
    pd.testing.assert_frame_equal(table, before)


def test_columns_are_chosen_in_order():
    html = show_table(pd.DataFrame({"a": [1], "b": [2]}), columns=["b", "nothing", "a"]).to_html()
    assert html.index(">b<") < html.index(">a<")


def test_doses_and_potencies_carry_their_unit():
    assert all("µM" in text for name, text in HEADERS.items() if name.endswith("_um"))


def test_long_text_wraps_and_numbers_do_not():
    html = show_table(
        pd.DataFrame({"recipe": pd.Categorical(["raw"]), "what": ["word " * 20], "n": [3]})
    ).to_html()
    assert _styled_columns(html) == {"1"}


def _styled_columns(html: str) -> set[str]:
    return set(re.findall(r"#T_\w+_row\d+_col(\d+)", html[html.index("<style") : html.index("</style>")]))


def test_the_style_of_one_table_leaves_another_table_alone():
    wide = show_table(pd.DataFrame({"what": ["word " * 20]})).to_html()
    other = show_table(pd.DataFrame({"plates": [7]})).to_html()
    styled = set(re.findall(r"#(T_\w+?_row\d+_col\d+)", wide))
    assert styled
    assert not styled & set(re.findall(r'id="(\w+)"', other))


def test_an_empty_table_says_so():
    html = show_table(pd.DataFrame({"a": [1.0]}).head(0)).to_html()
    assert "No rows" in html
    assert ">a</th>" in html


def test_nothing_to_say_shows_nothing():
    assert say(" \n") is None
    assert "<p><strong>a</strong> fact</p>" in say("**a** fact").data


def test_names_and_headings_of_users_are_text():
    names = ["<script>alert(1)</script>", "a&amp;b", "US$ 1 and US$ 2", "two\nlines", "x" * 5000]
    table = pd.DataFrame({"treatment": names, "<b>own</b>": 1.0, "a_b": 1, "a b": 2})
    page = show_table(table).to_html()
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a&amp;amp;b" in page
    assert "two⟨U+000A⟩lines" in page
    assert "x" * 5000 not in page
    assert 'class="tex2jax_ignore' in page
    assert page.count("col_heading") == 4


def test_a_sentence_holds_no_element_of_a_name():
    page = say("of `raw`: <img src=x> [a](javascript:b) $x$ {download}`y` https://example.org").data
    assert re.findall(r"<(\w+)", page) == ["div", "p", "code", "code"]
