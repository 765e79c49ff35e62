"""Natural order counts as people do."""

import pandas as pd

from helpers.screens.order import digits_key, natural_key, natural_order, numbered


def test_natural_order_counts():
    assert natural_order(["P10", "P2", "P2", None, "P1"]) == ["P1", "P2", "P10"]
    assert natural_order([10, 9, 1]) == [1, 9, 10]
    kept = pd.Series(pd.Categorical(["b", "a"], ["b", "a", "c"], ordered=True))
    assert natural_order(kept) == ["b", "a"]


def test_keys_count_however_many_digits_there_are():
    assert sorted(["E_10", "E_9", "E_009", "D_11"], key=natural_key) == ["D_11", "E_9", "E_009", "E_10"]
    many = "9" * 5000
    assert digits_key(many) < digits_key("1" + many)
    assert digits_key("007") == digits_key("7")


def test_names_that_differ_in_their_number_only_are_numbered():
    assert numbered(["feature_0", "feature_10"])
    assert not numbered(["feature_0", "area_1"])
