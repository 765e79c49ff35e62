"""Limits that a shell or a scheduler sets, under which libraries wait for ever or end the process without a word."""

import os
import resource
from collections.abc import Callable

from helpers.errors import DataError

GIGABYTE = 10**9

NEEDED = {"run": 4 * GIGABYTE, "book": 4 * GIGABYTE, "data": 2 * GIGABYTE, "workshop": GIGABYTE}
"""Bytes of addresses that a command needs on two cores: measured by lowering the limit until it no longer ended."""

PER_CORE = 100_000_000
"""Further bytes for each further core, whose threads reserve a stack and an arena; measured alike."""

FILES = 256
"""Open files: a kernel with its sockets and a table with its chunks have a hundred."""


def check_limits(
    command: str,
    *,
    limit: Callable[[int], tuple[int, int]] = resource.getrlimit,
    cores: int | None = None,
) -> None:
    """Refuse limits of this process under which a command could not come to its end.

    Parameters
    ----------
    command : str
        Its name, one of `NEEDED`; others need little.
    limit : callable
        Takes a resource and returns its soft and hard limit.
    cores : int, optional
        Of the machine by default.

    Raises
    ------
    DataError
        If a limit is too low; the line says which, how high it must be and how to raise it.
    """
    if command not in NEEDED:
        return
    cores = cores or os.cpu_count() or 1
    need = NEEDED[command] + PER_CORE * max(0, cores - 2)
    addresses, _ = limit(resource.RLIMIT_AS)
    if addresses != resource.RLIM_INFINITY and addresses < need:
        raise DataError(
            f"the limit of addresses is {addresses / GIGABYTE:.1f} GB, and `rxrx19 {command}` needs "
            f"{need / GIGABYTE:.1f} GB on {cores} cores, most of it reserved and never used: raise it with "
            f"`ulimit -v {-(-need // 1024)}` or more, or ask your scheduler for more memory"
        )
    files, _ = limit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < FILES:
        raise DataError(
            f"the limit of open files is {files}, and `rxrx19 {command}` needs {FILES}: raise it with "
            f"`ulimit -n {FILES}`"
        )
