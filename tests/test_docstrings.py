"""Docstrings: their examples run, and they describe every argument, every result and every error that is raised."""

import ast
import dataclasses
import doctest
import importlib
import inspect
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

import matplotlib as mpl
import pytest

import helpers
from helpers.publish.site.names import ROOMS, find_object

PACKAGE = Path(helpers.__file__).parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
ROLE = re.compile(r":(?:func|class|data|meth|mod|exc):`~?([^`]+)`")
# First words that end in s and are no third person.
IMPERATIVE = {"Pass", "Process", "Press", "Guess", "Miss", "Discuss"}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [module_name(path) for path in sorted(PACKAGE.rglob("*.py"))]
WITH_EXAMPLES = [name for name in MODULES if ">>>" in inspect.getsource(importlib.import_module(name))]
DESCRIBED = [name for name in MODULES if name.split(".")[1:2] and name.split(".")[1] in ROOMS]


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_give_what_they_show(name, tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))
    mpl.use("agg")
    module, said = importlib.import_module(name), io.StringIO()
    runner, found = doctest.DocTestRunner(optionflags=FLAGS), 0
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        found += len(test.examples)
        runner.run(test, out=said.write)
    assert runner.failures == 0, said.getvalue()
    assert found > 0


class Public(NamedTuple):
    """A public function of a room, and whether the room exports it."""

    name: str
    function: FunctionType
    is_exported: bool


def public_functions(module: str) -> Iterator[Public]:
    """Yield the functions that a module defines under names without an underscore."""
    room = importlib.import_module(".".join(module.split(".")[:2]))
    for name, value in vars(importlib.import_module(module)).items():
        is_own = (
            inspect.isfunction(value) and value.__module__ == module and not hasattr(value, "__wrapped__")
        )
        if is_own and not name.startswith("_"):
            exported = name in room.__all__ and inspect.unwrap(getattr(room, name)) is value
            yield Public(f"{module}.{name}", value, exported)


FUNCTIONS = [function for module in DESCRIBED for function in public_functions(module)]
EXPORTED = [function for function in FUNCTIONS if function.is_exported]
LONG = [one for one in FUNCTIONS if one.is_exported or len(inspect.signature(one.function).parameters) >= 4]


def section(doc: str, title: str) -> str:
    """Return a section of a docstring in numpydoc's style."""
    found = re.search(rf"^{title}\n-{{3,}}\n(.*?)(?=^\S[^\n]*\n-{{3,}}$|\Z)", doc, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def entries(doc: str, title: str) -> dict[str, tuple[str, str]]:
    """Return what a section describes: name -> type and description; names with commas between them count singly."""
    found = {}
    for head, said in re.findall(
        r"^(\S[^\n]*)\n((?:[ ]+[^\n]*\n?|\n)*)", section(doc, title) + "\n", re.MULTILINE
    ):
        names, _, kind = head.partition(" : ")
        found |= {name.strip(): (kind, said.strip()) for name in names.split(",")}
    return found


def arguments(function: FunctionType) -> list[str]:
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(function).parameters.values()
    return [marks.get(parameter.kind, "") + parameter.name for parameter in parameters]


def test_the_lists_are_not_empty():
    assert len(WITH_EXAMPLES) >= 40
    assert len(EXPORTED) >= 100
    assert len(LONG) > len(EXPORTED)


@pytest.mark.parametrize("one", LONG, ids=lambda one: one.name)
def test_every_argument_is_described_with_its_type(one):
    described = entries(inspect.getdoc(one.function), "Parameters")
    assert list(described) == arguments(one.function)
    assert [name for name, (_, said) in described.items() if not said] == []
    assert [name for name, (kind, _) in described.items() if not kind and not name.startswith("*")] == []


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
def test_a_description_names_no_argument_that_is_not_there(one):
    assert set(entries(inspect.getdoc(one.function) or "", "Parameters")) <= set(arguments(one.function))


@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_the_first_line_says_in_the_imperative_what_is_done(one):
    first = inspect.getdoc(one.function).split("\n")[0]
    word = first.split()[0]
    assert first.endswith(".")
    assert word[0].isupper()
    assert not word.endswith("s") or word in IMPERATIVE


@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_a_result_is_described(one):
    gives = inspect.signature(one.function).return_annotation not in (None, "None", inspect.Signature.empty)
    assert bool(section(inspect.getdoc(one.function), "Returns")) == gives


def raised(one: Public) -> set[str]:
    """Return the errors of users that a function raises itself or through functions of its module."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(one.function)))
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    seen, queue, errors = set(), [one.function.__name__], set()
    while queue:
        name = queue.pop()
        if name in seen or name not in defined:
            continue
        seen.add(name)
        for node in ast.walk(defined[name]):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                errors.add(ast.unparse(node.exc.func))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                queue.append(node.func.id)
    return errors & {"UsageError", "DataError", "ValueError"}


@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_errors_that_are_raised_are_named(one):
    assert raised(one) <= set(entries(inspect.getdoc(one.function), "Raises"))


def dataclasses_described() -> Iterator[type]:
    """Yield the dataclasses that rooms export, and those that hold options of their functions."""
    for module in DESCRIBED:
        room = importlib.import_module(".".join(module.split(".")[:2]))
        for name, value in vars(importlib.import_module(module)).items():
            is_own = dataclasses.is_dataclass(value) and getattr(value, "__module__", "") == module
            if is_own and (name in room.__all__ or name.endswith(("Options", "Settings", "Design", "Noise"))):
                yield value


@pytest.mark.parametrize("kind", list(dataclasses_described()), ids=lambda kind: kind.__name__)
def test_every_field_of_a_dataclass_is_described(kind):
    doc = inspect.getdoc(kind)
    described = entries(doc, "Attributes") | entries(doc, "Parameters")
    fields = dataclasses.fields(kind)
    silent = [one.name for one in fields if one.name not in described and "help" not in one.metadata]
    assert silent == []
    assert set(described) <= {one.name for one in fields}
    assert [name for name, (type_, said) in described.items() if not (type_ and said)] == []


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_docstrings_link_to_is_there(name):
    source = inspect.getsource(importlib.import_module(name))
    for target in ROLE.findall(source):
        assert target.startswith(("helpers.", "scipy.")), f"{target}: give the whole name"
        if target.startswith("helpers."):
            find_object(target)


def test_the_reading_of_docstrings_sees_what_is_missing():
    doc = inspect.cleandoc(
        """Do.

        Parameters
        ----------
        a, b : int
            Both.
        **c
            The rest.

        Returns
        -------
        int
            One.
        """
    )
    assert entries(doc, "Parameters") == {
        "a": ("int", "Both."),
        "b": ("int", "Both."),
        "**c": ("", "The rest."),
    }
    assert entries(doc, "Raises") == {}
    assert section(doc, "Returns").split() == ["int", "One."]
