"""Features streamed into their rows: joined one to one, with every cell looked at."""

import numpy as np
import pytest

from helpers.screens.embeddings import read_features
from helpers.screens.folder import open_source
from screens.broken import FEATURES, write_screen


@pytest.fixture
def folder(tmp_path):
    return write_screen(tmp_path / "s")


def read(folder, rows=None, **how):
    with open_source(folder) as source:
        n = source.metadata.height
        X, problems = read_features(source, np.arange(n) if rows is None else rows(n), n, **how)
    return X, [f"{problem.level} {problem}" for problem in problems]


def edit(folder, change) -> None:
    path = folder / "embeddings.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines)) + "\n")


def test_every_row_gets_its_own_numbers_whatever_the_order(folder):
    X, problems = read(folder)
    assert problems == []
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, np.arange(X.size).reshape(X.shape) / 8)
    edit(folder, lambda lines: [lines[0], *lines[:0:-1]])
    np.testing.assert_array_equal(read(folder)[0], X)


def test_rows_go_where_they_are_wanted(folder):
    X, _ = read(folder)
    turned, _ = read(folder, lambda n: np.arange(n)[::-1])
    np.testing.assert_array_equal(turned, X[::-1])
    some, problems = read(folder, lambda n: np.where(np.arange(n) < 3, np.arange(n), -1))
    np.testing.assert_array_equal(some[:3], X[:3])
    assert problems == []


def test_checking_alone_keeps_nothing(folder):
    assert read(folder, store=False) == (None, [])


def with_cell(lines: list[str], row: int, value: str) -> list[str]:
    cells = lines[row].split(",")
    return [*lines[:row], ",".join([*cells[:2], value, *cells[3:]]), *lines[row + 1 :]]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("oops", f"line 4: {FEATURES[1]} is 'oops', not a finite number; correct it"),
        ("", f"line 4: {FEATURES[1]} is empty, not a finite number"),
        ("inf", "is 'inf', not a finite number"),
        ("1e60", "is '1e60', beyond what float32 holds"),
    ],
)
def test_a_cell_that_is_no_number_is_quoted(folder, value, said):
    edit(folder, lambda lines: with_cell(lines, 3, value))
    _, (problem,) = read(folder)
    assert problem.startswith("fatal embeddings.csv")
    assert said in problem


def test_a_column_without_numbers_is_named_whole(folder):
    edit(folder, lambda lines: [lines[0], *(with_cell([line], 0, "x")[0] for line in lines[1:])])
    _, (problem,) = read(folder)
    assert f"column '{FEATURES[1]}' holds no number in any row" in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines, lines[1]], "site_id 'HRCE-1_2_B08_1' is there 2 times (1 id affected)"),
        (lambda lines: lines[:-1], "(1 row) has no row in embeddings.csv"),
        (lambda lines: [*lines, "other,1,2,3,4"], "site_id 'other' (1 row) has no row in metadata.csv"),
    ],
)
def test_ids_without_a_partner_are_named(folder, change, said):
    edit(folder, change)
    _, (problem,) = read(folder)
    assert said in problem


def test_features_that_never_vary_tell_nothing(folder):
    edit(folder, lambda lines: [lines[0], *(with_cell([line], 0, "7")[0] for line in lines[1:])])
    _, (problem,) = read(folder)
    assert problem.startswith("note embeddings.csv: 1 of 4 features have one value in all rows")
    edit(folder, lambda lines: [lines[0], *(f"{line.split(',')[0]},1,1,1,1" for line in lines[1:])])
    _, (problem,) = read(folder)
    assert "every one of 4 features has one value in all 64 rows: nothing was measured" in problem
    assert problem.startswith("fatal")
