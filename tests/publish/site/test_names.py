"""Names of the reference: found where they were made, whoever passes them on."""

import importlib

import pytest

from helpers.publish.site.names import (
    ROOMS,
    Entry,
    assignments,
    find_object,
    further_entries,
    home_of,
    public_entries,
)


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("helpers.study.call_hits", "helpers.hits.calls.call_hits"),
        ("helpers.profiles.normalize", "helpers.profiles.normalize.normalize"),
        ("helpers.screens.open_screen", "helpers.screens.read.open_screen"),
        ("helpers.hits.Rule", "helpers.hits.rule.Rule"),
        ("helpers.hits.CALLS", "helpers.hits.rule.CALLS"),
        ("helpers.hits.calls.CALLS", "helpers.hits.rule.CALLS"),
        ("helpers.dose.plates", "helpers.dose.plates"),
    ],
)
def test_the_home_of_a_name_is_where_it_was_made(name: str, home: str) -> None:
    assert home_of(name) == home


def test_a_function_goes_before_the_module_of_its_name() -> None:
    assert callable(find_object("helpers.profiles.normalize"))
    assert find_object("helpers.profiles.normalize.RECIPES") is find_object("helpers.profiles.RECIPES")
    assert find_object("helpers.hits.rule.Rule.call").__name__ == "call"


@pytest.mark.parametrize(
    "name", ["helpers.hits.nothing", "helpers.hits.rule.Rule.nothing", "helpers.no.where"]
)
def test_what_is_not_there_is_not_found(name: str) -> None:
    with pytest.raises((AttributeError, ModuleNotFoundError)):
        find_object(name)


def test_every_exported_name_has_an_entry_and_each_only_one() -> None:
    found = [entry.name for entry in public_entries()]
    rooms = {room: importlib.import_module(f"helpers.{room}").__all__ for room in ROOMS}
    exported = {f"helpers.{room}.{name}" for room, names in rooms.items() for name in names}
    assert set(found) == exported
    assert len(found) == len(exported)


def test_an_entry_knows_its_kind_its_room_and_what_is_said_of_it() -> None:
    constant = Entry("helpers.dose.RISING", home_of("helpers.dose.RISING"))
    assert (constant.kind, constant.room) == ("constant", "dose")
    assert constant.summary.startswith("Classes of curves that are told from a flat line")
    assert Entry("helpers.hits.Rule", "helpers.hits.rule.Rule").kind == "class"
    assert Entry("helpers.dose.plates", "helpers.dose.plates").kind == "module"
    step = Entry("helpers.study.call_hits", "helpers.hits.calls.call_hits")
    assert (step.kind, step.is_borrowed) == ("function", True)
    assert not Entry(
        "helpers.study.agreement_on_some", home_of("helpers.study.agreement_on_some")
    ).is_borrowed


def test_a_string_below_an_assignment_describes_it() -> None:
    found = assignments("helpers.dose.classes")["RISING"]
    lines = open(find_object("helpers.dose.classes").__file__).read().splitlines()  # noqa: PTH123, SIM115
    assert lines[found.first - 1].startswith("RISING = ")
    assert lines[found.last - 1].endswith(found.doc.splitlines()[-1] + '"""')


def test_what_entries_and_pages_speak_of_is_added_and_what_that_speaks_of() -> None:
    names = {entry.name: entry for entry in further_entries(["helpers.hits.names.name_keys"])}
    assert "helpers.hits.names.name_keys" in names  # used on a page
    assert "helpers.dose.options.CurveOptions" in names  # type of an argument
    assert "helpers.dose.plates" in names  # a module that a docstring links to
    assert "helpers.profiles.variance.decompose_stages" in names  # what a step remembers
    assert "helpers.profiles.variance.SPANNED" not in names  # only a private function speaks of it
    assert not {entry.name for entry in public_entries() if not entry.is_borrowed} & set(names)
    assert not [entry for entry in names.values() if entry.is_borrowed]
