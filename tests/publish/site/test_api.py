"""The pages of the reference: every public name, described, used or shown, with links that lead into the book."""

import importlib
import re
from pathlib import Path

import pytest

from helpers.publish.site.api import describe, overview_page, write_reference
from helpers.publish.site.book import toc_pages
from helpers.publish.site.names import ROOMS, Entry, home_of, public_entries
from helpers.publish.site.uses import Place

PUBLIC = public_entries()


@pytest.fixture(scope="module")
def pages(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the reference of the package, and return its pages by name."""
    folder = tmp_path_factory.mktemp("book") / "generated" / "api"
    write_reference(folder, project)
    return {path.stem: path.read_text() for path in folder.iterdir()}


def blocks(page: str) -> dict[str, str]:
    """Return the entries of a page by name: a directive and what is indented below it."""
    found = {}
    for head in re.finditer(r"^\.\. ([\w:]+):: ([\w.]+).*\n((?:[ ]+.*\n|\n)*)", page, re.MULTILINE):
        module = re.search(r"^   :module: (\S+)$", head[3], re.MULTILINE)
        found[f"{module[1]}.{head[2]}" if module else head[2]] = head[0]
    return found


def test_there_is_an_overview_and_a_page_for_every_room(pages: dict[str, str], project: Path) -> None:
    assert set(pages) == {"index", *ROOMS}
    assert {f"generated/api/{name}" for name in pages} <= set(toc_pages(project / "book"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_exported_name_is_in_the_overview_and_on_its_page(pages: dict[str, str], room: str) -> None:
    names = importlib.import_module(f"helpers.{room}").__all__
    described = blocks(pages[room])
    for name in names:
        assert f"   * - :py:obj:`{name} <helpers.{room}.{name}>`\n     - " in pages["index"], name
        assert f"helpers.{room}.{name}" in described, name
    assert pages["index"].count(f" <helpers.{room}.") == len(names)


@pytest.mark.parametrize("entry", PUBLIC, ids=lambda entry: entry.name)
def test_an_entry_shows_the_name_at_work(pages: dict[str, str], entry: Entry) -> None:
    text = blocks(pages[entry.room])[entry.name]
    is_lent = ":py:func:`helpers." in text and entry.is_borrowed
    is_shown = entry.kind == "constant" and re.search(":value: |Keys: |Its text: ", text)
    assert ".. rubric:: Used in" in text or ">>>" in entry.doc or is_lent or is_shown


@pytest.mark.parametrize("entry", PUBLIC, ids=lambda entry: entry.name)
def test_an_entry_has_a_summary_of_one_sentence(entry: Entry) -> None:
    assert re.fullmatch(r"[A-Z].*\.", entry.summary)
    assert len(entry.summary) <= 160


def test_every_link_of_the_reference_leads_to_a_page_of_the_contents(
    pages: dict[str, str], project: Path
) -> None:
    known = set(toc_pages(project / "book"))
    for name, text in pages.items():
        for target in re.findall(r":doc:`[^`<]*<([^`>]+)>`", text):
            page = target[1:] if target.startswith("/") else f"generated/api/{target}"
            assert page in known, f"{name}: {target}"
        for target in re.findall(r"`[^`<]*<\.\./\.\./([^`>#]+)\.html#[\w-]+>`__", text):
            assert target in known, f"{name}: {target}"


def test_what_entries_speak_of_has_an_entry_too(pages: dict[str, str]) -> None:
    described = {name: text for page in pages.values() for name, text in blocks(page).items()}
    assert {"helpers.dose.options.CurveOptions", "helpers.hits.calls.CallOptions"} <= set(described)
    assert {"helpers.errors.DataError", "helpers.errors.UsageError"} <= set(described)
    for name, text in described.items():
        for target in re.findall(r":(?:py:)?(?:func|class|data|mod):`~?(helpers\.[\w.]+)`", text):
            assert target in described, f"{name}: {target}"


def test_a_step_with_a_memory_leads_to_the_plain_function(pages: dict[str, str]) -> None:
    lent = blocks(pages["study"])["helpers.study.call_hits"]
    assert "Returns what :py:func:`helpers.hits.call_hits` returns" in lent
    assert "py:function:: call_hits(scored, *, fdr=0.05," in lent
    same = blocks(pages["study"])["helpers.study.shared_arms"]
    assert "The same as :py:func:`helpers.hits.shared_arms`" in same


def entry(name: str) -> Entry:
    return Entry(name, home_of(name))


def test_a_signature_has_defaults_as_one_writes_them() -> None:
    head = describe(entry("helpers.dose.fit_curves"), []).splitlines()[0]
    assert head.startswith(".. autofunction:: helpers.dose.fit_curves(table, *, curve='curve', ")
    assert "options=CurveOptions(), seed=0, **settings)" in head
    twin = describe(entry("helpers.screens.TwinModel"), [])
    assert twin.startswith(".. autoclass:: helpers.screens.TwinModel(...)\n"), "its fields are listed below"
    assert "excess=1.0, centre_variance=...)" in describe(entry("helpers.hits.null.Null"), []), (
        "its tails are its own"
    )
    assert "base_url=...)" in describe(entry("helpers.screens.site_address"), [])


def test_a_constant_shows_its_value_or_its_keys() -> None:
    assert ":value: ('mean_difference', 'discriminant')" in describe(entry("helpers.hits.AXES"), [])
    recipes = describe(entry("helpers.profiles.RECIPES"), [])
    assert "Keys: ``raw``, ``experiment_center``, " in recipes
    assert ":value:" not in recipes
    assert "Its text: the smallest replicate error" in describe(entry("helpers.hits.RULE"), [])


def test_uses_are_listed_page_by_page_with_their_sections() -> None:
    places = [
        Place("notebooks/03_hit_calling", "Hit calling", ""),
        Place("notebooks/03_hit_calling", "Hit calling", "On the axis, and `off` it"),
        Place("notebooks/03_hit_calling", "Hit calling", "What {term}`rescue` is"),
        Place("own_screen", "Your *own* screen", "From Python"),
    ]
    text = describe(entry("helpers.hits.ssmd"), places)
    lines = [line.strip() for line in text.splitlines() if line.startswith("   * ")]
    here = "<../../notebooks/03_hit_calling.html#on-the-axis-and-off-it>"
    assert lines == [
        f"* :doc:`Hit calling </notebooks/03_hit_calling>`: `On the axis, and off it {here}`__, What rescue is",
        "* :doc:`Your own screen </own_screen>`: `From Python <../../own_screen.html#from-python>`__",
    ]


def test_the_overview_says_where_each_room_is_described() -> None:
    text = overview_page()
    assert all(f":doc:`All entries <{room}>`" in text for room in ROOMS)
