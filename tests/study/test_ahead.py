"""Steps computed by a second process: the same results, and nothing of it outlives the first."""

import subprocess
import sys
import time

import pandas as pd
import pytest
from publish.test_run import is_running

from helpers.pages.tour.projections import join_projection, project_wells
from helpers.publish import Analysis
from helpers.screens import make_twin
from helpers.study import ahead

MAP = {"max_wells": 600, "center_by": "experiment"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_twin(tmp_path_factory.mktemp("screen") / "tiny", scale="tiny", seed=0)


@pytest.fixture(autouse=True)
def screen():
    """Undo the stand-in of the other tests of this folder."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))


def test_a_map_from_the_second_process_is_the_same(folder, tmp_path, monkeypatch):
    analysis = Analysis(str(folder), recipe="position", seed=3, results=str(tmp_path))
    analysis.ahead(("projected", MAP))
    assert analysis._ahead.wait(timeout=120) == 0
    expected = join_projection(project_wells(analysis.wells, **MAP, seed=3), analysis.wells.obs)
    # what is there already is not computed again, by neither process
    monkeypatch.setattr("helpers.study.analysis.project_wells", lambda *_, **__: pytest.fail("not cached"))
    monkeypatch.setattr(ahead, "start", lambda *_: pytest.fail("a process for nothing"))
    analysis.ahead(("projected", MAP))
    pd.testing.assert_frame_equal(analysis.projected(**MAP).points, expected.points)


def test_a_second_process_that_fails_costs_time_only(folder, tmp_path):
    analysis = Analysis(str(folder), results=str(tmp_path))
    broken = ahead.start({"source": "no such folder"}, [("projected", MAP)])
    assert broken.wait(timeout=120) != 0
    assert len(analysis.projected(**MAP).points) == 600


STARTER = """
import sys
from helpers.publish import Analysis
analysis = Analysis(sys.argv[1], results=sys.argv[2])
analysis.ahead(("projected", {"max_wells": 600}))
print(analysis._ahead.pid, flush=True)
import time
time.sleep(60)
"""


def test_the_second_process_ends_with_the_first(folder, tmp_path):
    first = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    second = int(first.stdout.readline())
    first.kill()
    first.wait()
    first.stdout.close()
    deadline = time.monotonic() + 15
    while is_running(second) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(second)
