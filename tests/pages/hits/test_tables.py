"""Calls as tables: the one that is shown first, and the list that is searched."""

from helpers.pages.hits import tables


def test_first_hit_is_one_that_was_called(hits):
    assert tables.first_hit(hits) == ("E", "a")
    assert tables.first_hit(hits.assign(call="inactive")) == ("E", "a")
    assert tables.first_hit(hits.head(0)) == ("", "No compound")
