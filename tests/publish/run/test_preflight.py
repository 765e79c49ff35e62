"""What is wrong with a run's inputs is told before any kernel starts."""

import pytest

from helpers.errors import DataError, UsageError
from helpers.publish.notebooks import select_notebooks
from helpers.publish.run.preflight import check_sources


def test_a_list_that_is_wrong_is_told_before_any_kernel_starts(tmp_path, screen):
    source = 'source: str = "twin"  # a folder\nclasses: str = ""  # classes\npublished: str = ""  # scores\n'
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "01_one.py").write_text(
        f'# %% [markdown]\n# # One\n\n# %% tags=["parameters"]\n{source}'
    )
    notebooks = select_notebooks([], tmp_path / "books")
    (tmp_path / "mine.csv").write_text("treatment,class\nx\n")
    assert list(check_sources(notebooks, {})) == [("twin", "calm")]
    with pytest.raises(DataError, match=r"mine.csv, line 2: 1 cells where the header has 2"):
        check_sources(notebooks, {"one": {"classes": str(tmp_path / "mine.csv")}})
    with pytest.raises(DataError, match=r"mine.csv, line 1: no column for assay"):
        check_sources(notebooks, {"one": {"published": str(tmp_path / "mine.csv")}})
    with pytest.raises(UsageError, match=r"parameter 'published': no file"):
        check_sources(notebooks, {"one": {"published": str(tmp_path / "none")}})
