"""Run notebooks with parameters, in parallel, and put their results in place only if all of them succeed."""

import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from helpers.errors import DataError, UsageError
from helpers.files import room_for
from helpers.publish.notebooks import Notebook, read_notebook, write_notebook
from helpers.publish.parameters import Value
from helpers.publish.run import provenance
from helpers.publish.run.execute import tidy
from helpers.publish.run.folders import WORK, check_results, held_folders, put_in_place
from helpers.publish.run.kept import notebook_mark, output_marks, stands
from helpers.publish.run.kernel import kernel_environment, print_notices, seal_fonts
from helpers.publish.run.preflight import check_sources, source_of


@dataclass
class Job:
    """One notebook on its way: its own stage collects what it writes until the whole run has succeeded."""

    notebook: Notebook
    values: dict[str, Value]
    results: Path
    mark: str = ""
    work: Path = Path()
    cells: int = 0
    outcome: dict = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Value]:
        """Return all its parameters: those that were set, and the defaults of the others."""
        defaults = {name: item.default for name, item in self.notebook.parameters.items()}
        results = {"results": str(self.results)} if "results" in defaults else {}
        return {**defaults, **self.values, **results}

    @property
    def stage(self) -> Path:
        """Return the folder that stands in for the results folder during the run."""
        return self.work / "results"

    @property
    def output(self) -> Path:
        """Return the executed notebook, still inside the working folder."""
        return self.work / "executed" / self.notebook.ipynb

    def write(self, work: Path) -> Path:
        """Write what the executing process reads: the notebook as ``.ipynb`` and the job around it."""
        self.work = work / self.notebook.path.stem
        for folder in (self.stage, self.output.parent, self.work / "cwd"):
            folder.mkdir(parents=True)
        node = read_notebook(self.notebook.path)
        self.cells = len(node.cells) + 1
        source = self.work / self.notebook.ipynb
        write_notebook(node, source)
        values = dict(self.values)
        if "results" in self.notebook.parameters:
            values["results"] = str(self.stage)
        job = {
            "input": str(source),
            "output": str(self.output),
            "folder": str(self.work / "cwd"),
            "parameters": values,
        }
        path = self.work / "job.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        return path


def run_notebooks(
    notebooks: Sequence[Notebook],
    values: Mapping[str, Mapping[str, Value]],
    out: Path | None = None,
    *,
    jobs: int = 2,
    say: Callable[[str], None] = lambda _: None,
    root: Path | None = None,
    reuse: bool = False,
) -> Path:
    """Execute notebooks and write their tables, figures, executed pages and ``run.json``.

    Sources and folders are checked before anything is written or started. Then everything is written beside its
    place first. A run that fails or is killed leaves the folder as it was, but for ``partial/`` with the notebook
    that failed.

    Parameters
    ----------
    notebooks : sequence of Notebook
        In reading order; where two of them write the same table, the later one counts.
    values : mapping
        Checked values by notebook, from `helpers.publish.parameters.assign`.
    out : Path, optional
        The folder of the run; ``results/<run id>`` in the working folder by default.
    jobs : int
        Notebooks at a time.
    say : callable
        Takes one line a finished notebook.
    root : Path, optional
        The project's folder, whose commit is recorded.
    reuse : bool
        Leave out notebooks that an earlier run in the same folder has made of the same text, parameters, data and code,
        and whose outputs are as they were.

    Returns
    -------
    Path
        The folder of the run.

    Raises
    ------
    DataError
        If a screen cannot be opened, another run writes into one of the folders, a disk is full, or a notebook fails;
        the message names the cell, the error and the partial notebook.
    UsageError
        If a folder cannot be written, an experiment is not in the screen, or a notebook itself finds that a
        parameter is wrong.
    """
    started = datetime.datetime.now(datetime.UTC)
    clock = time.monotonic()
    run_id = provenance.new_run_id(values, started)
    out = (out or Path("results") / run_id).resolve()
    every = [_job(notebook, values.get(notebook.name, {}), out) for notebook in notebooks]
    folders = _folders(every, out)
    check_results(folders)
    sources = check_sources(notebooks, values)
    for job in every:
        job.mark = notebook_mark(job.notebook, job.parameters, sources.get(source_of(job.parameters)))
    standing = _standing(every, out) if reuse else {}
    todo = [job for job in every if job.notebook.name not in standing]
    if not todo:
        return out
    code = provenance.describe_code(root)
    with room_for(out), held_folders(folders), _work_folder(out) as work:
        scripts = [job.write(work) for job in todo]
        try:
            _execute_all(todo, scripts, kernel_environment(work), jobs, say, out)
        finally:
            print_notices(work)
        seal_fonts()
        kept = provenance.kept_entries(out, [job.notebook.name for job in todo])
        # A folder without run.json is one whose run did not end. Moving takes milliseconds; a run killed within
        # them is repeated as a whole and writes the same bytes.
        owners = _results(todo, out)
        put_in_place({target: path for target, (path, _) in owners.items()}, out / "run.json")
        shutil.rmtree(out / "partial", ignore_errors=True)
        entries = {job.notebook.name: _entry(job, run_id, sources, owners, out) for job in todo}
        record = {
            "run_id": run_id,
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 2),
            "parameters": _common({job.notebook.name: job.parameters for job in every}),
            "source": next(iter(sources.values()), None) if len(sources) < 2 else list(sources.values()),
            **code,
            "notebooks": _ordered({**kept, **entries}),
        }
        provenance.write_record(record, out)
    return out


def _standing(every: Sequence[Job], out: Path) -> dict[str, dict]:
    """Return the entries of an earlier run in the same folder that need not be made again."""
    earlier = provenance.read_record(out).get("notebooks", {})
    return {
        job.notebook.name: earlier[job.notebook.name]
        for job in every
        if stands(earlier.get(job.notebook.name, {}), job.mark, out)
    }


