"""Pages of scores from a server that lies, and pages that an earlier call has kept."""

import errno
import json
import os
import re

import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.screens import chembl as pages
from helpers.sealed import pack
from screens.liar import (
    ACTIVITIES,
    activity,
    chembl,
    complaint,
    expected_scores,
    fill,
    lying,
    names,
    one_line,
    published,
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("helpers.screens.http.PAUSE", 0.001)


def of_meta(**changes):
    return lambda page, **_: {**page, "page_meta": page["page_meta"] | changes}


def first_page(page, *, assay, **_):
    """Give the first page whatever is asked for, and say that the next is where this one was."""
    return {
        "activities": ACTIVITIES[assay][:10],
        "page_meta": {"next": "/data/activity.json", "total_count": None},
    }


def in_turn(page, *, assay, offset):
    """Lead from the first page to the second and from there back."""
    return {
        **page,
        "activities": ACTIVITIES[assay][offset % 20 : offset % 20 + 10],
        "page_meta": {"next": "/"},
    }


def endless(page, *, assay, offset):
    return {"activities": [activity(assay, 1000 + offset)], "page_meta": {"next": "/on"}}


def growing(page, *, offset, **_):
    return {**page, "page_meta": page["page_meta"] | {"total_count": 25 + offset}}


def empty_in_the_middle(page, *, offset, **_):
    return {**page, "activities": []} if offset == 10 else page


def of_rows(change):
    return lambda page, **_: {**page, "activities": [change(row) for row in page["activities"]]}


PAGES = {
    "points at itself": (first_page, "after 10 scores of CHEMBL4303810 the same come again"),
    "a circle": (in_turn, "after 20 scores of CHEMBL4303810 the same come again"),
    "no end": (endless, "the scores of CHEMBL4303810 do not end after 50 pages"),
    "a growing total": (growing, "now 35 scores of CHEMBL4303810 are announced, before it were 25"),
    "too large a total": (of_meta(total_count=10**9), r"cannot be \(1000000000\)"),
    "a total that is none": (of_meta(total_count="many"), r"cannot be \(many\)"),
    "a negative total": (of_meta(total_count=-1), r"cannot be \(-1\)"),
    "too small a total": (of_meta(total_count=13), "20 of 13 scores of CHEMBL4303810 came"),
    "more than there are": (of_meta(total_count=40), "25 of 40 scores of CHEMBL4303810 came"),
    "an early end": (of_meta(next=None), "10 of 25 scores of CHEMBL4303810 came"),
    "an empty page": (empty_in_the_middle, "an empty page in the middle, after 10 scores"),
    "nothing at all": (
        lambda _, **__: {"activities": [], "page_meta": {"total_count": 0}},
        "0 of 0 scores",
    ),
    "no page": (lambda _, **__: [], "is not ChEMBL's JSON"),
    "no rows": (lambda _, **__: {"page_meta": {}}, "is not ChEMBL's JSON"),
    "rows of another kind": (of_rows(str), "rows that are no scores of CHEMBL4303810"),
    "rows in rows": (of_rows(lambda row: row | {"standard_value": {}}), "rows that are no scores"),
    "rows without a number": (of_rows(lambda row: row | {"activity_id": None}), "rows that are no scores"),
    "numbers without end": (of_rows(lambda row: row | {"activity_id": 10**400}), "rows that are no scores"),
    "records without end": (of_rows(lambda row: row | {"record_id": 10**400}), "rows that are no scores"),
    "numbers below nothing": (of_rows(lambda row: row | {"activity_id": -1}), "rows that are no scores"),
    "scores that are words": (
        of_rows(lambda row: row | {"standard_value": "high"}),
        "rows that are no scores",
    ),
    "scores without end": (of_rows(lambda row: row | {"standard_value": "1e999"}), "rows that are no scores"),
    "scores of huge digits": (
        of_rows(lambda row: row | {"standard_value": 10**400}),
        "rows that are no scores",
    ),
    "scores that are none": (
        of_rows(lambda row: row | {"standard_value": float("nan")}),
        "is not ChEMBL's JSON",
    ),
    "a NUL": (of_rows(lambda row: row | {"molecule_pref_name": "a\0b"}), "rows that are no scores"),
    "another assay": (of_rows(lambda row: row | {"assay_chembl_id": "CHEMBL1"}), "rows that are no scores"),
    "too deep": (lambda _, **__: b"[" * 40_000, "is not ChEMBL's JSON"),
    "half": (lambda page, **_: json.dumps(page).encode()[:-9], "is not ChEMBL's JSON"),
    "no text": (lambda _, **__: b"\xff\xfe\x00", "is not ChEMBL's JSON"),
    "too large": (lambda _, **__: b" " * 60_000, "more bytes come than the 50,000"),
}


@pytest.mark.parametrize(("tamper", "said"), PAGES.values(), ids=PAGES.keys())
def test_pages_that_are_no_way_through(tamper, said, tmp_path, monkeypatch):

    monkeypatch.setattr(pages, "MAX_PAGES", 50)
    monkeypatch.setattr(pages, "PAGE_BYTES", 50_000)
    with lying(chembl(tamper)) as server:
        text = complaint(server, tmp_path, published)
        assert re.search(said, text)
        assert "run the command again" in text
        assert len(server.asked) <= 50
        assert not (tmp_path / "published.csv").exists()
        server.acts = [chembl()]
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(tmp_path) == ["SHA256SUMS.json", "published.csv"]


def test_pages_without_a_total_end_with_the_last(tmp_path):
    with lying(chembl(of_meta(total_count=None))) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29


def test_half_a_letter_does_not_stop_the_table(tmp_path):
    with lying(chembl(of_rows(lambda row: row | {"molecule_pref_name": "\ud800"}))) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29


def old_page(**changes) -> bytes:
    """Return a page of another day, when there were fewer scores."""
    rows = [activity("CHEMBL4303810", number) for number in range(1, 11)]
    return json.dumps({"activities": rows, "page_meta": {"next": "/", "total_count": 11}} | changes).encode()


KEPT = {
    "no JSON": b"{",
    "no text": b"\xff\x00",
    "nothing": b"",
    "no page": b"[]",
    "too deep": b"[" * 100_000,
    "empty in the middle": old_page(activities=[]),
    "another day": old_page(),
    "another assay": old_page(activities=[activity("CHEMBL4303811", 1)]),
    "a folder": None,
}


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT.keys())
def test_kept_pages_that_are_of_no_use_are_fetched_again(data, tmp_path):
    page = tmp_path / ".published_pages" / "CHEMBL4303810-10.json"
    page.parent.mkdir()
    page.mkdir() if data is None else page.write_bytes(pack(data))
    with lying(chembl()) as server:
        table = pd.read_csv(published(server, tmp_path))
    pd.testing.assert_frame_equal(table[["assay", "name", "score"]], expected_scores())


