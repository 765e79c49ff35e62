"""The steps of the tiny twin, remembered once for all tests of a process."""

import pytest

from helpers import study


@pytest.fixture(scope="module", autouse=True)
def own_memory(memory_home):
    """Keep what steps remember out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", str(memory_home))
        yield


@pytest.fixture
def empty_memory(tmp_path, monkeypatch):
    """Start a test with nothing remembered, and return the folder of entries to come."""
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "steps"


@pytest.fixture(scope="module")
def source(tiny_folder) -> str:
    return str(tiny_folder)


@pytest.fixture(scope="module")
def sites(source):
    return study.open_screen(source)


@pytest.fixture(scope="module")
def wells(sites):
    return study.to_wells(sites)


@pytest.fixture(scope="module")
def normalized(wells):
    return study.normalize(wells, "plate_center")


@pytest.fixture(scope="module")
def scored(normalized):
    return study.score_wells(normalized)


@pytest.fixture(scope="module")
def called(scored):
    """Return `arms.csv` and `hits.csv`."""
    return study.call_hits(scored)


@pytest.fixture(scope="module")
def few(source):
    """Return the wells of the smaller experiment, for steps that take long."""
    return study.to_wells(study.open_screen(source, experiments="HRCE-2"))


@pytest.fixture(scope="module")
def few_scored(few):
    return study.score_wells(study.normalize(few, "plate_center"))
