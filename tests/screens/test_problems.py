"""Problems are one line each, with their place, and the first fatal one says how many there are."""

import pytest

from helpers.errors import DataError
from helpers.screens.problems import (
    BrokenFileError,
    broken,
    fatal,
    listed,
    note,
    places,
    plural,
    raise_first_fatal,
)


def test_a_problem_is_one_line_with_its_place():
    assert str(fatal("a.csv", "line 3", "is\n  odd")) == "a.csv, line 3: is odd"
    assert str(note("a.csv", "", "is odd")) == "a.csv: is odd"
    error = broken("a.csv", "line 3", "is odd")
    assert isinstance(error, BrokenFileError)
    assert error.problem == fatal("a.csv", "line 3", "is odd")
    assert str(error) == "a.csv, line 3: is odd"


def test_values_and_places_are_listed_up_to_a_few():
    assert listed(["a", 2, "c"]) == "'a', 2, 'c'"
    assert listed(range(2000)) == "0, 1, 2, 3 and 1,996 more"
    assert listed("abc", 1) == "'a' and 2 more"
    assert places([7], "line") == "line 7"
    assert places([9, 3, 5], "row") == "rows 3, 5, 9"
    assert places(range(10, 20), "line") == "lines 10, 11, 12, 13 and 6 more"
    assert [plural(n, "row") for n in (0, 1, 1204)] == ["0 rows", "1 row", "1,204 rows"]


def test_the_first_fatal_problem_is_raised_with_the_number_of_others():
    raise_first_fatal([note("a", "", "fine")], "folder")
    one = [note("a", "", "fine"), fatal("b", "line 1", "bad")]
    with pytest.raises(DataError, match=r"^b, line 1: bad$"):
        raise_first_fatal(one, "folder")
    with pytest.raises(
        DataError, match=r"^b, line 1: bad \(and 1 more: `rxrx19 data check folder` lists them\)$"
    ):
        raise_first_fatal([*one, fatal("c", "", "worse")], "folder")
