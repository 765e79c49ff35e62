"""What a screen is, and which files it is made of: only those that change a result count."""

import hashlib
import json

import pytest

from helpers.errors import UsageError
from helpers.files import sha256
from helpers.screens import facts
from helpers.screens.provenance import describe_source, find_parts, name_screen, screen_files
from screens.broken import metadata, write_screen


@pytest.fixture
def folder(tmp_path):
    return write_screen(tmp_path / "mine")


def test_a_screen_is_described_by_its_files(folder):
    known = describe_source(str(folder))
    assert known["name"] == "mine"
    assert known["kind"] == "user"
    assert known["source"] == known["path"] == str(folder)
    assert known["files"] == {name: sha256(folder / name) for name in ("embeddings.csv", "metadata.csv")}
    assert len(known["sha256"]) == 64
    assert describe_source("anything", folder)["files"] == known["files"]
    with pytest.raises(UsageError, match="is no folder"):
        describe_source(str(folder / "none"))


def test_what_nobody_reads_does_not_count(folder):
    before = describe_source(str(folder))
    (folder / "notes.txt").write_text("x")
    (folder / "images").mkdir()
    (folder / "metadata.csv.gz").write_bytes(b"a second one is ignored")
    assert describe_source(str(folder)) == before


@pytest.mark.parametrize("name", ["truth.csv", "classes.csv", "failed_wells.csv", "twin.json"])
def test_what_pages_read_beside_it_counts(folder, name):
    before = describe_source(str(folder))["sha256"]
    (folder / name).write_text("{}")
    known = describe_source(str(folder))
    assert name in known["files"]
    assert known["sha256"] != before


def test_a_changed_file_changes_the_hash(folder):
    before = describe_source(str(folder))["sha256"]
    (folder / "embeddings.csv").write_bytes((folder / "embeddings.csv").read_bytes() + b"\n")
    assert describe_source(str(folder))["sha256"] != before


def test_a_twin_names_its_scale_and_seed(folder, tiny_folder):
    (folder / "twin.json").write_text(json.dumps({"scale": "tiny", "seed": 3}))
    assert name_screen(folder) == {
        "kind": "twin", "name": "simulated twin (tiny, seed 3)", "scale": "tiny", "seed": 3,
    }  # fmt: skip
    assert name_screen(tiny_folder)["name"] == "simulated twin (tiny, seed 0)"
    (folder / "twin.json").write_text("no json")
    assert name_screen(folder)["kind"] == "user"


def test_the_release_is_known_by_the_names_of_its_files(tmp_path):
    (tmp_path / "RxRx19a").mkdir()
    (tmp_path / "RxRx19a" / "RxRx19a-metadata.zip").touch()
    assert name_screen(tmp_path) == {"kind": "rxrx19a", "name": "RxRx19a"}
    assert [path.name for path in screen_files(tmp_path)] == ["RxRx19a-metadata.zip"]


def test_a_mapping_makes_it_the_users(folder):
    (folder / "twin.json").write_text('{"scale": "tiny", "seed": 3}')
    (folder / "t.csv").write_text("P,W,state\n1,B02,mock\n")
    (folder / "screen.yml").write_text(
        "name: ours\nlevel: well\ntable: t.csv\ncolumns: {plate: P, well: W, condition: state}\n"
        "conditions: {mock: [mock], infected: [ill]}\n"
    )
    assert name_screen(folder) == {"kind": "user", "name": "ours"}
    assert [path.name for path in screen_files(folder)] == ["screen.yml", "t.csv"]
    assert set(describe_source(str(folder))["files"]) == {"screen.yml", "t.csv"}


def test_of_several_files_the_first_is_read(folder):
    (folder / "embeddings.parquet").touch()
    (folder / "embeddings.zip").symlink_to(folder / "gone")
    names = [path.name for path in find_parts(folder, "embeddings")]
    assert names == ["embeddings.parquet", "embeddings.csv", "embeddings.zip"]


def test_a_twin_is_known_by_the_hashes_of_its_files(tmp_path, monkeypatch):
    (tmp_path / "twin.json").write_text('{"scale": "tiny", "seed": 3}')
    metadata().to_csv(tmp_path / "metadata.csv", index=False)
    (tmp_path / ".hidden.csv").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    monkeypatch.setattr("helpers.screens.provenance.resolve_source", lambda *_: tmp_path)
    known = describe_source("twin")
    digest = hashlib.sha256((tmp_path / "metadata.csv").read_bytes()).hexdigest()
    assert known["files"]["metadata.csv"] == digest
    assert set(known["files"]) == {"metadata.csv", "twin.json"}
    assert (known["kind"], known["scale"], known["seed"]) == ("twin", "tiny", 3)
    (tmp_path / "metadata.csv").write_text("site_id\nx\n")
    assert describe_source("twin")["sha256"] != known["sha256"]


@pytest.mark.parametrize(
    ("source", "file", "kind"),
    [("rxrx19a", facts.FILES["metadata"], "rxrx19a"), ("/data/mine", "metadata.csv", "user")],
)
def test_a_screen_without_a_twin_file_is_no_twin(tmp_path, monkeypatch, source, file, kind):
    (tmp_path / file).write_text("x")
    monkeypatch.setattr("helpers.screens.provenance.resolve_source", lambda *_: tmp_path)
    assert describe_source(source)["kind"] == kind


@pytest.mark.parametrize("text", ["0", "[]", "{", '"twin"', "[" * 100_000])
def test_a_file_of_a_twin_that_is_none_makes_no_twin(tmp_path, text):
    (tmp_path / "twin.json").write_text(text)
    assert name_screen(tmp_path) == {"kind": "user", "name": tmp_path.name}


def test_facts_of_a_twin_have_their_types(tmp_path):
    (tmp_path / "twin.json").write_text('{"scale": [1], "seed": {}, "world": []}')
    assert name_screen(tmp_path) == {"kind": "twin", "name": "simulated twin (None, seed None)"}
