"""Arguments of the command, read strictly: a wrong one is one line that lists what is valid."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from helpers.errors import UsageError, shorten
from helpers.publish.suggest import suggest

MOST_JOBS = 1_024
# What the generators of all libraries take.
MOST_SEED = 2**32 - 1


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line that lists what is valid."""

    def __init__(self, **settings: Any) -> None:
        # A shortened option would change its meaning on the day a longer one is added.
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        groups = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        valid = f"; valid: {', '.join(groups[0].choices)}" if groups else ""
        raise UsageError(f"{message}{valid} (see `{self.prog} --help`)")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            what = (action.option_strings or [str(action.metavar)])[0]
            valid = [str(choice) for choice in action.choices]
            shown = shorten(str(value), 80)
            raise UsageError(
                f"unknown {what} {shown!r}{suggest(str(value), valid)}; valid: {', '.join(valid)}"
            )


def refuse_unknown(unknown: Sequence[str], parser: argparse.ArgumentParser) -> None:
    """Refuse arguments that a parser left over.

    Raises
    ------
    UsageError
        If there is one; the line lists the options that there are.
    """
    if unknown:
        valid = sorted(parser._option_string_actions)
        raise UsageError(
            f"unknown argument {shorten(unknown[0], 80)!r}{suggest(unknown[0], valid)}; "
            f"options of `{parser.prog}`: {', '.join(valid)}"
        )


def jobs_number(text: str) -> int:
    """Return how many notebooks are to run at a time, 1 to `MOST_JOBS`."""
    return _number(text, 1, MOST_JOBS)


def seed_number(text: str) -> int:
    """Return where random numbers start, 0 to `MOST_SEED`."""
    return _number(text, 0, MOST_SEED)


def _number(text: str, least: int, most: int) -> int:
    # Digits of other scripts look like what they are not, and Python refuses to read thousands of them.
    if not (text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) >= least):
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least {least}, got {shorten(text, 40)!r}"
        )
    if int(text) > most:
        raise argparse.ArgumentTypeError(f"must be at most {most}, got {text!r}")
    return int(text)
