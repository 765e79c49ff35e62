"""The names of the reference: which there are, where each was made, and what its docstring says."""

import ast
import dataclasses
import functools
import importlib
import inspect
import re
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

ROOMS = ("screens", "profiles", "hits", "dose", "study", "figures")
"""The parts of the package that the reference describes, from the lowest floor up."""

_ROLE = re.compile(r":(?:func|class|meth|data|mod):`~?(helpers\.[\w.]+)`")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry of the reference.

    Attributes
    ----------
    name : str
        As readers import it, such as ``helpers.hits.call_hits``.
    home : str
        Where it was made, such as ``helpers.hits.calls.call_hits``.
    """

    name: str
    home: str

    @property
    def room(self) -> str:
        """Return the room that it is listed under."""
        return self.name.split(".")[1]

    @property
    def value(self) -> object:
        """Return what the name stands for."""
        return find_object(self.name)

    @property
    def kind(self) -> str:
        """Return `module`, `class`, `function` or `constant`."""
        value = self.value
        if inspect.ismodule(value):
            return "module"
        if inspect.isclass(value):
            return "class"
        return "function" if inspect.isroutine(value) else "constant"

    @property
    def doc(self) -> str:
        """Return its docstring, without the indentation."""
        if self.kind == "constant":
            module, _, name = self.home.rpartition(".")
            return assignments(module)[name].doc
        return inspect.getdoc(self.value) or ""

    @property
    def summary(self) -> str:
        """Return the first paragraph of its docstring, on one line."""
        return " ".join(self.doc.split("\n\n")[0].split())

    @property
    def is_borrowed(self) -> bool:
        """Tell if it is the name of another room's, with a memory or as it is."""
        return self.home.split(".")[1] != self.room


@dataclasses.dataclass(frozen=True)
class Assignment:
    """A name that a module assigns: first and last line, and the string literal below it."""

    first: int
    last: int
    doc: str


@functools.cache
def assignments(module: str) -> dict[str, Assignment]:
    """Return what a module assigns at its top level, by name."""
    found = {}
    body = _tree(module).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                text, last = "", node.end_lineno or node.lineno
                if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                    text, last = inspect.cleandoc(str(after.value.value)), after.end_lineno or last
                found[target.id] = Assignment(node.lineno, last, text)
    return found


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8"))


def find_object(dotted: str) -> object:
    """Return a module, or what a dotted name stands for in one.

    Raises
    ------
    AttributeError
        If there is nothing of that name.
    """
    parent, _, name = dotted.rpartition(".")
    # A function may have the name of its module; what is asked for then is the function.
    try:
        holder: object = importlib.import_module(parent or dotted)
    except ModuleNotFoundError:
        holder = find_object(parent)
    if not parent or hasattr(holder, name) or not isinstance(holder, ModuleType):
        return getattr(holder, name) if parent else holder
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        raise AttributeError(f"{parent} has no {name}") from None


def home_of(dotted: str) -> str:
    """Return where something was made that may have been imported from there, or that remembers its results.

    Parameters
    ----------
    dotted : str
        Such as ``helpers.study.call_hits``.

    Examples
    --------
    >>> home_of("helpers.study.call_hits")
    'helpers.hits.calls.call_hits'
    >>> home_of("helpers.dose.CLASSES")
    'helpers.dose.classes.CLASSES'
    """
    value = find_object(dotted)
    if inspect.ismodule(value):
        return value.__name__
    if inspect.isclass(value) or inspect.isroutine(value):
        plain = inspect.unwrap(value) if inspect.isroutine(value) else value
        return f"{plain.__module__}.{plain.__qualname__}"
    module, _, name = dotted.rpartition(".")
    for node in _tree(module).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return home_of(f"{node.module}.{alias.name}")
    return dotted


@functools.cache
def public_entries() -> tuple[Entry, ...]:
    """Return an entry for every name in the ``__all__`` of a room, in the order of the rooms and of their names."""
    found = []
    for room in ROOMS:
        short = sorted(importlib.import_module(f"helpers.{room}").__all__, key=str.lower)
        found += [Entry(name, home_of(name)) for name in (f"helpers.{room}.{end}" for end in short)]
    return tuple(found)


def further_entries(used: Iterable[str]) -> list[Entry]:
    """Return entries for what readers meet although it is in no ``__all__``.

    That is what pages of the book use, what steps remember, what the docstrings of entries refer to, and the types of
    their arguments, as far as it was made in one of the rooms.

    Parameters
    ----------
    used : iterable of str
        Homes of what pages use.
    """
    public = {entry.home for entry in public_entries() if not entry.is_borrowed}
    public |= {f"helpers.{room}" for room in ROOMS}
    found: dict[str, Entry] = {}
    queue = [*used, *(entry.home for entry in public_entries())]
    queue += [home for entry in public_entries() for home in _mentioned(entry)]
    while queue:
        home = queue.pop()
        parts = home.split(".")
        if home in public or home in found or len(parts) < 3 or parts[1] not in ROOMS:
            continue
        found[home] = Entry(home, home)
        queue += _mentioned(found[home])
    return sorted(found.values(), key=lambda entry: entry.name.lower())


def _mentioned(entry: Entry) -> Iterator[str]:
    """Yield the homes of what an entry is said to be about: what its docstrings link to, and its types."""
    value = entry.value
    texts, functions = [entry.doc], []
    if entry.kind == "class":
        members = [member for name, member in vars(value).items() if not name.startswith("_")]
        texts += [inspect.getdoc(member) or "" for member in members]
        functions = [value, *filter(inspect.isfunction, members)]
    elif entry.kind == "function":
        functions = [inspect.unwrap(value)]  # type: ignore[arg-type]  # a function, as its kind says
    for dotted in _ROLE.findall("\n".join(texts)):
        parent = dotted.rpartition(".")[0]
        # A method is described with its class.
        yield home_of(parent if inspect.isclass(find_object(parent)) else dotted)
    for function in functions:
        for kind in _types(function):
            yield f"{kind.__module__}.{kind.__qualname__}"


def _types(function: object) -> Iterator[type]:
    """Yield the classes of this package in the annotations of a function or class."""
    try:
        hints = list(typing.get_type_hints(function).values())
    except NameError:  # imported for the checker of types alone
        hints = list(getattr(function, "__annotations__", {}).values())
    while hints:
        hint = hints.pop()
        hints += typing.get_args(hint)
        hints += [part for part in hint if not isinstance(part, str)] if isinstance(hint, list) else []
        if inspect.isclass(hint) and hint.__module__.startswith("helpers."):
            yield hint
