"""What has come of a file so far, and what is taken for it after a kill at any moment."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.screens.part import Part, plain_tag


@pytest.fixture
def part(tmp_path) -> Part:
    return Part(tmp_path / "x.part")


def test_a_part_is_whole_when_it_has_the_length_that_was_noted(part):
    assert not part.is_whole
    part.begin('"one"', 3)
    assert part.described() == ('"one"', 3)
    assert not part.is_whole
    part.path.write_bytes(b"ab")
    assert (part.size, part.is_whole) == (2, False)
    part.path.write_bytes(b"abc")
    assert part.is_whole
    part.path.write_bytes(b"abcd")
    assert not part.is_whole
    part.clear()
    assert not part.path.exists()
    assert not part.note.exists()


def test_a_length_that_is_not_known_is_never_reached(part):
    part.begin("", None)
    part.path.write_bytes(b"")
    assert part.described() == ("", None)
    assert not part.is_whole


def test_bytes_never_lie_beside_the_note_of_another_version(part, monkeypatch):
    """Whichever of the steps of a new beginning is the last before a kill."""
    steps = (Path.unlink, Path.write_text)
    for last in range(4):
        part.begin('"one"', 3)
        part.path.write_bytes(b"ab")
        with monkeypatch.context() as patch:
            done = []

            def step(plain, done=done, last=last):
                def act(*args, **settings):
                    if len(done) == last:
                        raise KeyboardInterrupt
                    done.append(plain)
                    return plain(*args, **settings)

                return act

            for plain in steps:
                patch.setattr(Path, plain.__name__, step(plain))
            with contextlib.suppress(KeyboardInterrupt):
                part.begin('"two"', 5)
        assert part.described()[0] == ('"one"' if last == 0 else '"two"' if last == 3 else "")
        assert part.size == (0 if last >= 2 else 2)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_a_tag_is_sent_back_only_if_it_is_one_line_of_plain_letters(text):
    assert plain_tag(text) in ("", text)
    if plain_tag(text):
        assert text.isascii()
        assert text.isprintable()
