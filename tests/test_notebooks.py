"""The notebooks as texts: short cells, typed parameters, described figures, no numbers typed into prose."""

import ast
import re
import statistics
from pathlib import Path

import pytest

from helpers.profiles import RECIPES
from helpers.publish.notebooks import find_notebooks, read_notebook, read_parameters, tags

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = {notebook.name: notebook.path for notebook in find_notebooks(FOLDER)}
COMMON = ("source", "experiments", "recipe", "fdr", "seed", "results")
# What the text may say without computing it: formulas and their constants; and, on a line of its own, minutes to read.
TYPED_NUMBER = re.compile(r"(?<![\w.`${-])\d[\d,.]*\s?%|(?<![\w.`$-])\d{2,}(?![\w`])")
ALLOWED_NUMBERS = {"1.4826", "90 %", "95 %"}


def cells(name: str, kind: str = "code"):
    """Return the cells of one kind."""
    return [cell for cell in read_notebook(NOTEBOOKS[name]).cells if cell.cell_type == kind]


def code_lines(cell) -> int:
    """Return how many lines of a cell are neither blank nor comments."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())


def prose(name: str) -> str:
    """Return all Markdown of a notebook without formulas, code and tables."""
    text = "\n".join(cell.source for cell in cells(name, "markdown"))
    for noise in (
        r"(?m)^\*\*Time to read:.*$",
        r"(?s)\$\$.*?\$\$",
        r"\$[^$]*\$",
        r"```.*?\n",
        r"`[^`]*`",
        r"\|.*\|",
    ):
        text = re.sub(noise, " ", text)
    return text


def is_figure(cell) -> bool:
    """Return whether a cell draws."""
    return bool(re.search(r"figures\.plot_\w+\(", cell.source))


def test_the_four_analyses_are_there_in_order():
    assert list(NOTEBOOKS) == ["dataset_tour", "normalization", "hit_calling", "dose_response"]


@pytest.mark.parametrize("name", list(NOTEBOOKS))
class TestNotebook:
    def test_it_is_percent_text_for_a_python_kernel(self, name):
        text = NOTEBOOKS[name].read_text(encoding="utf-8")
        assert text.startswith("# ---\n# jupyter:")
        assert "format_name: percent" in text
        assert re.search(r"kernelspec:\n(?:#.*\n)*?#\s+name: python3", text)

    def test_common_parameters_have_one_default(self, name):
        found = read_parameters(NOTEBOOKS[name])
        defaults = {key: found[key].default for key in COMMON}
        assert defaults == {
            "source": "twin",
            "experiments": "all",
            "recipe": "plate_center",
            "fdr": 0.05,
            "seed": 0,
            "results": "",
        }

    def test_recipes_allowed_are_those_that_exist(self, name):
        allowed = read_parameters(NOTEBOOKS[name])["recipe"].allowed
        assert [choice.strip() for choice in allowed.split("|")] == list(RECIPES)

    def test_every_parameter_is_used(self, name):
        code = "\n".join(cell.source for cell in cells(name) if "parameters" not in tags(cell))
        used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
        assert set(read_parameters(NOTEBOOKS[name])) <= used

    def test_cells_are_short(self, name):
        lengths = [code_lines(cell) for cell in cells(name)]
        assert max(lengths) <= 25
        assert statistics.median(lengths) <= 6
        assert sorted(lengths)[int(0.9 * len(lengths))] <= 15

    def test_nothing_is_defined_or_branched_in_a_notebook(self, name):
        for cell in cells(name):
            kinds = {type(node) for node in ast.walk(ast.parse(cell.source))}
            assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.Try}, (
                cell.source
            )

    def test_figures_are_described(self, name):
        for cell in cells(name):
            if not is_figure(cell):
                continue
            look = cell.metadata.get("mystnb", {})
            alt = look.get("image", {}).get("alt", "")
            assert len(alt) > 40, cell.source
            assert not re.search(r"\d", alt.replace("EC50", "")), (
                f"a number in the alt text is true for one screen only: {alt}"
            )
            if "solution" not in tags(cell):
                assert look["figure"]["caption"].endswith(".")
                assert look["figure"]["name"].startswith("fig-")

    def test_figures_are_saved_under_names_of_their_own(self, name):
        saved = []
        for cell in cells(name):
            if is_figure(cell) and "solution" not in tags(cell):
                saved += re.findall(r'analysis\.save_figure\(.*, "(\w+)"\)', cell.source)
                assert cell.source.rstrip().splitlines()[-1].startswith("analysis.save_figure(")
        assert len(saved) == len(set(saved)) > 4

    def test_every_figure_is_spoken_of(self, name):
        spoken = set(
            re.findall(r"\{numref\}`([\w-]+)`", "\n".join(c.source for c in cells(name, "markdown")))
        )
        names = {
            c.metadata["mystnb"]["figure"]["name"]
            for c in cells(name)
            if "figure" in c.metadata.get("mystnb", {})
        }
        assert spoken <= names
        unspoken = names - spoken
        assert len(unspoken) <= 4, unspoken

    def test_prose_types_no_numbers_of_a_screen(self, name):
        text = prose(name)
        typed = {match.group().strip(" .,") for match in TYPED_NUMBER.finditer(text)}
        assert typed <= ALLOWED_NUMBERS, typed - ALLOWED_NUMBERS

    def test_it_opens_with_aims_and_ends_with_a_recap(self, name):
        markdown = cells(name, "markdown")
        opening = markdown[0].source
        assert opening.startswith("# ")
        assert re.search(r"In this notebook we\n\n1\. ", opening)
        assert "| Before you start |" in opening
        assert re.search(r"\*\*Time to read:\*\* \d+ minutes", opening)
        assert re.search(r"^## Recap\n\n- ", markdown[-1].source, flags=re.M)

    def test_first_computed_cell_shows_the_banner(self, name):
        made = next(cell for cell in cells(name) if "Analysis(" in cell.source)
        assert made.source.rstrip().endswith("analysis.banner()")
        given = {keyword.arg for node in ast.walk(ast.parse(made.source)) if isinstance(node, ast.Call)
                 and getattr(node.func, "id", "") == "Analysis" for keyword in node.keywords}  # fmt: skip
        known = set(read_parameters(NOTEBOOKS[name]))
        assert given >= set(COMMON)
        assert ("min_rescue" in given) == ("min_rescue" in known)

    def test_exercises_have_solutions_but_for_a_reason(self, name):
        order = [tags(cell) for cell in read_notebook(NOTEBOOKS[name]).cells]
        exercises = [i for i, found in enumerate(order) if "exercise" in found]
        solved = [i for i in exercises if "solution" in order[i + 1]]
        assert len(exercises) >= 2
        assert len(solved) >= 2 or name == "dose_response"
        for i, found in enumerate(order):
            if "solution" in found:
                assert "exercise" in order[i - 1]
                assert "hide-cell" in found, "a reader should try first"

    def test_terms_and_citations_exist(self, name):
        text = "\n".join(cell.source for cell in cells(name, "markdown"))
        book = FOLDER.parent / "book"
        entries = set(re.findall(r"@\w+\{(\w+),", (book / "references.bib").read_text(encoding="utf-8")))
        assert (
            set(",".join(re.findall(r"\{cite\}`([^`]+)`", text)).replace(" ", "").split(",")) - {""}
            <= entries
        )
        glossary = (book / "glossary.md").read_text(encoding="utf-8")
        defined = set(re.findall(r"^(\S.*)\n  \S", glossary, flags=re.M))
        linked = {re.sub(r".*<(.+)>", r"\1", term) for term in re.findall(r"\{term\}`([^`]+)`", text)}
        assert {t.lower() for t in linked} <= {d.lower() for d in defined}


def test_tables_of_the_contract_are_each_written_by_one_notebook():
    written = {}
    for name in NOTEBOOKS:
        for cell in cells(name):
            for table in re.findall(r'analysis\.write_table\(.*, "([\w.]+)"\)', cell.source):
                written.setdefault(table, []).append(name)
    assert written == {
        "assay_quality.csv": ["dataset_tour"],
        "normalization.csv": ["normalization"],
        "wells.parquet": ["hit_calling"],
        "arms.csv": ["hit_calling"],
        "hits.csv": ["hit_calling"],
        "class_effects.csv": ["hit_calling"],
        "published_comparison.csv": ["hit_calling"],
        "dose_response.csv": ["dose_response"],
    }


def test_figure_names_are_unique_over_the_book():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for name in NOTEBOOKS
        for cell in cells(name)
        if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert len(names) == len(set(names)) > 15


def test_notebooks_hold_no_paths_of_a_machine():
    for path in NOTEBOOKS.values():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|work|tmp|Users)/", text)
