"""Whether a built site is still what a build would make: any source changes its mark, any edit its files."""

from pathlib import Path

import pytest

from helpers.publish.site import current
from helpers.publish.site.current import RECORD, is_current, record_site, site_mark


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a page, a run with a notebook, and a site."""
    for name in (
        "_config.yml",
        "book/index.md",
        "run/run.json",
        "run/notebooks/01.ipynb",
        "site/a/index.html",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def mark(root: Path) -> str:
    return site_mark(root, root / "run")


@pytest.mark.parametrize("name", ["_config.yml", "book/index.md", "run/run.json", "run/notebooks/01.ipynb"])
def test_every_source_changes_the_mark(root: Path, name: str) -> None:
    before = mark(root)
    assert mark(root) == before
    (root / name).write_text("edited")
    assert mark(root) != before


def test_new_pages_code_and_builders_change_the_mark(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [mark(root)]
    (root / "book" / "more.md").write_text("")
    seen.append(mark(root))
    monkeypatch.setattr(current, "package_mark", lambda: "other code")
    seen.append(mark(root))
    monkeypatch.setattr(current.importlib.metadata, "version", lambda _: "99")
    seen.append(mark(root))
    assert len(set(seen)) == 4
    (root / "run" / "tables").mkdir()
    (root / "run" / "tables" / "a.csv").write_text("no part of a page")
    assert mark(root) == seen[-1]


def test_a_site_is_current_as_it_was_made(root: Path) -> None:
    site = root / "site"
    assert not is_current(site, "m")
    record_site(site, "m")
    assert is_current(site, "m")
    assert not is_current(site, "other")
    (site / "a" / "index.html").write_text("edited")
    assert not is_current(site, "m")


@pytest.mark.parametrize("spoil", ["remove", "add", "record"])
def test_a_site_that_was_touched_is_not_current(root: Path, spoil: str) -> None:
    site = root / "site"
    record_site(site, "m")
    if spoil == "remove":
        (site / "a" / "index.html").unlink()
    elif spoil == "add":
        (site / "b.html").write_text("")
    else:
        (site / RECORD).write_text("{half")
    assert not is_current(site, "m")
