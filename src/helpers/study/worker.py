"""The second process, which does what :mod:`helpers.study.ahead` asks for (``python -m helpers.study.worker JOBS``)."""

import json
import sys

from helpers.processes import watch_parent


def main(task: str) -> None:
    """Do some steps, one after the other, for as long as the process that asked for them lives."""
    from helpers.study import steps
    from helpers.study.store import read_entry

    asked = json.loads(task)
    watch_parent(asked["parent"])

    def value(given: dict) -> object:
        if "entry" in given:
            return read_entry(given["entry"])
        return tuple(given["tuple"]) if "tuple" in given else given["value"]

    for job in asked["jobs"]:
        step = getattr(steps, job["step"])
        step(*map(value, job["args"]), **{name: value(given) for name, given in job["keywords"].items()})


if __name__ == "__main__":
    main(sys.argv[1])
