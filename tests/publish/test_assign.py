"""Values of parameters: merged from the command line and a file, and refused with the valid ones."""

from pathlib import Path

import pytest

from helpers.errors import UsageError
from helpers.publish.assign import assign, parse_pairs
from helpers.publish.notebooks import select_notebooks


def test_a_value_goes_to_every_notebook_that_knows_it(notebooks: list) -> None:
    values = assign(notebooks, ["fdr=0.1", "mode=median"])
    assert values == {"first": {"fdr": 0.1}, "second": {"fdr": 0.1, "mode": "median"}}


def test_the_command_line_overrides_a_section_and_a_section_the_common_values(
    notebooks: list, tmp_path: Path
) -> None:
    file = tmp_path / "p.yml"
    file.write_text("fdr: 0.1\nseed: 1\nsecond:\n  fdr: 0.2\n  seed: 2\n")
    values = assign(notebooks, ["seed=3"], file)
    assert values == {"first": {"fdr": 0.1, "seed": 3}, "second": {"fdr": 0.2, "seed": 3}}


def test_a_section_of_a_notebook_that_is_not_run_is_skipped(toys: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.yml"
    file.write_text("second:\n  mode: median\n")
    assert assign(select_notebooks(["first"], toys), [], file) == {"first": {}}


def test_a_section_without_a_line_is_empty(notebooks: list, tmp_path: Path) -> None:
    file = tmp_path / "p.yml"
    file.write_text("fdr: 0.1\nsecond:\n")
    assert assign(notebooks, [], file) == {"first": {"fdr": 0.1}, "second": {"fdr": 0.1}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "fdrr: 0.1\n",
            r"unknown parameter 'fdrr': did you mean fdr\?; valid: source, fdr, seed, results, mode",
        ),
        ("first:\n  mode: mean\n", "unknown parameter 'mode' of first"),
        ("secnd:\n  mode: mean\n", "did you mean second"),
        ("fdr: true\n", "must be a finite number"),
        ("- fdr\n", "must hold `name: value` lines"),
        ("fdr: [\n", "is not YAML"),
        ("fdr: 0.1\nseed: 1\nfdr: 0.2\n", r"p\.yml, lines 1 and 3: the key 'fdr' is given twice; keep one"),
        ("second:\n  seed: 1\n  seed: 2\n", "lines 2 and 3: the key 'seed' is given twice"),
        ("second:\n  seed: 1\nsecond:\n  seed: 2\n", "lines 1 and 3: the key 'second' is given twice"),
        ("fdr: " + "[" * 5000, "nested too deeply"),
        ("fdr: " + "{a: " * 5000, "nested too deeply"),
        (f"seed: {'9' * 5000}\n", "holds a value that cannot be read"),
        (f"fdr: 1{'0' * 400}\n", "must be a finite number"),
        ('results: "a\\0b"\n', "'results' must be text"),
    ],
)
def test_a_bad_file_is_a_usage_error(notebooks: list, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "p.yml"
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        assign(notebooks, [], file)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("mod=mean", r"did you mean mode\?; valid: "),
        ("mode=meen", r"did you mean mean\?; allowed: mean \| median"),
        ("fdr=1.5", r"not allowed; allowed: 0 < x < 1"),
        ("fdr", "not of the form NAME=VALUE"),
        ("=1", "not of the form NAME=VALUE"),
        ("source=", "must not be empty"),
        pytest.param(f"seed={'9' * 5000}", "must be a whole number .* got '999.*'$", id="long"),
    ],
)
def test_a_bad_pair_is_a_usage_error(notebooks: list, pair: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        assign(notebooks, [pair])


def test_relative_folders_are_those_of_the_working_folder(
    notebooks: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert assign(notebooks, ["source=screen", "results=r"])["first"] == {
        "source": str(tmp_path / "screen"),
        "results": str(tmp_path / "r"),
    }
    assert assign(notebooks, ["source=twin"])["first"] == {"source": "twin"}


def test_addresses_and_names_are_no_folders(notebooks: list, tmp_path: Path) -> None:
    assert assign(notebooks, ["source=rxrx19a"])["first"] == {"source": "rxrx19a"}
    assert assign(notebooks, ["results="])["first"] == {"results": ""}
    assert parse_pairs(["a=b=c", " d =", "a=e"]) == {"a": "e", "d": ""}


def test_a_file_that_is_not_there_or_no_text_is_a_usage_error(notebooks: list, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.yml cannot be read \(No such file"):
        assign(notebooks, [], tmp_path / "none.yml")
    (tmp_path / "p.yml").write_bytes("fdr: 0.1 # \xb5".encode("latin-1"))
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        assign(notebooks, [], tmp_path / "p.yml")
    (tmp_path / "p.yml").write_text("")
    assert assign(notebooks, [], tmp_path / "p.yml") == {"first": {}, "second": {}}


def test_folders_in_a_file_are_those_of_the_working_folder_too(
    notebooks: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the command line: a file that is moved means the same as long as the call is the same."""
    (tmp_path / "settings").mkdir()
    file = tmp_path / "settings" / "p.yml"
    file.write_text("source: screen\nfirst:\n  results: r\n")
    monkeypatch.chdir(tmp_path)
    assert assign(notebooks, [], file)["first"] == {
        "source": str(tmp_path / "screen"),
        "results": str(tmp_path / "r"),
    }


@pytest.mark.parametrize("value", ["a\x07b", "\ud800", "a\nb", "a\0", "x" * 20_001])
def test_a_text_that_cannot_be_printed_or_is_endless_is_refused(notebooks: list, value: str) -> None:
    with pytest.raises(UsageError, match=r"'results' (must be text|has 20,001 characters)") as raised:
        assign(notebooks, [f"results={value}"])
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("pair", ["seed=\u0663", "fdr=\u0660.\u0665", "seed=\u00b2", "fdr=1_0"])
def test_a_number_has_the_digits_of_a_keyboard(notebooks: list, pair: str) -> None:
    with pytest.raises(UsageError, match=r"must be a (whole|finite) number"):
        assign(notebooks, [pair])
