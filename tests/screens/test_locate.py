"""The folder behind a name: a twin is made once, the release must have been fetched."""

import hashlib
import json
import os

import numpy as np
import pytest

from helpers.errors import DataError, UsageError
from helpers.screens import facts, locate
from helpers.screens.locate import HASH_FILE, resolve_source
from helpers.screens.twin.make import make_twin


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_folder_is_itself(tmp_path, monkeypatch):
    assert resolve_source(tmp_path) == resolve_source(str(tmp_path)) == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_source("~") == tmp_path
    with pytest.raises(UsageError, match="source 'nowhere' is no folder; allowed are twin, rxrx19a"):
        resolve_source("nowhere")


def test_the_release_must_have_been_fetched(own_cache):
    folder = own_cache / "rxrx19a"
    folder.mkdir(parents=True)
    with pytest.raises(DataError, match="run `rxrx19 data fetch rxrx19a --what metadata` first"):
        resolve_source("rxrx19a")
    (folder / facts.FILES["metadata"]).touch()
    with pytest.raises(DataError, match="--what embeddings"):
        resolve_source("rxrx19a")
    (folder / facts.FILES["embeddings"]).touch()
    assert resolve_source("rxrx19a") == folder


def test_a_download_that_changed_is_not_used(own_cache):
    folder = own_cache / "rxrx19a"
    folder.mkdir(parents=True)
    for part in ("metadata", "embeddings"):
        (folder / facts.FILES[part]).write_bytes(part.encode())
    hashes = {facts.FILES["metadata"]: hashlib.sha256(b"metadata").hexdigest()}
    (folder / HASH_FILE).write_text(json.dumps(hashes))
    assert resolve_source("rxrx19a") == folder
    (folder / facts.FILES["metadata"]).write_bytes(b"metadatA")
    with pytest.raises(
        DataError, match=r"is not as it was downloaded.*delete both files and run `rxrx19 data fetch"
    ):
        resolve_source("rxrx19a")
    for damaged in ("", "[]", "{", "[" * 100_000):
        (folder / HASH_FILE).write_text(damaged)
        assert resolve_source("rxrx19a") == folder, "nobody can tell"


def test_the_twin_is_made_once(monkeypatch):
    made = []

    def stand_in(folder, **how):
        made.append((folder, how))
        folder.mkdir(parents=True)
        (folder / "twin.json").write_text("{}")
        return folder

    monkeypatch.setattr("helpers.screens.twin.make.make_twin", stand_in)
    first = resolve_source("twin")
    assert resolve_source("twin") == first
    assert made == [(first, {"scale": "small", "seed": 0, "world": "calm", "file_format": "parquet"})]


@pytest.fixture
def small_is_tiny(monkeypatch):
    """Let the twin of the cache be the tiny one, which takes a second, and return how often it was made."""
    made = []

    def tiny(folder, **how):
        made.append(folder)
        return make_twin(folder, **(how | {"scale": "tiny"}))

    monkeypatch.setattr("helpers.screens.twin.make.make_twin", tiny)
    return made


def test_a_damaged_twin_is_made_again(small_is_tiny, capsys):
    folder = resolve_source("twin")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    rng = np.random.default_rng(0)
    for name in ("embeddings.parquet", "truth.csv"):
        data = bytearray(whole[name])
        data[rng.integers(len(data))] ^= 1
        (folder / name).write_bytes(data)
        assert resolve_source("twin") == folder
    (folder / "screen.yml").write_text("x: 1")  # it would change how the folder is read
    resolve_source("twin")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    assert len(small_is_tiny) == 4
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert f"{folder} holds screen.yml, which is not part of it: it is dropped and made again" in told[-1]


def test_twins_of_old_code_make_room(own_cache, small_is_tiny, monkeypatch):
    old = own_cache / "twin-calm-small-0-000000000000"
    old.mkdir(parents=True)
    (old / "embeddings.parquet").write_bytes(bytes(1000))
    os.utime(old, (1, 1))
    monkeypatch.setattr(locate, "MAX_BYTES", 500)
    new = resolve_source("twin")
    assert new.is_dir()
    assert not old.exists()
