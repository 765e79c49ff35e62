"""Parameters: read from a notebook's own cell, coerced by type, refused with the valid ones."""

from pathlib import Path

import pytest

from helpers.errors import DataError, UsageError
from helpers.publish.assign import assign
from helpers.publish.notebooks import read_parameters, select_notebooks
from helpers.publish.parameters import coerce, parse_cell


@pytest.fixture
def toy(toys: Path) -> Path:
    return toys / "02_second.py"


def test_a_cell_is_read_with_types_defaults_help_and_allowed_values(toy: Path) -> None:
    parameters = read_parameters(toy)
    assert list(parameters) == ["source", "fdr", "seed", "mode", "results"]
    fdr = parameters["fdr"]
    assert (fdr.kind, fdr.default, fdr.help, fdr.allowed) == (
        float,
        0.05,
        "share of false calls",
        "0 < x < 1",
    )
    assert parameters["mode"].allowed == parameters["mode"].allowed_text == "mean | median"
    assert parameters["source"].allowed_text == "twin | rxrx19a | a folder"
    assert parameters["results"].allowed_text == "a folder"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3", int, 3),
        ("-3", int, -3),
        ("3", float, 3.0),
        ("1e-3", float, 0.001),
        ("true", bool, True),
        ("False", bool, False),
        ("None", str, "None"),
        ("3", str, "3"),
        (3, float, 3.0),
        ("", str, ""),
    ],
)
def test_values_take_the_type_of_their_parameter(text: object, kind: type, value: object) -> None:
    result = coerce("x", text, kind)
    assert result == value
    assert type(result) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3.0", int),
        ("1e3", int),
        ("three", int),
        (3.0, int),
        (True, int),
        ("1_000", float),
        ("nan", float),
        ("inf", float),
        ("", float),
        (True, float),
        (None, float),
        ("1", bool),
        ("yes", bool),
        (1, bool),
        (1, str),
        (None, str),
        ([1], str),
    ],
)
def test_values_of_another_type_are_refused(text: object, kind: type) -> None:
    with pytest.raises(UsageError, match="'x' must be"):
        coerce("x", text, kind)


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        ("0 < x < 1", "0.5", "0"),
        ("0 < x < 1", "0.5", "1"),
        ("0 <= x <= 1", "0", "1.01"),
        ("0 <= x <= 1", "1", "-1e-9"),
        ("x >= 1", "1", "0.999"),
        ("x > 0.25", "0.26", "0.25"),
        ("x < 3", "-7", "3"),
        ("1 | 2.5", "2.5", "2"),
    ],
)
def test_ranges_and_choices_hold_to_the_edge(allowed: str, good: str, bad: str) -> None:
    start = good
    parameter = parse_cell(f"x: float = {start}  # help [{allowed}]\n")["x"]
    assert parameter.check(good) == float(good)
    with pytest.raises(UsageError, match="is not allowed"):
        parameter.check(bad)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("fdr = 0.05  # no type", "line 1 must read"),
        ("fdr: float = 0.05", "needs a help comment"),
        ("fdr: float = 0.05  # [0 < x < 1]", "needs a help comment"),
        ("fdr: list = []  # help", "type of 'fdr' must be one of str, int, float, bool"),
        ("fdr: float  # help", "default does not fit"),
        ("fdr: float = 1 / 2  # help", "default does not fit"),
        ("fdr: float = 2.0  # help [0 < x < 1]", "default does not fit"),
        ("fdr: float = 0.5  # help [zero to one]", "neither"),
        ("a: int = 1  # one\na: int = 2  # two", "line 2: 'a' is given twice"),
        ("import os", "line 1 must read"),
    ],
)
def test_a_malformed_cell_is_an_error(cell: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_cell(cell + "\n")


def test_a_hash_sign_in_a_default_is_no_comment() -> None:
    assert parse_cell('colour: str = "#ffffff"  # of the page\n')["colour"].help == "of the page"


def test_a_line_that_a_formatter_broke_is_still_one_parameter() -> None:
    cell = 'mode: str = (\n    "mean"  # how wells are made [mean | median]\n)\nseed: int = 0  # seed\n'
    parameters = parse_cell(cell)
    assert (parameters["mode"].help, parameters["mode"].allowed) == ("how wells are made", "mean | median")
    assert parameters["seed"].help == "seed"


def test_a_missing_cell_is_an_error(toy: Path) -> None:
    toy.write_text(toy.read_text().replace(' tags=["parameters"]', ""))
    with pytest.raises(
        DataError, match=r"02_second\.py: needs exactly one code cell tagged 'parameters', found 0"
    ):
        read_parameters(toy)


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
