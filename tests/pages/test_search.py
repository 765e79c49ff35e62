"""The searchable table: all rows, nothing from elsewhere, and a plain table for readers without script."""

import re

import pandas as pd
import pytest

from helpers.pages import search


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    names = [f"β-<b>{i}</b>" for i in range(300)]
    return pd.DataFrame({"compound": names, "dose (µM)": [0.003] * 300})


def test_nothing_is_loaded_from_elsewhere(table):
    page = search.searchable_html(table, "compounds")
    assert not re.search(r"(?:src|import|from)\s*[=(]?\s*['\"]https?:", page)
    assert "<link" not in page
    assert "<noscript>" not in page.split("<table")[0]
    assert len(page) < 1_300_000


def test_all_rows_are_there_with_small_doses_and_no_markup_of_their_own(table):
    page = search.searchable_html(table, "compounds")
    assert "299" in page
    assert "0.003" in page
    assert "<b>0" not in page
    assert page == search.searchable_html(table, "compounds")


def test_the_plain_table_is_whole(table):
    page = search.plain_html(table, "compounds")
    assert page.startswith("<details><summary>All 300 compounds as a plain table")
    assert page.count("<tr") == 301
    assert "0.003" in page
    assert "<b>" not in page
    assert "script>" not in page


def test_showing_it_warns_of_nothing(table, capfd):
    search.show_search(table, "compounds")
    search.show_search(table.head(0), "compounds")
    assert capfd.readouterr().err == ""


def test_pictures_are_the_only_markup_of_the_cells(table):
    pictures = pd.Series("<svg width='1'></svg>", index=table.index, name="curve")
    page = search.searchable_html(table, "compounds", pictures)
    assert page.count("<svg") + page.count("\\u003csvg") >= len(table)
    assert "<b>0" not in page
    assert "&lt;b&gt;0" in page or "\\u0026lt;b" in page


def test_what_is_missing_is_a_dash_that_sorts_as_missing(table):
    page = search.searchable_html(table.assign(low=[0.5, float("nan")] * 150), "compounds")
    assert page.count(r"[\"–\", \"___NaN___\"]") == 150
    assert ">NaN<" not in page
