"""Links that hold a table: what is saved is the table."""

import base64
import io
import re

import pandas as pd

from helpers.pages.downloads import downloads_html


def test_both_links_hold_the_whole_table():
    table = pd.DataFrame({"treatment": ["A & <B>", "C"], "rescue": [0.5, None]})
    text = downloads_html(table, 'hits "x"')
    assert text.startswith("<p>All 2 rows and 2 columns")
    found = re.findall(r'<a download="([^"]+)" href="data:[a-z/.\-]+;base64,([^"]+)">', text)
    assert [name for name, _ in found] == ["hits &quot;x&quot;.csv", "hits &quot;x&quot;.parquet"]
    csv, parquet = (io.BytesIO(base64.b64decode(data)) for _, data in found)
    pd.testing.assert_frame_equal(pd.read_csv(csv), table)
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), table)


def test_the_same_table_gives_the_same_links():
    table = pd.DataFrame({"a": range(100)})
    assert downloads_html(table, "t") == downloads_html(table.copy(), "t")


def test_files_keep_names_as_they_are_and_the_page_warns_of_formulas():
    table = pd.DataFrame({"treatment": ['=HYPERLINK("x")', "@a", "-b"], "rescue": [-0.5, 1.0, 2.0]})
    text = downloads_html(table, "t")
    csv = io.BytesIO(base64.b64decode(re.search(r"text/csv;base64,([^\"]+)", text)[1]))
    pd.testing.assert_frame_equal(pd.read_csv(csv), table)
    assert "begin as formulas do" in text
    assert "formulas" not in downloads_html(table.assign(treatment="GS-441524"), "t")
