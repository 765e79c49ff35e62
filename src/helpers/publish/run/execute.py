"""Execute one notebook in a process of its own (``python -m helpers.publish.run.execute JOB.json``).

The process tells its parent on standard output, one JSON object a line, which process its kernel is, which cell is
done and how it ended; whatever else the tools print goes to standard error, which the parent keeps in a file.
"""

import itertools
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.processes import watch_parent
from helpers.publish.notebooks import tags

_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Of the default repr, `<a.B object at 0x7f...>`, and of those made like it; in HTML the bracket may be written `&gt;`.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}(?=[>,)\s]|&gt;)")
# Where a kernel says a cell lies that warns: the number of the process is in it.
_CELL = re.compile(r"ipykernel_\d+/(\d+\.py)")
_TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def execute(job: dict, report: Callable[[dict], None]) -> dict:
    """Run a notebook with papermill and return how it ended.

    Parameters
    ----------
    job : dict
        ``input``, ``output``, ``folder`` (where the kernel runs) and ``parameters``.
    report : callable
        Called with ``{"kernel": pid}`` at the start and ``{"cell": n}`` after each cell.

    Returns
    -------
    dict
        ``seconds``, ``peak_memory_mb`` (of the kernel) and, if a cell failed, ``error``, ``message`` and ``cell``.
    """
    start = time.monotonic()
    outcome = _papermill(job, report)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _MAXRSS_BYTES / 1e6
    return {**outcome, "seconds": round(time.monotonic() - start, 2), "peak_memory_mb": round(peak)}


def _papermill(job: dict, report: Callable[[dict], None]) -> dict:
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            _literal(job["input"]),
            _literal(job["output"]),
            parameters=job["parameters"],
            engine_name=_reporting_engine(report),
            kernel_name="python3",
            language="python",
            cwd=job["folder"],
            progress_bar=False,
        )
    except PapermillExecutionError as error:
        message = " ".join(_TERMINAL_COLOUR.sub("", str(error.evalue)).split())
        return {"error": error.ename, "message": message, "cell": error.exec_count}
    except DeadKernelError:
        return {
            "error": "DeadKernelError",
            "message": "the kernel died, perhaps for want of memory",
            "cell": None,
        }
    return {}


def _literal(path: str) -> str:
    # papermill formats paths as templates.
    return path.replace("{", "{{").replace("}", "}}")


def _reporting_engine(report: Callable[[dict], None]) -> str:
    """Register papermill's own engine, extended by a report after each cell, and return its name."""
    from papermill.engines import NBClientEngine, papermill_engines

    class ReportingEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: object) -> None:
            complete = nb_man.cell_complete

            def complete_and_report(cell: object, cell_index: int | None = None, **rest: object) -> None:
                complete(cell, cell_index=cell_index, **rest)
                report({"cell": cell_index})

            nb_man.cell_complete = complete_and_report
            # It would write the whole notebook, pictures and all, at the start and the end of every cell; papermill
            # writes it once more when it has ended, well or badly.
            nb_man.save = lambda **_: None
            kwargs["kernel_manager_class"] = _reporting_manager(report)
            try:
                super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
            finally:
                del nb_man.save

    papermill_engines.register("rxrx19", ReportingEngine)
    return "rxrx19"


def _reporting_manager(report: Callable[[dict], None]) -> type:
    """Return a kernel manager that tells the kernel's process, so that who ends this one can end that one too."""
    from jupyter_client.manager import AsyncKernelManager

    class ReportingManager(AsyncKernelManager):
        def __init__(self, **settings: object) -> None:
            super().__init__(**settings)
            # Network ports are chosen before the kernel takes them, and meanwhile another process may. Sockets in
            # the working folder, which is the kernel's too, are nobody else's.
            self.transport, self.ip = "ipc", "kernel"

        async def start_kernel(self, **kwargs: object) -> None:  # type: ignore[override]  # asynchronous there too, by a wrapper
            await super().start_kernel(**kwargs)
            if pid := getattr(self.provisioner, "pid", None):
                report({"kernel": pid})

    return ReportingManager


def tidy(path: Path, moved: dict[str, str]) -> None:
    """Rewrite an executed notebook so that equal inputs give equal bytes, and hide what a reader need not see.

    Run times belong to ``run.json``; papermill writes them into every cell. The cell of injected values is
    tagged, because it does not inherit the tags of the parameters cell.

    Parameters
    ----------
    path : Path
        The notebook, rewritten in place.
    moved : dict of str to str
        Folders that the outputs name, and the ones that take their place after the run.
    """
    import nbformat

    from helpers.publish.notebooks import write_notebook

    text = path.read_text(encoding="utf-8")
    for old, new in moved.items():
        text = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
    node = nbformat.reads(text, as_version=4)
    node.metadata.pop("papermill", None)
    for number, cell in enumerate(node.cells, start=1):
        cell["id"] = f"cell-{number:03d}"
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell["outputs"] = [_timeless(output) for output in _joined(cell["outputs"])]
        if "injected-parameters" in tags(cell):
            cell.metadata["tags"] = ["injected-parameters", "remove-cell"]
        elif not tags(cell):
            cell.metadata.pop("tags", None)
    write_notebook(node, path)


def _joined(outputs: list) -> list:
    """Return outputs with what was printed in a row as one stream each of standard output and error.

    In how many pieces it comes, and which stream first, depends on the moment at which the kernel empties its buffers.
    """
    joined: list = []
    for is_stream, run in itertools.groupby(outputs, lambda output: output["output_type"] == "stream"):
        if not is_stream:
            joined += run
            continue
        printed: dict[str, Any] = {}
        for output in run:
            if output["name"] in printed:
                printed[output["name"]]["text"] += output["text"]
            else:
                printed[output["name"]] = output
        joined += [printed[name] for name in sorted(printed, reverse=True)]
    return joined


def _timeless(output: Any) -> Any:
    """Return an output in which nothing tells of the process that made it: places in memory, its number."""
    if "text" in output:
        output["text"] = _steady(output["text"])
    for kind, text in output.get("data", {}).items():
        if kind in _TEXTS and isinstance(text, str):
            output["data"][kind] = _steady(text)
    if "traceback" in output:
        output["traceback"] = [_steady(line) for line in output["traceback"]]
        output["evalue"] = _steady(output["evalue"])
    return output


def _steady(text: str) -> str:
    return _CELL.sub(r"ipykernel/\1", _ADDRESS.sub("", text))


def main(arguments: list[str]) -> int:
    """Execute the job described in the file given and report on the original standard output."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    watch_parent()

    def report(event: dict) -> None:
        print(json.dumps(event), file=channel, flush=True)

    job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    report({"done": execute(job, report)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