def test_foreign_files_among_the_kept_pages_are_left_alone(tmp_path):
    pages = tmp_path / ".published_pages"
    half = pages / ".CHEMBL4303810-0.json.x7"  # what a killed writer leaves
    half.mkdir(parents=True)
    (half / "CHEMBL4303810-0.json").write_text("{")
    (pages / "notes.txt").write_text("mine")
    with lying(chembl()) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(pages) == ["notes.txt"]


@pytest.mark.parametrize("kind", ["file", "link", "pipe"])
def test_what_is_in_the_place_of_the_kept_pages(kind, tmp_path):
    place = tmp_path / ".published_pages"
    {"file": place.touch, "link": lambda: place.symlink_to("nowhere"), "pipe": lambda: os.mkfifo(place)}[
        kind
    ]()
    with lying(chembl()) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(tmp_path) == ["SHA256SUMS.json", "published.csv"]


def test_a_pipe_in_the_place_of_a_page_is_not_waited_for(tmp_path):
    (tmp_path / ".published_pages").mkdir()
    os.mkfifo(tmp_path / ".published_pages" / "CHEMBL4303810-0.json")
    with lying(chembl()) as server:
        assert len(pd.read_csv(published(server, tmp_path))) == 29


@pytest.mark.parametrize("ending", ["0.json", "SUMS.json", "published.csv"])
def test_a_full_disk_while_scores_come(ending, tmp_path, monkeypatch):
    def to_csv(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with lying(chembl()) as server:
        with monkeypatch.context() as patch:
            fill(patch, ending)
            if ending == "published.csv":
                patch.setattr(pd.DataFrame, "to_csv", to_csv)
            with pytest.raises(
                DataError, match="the disk is full; free space or choose another --dest"
            ) as raised:
                published(server, tmp_path)
            assert ending in one_line(raised)
        assert len(pd.read_csv(published(server, tmp_path))) == 29
    assert names(tmp_path) == ["SHA256SUMS.json", "published.csv"]
