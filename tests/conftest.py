"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
pytest_plugins = ["shown_coverage"]


@pytest.fixture(autouse=True)
def own_style():
    """Let no test leave its figures' style to the next one."""
    import matplotlib as mpl

    import helpers.figures.style  # noqa: F401 - what it sets when it is imported, stays set

    with mpl.rc_context():
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real measurements that are not part of the project, or skip."""
    folder = Path(os.environ.get("RXRX_REAL_DATA") or PROJECT.parent / "shared" / "real")
    if not (folder / "screens").is_dir():
        pytest.skip(
            f"no real data at {folder}: set RXRX_REAL_DATA to the folder that holds screens/ and dose/"
        )
    return folder


@pytest.fixture(scope="session")
def project() -> Path:
    """Return the project's top folder."""
    return PROJECT


@pytest.fixture(scope="session")
def tiny_screen():
    """Return the tiny twin in memory: sites and truth."""
    from helpers.screens import simulate_twin

    return simulate_twin("tiny", 0)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    """Return the tiny twin as a folder of files."""
    from helpers.screens import make_twin

    return make_twin(tmp_path_factory.mktemp("screen") / "tiny", scale="tiny", seed=0)


@pytest.fixture(scope="session")
def memory_home(tmp_path_factory) -> Path:
    """Return a folder in which the tests of one process share what steps remember."""
    return tmp_path_factory.mktemp("memory")


@pytest.fixture(scope="session")
def tiny_wells(tiny_screen):
    """Return the tiny twin's wells, not normalised."""
    from helpers.profiles import to_wells

    return to_wells(tiny_screen[0])


@pytest.fixture(scope="session")
def tiny_scored(tiny_wells):
    """Return the tiny twin's wells after plate_center, scored."""
    from helpers.hits import score_wells
    from helpers.profiles import normalize

    return score_wells(normalize(tiny_wells, "plate_center"))


@pytest.fixture(scope="session")
def plate25(real_data):
    """Return the published wells of plate 25, scored: real numbers, known failures."""
    from helpers.hits import score_wells
    from helpers.profiles import normalize, to_wells
    from helpers.screens import open_screen

    return score_wells(
        normalize(to_wells(open_screen(real_data / "screens" / "hrce1_plate25")), "plate_center")
    )


@pytest.fixture(scope="session")
def dahlin(real_data):
    """Return real Cell Painting of U2OS cells, scored: strong compounds on plates most of whose compounds act."""
    from helpers.hits import score_wells
    from helpers.profiles import normalize, to_wells
    from helpers.screens import open_screen

    return score_wells(
        normalize(to_wells(open_screen(real_data / "screens" / "dahlin_u2os")), "plate_center")
    )


@pytest.fixture(scope="session")
def a549_folder(real_data, project, tmp_path_factory):
    """Return the published A549 screen beside the book's example of a screen.yml."""
    import shutil

    folder = tmp_path_factory.mktemp("a549")
    shutil.copyfile(real_data / "screens" / "sarscov2_a549" / "wells.csv", folder / "wells.csv")
    shutil.copyfile(project / "book" / "examples" / "a549" / "screen.yml", folder / "screen.yml")
    return folder


@pytest.fixture(scope="session")
def a549(a549_folder):
    """Return the published A549 screen, scored."""
    from helpers.hits import score_wells
    from helpers.profiles import normalize, to_wells
    from helpers.screens import open_screen

    return score_wells(normalize(to_wells(open_screen(a549_folder)), "plate_center"))
