"""What Sphinx is told of the package: fields as parameters, parameters joined, sources found, classes linked."""

import dataclasses
from types import SimpleNamespace

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document
from sphinx import addnodes

from helpers.hits import Rule
from helpers.publish.site import entries
from helpers.publish.site.entries import parameters_of_fields
from helpers.screens import TwinModel


def test_attributes_of_a_dataclass_become_parameters() -> None:
    lines = ["What.", "", "Attributes", "----------", "fdr : float", "    A rate."]
    assert parameters_of_fields(Rule, lines)[2] == "Parameters"
    assert parameters_of_fields(Rule, ["What."]) == ["What."]


def test_fields_that_explain_themselves_are_described_by_their_own_words() -> None:
    lines = parameters_of_fields(TwinModel, ["Every assumption."])
    assert lines[:4] == ["Every assumption.", "", "Parameters", "----------"]
    assert [line for line in lines if line in {f.name for f in dataclasses.fields(TwinModel)}] == [
        f.name for f in dataclasses.fields(TwinModel)
    ]
    assert lines[lines.index("vero_ec50_sd") + 1].endswith("(log10 µM); 0.3 unless given.")
    assert lines[lines.index("rescue_emax") + 1].endswith("(rescue); 0.25, 1 unless given.")


def parameter(name: str, kind: str, said: str) -> nodes.list_item:
    text = [addnodes.literal_strong("", name), nodes.Text(" ("), nodes.emphasis("", kind), nodes.Text(")")]
    return nodes.list_item("", nodes.paragraph("", "", *text, nodes.Text(" – "), nodes.Text(said)))


def joined(*items: nodes.list_item) -> list[str]:
    """Return the parameters of an entry after those alike were joined."""
    document = new_document("entry", get_default_settings(Parser))
    body = nodes.field_body("", nodes.bullet_list("", *items))
    document += nodes.field_list("", nodes.field("", nodes.field_name("", "Parameters"), body))
    entries._join_alike(None, document)
    return [item.astext() for item in document.findall(nodes.list_item)]


def test_parameters_of_one_description_are_joined() -> None:
    low, high = parameter("low", "float", "Ends."), parameter("high", "float", "Ends.")
    mid, seed = parameter("mid", "float", "Ends."), parameter("seed", "int", "Ends.")
    assert joined(low, mid, high, seed) == ["low, mid, high (float) – Ends.", "seed (int) – Ends."]


def test_parameters_with_something_between_them_stay_apart() -> None:
    items = parameter("a", "int", "One."), parameter("b", "int", "Two."), parameter("c", "int", "One.")
    assert joined(*items) == ["a (int) – One.", "b (int) – Two.", "c (int) – One."]


def test_a_type_that_says_nothing_is_left_out() -> None:
    assert joined(parameter("**settings", "Any", "Of the rule.")) == ["**settings – Of the rule."]


def test_the_source_of_a_module_is_known_with_its_constants() -> None:
    code, places = entries._find_source(None, "helpers.dose.classes")
    lines = code.splitlines()
    assert lines[places["RISING"][1] - 1].startswith("RISING = ")
    assert lines[places["classify"][1] - 1].startswith("def classify(")
    assert entries._find_source(None, "numpy") is None


def link(target: str, known: dict[str, str]) -> nodes.reference | None:
    """Resolve a bare name among known objects."""
    objects = {
        name: SimpleNamespace(objtype=kind, aliased=False, docname="api", node_id=name)
        for name, kind in known.items()
    }
    env = SimpleNamespace(domaindata={"py": {"objects": objects}})
    app = SimpleNamespace(builder=SimpleNamespace(get_relative_uri=lambda *_: "api.html"))
    node = addnodes.pending_xref("", refdomain="py", reftarget=target, refdoc="other")
    return entries._find_class(app, env, node, nodes.Text(target))


def test_the_bare_name_of_a_class_or_error_is_linked_where_there_is_only_one() -> None:
    known = {
        "helpers.hits.Rule": "class",
        "helpers.errors.DataError": "exception",
        "helpers.hits.auroc": "function",
    }
    assert link("Rule", known)["refuri"] == "api.html#helpers.hits.Rule"
    assert link("DataError", known)["refuri"] == "api.html#helpers.errors.DataError"
    assert link("auroc", known) is None
    assert link("Rule", {**known, "helpers.dose.Rule": "class"}) is None


def sign(module: str, name: str) -> addnodes.desc_signature:
    return addnodes.desc_signature("", "", module=module, fullname=name, ids=[f"{module}.{name}"])


def test_entries_of_one_source_have_anchors_of_its_module() -> None:
    document = new_document("page", get_default_settings(Parser))
    document += [
        sign("helpers.hits", "Rule"),
        sign("helpers.hits.rule", "on_target_score"),
        sign("helpers.hits", "CALLS"),
    ]
    document += sign("helpers.study", "call_hits")
    entries._name_homes(SimpleNamespace(env=SimpleNamespace(docname="api")), document)
    rule, score, calls, step = document.children
    assert [one["module"] for one in (rule, score, calls)] == ["helpers.hits.rule"] * 3
    assert rule["ids"] == ["helpers.hits.Rule", "helpers.hits.rule.Rule"]
    assert score["ids"] == ["helpers.hits.rule.on_target_score"]
    assert step["module"] is None, "the source of a plain function links to the entry of that one"
    assert step[0]["reftarget"] == "_modules/helpers/hits/calls"
