"""Provenance: what was read, with which code, under which name."""

import datetime
import subprocess
from pathlib import Path

import pytest

from helpers.publish.run.provenance import PACKAGES, describe_code, new_run_id, read_record, write_record

NOON = datetime.datetime(2026, 1, 2, 13, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))


def test_a_run_id_sorts_by_time_and_tells_settings_apart() -> None:
    one = new_run_id({"first": {"a": 1, "b": 2}}, NOON)
    assert one.startswith("20260102T120000Z-")
    assert new_run_id({"first": {"b": 2, "a": 1}}, NOON) == one
    assert new_run_id({"first": {"a": 1, "b": 3}}, NOON) != one


def test_the_commit_and_local_changes_are_recorded(tmp_path: Path) -> None:
    root = tmp_path / "clone"
    root.mkdir()
    assert describe_code(root)["git"] is None

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e@x.org"]
        call = ["git", "-C", str(root), *who, *arguments]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    (root / "a").write_text("1")
    git("add", "a")
    git("commit", "-q", "-m", "one")
    assert describe_code(root)["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (root / "a").write_text("2")
    assert describe_code(root)["git"]["dirty"] is True


def test_versions_of_all_packages_that_matter_are_recorded() -> None:
    versions = describe_code(None)["versions"]
    assert set(versions) == set(PACKAGES)
    assert None not in versions.values()


def test_a_record_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    assert read_record(tmp_path) == {}
    (tmp_path / "run.json").write_text("{half")
    assert read_record(tmp_path) == {}
    write_record({"run_id": "β"}, tmp_path)
    assert read_record(tmp_path) == {"run_id": "β"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"notebooks": 5}', '{"notebooks": {"a": 1}}', '{"notebooks": {"a": {}}}', "[" * 100_000],
)
def test_a_record_that_somebody_else_wrote_is_none(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    assert read_record(tmp_path) == {}
