"""Numbers in words and tables on pages."""

import numpy as np
import pytest

from helpers.pages.words import count, listing, name_code, number, percent, probability


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"), (-0.5, "−0.5"), (12, "12"), (0, "0"), (0.0, "0"), (3.14e-6, "3.1e−6"), (1.5e7, "1.5e7"),
        (np.inf, "∞"), (-np.inf, "−∞"), (np.nan, "–"), (None, "–"), (99999, "100000"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(1e-9, "< 1e−6"), (0.0123, "0.012"), (1.0, "1"), (np.nan, "–")])
def test_probabilities_do_not_boast(value, text):
    assert probability(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.5, "50 %"), (0.004, "0.4 %"), (0.0, "0 %"), (0.0999, "10 %"), (np.nan, "an unknown share")],
)
def test_shares(share, text):
    assert percent(share) == text


def test_counts_agree_with_their_noun():
    assert [count(n, "well") for n in (0, 1, 2680)] == ["no wells", "1 well", "2,680 wells"]
    assert count(3, "is", "are") == "3 are"


def test_lists_read_as_prose_and_are_cut():
    assert listing([]) == ""
    assert listing(["a"]) == "a"
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing(range(10), most=3) == "0, 1, 2 and 7 more"


def test_names_do_not_become_markdown():
    assert name_code("a*b_c[d") == "a&#42;b_c&#91;d"
