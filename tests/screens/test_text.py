"""Text of tables: lines are counted, cells are split, and the first slip is named with its line."""

import pytest

from helpers.screens.problems import BrokenFileError
from helpers.screens.text import (
    BLOCK,
    bad_bytes,
    copy_text,
    header_line,
    is_utf8,
    odd_lines,
    refuse_nul,
    split_line,
)


@pytest.fixture
def file(tmp_path):
    def write(data: bytes):
        path = tmp_path / "t.csv"
        path.write_bytes(data)
        return path

    return write


def test_a_header_is_read_without_its_mark_and_end(file):
    assert header_line(file("\ufeffa,b\r\n1,2\n".encode()), "t") == ("a,b", True)
    assert header_line(file(b"a,b\n\n  \n"), "t") == ("a,b", False)
    assert header_line(file(b"a"), "t") == ("a", False)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"a,b\r1,2\r", "t, line 1: lines end in CR alone"), (b"a,\xe4\n1,2\n", "t, line 1: is not UTF-8 text")],
)
def test_a_header_that_is_none_is_refused(file, data, said):
    with pytest.raises(BrokenFileError, match=said):
        header_line(file(data), "t")


def test_a_nul_is_named_with_its_line_and_byte(file):
    refuse_nul(file(b"a,b\n1,2\n"), "t")
    with pytest.raises(BrokenFileError, match="t, line 3: holds a NUL, which no text has, as byte 9 of"):
        refuse_nul(file(b"a,b\n1,2\n\x003\n"), "t")
    with pytest.raises(BrokenFileError, match=f"as byte {BLOCK + 1:,} of"):
        refuse_nul(file(b"x" * BLOCK + b"\0"), "t")


def test_unpacking_stops_at_a_nul(tmp_path):
    target = tmp_path / "plain"
    copy_text([b"a" * BLOCK, b"\0" * BLOCK, b"b" * BLOCK], target)
    assert target.stat().st_size == 2 * BLOCK
    copy_text([b"who", b"le"], target)
    assert target.read_bytes() == b"whole"


def test_cells_are_split_as_csv_has_them():
    assert split_line('a;"b;c";"d""e"', ";", "t", 1) == ["a", "b;c", 'd"e']
    assert split_line("", ",", "t", 1) == []
    with pytest.raises(BrokenFileError, match="t, line 4: lines end in CR alone"):
        split_line("a\rb,c\n", ",", "t", 4)


def test_lines_with_other_numbers_of_cells_are_found(file):
    assert odd_lines(file(b'a,b\n"1,5",2\n\n3,4\n'), "t", 2, ",") is None
    problem = odd_lines(file(b"a,b\n1\n3,4\n1,2,3\n"), "t", 2, ",")
    assert str(problem).startswith("t, lines 2, 4: 1 cells where the header has 2;")
    unclosed = odd_lines(file(b'a,b\n1,2\n"3,4,\n'), "t", 2, ",")
    assert str(unclosed).startswith("t, line 3: a quotation mark is not closed")


def test_bytes_that_are_no_utf8_are_named_by_line(file):
    assert bad_bytes(file("a\nµ\n".encode()), "t") is None
    assert str(bad_bytes(file(b"a\nb\n\xb5\n"), "t")).startswith("t, line 3: is not UTF-8 text")
    assert is_utf8("µ".encode())
    assert not is_utf8(b"\xb5")
