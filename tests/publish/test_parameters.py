"""Parameters: read from a notebook's own cell, coerced by type, refused with what is allowed."""

from pathlib import Path

import pytest

from helpers.errors import DataError, UsageError
from helpers.publish.notebooks import read_parameters
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


def test_what_a_parameter_means_may_stand_above_it() -> None:
    parameters = parse_cell(
        "# share of false calls that is accepted [0 < x < 1]\nfdr: float = 0.05\n"
        "# how centroids are found\n# [robust | mean]\naxis: str = 'robust'\n"
        "seed: int = 0  # where random numbers start [x >= 0]\n"
    )
    told = {name: (item.help, item.allowed) for name, item in parameters.items()}
    assert told == {
        "fdr": ("share of false calls that is accepted", "0 < x < 1"),
        "axis": ("how centroids are found", "robust | mean"),
        "seed": ("where random numbers start", "x >= 0"),
    }
    with pytest.raises(UsageError, match="is not allowed; allowed: 0 < x < 1"):
        parameters["fdr"].check("1")


def test_choices_above_a_parameter_may_take_several_lines() -> None:
    cell = "# normalisation [raw | centre\n# | standard\n# | robust]\nrecipe: str = 'centre'\n"
    recipe = parse_cell(cell)["recipe"]
    assert recipe.help == "normalisation"
    assert [choice.strip() for choice in recipe.allowed.split("|")] == ["raw", "centre", "standard", "robust"]
    assert recipe.check("robust") == "robust"


def test_what_stands_above_and_behind_is_one_text() -> None:
    parameter = parse_cell("# a part of it,\nfdr: float = 0.05  # and the rest [0 < x < 1]\n")["fdr"]
    assert (parameter.help, parameter.allowed) == ("a part of it, and the rest", "0 < x < 1")


@pytest.mark.parametrize(
    "cell",
    [
        "# about something else\n\nfdr: float = 0.05\n",
        "seed: int = 0  # of the line before\nfdr: float = 0.05\n",
        "fdr: float = 0.05\n# of the line after\nseed: int = 0  # seed\n",
        "#\nfdr: float = 0.05\n",
    ],
)
def test_a_comment_that_is_not_its_own_is_no_help(cell: str) -> None:
    with pytest.raises(DataError, match="'fdr' needs a help comment"):
        parse_cell(cell)


def test_a_hash_sign_in_a_text_above_is_no_comment() -> None:
    cell = "# of the page\ncolour: str = '#ffffff'\n# of the rim\nrim: str = '# no comment'\n"
    told = {name: (item.default, item.help) for name, item in parse_cell(cell).items()}
    assert told == {"colour": ("#ffffff", "of the page"), "rim": ("# no comment", "of the rim")}


def test_a_line_is_named_where_it_stands_below_its_comments() -> None:
    with pytest.raises(DataError, match=r"line 4: the default does not fit"):
        parse_cell("# one\na: int = 1\n# two [x > 3]\nb: int = 2\n")
