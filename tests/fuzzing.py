"""Hostile input by the thousand, and what the command may answer to it.

`HYPOTHESIS_PROFILE=fuzz` asks for many examples, new ones at every call (`make fuzz`); without it the examples are few
and the same everywhere, as a test suite needs them.
"""

import contextlib
import io
import os
import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings

from helpers.cli import main

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
LONGEST = 1_000
SECONDS = 20
# An exception's own words; names of classes do not belong into an answer.
_OWN_WORDS = re.compile(
    r"unexpected [A-Z]|Traceback|Errno|\b[A-Z]\w+(Error|Exception|Warning)\b|<class |object at 0x"
)
# What breaks programs, one by one.
TOKENS = [
    "", "0", "-1", "1e400", "nan", "-inf", "1_0", "٣", "²", "true", "no", "null", "~", "9" * 400, "0x1F", "1.0.0",
    "\0", "\r", "\n", "\t", "\x07", "\x85", "\u2028", "\ufeff", "é", "𝔘", "e\u0301", "\u202e", "'", '"', '"""', "`",
    ",", ";", "|", ":", ": ", "- ", "&a", "*a", "<<: ", "!!int x", "!!binary x", "!!timestamp x", "!!set", "? ", "%",
    "[", "]", "{", "}", "{a: ", "[[[[[[", "---\n", "...\n", "# ", "@", "$(x)", "%s", "{0}", "\\", "\\ud800", "../",
    "/dev/zero", "/", "~x", "file://x", "a" * 300, "C(" * 3000, "x,y\n" * 50, "2024-13-45", "12:30:45", "=1+1",
]  # fmt: skip


def examples(few: int, many: int = 5_000) -> settings:
    """Return the settings of a fuzz test: a few examples in the suite, many in the long form."""
    return settings(
        max_examples=many if LONG else few,
        derandomize=not LONG,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def mutated(base: bytes, seed: int) -> bytes:
    """Return bytes with up to a few slips: cells, lines and blocks changed, doubled, moved or lost."""
    rng = random.Random(seed)
    data = base
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        a, b = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        b = min(b, a + rng.choice([0, 1, 4, 20, 200]))
        token = rng.choice(TOKENS).encode("utf-8", "surrogatepass")
        match rng.randrange(9):
            case 0 | 1 | 2:
                data = data[:a] + token + data[b:]
            case 3:
                data = data[:a] + data[b:]
            case 4:
                data = data[:b] + data[a:b] * rng.choice([1, 3, 50]) + data[b:]
            case 5:
                data = data[:a] + rng.randbytes(rng.choice([1, 2, 9])) + data[b:]
            case 6:
                lines = data.splitlines(keepends=True)
                rng.shuffle(lines)
                data = b"".join(lines)
            case 7:
                words = re.split(rb"([^\w.]+)", data)
                words[rng.randrange(len(words))] = token
                data = b"".join(words)
            case 8:
                data = data[:a] if rng.random() < 0.5 else data[a:]
    return data


def told(arguments: list[str], folder: Path) -> tuple[int, str, list[str]]:
    """Call the command and return its code, its output and the lines of its complaint.

    Fails if it hangs, if it changes or leaves a file in the folder or where it is called, or if what it says is not fit
    for a reader.
    """
    before = _state(folder), _state(Path.cwd())
    out, err = io.StringIO(), io.StringIO()
    with _no_longer_than(SECONDS), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as end:  # --help and --version
            code = int(end.code or 0)
    assert (_state(folder), _state(Path.cwd())) == before, "files were changed or left behind"
    lines = err.getvalue().splitlines()
    fatal = [line for line in out.getvalue().splitlines() if line.startswith("fatal: ")]
    assert code in (0, 1, 2)
    if code == 0:
        assert lines == []
    elif not fatal:
        assert len(lines) == 1, lines
        assert lines[0].startswith("rxrx19: "), lines
    for line in (*lines, *fatal):
        assert_readable(line)
    return code, out.getvalue(), lines


def assert_readable(line: str) -> None:
    """Assert that a message is one that a reader can use."""
    assert len(line) <= LONGEST, line
    assert not _OWN_WORDS.search(line), line
    assert line.isprintable(), repr(line)
    assert len(line.split()) >= 4, line


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


@contextlib.contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError(f"no answer within {seconds} s")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, earlier)
