"""Steps of an analysis that a second process computes meanwhile (``python -m helpers.publish.ahead JOB``).

What it finds reaches the first through the cache, whose lock makes the first wait for a step that is under way. If
the second process fails or comes too late, the first computes the step itself; so nothing depends on it but time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence


def start(analysis: Mapping, calls: Sequence[tuple[str, Mapping]]) -> subprocess.Popen:
    """Start a process that makes an analysis and some of its steps, whose results the cache keeps.

    Parameters
    ----------
    analysis
        Arguments of :class:`helpers.publish.Analysis`.
    calls
        Names of steps and their arguments, none for a property.
    """
    task = {"analysis": dict(analysis), "calls": [(name, dict(given)) for name, given in calls]}
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.publish.ahead", json.dumps({**task, "parent": os.getpid()})],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main(job: str) -> None:
    """Do a job, for as long as the process that started this one lives."""
    from helpers.publish.execute import watch_parent
    from helpers.publish.pipeline import Analysis

    task = json.loads(job)
    watch_parent(task["parent"])
    analysis = Analysis(**task["analysis"])
    for name, given in task["calls"]:
        step = getattr(analysis, name)
        if callable(step):
            step(**given)


if __name__ == "__main__":
    main(sys.argv[1])
