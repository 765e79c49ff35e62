"""Options of long calls: single fields by name, and a name that is none refused with those that are."""

import dataclasses

import pytest

from helpers.errors import UsageError
from helpers.options import with_settings


@dataclasses.dataclass(frozen=True)
class Draws:
    """Two fields."""

    n: int = 10
    kind: str = "max"

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UsageError(f"n={self.n} is too few")


def test_fields_are_replaced_in_a_copy():
    options = Draws()
    assert with_settings(options, {"n": 20}) == Draws(20)
    assert with_settings(options, {}) == options == Draws()


def test_a_name_that_is_no_field_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match=r"setting m, x is unknown; choose among n, kind"):
        with_settings(Draws(), {"x": 1, "n": 2, "m": 3})


def test_what_the_options_refuse_is_refused():
    with pytest.raises(UsageError, match="n=0 is too few"):
        with_settings(Draws(), {"n": 0})
