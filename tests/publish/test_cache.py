"""The command for the cache: it counts every kind, and removes what is ours, old and not in use, and nothing else."""

import hashlib
import json
import os
import time
from pathlib import Path

import pandas as pd
import pytest

from helpers import sealed
from helpers.errors import DataError, UsageError
from helpers.publish.cache import list_entries, manage_cache, read_age, read_size, show_size
from helpers.study.store import recall

DAY = 86_400
STEP = "call_hits-" + 32 * "a"
OTHER = "normalize-" + 32 * "b"
TWIN = "twin-calm-small-0-0123456789ab"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache with something of every kind."""
    root = tmp_path / "cache"
    monkeypatch.setenv("RXRX19_CACHE", str(root))
    recall(STEP, lambda: pd.DataFrame({"x": range(100)}))
    recall(OTHER, lambda: 1)
    for name in (
        f"{TWIN}/twin.json",
        "images/0123456789ab/images/HRCE-1/a.png",
        "matplotlib/fontlist-v390.json",
    ):
        write(root / name)
    for name in ("metadata.zip", "mine.csv"):
        write(root / "rxrx19a" / name)
    (root / "rxrx19a" / "SHA256SUMS.json").write_text(
        json.dumps({"metadata.zip": hashlib.sha256(b"x").hexdigest()})
    )
    write(root / "steps" / ".new-abcdefgh" / "value.npy")
    return root


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(1000 * b"x")


def age(path: Path, days: float) -> None:
    os.utime(path, 2 * (time.time() - days * DAY,))


def kinds(root: Path) -> list[str]:
    return [entry.kind for entry in list_entries(root)]


def said(*arguments: str, **settings: object) -> list[str]:
    lines: list[str] = []
    manage_cache(*arguments, say=lines.append, **settings)
    return lines


EVERY = ["steps", "steps", "twins", "images", "fonts", "leftovers", "downloads", "downloads"]


def test_every_kind_is_shown_with_number_size_and_age(root: Path) -> None:
    assert kinds(root) == EVERY
    age(root / TWIN, 3)
    first, *lines = said()
    total = sum(entry.size for entry in list_entries(root))
    assert first == f"{root}: 8 entries, {show_size(total)}"
    assert [line.split()[0] for line in lines] == list(dict.fromkeys(EVERY))
    assert lines[1].split()[:6] == ["twins", "1", "1.0", "KB", "used", "3"]
    assert total < sealed.size_of(root), "what is the user's is not counted"


def test_clear_leaves_downloads_and_what_is_not_ours(root: Path) -> None:
    age(root / "steps" / ".new-abcdefgh", 1)
    first, *rest = said("clear")
    assert first.startswith("removed 6 entries, ")
    assert rest == []
    assert kinds(root) == ["downloads", "downloads"]
    assert (root / "rxrx19a" / "metadata.zip").exists()
    assert not list((root / "steps").iterdir()), "locks go too"
    said("clear", downloads=True)
    assert kinds(root) == []
    assert [path.name for path in (root / "rxrx19a").iterdir()] == ["mine.csv"]


def test_what_is_used_or_new_stays(root: Path) -> None:
    with sealed.held(root / "steps" / STEP):
        sealed.claim(root / TWIN)
        assert said("clear")[1] == "3 in use or new: left as they are"
    assert kinds(root) == ["steps", "twins", "leftovers", "downloads", "downloads"]
    assert pd.DataFrame({"x": range(100)}).equals(recall(STEP, lambda: pytest.fail("it was there")))


def test_old_entries_are_pruned(root: Path) -> None:
    age(root / "steps" / STEP, 31)
    age(root / TWIN, 29)
    age(root / "rxrx19a" / "metadata.zip", 400)
    assert said("prune", older_than="30d")[0].startswith("removed 1 entry, ")
    assert kinds(root) == [EVERY[0], *EVERY[2:]]
    said("prune", older_than="4w")
    assert "twins" not in kinds(root)


def test_the_oldest_are_pruned_until_the_others_fit(root: Path) -> None:
    (root / "steps" / ".new-abcdefgh" / "value.npy").write_bytes(b"")
    for days, name in enumerate(("steps/" + STEP, "matplotlib", TWIN, "images/0123456789ab"), start=1):
        age(root / name, days)
    said("prune", larger_than="1GB")
    assert kinds(root) == EVERY
    said("prune", larger_than=f"{sealed.size_of(root / 'steps') + 1000}B")
    assert kinds(root) == ["steps", "steps", "fonts", "leftovers", "downloads", "downloads"]


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    write(mine / STEP / "precious.csv")
    (root / "steps" / ("to_wells-" + 32 * "c")).symlink_to(mine)
    (root / "images").rename(tmp_path / "elsewhere")
    (root / "images").symlink_to(tmp_path / "elsewhere")
    (root / TWIN / "linked").symlink_to(mine)
    (root / "twin-calm-small-0-ffffffffffff").symlink_to(mine)
    said("clear", downloads=True)
    assert (mine / STEP / "precious.csv").exists()
    assert (tmp_path / "elsewhere" / "0123456789ab").exists()
    assert not (root / TWIN).exists()


@pytest.mark.parametrize("name", ["thesis.docx", ".git", "rxrx19b"])
def test_a_folder_that_is_no_cache_is_refused(name: str, root: Path) -> None:
    write(root / name / "x")
    for call in ({"action": "clear"}, {"action": "prune", "older_than": "1h"}):
        with pytest.raises(DataError, match=f"it holds {name}: nothing was removed; set RXRX19_CACHE"):
            manage_cache(**call)
    assert kinds(root) == EVERY
    (root / name / "SHA256SUMS.json").write_text("{}")  # what the command for data writes
    said("clear")
    assert (root / name / "x").exists()


def test_an_empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "new"))
    assert said("show") == [f"{tmp_path / 'new'}: 0 entries, 0 B"]
    assert said("clear") == [f"removed 0 entries, 0 B from {tmp_path / 'new'}"]


def test_ages_and_sizes() -> None:
    assert [read_age(text) for text in ("12h", "30d", "1.5w")] == [43_200, 30 * DAY, 10.5 * DAY]
    assert [read_size(text) for text in ("0B", "500mb", "2 GB", "1.5TB")] == [0, 5e8, 2e9, 1.5e12]
    assert [show_size(size) for size in (0, 999, 1000, 2_500_000_000)] == ["0 B", "999 B", "1.0 KB", "2.5 GB"]
    for text in ("", "30", "-1d", "d", "1y", "1d2", "nan d", "٣d", "1e9d"):
        with pytest.raises(UsageError, match="allowed are hours, days or weeks"):
            read_age(text)
    for text in ("", "2", "-1GB", "GB", "1GiB", "2G", "inf GB"):
        with pytest.raises(UsageError, match="allowed is a number with B, KB"):
            read_size(text)
