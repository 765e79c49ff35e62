"""Arguments of the command: numbers are whole and within what libraries take, and nothing is quoted at length."""

import argparse

import pytest

from helpers.errors import UsageError
from helpers.publish.arguments import MOST_SEED, Parser, jobs_number, refuse_unknown, seed_number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e3", "0x1", "٣", "²", "1_0", " 1", "9" * 5000])
def test_a_number_is_written_in_digits_alone(text):
    for read in (jobs_number, seed_number):
        with pytest.raises(argparse.ArgumentTypeError, match="must be a whole number of at least") as raised:
            read(text)
        assert len(str(raised.value)) < 120


def test_a_number_is_within_what_libraries_take():
    assert (seed_number("0"), seed_number(str(MOST_SEED)), jobs_number("1")) == (0, 2**32 - 1, 1)
    with pytest.raises(argparse.ArgumentTypeError, match="at most 4294967295, got '4294967296'"):
        seed_number(str(MOST_SEED + 1))
    with pytest.raises(argparse.ArgumentTypeError, match="at most 1024"):
        jobs_number("9999999999")
    with pytest.raises(argparse.ArgumentTypeError, match="at least 1"):
        jobs_number("0")


def test_what_is_wrong_is_quoted_shortly():
    parser = Parser(prog="rxrx19")
    parser.add_argument("screen", metavar="SCREEN", choices=["twin"])
    for call in (
        lambda: parser.parse_args(["t" * 9000]),
        lambda: refuse_unknown(["--" + "t" * 9000], parser),
    ):
        with pytest.raises(UsageError) as raised:
            call()
        assert len(str(raised.value)) < 250
