"""Conditions of a screen.yml: values, the rest, empty cells, and rules on several columns."""

import polars as pl
import pytest
import yaml

from helpers.screens import check_screen, open_screen
from helpers.screens.conditions import Conditions, one_of

ROWS = [
    # compound, dose, kind, virus, f
    ("healthy", "", "control", "no", 1.0),
    ("healthy", "", "control", "no", 1.1),
    ("DMSO", "", "control", "yes", 5.0),
    ("DMSO", "", "control", "yes", 5.2),
    ("DMSO", "", "control", "yes", 4.9),
    ("A", "1", "library", "yes", 3.0),
    ("B", "2", "library", "yes", 4.0),
    ("", "", "", "", 0.0),
]


def screen(folder, conditions, *, condition="compound", rows=ROWS, **more):
    """Write a screen of two plates and what makes a well one of a condition."""
    lines = ["plate,well,compound,dose,kind,virus,f"]
    for plate in ("1", "2"):
        lines += [f"{plate},A{i + 1},{c},{d},{k},{v},{f}" for i, (c, d, k, v, f) in enumerate(rows)]
    (folder / "wells.csv").write_text("\n".join(lines) + "\n")
    columns = {"plate": "plate", "well": "well", "treatment": "compound", "dose": "dose"}
    columns |= {"condition": condition} if condition else {}
    mapping = {
        "name": "S", "level": "well", "table": "wells.csv", "columns": columns, "conditions": conditions,
        "untreated": {"compound": ["healthy", "DMSO"]}, "features": ["f"], **more,
    }  # fmt: skip
    (folder / "screen.yml").write_text(yaml.safe_dump(mapping, sort_keys=False))
    return folder


def read(folder):
    """Return condition and treatment of the wells of one plate."""
    obs = open_screen(folder).obs
    first = obs[obs["plate"] == 1]
    return list(zip(first["condition"], first["treatment"].astype(object), strict=True))


def fatal(folder):
    return [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]


WHOLE = ["mock"] * 2 + ["infected"] * 5 + ["blank"]


def test_the_rest_is_every_value_that_is_not_named_and_empty_cells_stay_out(tmp_path):
    found = read(screen(tmp_path, {"mock": ["healthy"], "infected": "rest"}))
    assert [condition for condition, _ in found] == WHOLE
    assert [name for _, name in found if isinstance(name, str)] == ["A", "B"]


def test_a_value_that_is_called_rest_is_named_in_a_list(tmp_path):
    rows = [(c.replace("DMSO", "rest"), *more) for c, *more in ROWS]
    folder = screen(tmp_path, {"mock": ["healthy"], "infected": ["rest"]}, rows=rows)
    assert "'A', 'B' is unknown" in fatal(folder)[0]


def test_an_empty_value_can_be_treated(tmp_path):
    rows = [
        ("x" if c == "A" else c, d, "" if k == "library" else k or "none", v, f) for c, d, k, v, f in ROWS
    ]
    rows = [(c, d, "well" if c == "healthy" else k, v, f) for c, d, k, v, f in rows]
    given = {"mock": ["well"], "infected": ["control", ""], "blank": ["none"]}
    found = read(screen(tmp_path, given, condition="kind", rows=rows))
    assert [condition for condition, _ in found] == WHOLE
    assert [name for _, name in found if isinstance(name, str)] == ["x", "B"]


def test_rules_on_two_columns_need_no_column_of_conditions(tmp_path):
    rule = {"mock": {"kind": "control", "virus": ["no"]}, "infected": {"virus": "yes"}, "blank": "rest"}
    found = read(screen(tmp_path, rule, condition=None))
    assert [condition for condition, _ in found] == WHOLE


def test_rules_stand_beside_values(tmp_path):
    given = {"mock": {"kind": ["control"], "virus": ["no"]}, "infected": ["yes"]}
    found = read(screen(tmp_path, given, condition="virus"))
    assert [condition for condition, _ in found] == WHOLE


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"mock": "rest", "infected": "rest"}, "conditions.infected: is the rest, and so is mock"),
        ({"mock": {}, "infected": "rest"}, "conditions.mock: is an empty rule"),
        ({"mock": {"kidn": "control"}, "infected": "rest"}, r"'kidn' is no column of wells.csv (is 'kind' meant?)"),
        ({"mock": ["healthy", ""], "infected": [""]}, "'' is under mock too"),
        (
            {"mock": {"kind": "control"}, "infected": {"virus": "yes"}},
            "'mock and infected at once' as the condition; let the rules under conditions",
        ),
    ],
)  # fmt: skip
def test_what_cannot_hold_is_said(tmp_path, conditions, said):
    assert any(said in line for line in fatal(screen(tmp_path, conditions))), fatal(tmp_path)


def test_no_value_of_a_table_is_taken_for_what_a_rule_gives():
    table = pl.DataFrame({"a": ["mock", "x"], "b": ["1", "2"]})
    conditions = Conditions({"": "blank"}, {"mock": {"b": ["2"]}}, "")
    cells = table.select(conditions.cell("a"))[
        "a" if "a" in table.select(conditions.cell("a")).columns else "literal"
    ]
    assert [conditions.known.get(value) for value in cells] == [None, "mock"]


def test_compounds_of_one_structure_stay_apart_where_asked(tmp_path):
    rows = [(c, d, k, "CCO" if c in "AB" else "", f) for c, d, k, _, f in ROWS]
    columns = {
        "plate": "plate",
        "well": "well",
        "condition": "compound",
        "treatment": "compound",
        "dose": "dose",
    }
    given = {"columns": columns | {"smiles": "virus"}}
    folder = screen(tmp_path, {"mock": ["healthy"], "infected": "rest"}, rows=rows, **given)
    assert open_screen(folder).obs["treatment"].nunique() == 1
    folder = screen(
        tmp_path, {"mock": ["healthy"], "infected": "rest"}, rows=rows, merge_compounds="name", **given
    )
    assert set(open_screen(folder).obs["treatment"].dropna()) == {"A", "B"}
    assert any("kept apart by name as asked: 'A and B'" in str(p) for p in check_screen(folder))


def test_a_value_is_found_however_its_number_is_written():
    cells = pl.DataFrame({"dose": ["0", "0.0", "0.00", "0.5", None, "1.0"]})
    assert cells.select(one_of("dose", ["0"]))["dose"].to_list() == [True] * 3 + [False] * 3
    assert cells.select(one_of("dose", ["0.0", "1", ""]))["dose"].to_list() == [True] * 3 + [
        False,
        True,
        True,
    ]
