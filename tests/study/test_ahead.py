"""Steps computed by a second process: the same results, and nothing of it outlives the first."""

import subprocess
import sys
import time
from functools import partial

import pytest

from helpers import study
from helpers.study.ahead import ahead
from running import is_running
from study.same import assert_same

MAP = {"max_wells": 600, "center_by": "experiment", "seed": 3}


@pytest.fixture
def fresh(source, empty_memory):
    """Return wells of a memory that holds nothing else."""
    return study.to_wells(study.open_screen(source))


@pytest.mark.slow
def test_a_map_from_the_second_process_is_the_same(fresh):
    step = partial(study.project_wells, fresh, **MAP)
    process = ahead(step)
    assert process.wait(timeout=120) == 0
    # what is there already is not computed again, by neither process
    assert study.project_wells.known(fresh, **MAP)
    assert ahead(step) is None
    found = study.project_wells(fresh, **MAP)
    assert_same(found, study.project_wells.__wrapped__(fresh, **MAP))


@pytest.mark.slow
def test_a_second_process_finds_what_a_page_with_other_modules_asks_for(fresh):
    """A page has more modules loaded than the second process."""
    import helpers.hits.published
    import helpers.screens.images.open  # noqa: F401

    assert ahead(partial(study.activity_map, fresh, null_size=100)).wait(timeout=120) == 0
    assert study.activity_map.known(fresh, null_size=100)


@pytest.mark.slow
def test_several_steps_are_done_one_after_the_other(fresh):
    calls = [partial(study.normalize, fresh, "raw", seed=seed) for seed in (2, 3)]
    assert ahead(*calls).wait(timeout=120) == 0
    assert study.normalize.known(fresh, "raw", seed=2)
    assert study.normalize.known(fresh, "raw", seed=3)


@pytest.mark.slow
def test_a_step_of_several_names_is_found_too(fresh):
    names = ("raw", "plate_center")
    assert ahead(partial(study.compare_recipes, fresh, names, n_bootstrap=20)).wait(timeout=120) == 0
    assert study.compare_recipes.known(fresh, names, n_bootstrap=20)


def test_wells_that_were_changed_are_left_to_the_first_process(fresh):
    edited = fresh.copy()
    edited.obs["qc_flag"] = "all"
    assert ahead(partial(study.project_wells, edited, **MAP)) is None
    assert ahead(partial(study.project_wells, wells=edited, **MAP)) is None


def test_what_a_screen_lacks_needs_no_process(fresh):
    design = fresh[:, :0].copy()
    assert ahead(partial(study.activity_map, design), partial(study.energy_test, design)) is None


@pytest.mark.slow
def test_a_second_process_that_fails_costs_time_only(fresh):
    broken = ahead(partial(study.project_wells, fresh, max_wells="many"))
    assert broken.wait(timeout=120) != 0
    assert len(study.project_wells(fresh, **MAP).points) == 600


STARTER = """
import sys, time
from functools import partial
from helpers import study

wells = study.to_wells(study.open_screen(sys.argv[1]))
print(study.ahead(partial(study.energy_test, wells, n_permutations=100_000)).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_the_second_process_ends_with_the_first(source, empty_memory):
    first = subprocess.Popen([sys.executable, "-c", STARTER, source], stdout=subprocess.PIPE, text=True)
    second = int(first.stdout.readline())
    assert is_running(second)
    first.kill()
    first.wait()
    first.stdout.close()
    deadline = time.monotonic() + 15
    while is_running(second) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(second)
