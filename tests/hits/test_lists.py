"""Small tables that a person wrote: read with any separator, and a slip named with its line."""

import pytest

from helpers.errors import DataError
from helpers.hits.lists import read_list

REQUIRED = {"treatment": ("treatment", "compound"), "class": ("class",)}
OPTIONAL = {"basis": ("basis", "reason")}


def read(tmp_path, text: str | bytes):
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, REQUIRED, OPTIONAL, "give a CSV")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_and_names_in_any_case(tmp_path, separator):
    text = "Compound,CLASS,reason,more\n a b ,x,,1\n\ny,z,w,2\n".replace(",", separator)
    table = read(tmp_path, "\ufeff" + text)
    assert list(table) == ["treatment", "class", "basis", "more"]
    assert table.to_numpy().tolist() == [["a b", "x", "", "1"], ["y", "z", "w", "2"]]
    assert table.index.tolist() == [2, 4], "the line of the file"


def test_a_list_without_rows_has_its_columns(tmp_path):
    table = read(tmp_path, "treatment,class\n")
    assert table.empty
    assert list(table) == ["treatment", "class"]


def test_quoted_cells_hold_separators_and_line_ends(tmp_path):
    table = read(tmp_path, 'treatment,class\n"a, b","x\ny"\nc,z\n')
    assert table["treatment"].tolist() == ["a, b", "c"]
    assert table.index.tolist() == [3, 4], "where a row ends"


def test_columns_that_nobody_uses_may_share_a_name(tmp_path):
    assert list(read(tmp_path, "treatment,class,n,n\na,b,1,2\n")) == ["treatment", "class", "n"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "",
            r"line 1: no column for treatment \(treatment or compound\); class \(class\) \(found: nothing\)",
        ),
        (
            "name,class\n",
            r"no column for treatment \(treatment or compound\) \(found: name, class\); give a CSV",
        ),
        ("treatment,compound,class\n", "line 1: two columns hold the treatment"),
        ("treatment,class\na\n", "line 2: 1 cells where the header has 2"),
        ('treatment,class\n"a,b\n', "cannot be split into cells"),
        (b"treatment,class\n\xe4,b\n", "is not UTF-8 text"),
        ("treatment,class\na,\0\n", "holds a NUL"),
    ],
)
def test_a_slip_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none.csv: cannot be read \(No such file"):
        read_list(tmp_path / "none.csv", REQUIRED, OPTIONAL, "x")
