"""An extension of Sphinx for the reference: sources of names, fields of dataclasses, types without a path."""

import dataclasses
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

from helpers.publish.site.names import Entry, assignments, home_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def setup(app: "Sphinx") -> dict[str, bool]:
    """Connect the extension, before what napoleon and viewcode do at the same events."""
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"):
        app.setup_extension(extension)
    app.connect("autodoc-process-docstring", _fields_as_parameters, priority=400)
    app.connect("doctree-read", _name_homes, priority=400)
    app.connect("doctree-read", _join_alike)
    app.connect("viewcode-find-source", _find_source)
    app.connect("viewcode-follow-imported", lambda _, module, __: module)
    app.connect("missing-reference", _find_class)
    return {"parallel_read_safe": True}


def _fields_as_parameters(_: "Sphinx", what: str, __: str, value: object, ___: Any, lines: list[str]) -> None:
    """Take the attributes of a dataclass for the parameters that they are, so that types are added as to those."""
    if what == "class" and dataclasses.is_dataclass(value):
        lines[:] = parameters_of_fields(value, lines)  # type: ignore[arg-type]  # a class, as `what` says


def parameters_of_fields(kind: type, lines: list[str]) -> list[str]:
    """Return the docstring of a dataclass with its attributes as parameters.

    Parameters
    ----------
    kind : type
        The dataclass. Where its docstring describes no field, the fields' own help does.
    lines : list of str
        Of its docstring.

    Returns
    -------
    list of str
        Lines.
    """
    if "Attributes" in lines:
        return ["Parameters" if line == "Attributes" else line for line in lines]
    described = [field for field in dataclasses.fields(kind) if "help" in field.metadata]
    if not described:
        return lines
    added = [line for field in described for line in (field.name, f"    {_help(field)}")]
    return [*lines, "", "Parameters", "----------", *added, ""]


def _help(field: dataclasses.Field) -> str:
    """Return what a field says of itself, with its unit or the words that it may be, and its default."""
    choices = ", ".join(f"`{word}`" for word in field.metadata.get("choices", ()))
    of = (choices or field.metadata["unit"]).replace("uM", "µM")
    return f"{field.metadata['help']} ({of}); {_number(field.default)} unless given."


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_number, value))
    return f"{value:.4g}" if isinstance(value, float) else f"`{value}`"


def _name_homes(app: "Sphinx", doctree: nodes.document) -> None:
    """Give every entry the module in which it was made, which holds its source, and an anchor of that name.

    The source links back to one anchor per module, so entries of a module have to agree on its name.
    """
    for sign in doctree.findall(addnodes.desc_signature):
        module, fullname = sign.get("module"), sign.get("fullname")
        if not module or not module.startswith("helpers"):
            continue
        top = fullname.split(".")[0]
        home = home_of(f"{module}.{top}").rpartition(".")[0]
        if Entry(f"{module}.{top}", f"{home}.{top}").is_borrowed:
            _link_source(sign, home, fullname, app.env.docname)
            continue
        sign["module"] = home
        if f"{home}.{fullname}" not in sign["ids"]:
            sign["ids"].append(f"{home}.{fullname}")


def _link_source(sign: addnodes.desc_signature, home: str, fullname: str, page: str) -> None:
    """Link an entry to the source of the function that it repeats, which links back to that one."""
    from sphinx.ext.viewcode import OUTPUT_DIRNAME, viewcode_anchor

    target = f"{OUTPUT_DIRNAME}/{home.replace('.', '/')}"
    sign += viewcode_anchor(reftarget=target, refid=fullname, refdoc=page)
    sign["module"] = None


def _join_alike(_: "Sphinx", doctree: nodes.document) -> None:
    """Join parameters that share a description, as their docstring has them, and drop types that say nothing."""
    for fields in doctree.findall(nodes.field_list):
        for listed in list(fields.findall(nodes.bullet_list)):
            last = None
            for item in list(listed.children):
                parts = _split_parameter(item)
                if parts is None:
                    last = None
                elif last is not None and last[1:] == parts[1:]:
                    listed.remove(item)
                    last[0].insert(_count_names(last[0]), [nodes.Text(", "), parts[0][0]])
                else:
                    last = parts


def _split_parameter(item: nodes.Node) -> tuple[nodes.paragraph, str, str] | None:
    """Return the paragraph of a parameter, its type and what is said of it; None for any other item of a list."""
    paragraph = item[0] if isinstance(item, nodes.list_item) and len(item) else None
    if not isinstance(paragraph, nodes.paragraph) or not isinstance(paragraph[0], addnodes.literal_strong):
        return None
    head, _, said = paragraph.astext().partition(" – ")
    kind = head.removeprefix(paragraph[0].astext()).strip()
    if kind == "(Any)":
        _drop_type(paragraph)
        kind = ""
    return paragraph, kind, said


def _count_names(paragraph: nodes.paragraph) -> int:
    """Return how many nodes at the start of a parameter are names and the commas between them."""
    n = 1
    while n + 1 < len(paragraph) and isinstance(paragraph[n + 1], addnodes.literal_strong):
        n += 2
    return n


def _drop_type(paragraph: nodes.paragraph) -> None:
    while len(paragraph) > 1 and not paragraph[1].astext().startswith(")"):
        paragraph.pop(1)
    paragraph.replace(paragraph[1], nodes.Text(paragraph[1].astext().removeprefix(")")))


def _find_source(_: "Sphinx", module: str) -> tuple[str, dict] | None:
    """Return the source of a module and the lines of its names, constants included."""
    if not module.startswith("helpers"):
        return None
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    constants = {name: ("data", made.first, made.last) for name, made in assignments(module).items()}
    return analyzer.code, {**constants, **analyzer.tags}


def _find_class(
    app: "Sphinx", env: "BuildEnvironment", node: addnodes.pending_xref, text: nodes.Element
) -> nodes.reference | None:
    """Link the bare name of a class of this package, as docstrings give types and errors."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or "." in target:
        return None
    known = env.domaindata["py"]["objects"]
    full = [
        name
        for name, entry in known.items()
        if name.rpartition(".")[2] == target and entry.objtype in ("class", "exception") and not entry.aliased
    ]
    if len(full) != 1:
        return None
    entry = known[full[0]]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, [text], full[0])
