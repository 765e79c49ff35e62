"""The notebooks as texts: short cells, typed parameters, described figures, no numbers typed into prose."""

import ast
import builtins
import dataclasses
import inspect
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import dose, hits, profiles, screens, study
from helpers.profiles import RECIPES
from helpers.publish.notebooks import ANALYSES, find_notebooks, read_notebook, read_parameters, tags
from helpers.screens.twin.worlds import WORLDS

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = {notebook.name: notebook.path for notebook in find_notebooks(FOLDER)}
COMMON = ("source", "experiments", "recipe", "fdr", "seed", "results")
# What the text may say without computing it: formulas and their constants; and, on a line of its own, minutes to read.
TYPED_NUMBER = re.compile(r"(?<![\w.`${-])\d[\d,.]*\s?%|(?<![\w.`$-])\d{2,}(?![\w`])")
ALLOWED_NUMBERS = {"1.4826", "5 %", "90 %", "95 %"}


def cells(name: str, kind: str = "code"):
    """Return the cells of one kind."""
    return [cell for cell in read_notebook(NOTEBOOKS[name]).cells if cell.cell_type == kind]


HIDDEN = {"remove-cell", "remove-input"}


def visible(name: str):
    """Return the code cells that a reader of the page sees, or can unfold."""
    return [cell for cell in cells(name) if not HIDDEN & set(tags(cell))]


def code_lines(cell) -> int:
    """Return how many lines of a cell are neither blank nor comments; an import counts once, whatever it brings."""
    lines = cell.source.splitlines()
    for node in ast.parse(cell.source).body:
        if isinstance(node, ast.ImportFrom):
            lines[node.lineno : node.end_lineno] = [""] * (node.end_lineno - node.lineno)
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def calls(tree: ast.AST, of: set[str] | None = None) -> list[ast.Call]:
    """Return the calls of plain names, of some names only if they are given."""
    found = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return [call for call in found if of is None or call.func.id in of]


def names(tree: ast.AST, context: type = ast.Load) -> set[str]:
    """Return the names that are read in some code, or those that are bound."""
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
    if context is ast.Store:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            if isinstance(node, ast.arg):
                found.add(node.arg)
    return found


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


def settings_of(function) -> set[str]:
    """Return the names of a function's parameters, and those of the fields of its options."""
    given = inspect.signature(function).parameters
    options = given["options"].default if "options" in given else None
    return set(given) | ({field.name for field in dataclasses.fields(options)} if options else set())


STEPS = {
    name: settings_of(step.__wrapped__)
    for name in study.__all__
    if hasattr(step := getattr(study, name), "known")
}
# Calls on a few plates or on one plate show how something is computed, with the settings that need no word.
EXAMPLES = ("example", "placed")
# The page fits every compound and draws `n_curves` of them, and those that `compounds` names.
NOT_MEANT = {"fit_screen": {"compounds"}, "coverage_by_noise": {"n_curves"}}


def test_the_analyses_are_there_in_order_and_later_chapters_after_them():
    assert list(NOTEBOOKS) == [*ANALYSES, "where_it_holds"]
    assert ANALYSES == ("dataset_tour", "normalization", "hit_calling", "dose_response")


