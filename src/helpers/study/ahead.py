"""Steps that a second process computes meanwhile: what a page shows late can be under way while it draws what is early.

What the second process finds reaches the first through the memory, whose lock makes the first wait for a step that is
under way. If the second process fails or comes too late, the first computes the step itself; so nothing depends on it
but time.
"""

import json
import os
import subprocess
import sys
from functools import partial
from typing import cast

import anndata as ad

from helpers.study.fingerprint import fingerprint
from helpers.study.memory import Remembered
from helpers.study.store import find_entry


def ahead(*calls: partial) -> subprocess.Popen | None:
    """Let a second process compute steps whose results are not known yet.

    Parameters
    ----------
    *calls : partial
        Steps of :mod:`helpers.study.steps` with their arguments: AnnData that another step returned, and plain values.

    Returns
    -------
    Popen or None
        The process; None where there is nothing to do, or what is given was changed since a step returned it.

    Examples
    --------
    >>> ahead() is None
    True
    """
    jobs = [_job(call) for call in calls if not _is_known(call)]
    jobs = [job for job in jobs if job]
    if not jobs:
        return None
    task = json.dumps({"jobs": jobs, "parent": os.getpid()})
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.study.worker", task],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _is_known(call: partial) -> bool:
    return cast(Remembered, call.func).known(*call.args, **call.keywords)


def _job(call: partial) -> dict | None:
    """Return a call as JSON, with the names of entries for AnnData; None where an entry is not there."""
    args = [_argument(value) for value in call.args]
    keywords = {name: _argument(value) for name, value in call.keywords.items()}
    if any(value == {"entry": None} for value in (*args, *keywords.values())):
        return None
    return {"step": call.func.__name__, "args": args, "keywords": keywords}


def _argument(value: object) -> object:
    if isinstance(value, ad.AnnData):
        return {"entry": find_entry(fingerprint(value))}
    # JSON would make a list of a tuple, and a list is another argument
    return {"tuple": list(value)} if isinstance(value, tuple) else {"value": value}
