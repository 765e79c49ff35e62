"""The reference of the package as pages of the book, made from its docstrings and from where its names are used."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from helpers.publish.site.names import ROOMS, Entry, further_entries, public_entries
from helpers.publish.site.uses import Place, find_uses

_LONGEST_VALUE = 160
_LONGEST_DEFAULT = 40
_MOST_ARGUMENTS = 20
_KINDS = {"function": "Functions", "class": "Classes", "constant": "Constants"}
_UP = "../.."
"""From a page of the reference to the top of the site."""


def write_reference(folder: Path, root: Path) -> None:
    """Write the pages of the reference: an overview, and one page per room.

    Parameters
    ----------
    folder : Path
        ``generated/api`` inside the book's sources.
    root : Path
        Folder with ``notebooks`` and ``book``, in which uses of the names are looked for.
    """
    uses = find_uses(root)
    further = further_entries(uses)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.rst").write_text(overview_page(), encoding="utf-8")
    for room in ROOMS:
        text = room_page(room, uses, [entry for entry in further if entry.room == room])
        (folder / f"{room}.rst").write_text(text, encoding="utf-8")


def overview_page() -> str:
    """Return the page that lists every name that a room exports, with its summary."""
    blocks = [
        _heading("API reference", "="),
        "Every public function, class and constant of the package, room by room, as its docstring describes it. "
        "A room is imported as, say, ``from helpers.hits import call_hits``. Each entry links to its source and to "
        "the pages of this book that use it.",
    ]
    for room in ROOMS:
        module = importlib.import_module(f"helpers.{room}")
        first = " ".join((module.__doc__ or "").split("\n\n")[0].split())
        rows = [entry for entry in public_entries() if entry.room == room]
        blocks += [_heading(f"helpers.{room}", "-"), f"{first} :doc:`All entries <{room}>`", _table(rows)]
    errors = [".. autoexception:: helpers.errors.DataError", ".. autoexception:: helpers.errors.UsageError"]
    return "\n\n".join([*blocks, _heading("Errors", "-"), *errors, ""])


def _table(entries: Iterable[Entry]) -> str:
    lines = [".. list-table::", "   :class: api-names", "   :widths: 30 70", ""]
    for entry in entries:
        short = entry.name.rpartition(".")[2]
        lines += [f"   * - :py:obj:`{short} <{entry.name}>`", f"     - {entry.summary}"]
    return "\n".join(lines)


def room_page(room: str, uses: dict[str, list[Place]], further: Sequence[Entry]) -> str:
    """Return the page of one room.

    Parameters
    ----------
    room : str
        A name in :data:`helpers.publish.site.names.ROOMS`.
    uses : dict
        From :func:`helpers.publish.site.uses.find_uses`.
    further : sequence of Entry
        Names of the room beside those that it exports.
    """
    mine = [entry for entry in public_entries() if entry.room == room]
    blocks = [_heading(f"helpers.{room}", "="), f".. automodule:: helpers.{room}"]
    for kind, title in _KINDS.items():
        found = [entry for entry in mine if entry.kind == kind]
        if found:
            blocks += [_heading(title, "-"), *(describe(entry, uses.get(entry.home, [])) for entry in found)]
    if further:
        blocks += [
            _heading("Further names", "-"),
            "Not exported by the room itself, but used on pages of this book, or named by the entries above.",
            # Modules last: what follows one would stand under its heading.
            *(
                describe(entry, uses.get(entry.home, []))
                for entry in sorted(further, key=lambda entry: entry.kind == "module")
            ),
        ]
    return "\n\n".join([*blocks, ""])


def describe(entry: Entry, places: Sequence[Place]) -> str:
    """Return the entry of a name: its signature, its docstring, and the pages that use it.

    Parameters
    ----------
    entry : Entry
        What is described.
    places : sequence of Place
        Where it is used.
    """
    body = [_used_in(places)] if places else []
    if entry.is_borrowed:
        return _directive("py:function", entry, [entry.summary, _lender(entry), *body])
    if entry.kind == "constant":
        return _directive("py:data", entry, [entry.doc, *_content(entry.value), *body], _value(entry.value))
    if entry.kind == "module":
        return f"{_heading(entry.name, '~')}\n\n.. automodule:: {entry.name}"
    options = ["   :members:", "   :member-order: bysource"] if entry.kind == "class" else []
    lines = [f".. auto{entry.kind}:: {entry.name}{_signature(entry.value)}", *options]
    return "\n".join([*lines, "", *(_indent(block) + "\n" for block in body)]).rstrip()


def _directive(name: str, entry: Entry, body: Sequence[str], options: Sequence[str] = ()) -> str:
    module, _, short = entry.name.rpartition(".")
    sign = _signature(entry.value) if name == "py:function" else ""
    head = [
        f".. {name}:: {short}{sign}",
        f"   :module: {module}",
        *(f"   {option}" for option in options),
        "",
    ]
    return "\n".join([*head, *(_indent(block) + "\n" for block in body if block)]).rstrip()


def _lender(entry: Entry) -> str:
    """Return the sentence that leads to the function that an entry repeats."""
    public = {other.home: other.name for other in public_entries() if not other.is_borrowed}
    link = f":py:func:`{public.get(entry.home, entry.home)}`"
    if inspect.unwrap(entry.value) is entry.value:  # type: ignore[arg-type]  # a function, as its kind says
        return f"The same as {link}, which describes it."
    return f"Returns what {link} returns, which describes it, and remembers it for all notebooks."


def _value(value: object) -> list[str]:
    """Return the option that shows the value of a constant, as far as it is short."""
    return [f":value: {value!r}"] if len(repr(value)) <= _LONGEST_VALUE else []


def _content(value: object) -> list[str]:
    """Return a sentence on what a constant holds that is too long to be shown: the keys of a mapping, or a text."""
    if _value(value):
        return []
    if isinstance(value, dict):
        return [f"Keys: {', '.join(f'``{key}``' for key in value)}."]
    return ["Its text: " + re.sub(r"([\\*`|_])", r"\\\1", value)] if isinstance(value, str) else []


def _signature(value: object) -> str:
    """Return a signature without types, which stand with the parameters, and with defaults as one would write them."""
    signature = inspect.signature(value)  # type: ignore[arg-type]  # of functions and classes only
    if len(signature.parameters) > _MOST_ARGUMENTS:
        return "(...)"
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty, default=_default(parameter.default))
        for parameter in signature.parameters.values()
        if not parameter.name.endswith("_")  # what a dataclass keeps for itself
    ]
    return str(inspect.Signature(plain)).replace("\n", " ")


class _Text(str):
    """Text that stands for itself in a signature."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _default(value: object) -> object:
    if value is inspect.Parameter.empty:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and value == type(value)():
        return _Text(f"{type(value).__name__}()")
    is_short = len(repr(value)) <= _LONGEST_DEFAULT and not repr(value).startswith("<")
    return value if is_short else _Text("...")


