"""The book of this project, built once from a tiny twin: whole, offline, and naming its screen on every page."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from helpers.publish.assign import assign
from helpers.publish.notebooks import select_notebooks
from helpers.publish.site.book import build_book, cell_flaws, toc_pages
from helpers.publish.site.check import check_site, read_page
from helpers.publish.site.names import public_entries
from helpers.publish.site.policy import unknown_scripts
from helpers.screens.twin.make import make_twin

pytestmark = [pytest.mark.slow, pytest.mark.book]


SHORT = ("worlds=small_plates", "calibration_twins=2")
"""Parameters of studies that say nothing about how pages are made."""


class Book(NamedTuple):
    """A built site, the run behind it, and the pages it must have."""

    site: Path
    run: Path
    pages: list[str]


@pytest.fixture(scope="session")
def book(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Book:
    """Build the book from the tiny twin."""
    folder = tmp_path_factory.mktemp("book")
    twin = make_twin(folder / "twin", scale="tiny", seed=0)
    values = assign(select_notebooks([], project / "notebooks"), [f"source={twin}", *SHORT])
    site = build_book(project, values, run=folder / "run", site=folder / "html")
    return Book(site, folder / "run", toc_pages(project / "book"))


def test_every_page_of_the_contents_is_there_and_every_link_resolves(book: Book) -> None:
    assert len(book.pages) >= 12
    assert check_site(book.site, book.pages) == []
    built = [path for path in book.site.rglob("*.html") if not {"_static", "_modules"} & set(path.parts)]
    assert len(built) == len(book.pages) + len(["search", "genindex"])


def test_every_page_names_its_screen_and_language(book: Book) -> None:
    for name in book.pages:
        path = book.site / f"{name}.html"
        assert "Simulated twin.</strong> Every number here" in path.read_text(), name
        assert read_page(path).language == "en"


def test_no_page_loads_anything_from_elsewhere(book: Book) -> None:
    for path in book.site.rglob("*.html"):
        for target in read_page(path).loads:
            assert not re.match(r"(https?:)?//", target), f"{path.name}: {target}"


def test_every_page_says_what_it_may_run_and_holds_no_script_that_nobody_knows(book: Book) -> None:
    assert unknown_scripts(book.site) == []
    for name in (*book.pages, "search", "genindex"):
        page = (book.site / f"{name}.html").read_text()
        assert page.index("Content-Security-Policy") < page.index("<script"), name


def test_formulas_are_drawn_by_the_vendored_mathjax(book: Book) -> None:
    with_formulas = 0
    for name in book.pages:
        path = book.site / f"{name}.html"
        if 'class="math ' not in path.read_text():
            continue
        with_formulas += 1
        scripts = [target.split("?")[0] for target in read_page(path).loads if "mathjax" in target]
        assert len(scripts) == 1, name
        assert (path.parent / scripts[0]).resolve() == (book.site / "mathjax" / "tex-svg.js").resolve()
    assert with_formulas >= 1
    assert (book.site / "mathjax" / "LICENSE").is_file()


def test_every_figure_says_what_it_shows(book: Book) -> None:
    for name in book.pages:
        page = read_page(book.site / f"{name}.html")
        assert page.without_alt == 0, name
        file_names = [alt for alt in page.alts if alt.startswith(("_images", "../_images", "/"))]
        assert file_names == [], name


def test_notebooks_are_executed_without_error_or_warning(book: Book) -> None:
    paths = sorted((book.run / "notebooks").glob("*.ipynb"))
    assert [path.name for path in paths] == [
        "01_dataset_tour.ipynb",
        "02_normalization.ipynb",
        "03_hit_calling.ipynb",
        "04_dose_response.ipynb",
        "05_where_it_holds.ipynb",
    ]
    for path in paths:
        node = nbformat.read(path, as_version=4)
        nbformat.validate(node)
        code = [cell for cell in node.cells if cell.cell_type == "code" and cell.source.strip()]
        assert all(cell.execution_count for cell in code), path.name
        assert cell_flaws(node, path.name) == []


def test_the_status_page_tells_what_the_run_recorded(book: Book) -> None:
    text = (book.site / "generated" / "status.html").read_text()
    record = json.loads((book.run / "run.json").read_text())
    assert record["run_id"] in text
    assert record["source"]["files"]["metadata.csv"] in text
    for entry in record["notebooks"].values():
        assert f"{entry['seconds']:.1f}" in text
        assert f"{entry['peak_memory_mb']:.0f}" in text


def test_the_builders_folders_are_not_published(book: Book, project: Path) -> None:
    for path in (book.site / "notebooks").glob("*.html"):
        assert f"{project}/" not in path.read_text(), path.name


def test_every_table_of_the_design_is_written(book: Book) -> None:
    assert {path.name for path in (book.run / "tables").iterdir()} >= {
        "wells.parquet",
        "assay_quality.csv",
        "normalization.csv",
        "arms.csv",
        "hits.csv",
        "dose_response.csv",
    }


def test_every_public_name_has_an_entry_and_a_source(book: Book) -> None:
    for name in public_entries():
        path = book.site / "generated" / "api" / f"{name.room}.html"
        assert name.name in read_page(path).ids, name.name
        sign = re.search(rf'<dt [^>]*id="{re.escape(name.name)}">.*?</dt>', path.read_text(), re.DOTALL)
        assert sign, name.name
        source = re.search(r'href="([^"#]+)#([^"]+)"><span class="viewcode-link">', sign[0])
        assert source, f"{name.name} has no source"
        code = read_page((path.parent / source[1]).resolve())
        assert source[2] == name.name.rpartition(".")[2]
        assert source[2] in code.ids


def test_sources_of_the_package_name_no_folder_of_the_builder(book: Book, project: Path) -> None:
    for path in [*(book.site / "_modules").rglob("*.html"), *(book.site / "generated").rglob("*.html")]:
        assert f"{project}/" not in path.read_text(), path.name


def test_examples_of_the_reference_are_set_as_code(book: Book) -> None:
    text = (book.site / "generated" / "api" / "dose.html").read_text()
    assert 'class="doctest highlight' in text
    assert "&gt;&gt;&gt;" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)
    assert "`" not in re.sub(r"<(script|style|pre|code).*?</\1>", "", text, flags=re.DOTALL)
