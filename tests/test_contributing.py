"""The worked examples of CONTRIBUTING.md run, and its map shows the house as it is."""

import importlib
import re
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import helpers
from helpers.profiles import RECIPES, normalize
from helpers.publish.notebooks import find_notebooks, read_notebook

PACKAGE = Path(helpers.__file__).parent


@pytest.fixture(scope="module")
def text(project):
    return (project / "CONTRIBUTING.md").read_text(encoding="utf-8")


def block(text: str, place: str) -> str:
    """Return the Python block that stands for a file."""
    found = [code for code in re.findall(r"```python\n(.*?)```", text, re.S) if place in code.splitlines()[0]]
    assert len(found) == 1, place
    return found[0]


def test_every_room_and_every_named_file_exists(text):
    rooms = re.findall(r"^\| `([\w/.]+)`", text, re.M)
    assert {room.rstrip("/") for room in rooms if "/" in room} == {
        path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()
    }
    for name in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        inside = name.removeprefix("src/helpers/")
        made = ("notebooks/05_example.py", "figures/sizes.py", "tests/figures/test_sizes.py")
        assert (PACKAGE / inside).is_file() or (PACKAGE.parents[1] / name).is_file() or name in made, name


def test_the_recipe_works(text, tiny_wells, monkeypatch):
    module = importlib.import_module("helpers.profiles.normalize")
    recipe = eval(block(text, "profiles/normalize.py"), vars(module).copy())
    monkeypatch.setitem(RECIPES, recipe.name, recipe)
    done = normalize(tiny_wells, recipe.name, n_components=5)
    assert done.n_vars == 5
    steps = done.uns["normalization"]["steps"]
    assert "infected untreated" in steps["step 1"]["reference"]


def test_the_figure_passes_its_test(text):
    names: dict = {"pd": pd}
    exec(block(text, "figures/sizes.py"), names)
    test = block(text, "tests/figures/test_sizes.py")
    exec(test.replace("from helpers.figures.sizes import plot_arm_sizes\n", ""), names)  # as it is not there
    names["test_every_size_has_its_bar"]()


@pytest.mark.slow
def test_the_notebook_runs(text, tmp_path, tiny_screen):
    from helpers.publish.assign import assign
    from helpers.publish.run.jobs import run_notebooks
    from helpers.screens import make_twin

    source = block(text, "notebooks/05_example.py").split("\n", 1)[1]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "05_example.py").write_text(source)
    notebooks = find_notebooks(tmp_path / "notebooks")
    assert read_notebook(notebooks[0].path).cells[0].cell_type == "markdown"
    twin = make_twin(tmp_path / "twin", scale="tiny", seed=0)
    out = run_notebooks(notebooks, assign(notebooks, [f"source={twin}"]), tmp_path / "run")
    sizes = pd.read_csv(out / "tables" / "plate_sizes.csv")
    assert sizes["n_wells"].sum() == tiny_screen[0].obs["well_id"].nunique()


def test_the_quirk_is_noted(text):
    import helpers.screens.check as module

    names = vars(module).copy()
    exec(block(text, "screens/check.py"), names)
    odd = pl.DataFrame(
        {
            "experiment": ["A"] * 4 + ["B"] * 2,
            "plate": ["1", "1", "2", "2", "1", "1"],
            "col": [1, 3, 1, 2, 1, 2],
        }
    )
    assert names["_odd_columns"](odd) == ["plate 'A_1': wells in odd columns only"]
