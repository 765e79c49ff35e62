"""Uses of the package: found in the code that readers see, under the heading above it."""

import ast
from pathlib import Path

import pytest

from helpers.publish.site.uses import Place, find_uses, imported_names, used_names

NOTEBOOK = """# %% [markdown]
# # Page one

# %%
from helpers import figures
from helpers.hits import Rule as R
from helpers.study import call_hits

# %% tags=["remove-cell"]
from helpers.dose import fit_curves
fit_curves(table)

# %% [markdown]
# ## Calls
#
# ```python
# # ### no heading
# ```

# %%
%matplotlib inline
arms, hits = call_hits(scored)
ax = figures.plot_rank(hits).figure.axes

# %% [markdown]
# ### Rules

# %%
strict = R(fdr=0.01).call(hits)
partial(call_hits, scored)
"""
PAGE = """# Page two

```python
import helpers.dose as dose

dose.fit_curves(table)
```

## Later

```bash
from helpers.hits import ssmd
```

```{code-block} python
from helpers.screens import open_screen

open_screen("twin"), dose.CLASSES
```
"""


@pytest.fixture
def uses(tmp_path: Path) -> dict[str, list[Place]]:
    """Find the uses in a project of two pages."""
    for name, file, text in (("notebooks", "01_one.py", NOTEBOOK), ("book", "two.md", PAGE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    return find_uses(tmp_path)


def test_a_use_is_known_by_page_and_heading(uses: dict[str, list[Place]]) -> None:
    one = {section: Place("notebooks/01_one", "Page one", section) for section in ("", "Calls", "Rules")}
    assert uses["helpers.hits.calls.call_hits"] == [one["Calls"], one["Rules"]]
    assert uses["helpers.figures.ranking.plot_rank"] == [one["Calls"]]
    assert uses["helpers.hits.rule.Rule"] == [one["Rules"]]


def test_code_of_a_page_counts_and_keeps_what_was_imported(uses: dict[str, list[Place]]) -> None:
    assert uses["helpers.dose.table.fit_curves"] == [Place("two", "Page two", "")]
    assert uses["helpers.dose.classes.CLASSES"] == [Place("two", "Page two", "Later")]
    assert uses["helpers.screens.read.open_screen"] == [Place("two", "Page two", "Later")]


def test_what_readers_do_not_see_or_only_import_is_no_use(uses: dict[str, list[Place]]) -> None:
    hidden = [place for place in uses["helpers.dose.table.fit_curves"] if place.page == "notebooks/01_one"]
    assert hidden == []
    assert "helpers.hits.quality.ssmd" not in uses
    assert "helpers.figures" not in uses


def test_names_are_followed_through_every_form_of_import() -> None:
    code = "import helpers\nimport helpers.dose.table as t\nimport numpy\nfrom helpers.hits import ssmd as s, auroc"
    assert imported_names(ast.parse(code)) == {
        "helpers": "helpers",
        "t": "helpers.dose.table",
        "s": "helpers.hits.ssmd",
        "auroc": "helpers.hits.auroc",
    }


def test_attributes_of_a_name_are_not_the_name() -> None:
    tree = ast.parse("RECIPES['raw'].summary; Rule.fdr; helpers.hits.Rule.fdr; other.Rule")
    names = {"RECIPES": "helpers.profiles.RECIPES", "Rule": "helpers.hits.Rule", "helpers": "helpers"}
    assert sorted(used_names(tree, names)) == ["helpers.hits.Rule", "helpers.profiles.RECIPES"]


def test_the_notebooks_of_the_project_use_most_of_the_figures(project: Path) -> None:
    from helpers import figures
    from helpers.publish.site.names import home_of

    uses = find_uses(project)
    drawn = [name for name in figures.__all__ if home_of(f"helpers.figures.{name}") in uses]
    assert len(drawn) >= 30
