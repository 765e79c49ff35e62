"""The check of a built site finds what a reader would stumble over."""

from pathlib import Path

import pytest

from helpers.publish.site.check import check_site

GOOD = '<html lang="en"><head><link rel="stylesheet" href="s.css"></head><body id="top">{}</body></html>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "html"
    (folder / "sub").mkdir(parents=True)
    (folder / "s.css").write_text("")
    (folder / "a b.png").write_text("")
    (folder / "index.html").write_text(
        GOOD.format('<a href="sub/two.html#there">x</a><img alt="p" src="a%20b.png">')
    )
    (folder / "sub" / "two.html").write_text(
        '<a href="../index.html#top">x</a><a href="#there">y</a><p id="there"></p><a href="https://x.org">z</a>'
    )
    return folder


def add(site: Path, text: str) -> None:
    """Add to the first page."""
    page = site / "index.html"
    page.write_text(page.read_text().replace("</body>", text + "</body>"))


def test_a_whole_site_has_no_problem(site: Path) -> None:
    assert check_site(site, ["index", "sub/two"]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<a href="gone.html">x</a>', "index.html: gone.html leads nowhere"),
        ('<a href="sub/two.html#gone">x</a>', "index.html: sub/two.html#gone leads nowhere"),
        ('<a href="#gone">x</a>', "index.html: #gone leads nowhere"),
        ('<img src="gone.png">', "index.html: gone.png leads nowhere"),
        (
            '<script src="https://cdn.org/x.js"></script>',
            "index.html: loads https://cdn.org/x.js from elsewhere",
        ),
        ('<script src="//cdn.org/x.js"></script>', "index.html: loads //cdn.org/x.js from elsewhere"),
        ('<img src="http://x.org/y.png">', "index.html: loads http://x.org/y.png from elsewhere"),
        (
            '<link rel="stylesheet" href="https://f.org/f.css">',
            "index.html: loads https://f.org/f.css from elsewhere",
        ),
        (
            '<style>@import url("https://f.org/f.css");</style>',
            "index.html: loads https://f.org/f.css from elsewhere",
        ),
    ],
)
def test_each_flaw_is_named(site: Path, text: str, problem: str) -> None:
    add(site, text)
    assert check_site(site, ["index", "sub/two"]) == [problem]


def test_a_style_sheet_that_loads_from_elsewhere_is_named(site: Path) -> None:
    (site / "s.css").write_text("@font-face { src: url(https://f.org/f.woff2) }")
    assert check_site(site, ["index", "sub/two"]) == ["s.css: loads https://f.org/f.woff2 from elsewhere"]


def test_missing_and_unlisted_pages_are_named(site: Path) -> None:
    assert check_site(site, ["index", "three"]) == [
        "three.html is missing",
        "sub/two.html is in no table of contents",
    ]


def test_sources_need_no_contents_but_their_links_must_lead_somewhere(site: Path) -> None:
    folder = site / "_modules" / "helpers"
    folder.mkdir(parents=True)
    (folder / "a.html").write_text('<a href="../../sub/two.html#there">docs</a><a href="b.html">b</a>')
    assert check_site(site, ["index", "sub/two"]) == ["_modules/helpers/a.html: b.html leads nowhere"]