def _used_in(places: Sequence[Place]) -> str:
    """Return the list of the pages and sections that use a name, each a link."""
    lines = [".. rubric:: Used in", ""]
    for page in dict.fromkeys((place.page, place.title) for place in places):
        sections = dict.fromkeys(place.section for place in places if (place.page, place.title) == page)
        links = ", ".join(_link(page[0], section) for section in sections if section)
        lines.append(f"* :doc:`{_plain(page[1])} </{page[0]}>`" + (f": {links}" if links else ""))
    return "\n".join(lines)


def _link(page: str, section: str) -> str:
    """Return a link to a section; its text alone where the anchor cannot be told from it."""
    from docutils.nodes import make_id

    words = _plain(section)
    if re.search(r"[{}$\[\]<>]", section) or not make_id(words):
        return words
    return f"`{words} <{_UP}/{page}.html#{make_id(words)}>`__"


def _plain(text: str) -> str:
    """Return a heading without its markup."""
    return re.sub(r"\{\w+\}`([^`<]+?)\s*(?:<[^`]*>)?`", r"\1", text).replace("`", "").replace("*", "")


def _heading(text: str, sign: str) -> str:
    return f"{text}\n{sign * len(text)}"


def _indent(text: str) -> str:
    return "\n".join(f"   {line}".rstrip() for line in text.splitlines())
