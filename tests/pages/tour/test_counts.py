"""The counts of RxRx19a on a page: a table for it, a sentence for other screens."""

from helpers.pages.tour import counts
from helpers.screens.expected import compare_counts
from pages.tour.tour import screen


def test_other_screens_get_a_sentence():
    shown = counts.show_counts(screen(), "twin")
    assert "nothing to compare it with" in shown.data
    assert counts.verdict(screen(), "twin") == ""


def test_rxrx19a_gets_the_table_and_a_verdict_that_names_what_differs():
    wells = screen()
    wells["experiment"] = "VERO-1"
    html = counts.show_counts(wells, "rxrx19a").to_html()
    assert html.count("<tr") == len(compare_counts(wells)) + 1
    assert "10,720" in html
    text = counts.verdict(wells, "rxrx19a")
    assert "Of 2 counts that can be compared here, 0 agree." in text
    assert "sites of VERO-1 (172 for 10,720)" in text
    assert "not all read" in text