def _job(notebook: Notebook, values: Mapping[str, Value], out: Path) -> Job:
    return Job(notebook, dict(values), Path(str(values.get("results") or out)).resolve())


def _folders(todo: Sequence[Job], out: Path) -> dict[Path, str]:
    """Return the folders that a run writes into, and which parameter names another."""
    advice = "choose another folder with"
    return {out: f"{advice} --out"} | {
        job.results: f"{advice} -p results=DIR" for job in todo if job.results != out
    }


def _entry(
    job: Job,
    run_id: str,
    sources: Mapping[tuple[str, str], dict],
    owners: Mapping[Path, tuple[Path, Job]],
    out: Path,
) -> dict:
    source = sources.get(source_of(job.parameters))
    return {
        "file": f"notebooks/{job.notebook.ipynb}",
        "run_id": run_id,
        "seconds": job.outcome["seconds"],
        "peak_memory_mb": job.outcome["peak_memory_mb"],
        "source_sha256": source["sha256"] if source else None,
        "parameters": job.parameters,
        "mark": job.mark,
        "outputs": output_marks([target for target, (_, owner) in owners.items() if owner is job], out),
    }


def _common(parameters: Mapping[str, Mapping[str, Value]]) -> dict[str, Value]:
    """Return the parameters that every notebook shares with one value; the rest stands with each notebook."""
    first, *rest = parameters.values()
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}


def _ordered(entries: Mapping[str, dict]) -> dict[str, dict]:
    return dict(sorted(entries.items(), key=lambda item: item[1]["file"]))


@contextlib.contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder inside `out`, where a rename is enough to put a file in place."""
    work = Path(tempfile.mkdtemp(prefix=WORK, dir=out))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _execute_all(
    todo: Sequence[Job],
    scripts: Sequence[Path],
    environment: Mapping[str, str],
    jobs: int,
    say: Callable[[str], None],
    out: Path,
) -> None:
    from tqdm import tqdm

    workers: list[subprocess.Popen] = []
    kernels: set[int] = set()
    stop = threading.Event()
    with (
        tqdm(total=sum(job.cells for job in todo), unit="cell", disable=None, leave=False) as bar,
        ThreadPoolExecutor(jobs) as pool,
    ):

        def one(job: Job, script: Path) -> None:
            if stop.is_set():
                return
            job.outcome = _execute_one(script, environment, workers, kernels, stop, bar.update)
            if "error" in job.outcome and not stop.is_set():
                raise _failure(job, out)
            if not stop.is_set():
                say(
                    f"{job.notebook.name}: {job.outcome['seconds']:.1f} s, {job.outcome['peak_memory_mb']} MB"
                )

        try:
            futures = [pool.submit(one, job, script) for job, script in zip(todo, scripts, strict=True)]
            wait(futures, return_when=FIRST_EXCEPTION)
            failed = [error for future in futures if future.done() and (error := future.exception())]
        finally:
            stop.set()
            for worker in workers:
                worker.kill()
            # They would end by themselves within a second, and write until then.
            for kernel in list(kernels):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(kernel, signal.SIGKILL)
    if failed:
        raise failed[0]


def _execute_one(
    script: Path,
    environment: Mapping[str, str],
    workers: list[subprocess.Popen],
    kernels: set[int],
    stop: threading.Event,
    advance: Callable[[], object],
) -> dict:
    """Run one executing process to its end and return its last word."""
    log, kernel = script.with_name("log.txt"), None
    with log.open("w", encoding="utf-8") as errors:
        worker = subprocess.Popen(
            [sys.executable, "-m", "helpers.publish.run.execute", str(script)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            # The kernel's folder: their sockets are named relative to it, for a whole path may be too long.
            cwd=script.parent / "cwd",
            encoding="utf-8",
            # A Ctrl-C in the terminal is for the parent alone, which then ends its workers in order.
            start_new_session=True,
        )
        workers.append(worker)
        if stop.is_set():
            worker.kill()
        with worker:
            for line in worker.stdout or ():
                event = json.loads(line)
                if "done" in event:
                    # Its number may soon be another process's.
                    kernels.discard(kernel)
                    return event["done"]
                if "kernel" in event:
                    kernel = event["kernel"]
                    kernels.add(kernel)
                else:
                    advance()
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return {
        "error": "the executing process ended",
        "message": lines[-1] if lines else "no message",
        "cell": None,
    }


def _failure(job: Job, out: Path) -> Exception:
    """Keep the partial notebook and return the error that tells of it in one line."""
    where = f" in cell {job.outcome['cell']}" if job.outcome["cell"] is not None else ""
    text = f"{job.notebook.name} failed{where}: {job.outcome['error']}: {job.outcome['message']}"
    if job.output.is_file():
        tidy(job.output, {str(job.stage): str(job.results)})
        partial = out / "partial" / job.notebook.ipynb
        partial.parent.mkdir(exist_ok=True)
        job.output.replace(partial)
        text += f"; the partial notebook is {partial}"
    return UsageError(text) if job.outcome["error"] == "UsageError" else DataError(text)


def _results(todo: Sequence[Job], out: Path) -> dict[Path, tuple[Path, Job]]:
    """Return where every file belongs, where it is and who made it; of two for one place, the later notebook's."""
    found = {}
    for job in todo:
        tidy(job.output, {str(job.stage): str(job.results)})
        for path in sorted(path for path in job.stage.rglob("*") if path.is_file()):
            found[job.results / path.relative_to(job.stage)] = (path, job)
        found[out / "notebooks" / job.notebook.ipynb] = (job.output, job)
    return found
