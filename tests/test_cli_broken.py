"""Broken screens from the command line: exit code 1, and one line that says what is wrong."""

import pytest

from helpers.cli import main
from hostile import groups, screen_label, shown_rows, without_library_words
from screens.broken import BROKEN, write_screen

GROUPS = groups()
SHOWN = [(group, name, without_library_words(said)) for group, name, said in shown_rows()]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_check_names_the_problem_and_fails(broken, tmp_path, capsys):
    folder = write_screen(tmp_path / "screen")
    assert main(["data", "check", str(folder)]) == 0
    capsys.readouterr()
    broken.do(folder)
    assert main(["data", "check", str(folder)]) == 1
    captured = capsys.readouterr()
    lines = (captured.out + captured.err).splitlines()
    fatal = [line for line in lines if line.startswith("fatal: ")]
    assert len(fatal) == 1
    for part in broken.says:
        assert part in fatal[0]
    assert not any("Traceback" in line for line in lines)
    # What the book shows of it, in the words of today.
    said = fatal[0].removeprefix("fatal: ").replace(str(folder), folder.name)
    row = (*screen_label(broken.name, GROUPS), without_library_words(said))
    assert row in SHOWN, "the book says otherwise: run `make messages`"


@pytest.mark.slow
def test_a_run_on_a_broken_screen_ends_with_its_line(tmp_path, capsys):
    folder = write_screen(tmp_path / "screen")
    broken = next(b for b in BROKEN if b.name == "unknown_condition")
    broken.do(folder)
    arguments = ["run", "dataset_tour", "--out", str(tmp_path / "out"), "-p", f"source={folder}"]
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    said = [line for line in lines if line.startswith("rxrx19: ")]
    assert len(said) == 1
    for part in broken.says:
        assert part in said[0]
    assert not (tmp_path / "out" / "tables").exists()
