"""The book's page on broken input: it shows what the tests see, all of it and nothing else."""

import pytest

from fuzzing import assert_readable
from hostile import (
    HOSTILE,
    MAPPING,
    PAGE,
    groups,
    outside_rows,
    page,
    screen_label,
    shown_rows,
    without_library_words,
)
from screens.broken import BROKEN


@pytest.fixture(scope="module")
def made() -> list[tuple[str, str, str]]:
    return outside_rows()


def test_the_page_shows_what_is_said_outside_of_screens(made):
    shown = {(group, name): without_library_words(said) for group, name, said in shown_rows()}
    for group, name, said in made:
        assert shown.get((group, name)) == without_library_words(said), "run `make messages`"


def test_the_page_lists_every_input_and_no_other(made):
    """What is said of screens is compared where each of them is broken anyway, in `test_cli_broken.py`."""
    of = groups()
    wanted = [(group, name) for group, name, _ in made] + [screen_label(item.name, of) for item in BROKEN]
    assert [(group, name) for group, name, _ in shown_rows()] == sorted(
        wanted, key=lambda row: list(dict.fromkeys(group for group, _ in wanted)).index(row[0])
    ), "run `make messages`"
    assert f"This page lists {len(wanted)} broken inputs" in PAGE.read_text()


def test_the_page_is_written_as_it_is_read():
    rows = shown_rows()
    assert page(rows) == PAGE.read_text()
    assert len({row[0] for row in rows}) >= 9
    assert len({row[:2] for row in rows}) == len(rows)


def test_every_answer_is_one_short_line_that_names_the_place(made):
    files = {"A list of classes": "classes", "Published scores": "published", MAPPING: ""}
    for group, name, said in made:
        assert_readable(said)
        assert files.get(group, "") in said or "/dev/zero" in said, (name, said)
    assert len(made) >= len(HOSTILE) + 30
