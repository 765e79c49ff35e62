"""What can be known to be wrong before any kernel starts."""

import signal
import threading
from collections.abc import Mapping, Sequence

from helpers.publish.notebooks import Notebook
from helpers.publish.parameters import Value
from helpers.screens.locate import resolve_source
from helpers.screens.provenance import describe_source


def check_sources(
    notebooks: Sequence[Notebook], values: Mapping[str, Mapping[str, Value]]
) -> dict[tuple[str, str], dict]:
    """Look whether the screens of a run are there, their metadata is right and they have the experiments.

    Their embeddings stay closed, so the answer comes in seconds; kernels would find out much later, and each for
    itself. Nothing is written but the twin, on first use.

    Parameters
    ----------
    notebooks : sequence of Notebook
        Those that are to run.
    values : mapping
        What the user set, by notebook.

    Returns
    -------
    facts : dict
        By :func:`source_of`, one unless the parameter file says otherwise: what `describe_source` tells.

    Raises
    ------
    DataError
        If a screen was not fetched, its metadata is wrong, or a list that was named is.
    UsageError
        If a folder or a list is missing, or an experiment is not in the screen.
    """
    from helpers.screens.check import check_design

    asked: dict[tuple[str, str], dict[str, None]] = {}
    for notebook in notebooks:
        settings = {name: item.default for name, item in notebook.parameters.items()}
        settings |= values.get(notebook.name, {})
        _check_lists(settings)
        if "source" in settings:
            experiments = str(settings.get("experiments", "all"))
            asked.setdefault(source_of(settings), {})[experiments] = None
    facts = {}
    for (source, world), choices in asked.items():
        folder = resolve_source(source, world)
        for experiments in choices:
            check_design(folder, experiments)
        facts[source, world] = describe_source(source, folder)
    _take_interrupts_back()
    return facts


def source_of(settings: Mapping[str, Value]) -> tuple[str, str]:
    """Return the source and the world that parameters name; a notebook without them reads no screen."""
    return str(settings.get("source")), str(settings.get("world", "calm"))


def _check_lists(settings: Mapping[str, Value]) -> None:
    """Read the class list and the published scores that were named: a kernel would get to them minutes later."""
    from helpers.hits.classes import read_class_list
    from helpers.hits.published import find_published, read_published

    if settings.get("classes"):
        read_class_list(str(settings["classes"]))
    given = str(settings.get("published") or "")
    if given and (path := find_published(given)):
        read_published(path)


def _take_interrupts_back() -> None:
    """Let Ctrl-C end a wait again: polars, once used, takes it over in a way that lets waiting go on."""
    ours = signal.getsignal(signal.SIGINT)
    if ours is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, ours)
