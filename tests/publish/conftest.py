"""Toy notebooks: what the runner needs, none of the science."""

from pathlib import Path

import pytest

from helpers.publish.notebooks import select_notebooks
from screens.broken import metadata

HEADER = """# %% [markdown]
# # {title}

# %% tags=["parameters"]
source: str = "twin"  # twin, rxrx19a or a folder
fdr: float = 0.05  # share of false calls [0 < x < 1]
seed: int = 0  # seed of everything random [x >= 0]
results: str = "results"  # folder of the results
"""

FIRST = (
    HEADER.format(title="First")
    + """
# %%
from pathlib import Path

tables = Path(results) / "tables"
tables.mkdir(parents=True, exist_ok=True)

# %%
for name in ("one.csv", "shared.csv"):
    (tables / name).write_text(f"first,{fdr},{seed},{Path(source).name}\\n" * 2000)
print("written to", tables)
"""
)

SECOND = (
    HEADER.format(title="Second").replace(
        "results: str", 'mode: str = "mean"  # how [mean | median]\nresults: str'
    )
    + """
# %%
import time
from pathlib import Path

import matplotlib.pyplot as plt

time.sleep(0.3)
(Path(results) / "tables").mkdir(parents=True, exist_ok=True)

# %%
figure, axes = plt.subplots(figsize=(2, 1))
axes.plot([1, 2])
(Path(results) / "figures").mkdir(exist_ok=True)
figure.savefig(Path(results) / "figures" / "line.png")

# %%
(Path(results) / "tables" / "two.csv").write_text(f"second,{mode}\\n" * 2000)
(Path(results) / "tables" / "shared.csv").write_text("second\\n" * 2000);
"""
)


@pytest.fixture
def toys(tmp_path: Path, screen: Path) -> Path:
    """Return a folder of two notebooks that write tables and a figure."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "01_first.py").write_text(FIRST)
    (folder / "02_second.py").write_text(SECOND)
    (folder / "common.txt").write_text("not a notebook")
    return folder


@pytest.fixture
def notebooks(toys: Path) -> list:
    """Return both toy notebooks."""
    return select_notebooks([], toys)


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the screens floor: every source is this folder, a design of a few wells."""
    folder = tmp_path / "screen"
    folder.mkdir()
    metadata().to_csv(folder / "metadata.csv", index=False)
    (folder / "twin.json").write_text('{"scale": "tiny", "seed": 3}')
    for module in ("helpers.screens.provenance", "helpers.publish.run.preflight"):
        monkeypatch.setattr(f"{module}.resolve_source", lambda *_: folder)
    return folder
