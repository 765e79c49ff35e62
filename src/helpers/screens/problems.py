"""What can be wrong with a screen, one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import DataError

EXAMPLES = 4
# Characters of one line; what a file holds in one cell may be of any length.
LONGEST = 2_000


@dataclass(frozen=True)
class Problem:
    """One finding about a screen's files.

    Parameters
    ----------
    level : str
        ``fatal`` (the screen cannot be opened) or ``note`` (a quirk that is handled).
    file : str
        Name of the file it is in, with the member of a zip after a colon; the folder's name if no file is.
    where : str
        Line, well, plate or column; empty if it is about the whole file.
    message : str
        What is wrong, what is allowed and what to do.

    Examples
    --------
    >>> print(Problem("note", "metadata.csv", "line 3", "has no dose"))
    metadata.csv, line 3: has no dose
    """

    level: str
    file: str
    where: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}, {self.where}" if self.where else self.file
        line = " ".join(f"{place}: {self.message}".split())
        return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


class BrokenFileError(Exception):
    """A file cannot be read further; `problem` says why."""

    def __init__(self, problem: Problem):
        super().__init__(str(problem))
        self.problem = problem


def fatal(file: str, where: str, message: str) -> Problem:
    """Make a problem that keeps the screen from being opened."""
    return Problem("fatal", file, where, message)


def note(file: str, where: str, message: str) -> Problem:
    """Make a note on a quirk that is handled."""
    return Problem("note", file, where, message)


def broken(file: str, where: str, message: str) -> BrokenFileError:
    """Make the exception that ends the reading of a file."""
    return BrokenFileError(fatal(file, where, message))


def listed(values: Sequence, n: int = EXAMPLES) -> str:
    """Write the first `n` values and how many more there are: ``'a', 'b' and 7 more``."""
    values = list(values)
    head = ", ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values[:n])
    return head if len(values) <= n else f"{head} and {len(values) - n:,} more"


def plural(n: int, noun: str) -> str:
    """Write a count with its noun: ``1 row``, ``1,204 rows``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def places(numbers: Sequence[int], unit: str) -> str:
    """Write where rows stand in their file: ``line 12``, ``lines 12, 15 and 30 more``."""
    numbers = sorted(numbers)
    return f"{unit} {numbers[0]}" if len(numbers) == 1 else f"{unit}s {listed(numbers)}"


def raise_first_fatal(problems: Sequence[Problem], folder: str | Path) -> None:
    """Raise the first fatal problem, with the number of the others and the command that lists them.

    Raises
    ------
    DataError
        If any problem is fatal.
    """
    found = [problem for problem in problems if problem.level == "fatal"]
    if found:
        others = f" (and {len(found) - 1} more: `rxrx19 data check {folder}` lists them)" if found[1:] else ""
        raise DataError(f"{found[0]}{others}")