class TestAnalysis:
    """What holds of the four notebooks that analyse a screen."""

    pytestmark = pytest.mark.parametrize("name", ANALYSES)

    def test_common_parameters_have_one_default(self, name):
        found = read_parameters(NOTEBOOKS[name])
        defaults = {key: found[key].default for key in COMMON}
        assert defaults == {
            "source": "twin",
            "experiments": "all",
            "recipe": "auto",
            "fdr": 0.05,
            "seed": 0,
            "results": "",
        }

    def test_settings_of_wells_are_the_same_everywhere(self, name):
        """Wells are made once for all notebooks: other defaults would make them anew."""
        found = read_parameters(NOTEBOOKS[name])
        plain = inspect.signature(profiles.to_wells).parameters
        assert {key: found[key].default for key in ("qc", "qc_rate")} == {
            key: plain[key].default for key in ("qc", "qc_rate")
        }

    def test_worlds_allowed_are_those_that_exist(self, name):
        allowed = read_parameters(NOTEBOOKS[name])["world"].allowed
        assert [choice.strip() for choice in allowed.split("|")] == list(WORLDS)

    def test_first_computed_cell_shows_the_banner(self, name):
        made = next(cell for cell in cells(name) if "wells" in names(ast.parse(cell.source), ast.Store))
        assert made in visible(name)
        assert made.source.rstrip().endswith('show_banner(wells.uns["screen"])')
        (opened,) = calls(ast.parse(made.source), {"open_screen"})
        assert [ast.unparse(argument) for argument in opened.args] == ["source"]
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in opened.keywords}
        assert given == {name: name for name in ("world", "experiments", "exclude_plates")}
        (normalized,) = calls(ast.parse(made.source), {"normalize"})
        assert [ast.unparse(argument) for argument in normalized.args] == ["wells", "recipe"]

    def test_steps_are_given_every_parameter_that_they_take(self, name):
        """A parameter that a step knows by the same name and is not given would change nothing there."""
        known = set(read_parameters(NOTEBOOKS[name]))
        code = ast.parse("\n".join(cell.source for cell in cells(name)))
        seen = 0
        for call in calls(code, set(STEPS)):
            if call.args and ast.unparse(call.args[0]).startswith(EXAMPLES):
                continue
            taken = STEPS[call.func.id] & known - NOT_MEANT.get(call.func.id, set())
            positional = set().union(*(names(argument) for argument in call.args))
            # a recipe that is named is meant: the one to compare with
            taken -= (
                {"recipe"} if any(isinstance(argument, ast.Constant) for argument in call.args) else set()
            )
            given = {k.arg for k in call.keywords if k.arg and k.arg in names(k.value)} | positional
            assert taken <= given, ast.unparse(call)
            seen += 1
        assert seen >= 4

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


@pytest.mark.parametrize("name", list(NOTEBOOKS))
class TestNotebook:
    def test_it_is_percent_text_for_a_python_kernel(self, name):
        text = NOTEBOOKS[name].read_text(encoding="utf-8")
        assert text.startswith("# ---\n# jupyter:")
        assert "format_name: percent" in text
        assert re.search(r"kernelspec:\n(?:#.*\n)*?#\s+name: python3", text)

    def test_recipes_allowed_are_those_that_exist(self, name):
        allowed = read_parameters(NOTEBOOKS[name])["recipe"].allowed
        choices = [choice.strip() for choice in allowed.split("|")]
        assert choices == ["auto", *RECIPES]

    def test_every_parameter_is_used(self, name):
        code = "\n".join(cell.source for cell in cells(name) if "parameters" not in tags(cell))
        # Every notebook takes the rate, so that one command sets it for all; these two call nothing.
        spared = {"fdr"} if name in ("dataset_tour", "normalization") else set()
        assert set(read_parameters(NOTEBOOKS[name])) - spared <= names(ast.parse(code))

    def test_cells_are_short(self, name):
        assert max(code_lines(cell) for cell in cells(name)) <= 25
        # Parameters and imports are folded away: lists, and no steps of thought.
        lengths = [code_lines(cell) for cell in cells(name) if "hide-input" not in tags(cell)]
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
                saved += re.findall(r'(?m)^save_figure\(.*, "(\w+)", results\)$', cell.source)
                assert cell.source.rstrip().splitlines()[-1].startswith("save_figure(")
        assert len(saved) == len(set(saved)) > (4 if name in ANALYSES else 0)

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

    def test_parameters_and_imports_are_folded_away(self, name):
        for cell in visible(name):
            body = ast.parse(cell.source).body
            if "parameters" in tags(cell) or any(isinstance(n, ast.Import | ast.ImportFrom) for n in body):
                assert "hide-input" in tags(cell), cell.source
        assert sum("hide-input" in tags(cell) for cell in visible(name)) == 2

    def test_visible_cells_need_no_hidden_one(self, name):
        known = set(dir(builtins))
        for cell in visible(name):
            tree = ast.parse(cell.source)
            known |= names(tree, ast.Store)
            assert names(tree) <= known, f"{names(tree) - known} in\n{cell.source}"

    def test_lines_of_visible_code_fit_a_page(self, name):
        for cell in visible(name):
            long = [line for line in cell.source.splitlines() if len(line) > 80]
            assert not long

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
            for table in re.findall(r'(?m)^write_table\(.*, "([\w.]+)", results\)$', cell.source):
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
        "where_it_holds.csv": ["where_it_holds"],
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


