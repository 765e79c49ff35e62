"""Two editions of the notebooks: with solutions, and without."""

from pathlib import Path

import nbformat
import pytest

from helpers.publish.notebooks import read_notebook
from helpers.publish.site.workshop import PLACEHOLDER, build_workshop, student_edition

COURSE = """# %% [markdown] tags=["exercise"]
# How many plates?

# %% tags=["solution"]
plates = 57

# %% tags=["solution"]
secret = plates * 1340

# %% [markdown]
# Go on.

# %% [markdown] tags=["solution"]
# Fifty-seven.
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "01_counts.py").write_text(COURSE)
    return folder


def test_the_student_edition_holds_the_exercise_but_no_solution(course: Path) -> None:
    node = read_notebook(course / "01_counts.py")
    student = student_edition(node)
    assert [cell.source for cell in student.cells] == [
        "How many plates?",
        PLACEHOLDER["code"],
        "Go on.",
        PLACEHOLDER["markdown"],
    ]
    assert "57" not in nbformat.writes(student)
    assert len(node.cells) == 5, "the solution edition must not be changed"


def test_both_editions_are_written_and_valid(course: Path, tmp_path: Path) -> None:
    written = build_workshop(tmp_path / "editions", course)
    assert [str(path.relative_to(tmp_path / "editions")) for path in written] == [
        "instructor/01_counts.ipynb",
        "student/01_counts.ipynb",
    ]
    for path in written:
        nbformat.validate(nbformat.read(path, as_version=4))
    assert "57" in written[0].read_text()
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in build_workshop(tmp_path / "editions", course)] == before
