"""The folder behind a name: a twin is made once, the release must have been fetched."""

import pytest

from helpers.errors import DataError, UsageError
from helpers.screens import facts
from helpers.screens.locate import resolve_source


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
