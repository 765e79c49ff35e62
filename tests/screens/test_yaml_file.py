"""YAML is read strictly: repeated keys and what is no YAML are named with their lines."""

import pytest

from helpers.screens.yaml_file import YamlFileError, parse_yaml


def test_yaml_is_read():
    assert parse_yaml("a: 1\nb: [x, 'y']\nc:\n  d: true\n") == {"a": 1, "b": ["x", "y"], "c": {"d": True}}
    assert parse_yaml("") is None
    assert parse_yaml("a: 1\nb: {a: 2}\n") == {"a": 1, "b": {"a": 2}}, "one key in two mappings"


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", "lines 1 and 3", "the key 'a' is given twice"),
        ("x:\n  a: 1\n  a: 2\n", "lines 2 and 3", "the key 'a' is given twice"),
        ("{a: 1, a: 2}", "line 1", "the key 'a' is given twice"),
        ("a: [1\nb: 2\n", "line 2", "is not YAML"),
        ("a: 'open\n", "line 2", "is not YAML"),
        ("[" * 5000, "", "is nested too deeply"),
        ("a: 2020-13-01\n", "", "holds a value that cannot be read"),
        ("a: " + "9" * 5000 + "\n", "", "holds a value that cannot be read"),
    ],
)
def test_a_slip_is_named_with_its_line(text, where, reason):
    with pytest.raises(YamlFileError) as raised:
        parse_yaml(text)
    assert raised.value.where == where
    assert reason in raised.value.reason
    assert str(raised.value) == (f"{where}: {raised.value.reason}" if where else raised.value.reason)


def test_no_object_is_made():
    with pytest.raises(YamlFileError, match="is not YAML"):
        parse_yaml("!!python/object/apply:os.getcwd []")


def test_aliases_of_aliases_are_one_line_and_cost_nothing():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    with pytest.raises(YamlFileError, match=r"line 2: the alias \*a0 stands for another part") as caught:
        parse_yaml(bomb)
    assert len(str(caught.value)) < 200
