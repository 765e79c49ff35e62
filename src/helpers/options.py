"""Options of long calls: frozen objects with defaults, of which single fields may be given by name."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Protocol, TypeVar

from helpers.errors import UsageError


class _Options(Protocol):
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field]]


T = TypeVar("T", bound=_Options)


def with_settings(options: T, settings: Mapping[str, object]) -> T:
    """Return options with the fields replaced that settings name.

    Parameters
    ----------
    options : dataclass instance
        What is replaced in a copy.
    settings : mapping
        Values by name.

    Raises
    ------
    UsageError
        For a name that is no field; the message lists those that there are.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Draws:
    ...     n: int = 10
    >>> with_settings(Draws(), {"n": 20})
    Draws(n=20)
    """
    known = [field.name for field in dataclasses.fields(options)]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise UsageError(f"setting {', '.join(unknown)} is unknown; choose among {', '.join(known)}")
    return dataclasses.replace(options, **settings)
