"""Building a book of toy notebooks: accepted whole, refused at any flaw, and then the old site stays."""

import shutil
from pathlib import Path

import pytest

from helpers.errors import DataError
from helpers.publish.site.book import build_book, toc_pages
from helpers.publish.site.check import read_page

TOC = """format: jb-book
root: index
parts:
  - caption: Analyses
    chapters:
      - file: notebooks/01_first
      - file: notebooks/02_second
  - caption: Reference
    chapters:
      - file: generated/status
"""

INDEX = """# Toy

Read {doc}`notebooks/01_first`, and $x^2$.
"""


@pytest.fixture
def toy_project(toys: Path, project: Path) -> Path:
    """Return a project with the real settings and style, two notebooks and one page."""
    root = toys.parent
    shutil.copy(project / "_config.yml", root)
    book = root / "book"
    shutil.copytree(project / "book" / "_static", book / "_static")
    shutil.copytree(project / "book" / "vendor", book / "vendor")
    (book / "references.bib").write_text("")
    (book / "_toc.yml").write_text(TOC)
    (book / "index.md").write_text(INDEX)
    return root


@pytest.mark.slow
@pytest.mark.book
def test_a_book_is_accepted_whole_or_not_at_all(toy_project: Path) -> None:
    site = build_book(toy_project, {})
    assert site == toy_project / "_build" / "html"
    home = (site / "index.html").read_text()
    assert "Simulated twin" in home
    assert "(tiny, seed 3)" in home
    assert "Simulated twin" in (site / "generated" / "status.html").read_text()
    first = (site / "notebooks" / "01_first.html").read_text()
    assert "written to build/book-run/tables" in first
    assert "# Parameters" not in first, "the injected cell must be hidden"
    scripts = read_page(site / "index.html").loads
    mathjax = [target for target in scripts if "mathjax" in target]
    assert len(mathjax) == 1
    assert (site / mathjax[0].split("?")[0]).is_file()

    def refused(match: str) -> None:
        with pytest.raises(DataError, match=match):
            build_book(toy_project, {})
        assert (site / "index.html").read_text() == home
        assert not list((toy_project / "build").glob("book-*/_build"))

    index = toy_project / "book" / "index.md"
    index.write_text(INDEX + "\n{doc}`gone` and {term}`nothing`\n")
    refused("the book was not built: .*index.md.* and 1 more; all are in .*book.log")
    index.write_text(INDEX)

    toc = toy_project / "book" / "_toc.yml"
    toc.write_text(TOC + "      - file: forgotten\n")
    refused("forgotten")
    toc.write_text(TOC)

    first = toy_project / "notebooks" / "01_first.py"
    text = first.read_text()
    first.write_text(text + "\n# %%\nimport warnings\n\nwarnings.warn('beware')\n")
    refused("not built: .*01_first")
    first.write_text(text + "\n# %%\nobject()\n")
    refused("01_first.ipynb, cell 5 shows <object>")
    first.write_text(text + "\n# %%\n1 / 0\n")
    refused("first failed in cell 5: ZeroDivisionError")


def test_the_table_of_contents_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "_toc.yml").write_text(TOC)
    assert toc_pages(tmp_path) == ["index", "notebooks/01_first", "notebooks/02_second", "generated/status"]
