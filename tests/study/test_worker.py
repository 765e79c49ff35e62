"""The second process: what it is told as JSON, it does as steps."""

import json

import pytest

from helpers import study
from helpers.study import worker
from helpers.study.fingerprint import fingerprint
from helpers.study.store import find_entry


@pytest.fixture
def watched(monkeypatch) -> list:
    """Return the processes that are watched; none of them ends this one."""
    seen = []
    monkeypatch.setattr(worker, "watch_parent", seen.append)
    return seen


@pytest.mark.slow
def test_jobs_are_done_in_order_and_the_parent_is_watched(source, empty_memory, watched):
    wells = study.to_wells(study.open_screen(source))
    entry = {"entry": find_entry(fingerprint(wells))}
    jobs = [
        {"step": "normalize", "args": [entry, {"value": "raw"}], "keywords": {"seed": {"value": 5}}},
        {"step": "project_wells", "args": [], "keywords": {"wells": entry, "max_wells": {"value": 100}}},
    ]
    assert not study.normalize.known(wells, "raw", seed=5)
    worker.main(json.dumps({"jobs": jobs, "parent": 12345}))
    assert watched == [12345]
    assert study.normalize.known(wells, "raw", seed=5)
    assert study.project_wells.known(wells, max_wells=100)


def test_a_job_that_is_none_ends_the_process(empty_memory, watched):
    for step, args in (("no_step", []), ("to_wells", [{"entry": "gone"}])):
        job = {"step": step, "args": args, "keywords": {}}
        with pytest.raises((AttributeError, OSError)):
            worker.main(json.dumps({"jobs": [job], "parent": 1}))