# --- what is visible is the whole computation --------------------------------------------------------------------


def run_script(name: str, folder: Path, source: Path) -> Path:
    """Run the visible code of a notebook as a script of its own, and return its folder of results."""
    results = folder / "results"
    lines = []
    for cell in visible(name):
        lines.append(cell.source)
        if "parameters" in tags(cell):
            lines.append(f"source, results = {str(source)!r}, {str(results)!r}")
            lines.append("calibration_twins = 2")  # of no table that is compared
    script = folder / "script" / "page.py"
    script.parent.mkdir(parents=True)
    script.write_text("\n\n".join(lines), encoding="utf-8")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "RXRX19_CACHE": str(folder / "cache"), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list(elsewhere.iterdir()), "nothing is written beside the results"
    return results


def default(name: str, *wanted: str) -> dict:
    """Return parameters of a notebook with their defaults."""
    known = read_parameters(NOTEBOOKS[name])
    return {key: known[key].default for key in wanted}


def plain_scores(source: Path, name: str, **settings):
    """Return scored wells by the functions of the floors, which remember nothing."""
    wells = profiles.to_wells(screens.open_screen(source))
    recipe = default(name, "recipe", "seed")
    picked = hits.pick_recipe(wells, seed=recipe["seed"]) if recipe["recipe"] == "auto" else recipe["recipe"]
    return hits.score_wells(profiles.normalize(wells, picked, seed=recipe["seed"]), **settings)


def as_bytes(table) -> bytes:
    return table.to_csv(index=False).encode()


@pytest.mark.slow
def test_the_visible_code_of_hit_calling_gives_the_calls_of_the_plain_functions(tiny_folder, tmp_path):
    results = run_script("hit_calling", tmp_path, tiny_folder)
    scored = plain_scores(tiny_folder, "hit_calling", **default("hit_calling", "axis"))
    wanted = ("fdr", "min_rescue", "statistic", "null_draws", "off_limit", "top_k", "seed")
    arms, called = hits.call_hits(scored, **default("hit_calling", *wanted))
    assert (results / "tables" / "hits.csv").read_bytes() == as_bytes(called)
    assert (results / "tables" / "arms.csv").read_bytes() == as_bytes(arms)


@pytest.mark.slow
def test_the_visible_code_of_dose_response_gives_the_curves_of_the_plain_functions(tiny_folder, tmp_path):
    results = run_script("dose_response", tmp_path, tiny_folder)
    scored = plain_scores(tiny_folder, "dose_response")
    arms, called = hits.call_hits(scored, **default("dose_response", "fdr", "min_rescue", "seed"))
    wanted = ("fdr", "min_rescue", "model", "interval", "bootstrap_draws", "min_doses", "ec50_margin")
    given = default("dose_response", *wanted, "drop_toxic", "seed")
    bounds = tuple(float(end) for end in default("dose_response", "hill_bounds")["hill_bounds"].split(","))
    curves = dose.fit_screen(scored, arms=arms, hits=called, hill_bounds=bounds, **given)
    assert (results / "tables" / "dose_response.csv").read_bytes() == as_bytes(curves)
