"""What the prose shows is true: commands parse, links lead somewhere, names exist, numbers agree with the facts."""

import ast
import importlib
import json
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.cli import build_parser
from helpers.screens import facts
from helpers.screens.twin.model import TwinModel

PROJECT = Path(__file__).resolve().parents[1]
PAGES = sorted((PROJECT / "book").glob("*.md"))
PROSE = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *PAGES]
VOCABULARY = {
    "screen", "site", "well", "plate", "experiment", "condition", "treatment", "dose", "arm", "on-disease",
    "off-disease", "rescue", "recipe", "twin", "z-prime", "robust z-prime", "ssmd", "auroc", "ec50", "hill slope",
    "front", "back", "fdr", "q-value", "null", "p-value", "interval", "censored", "mean average precision",
}  # fmt: skip


def fences(text: str, language: str) -> list[str]:
    """Return the contents of fenced code blocks, without the indentation they may have in a list."""
    blocks = re.findall(rf"^([ ]*)```{language}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in blocks]


def shown_commands(text: str) -> list[str]:
    """Return every call of rxrx19 in a page: lines of code, with their continuations, and code spans."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = re.findall(r"^\s*(rxrx19 .*)$", joined, re.MULTILINE)
    spans = re.findall(r"`(rxrx19 [^`]+)`", joined)
    return [re.sub(r"\s+#.*$", "", command).strip() for command in lines + spans]


# Answers to wrong calls quote commands that end at once, such as `--help`.
CALLS = [page for page in PROSE if page.name != "messages.md"]
COMMANDS = sorted({command for page in CALLS for command in shown_commands(page.read_text())})


def test_the_pages_show_the_commands_a_reader_needs():
    shown = " ".join(COMMANDS)
    for part in ("run", "params", "data make twin", "data fetch", "data check", "book", "workshop"):
        assert f"rxrx19 {part}" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_shown_command_is_accepted(command):
    options, unknown = build_parser().parse_known_args(shlex.split(command)[1:])
    assert not unknown
    pairs = dict(pair.split("=", 1) for pair in getattr(options, "pairs", []))
    if options.command.__name__ == "_make":
        # The command line sets single numbers only.
        assert all(isinstance(getattr(TwinModel(), name), float) for name in pairs)
    elif pairs:
        from helpers.publish.assign import assign
        from helpers.publish.notebooks import select_notebooks

        notebooks = select_notebooks(getattr(options, "notebooks", []), PROJECT / "notebooks")
        assign(notebooks, options.pairs, None)


@pytest.mark.parametrize("page", [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_relative_links_lead_to_files(page):
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (PROJECT / link).exists()] == []


def test_make_targets_shown_exist():
    makefile = (PROJECT / "Makefile").read_text()
    shown = {
        target
        for page in PROSE
        for target in re.findall(r"^make ([a-z-]+)", "\n".join(code(page.read_text())), re.M)
    }
    assert shown
    assert [target for target in shown if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def code(text: str) -> list[str]:
    """Return all code of a page, in fences and in spans."""
    return fences(text, "bash") + re.findall(r"`([^`\n]+)`", text)


def test_glossary_holds_the_vocabulary():
    blocks = fences((PROJECT / "book/glossary.md").read_text(), r"\{glossary\}")
    terms = {line.lower() for block in blocks for line in block.splitlines() if re.match(r"\S", line)}
    assert terms >= VOCABULARY


def test_terms_linked_from_any_page_are_defined():
    blocks = fences((PROJECT / "book/glossary.md").read_text(), r"\{glossary\}")
    terms = {line.lower() for block in blocks for line in block.splitlines() if re.match(r"\S", line)}
    sources = [*PAGES, *(PROJECT / "notebooks").glob("*.py")]
    linked = {
        m for page in sources for m in re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", page.read_text())
    }
    assert {term for term in linked if term.lower() not in terms} == set()


def test_every_citation_has_an_entry_and_every_entry_a_way_to_it():
    entries = (PROJECT / "book/references.bib").read_text()
    keys = set(re.findall(r"^@\w+\{([^,]+),", entries, re.MULTILINE))
    sources = [*PAGES, *(PROJECT / "notebooks").glob("*.py")]
    cited = {
        key.strip()
        for page in sources
        for group in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", page.read_text())
        for key in group.split(",")
    }
    assert cited <= keys
    for entry in re.split(r"^@", entries, flags=re.MULTILINE)[1:]:
        assert re.search(r"^\s*(doi|url)\s*=", entry, re.MULTILINE), entry.splitlines()[0]


def test_numbers_of_the_quirks_are_those_of_the_facts():
    """Every number with a thousands separator on the pages about the data stands in the facts."""

    def numbers(value):
        if isinstance(value, dict):
            return set().union(*map(numbers, [*value.keys(), *value.values()]))
        if isinstance(value, tuple | list):
            return set().union(*map(numbers, value)) if value else set()
        return {value} if isinstance(value, int) else set()

    known = set().union(*(numbers(getattr(facts, name)) for name in dir(facts) if name.isupper()))
    # Derived, or counts that are not RxRx19a's: wells of a 1536-well plate, 98 x 6 x 2 treated wells of a
    # library plate, all HRCE groups, names in the abstract and the press release, pairs with the usual doses in
    # RxRx19a and in the full twin, sites of the smaller twins.
    known |= {32 * 48, 98 * 6 * 2, sum(facts.COUNTS["hrce_groups"].values()), 1670, 1672, 1632, 1634}
    known |= {9 * 1340 * 4, 16 * 1340 * 4}
    for name in ("index", "quirks", "twin", "glossary"):
        found = re.findall(
            r"(?<![\d.])(\d{1,3}(?:,\d{3})+)(?![\d])", (PROJECT / f"book/{name}.md").read_text()
        )
        assert {n for n in found if int(n.replace(",", "")) not in known} == set(), name


def resolve(dotted: str):
    """Import `helpers.a.b.c`, where the last part may be an attribute."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, name = dotted.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("page", PROSE, ids=lambda p: p.name)
def test_code_named_in_prose_exists(page):
    text = " ".join(page.read_text().split())
    for dotted in set(re.findall(r"`(helpers(?:\.\w+)+)`", text)):
        resolve(dotted)
    for name, module in re.findall(r"`(\w+)` \(?in `(helpers(?:\.\w+)+)`", text):
        assert hasattr(resolve(module), name), f"{name} in {module}"


@pytest.mark.parametrize("page", PROSE, ids=lambda p: p.name)
def test_python_shown_imports_what_exists(page):
    for block in fences(page.read_text(), "python"):
        for node in ast.walk(ast.parse(block)):
            made_up = "helpers.figures.sizes"  # by the worked example beside it
            if (
                isinstance(node, ast.ImportFrom)
                and node.module.startswith("helpers")
                and node.module != made_up
            ):
                module = importlib.import_module(node.module)
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.slow
def test_python_shown_runs(tmp_path, monkeypatch):
    """Run what two pages show, on the smallest screen, except for what needs packages of others."""
    from helpers.screens import make_twin

    monkeypatch.chdir(tmp_path)
    make_twin(tmp_path / "screen", scale="tiny", seed=1)
    names = {}
    for page in ("own_screen", "fit_your_own"):
        for block in fences((PROJECT / f"book/{page}.md").read_text(), "python"):
            if "scanpy" not in block:
                one = block.replace('"path/to/screen"', '"screen", experiments="HRCE-1"')
                exec(compile(one, f"{page}.md", "exec"), names)
    assert set(names["hits"]["experiment"]) == {"HRCE-1"}
    assert names["curves"].loc[0, "curve_class"] == "active"
    assert names["precision"]["average_precision"].notna().any()
    # What was saved can be read by others, with its origin.
    import anndata as ad

    assert json.loads(ad.read_h5ad("scored.h5ad").uns["provenance"])["screen"]["kind"] == "twin"


def small_screen(folder, doses=(0.1, 1.0, 10.0), plates=2):
    """Write a screen of one experiment: six features, four compounds, twelve controls of a kind on a plate."""
    rng = np.random.default_rng(0)
    treated = [(name, dose) for name in "ABCD" for dose in doses]
    kinds = [("mock", None, None)] * 12 + [("inf", None, None)] * 12 + [("inf", *arm) for arm in treated]
    rows = [
        (f"P{p}", f"{chr(65 + i // 12)}{i % 12 + 1:02d}", *kind, *rng.normal(3.0 * (kind[0] == "inf"), 1, 6))
        for p in range(plates)
        for i, kind in enumerate(kinds)
    ]
    features = [f"f{i}" for i in range(6)]
    folder.mkdir()
    columns = ["plate", "well", "condition", "treatment", "dose"]
    pd.DataFrame(rows, columns=[*columns, *features]).to_csv(folder / "wells.csv", index=False)
    conditions = {"mock": ["mock"], "infected": ["inf"]}
    given = [name for name in columns if name != "dose" or doses != (None,)]
    mapping = {
        "name": "small",
        "level": "well",
        "table": "wells.csv",
        "columns": dict(zip(given, given, strict=True)),
    }
    text = yaml.safe_dump({**mapping, "conditions": conditions, "features": features})
    (folder / "screen.yml").write_text(text)


@pytest.mark.parametrize(
    "has",
    [{}, {"doses": (None,)}, {"plates": 1}],
    ids=["all", "no doses", "one plate"],
)
def test_python_shown_for_own_screens_runs_on_screens_that_lack_something(tmp_path, monkeypatch, has):
    monkeypatch.chdir(tmp_path)
    small_screen(tmp_path / "screen", **has)
    names = {}
    for block in fences((PROJECT / "book/own_screen.md").read_text(), "python"):
        if "scanpy" not in block:
            exec(compile(block.replace("path/to/", ""), "own_screen.md", "exec"), names)
    assert ("precision" in names) == (has.get("plates", 2) > 1)


def test_screen_yml_shown_is_accepted_and_explained(tmp_path):
    from helpers.screens import mapping

    page = (PROJECT / "book/own_screen.md").read_text()
    examples = [path.read_text() for path in (PROJECT / "book/examples").rglob("screen.yml")]
    shown = fences(page, "yaml")
    assert shown
    assert examples
    for example in [*shown, *examples]:
        (tmp_path / "screen.yml").write_text(example)
        assert mapping.read_mapping(tmp_path / "screen.yml")[1] == []
    explained = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    assert explained >= {*mapping._REQUIRED, *mapping._TABLES, *mapping._OPTIONAL}
    row = next(line for line in page.splitlines() if line.startswith("| `columns`"))
    assert set(re.findall(r"`(\w+)`", row)) - {"columns"} == {*mapping.COLUMNS}


def test_citation_file_names_version_preprint_and_data():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license"} <= set(citation)
    assert str(citation["version"]) == version()
    dois = {reference.get("doi") for reference in citation["references"]}
    assert facts.PREPRINT_DOI in dois
    assert "RxRx19a" in {reference["title"] for reference in citation["references"]}


def test_changelog_opens_with_the_version_of_the_package():
    headings = re.findall(r"^## \[([^\]]+)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version()


def version() -> str:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]


def test_licences_are_whole():
    book = (PROJECT / "LICENSE-book").read_text()
    assert [n for n in range(1, 9) if f"\nSection {n} -- " not in book] == []
    assert "Redistribution and use in source and binary forms" in (PROJECT / "LICENSE").read_text()


def test_the_prose_keeps_machines_and_tools_out():
    for page in [*PROSE, PROJECT / "CHANGELOG.md"]:
        assert not re.search(r"/(work|tmp|root)/|shared.real", page.read_text()), page.name


def test_picture_is_valid_and_described():
    import xml.etree.ElementTree as ElementTree

    picture = ElementTree.parse(PROJECT / "book/_static/overview.svg").getroot()
    text = " ".join(picture.itertext())
    for step in ("files", "sites", "wells", "normalised", "scores", "arms", "compounds", "curves", "pages"):
        assert step in text
    assert picture.find("{http://www.w3.org/2000/svg}title") is not None
