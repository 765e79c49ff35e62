"""Running: results in place only after success, equal bytes for equal inputs, also after a kill."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from helpers.errors import DataError, UsageError
from helpers.publish.assign import assign
from helpers.publish.notebooks import select_notebooks
from helpers.publish.run.jobs import run_notebooks
from running import is_running

pytestmark = pytest.mark.slow


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a results folder but the record, which holds times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.json", ".lock"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def done(notebooks: list, tmp_path: Path) -> Path:
    """Return the folder of a run of both toy notebooks."""
    values = assign(notebooks, ["fdr=0.1", "mode=median"])
    return run_notebooks(notebooks, values, tmp_path / "out")


def test_a_run_leaves_tables_figures_notebooks_and_a_record(
    done: Path, notebooks: list, tmp_path: Path
) -> None:
    assert sorted(contents(done)) == [
        "figures/line.png",
        "notebooks/01_first.ipynb",
        "notebooks/02_second.ipynb",
        "tables/one.csv",
        "tables/shared.csv",
        "tables/two.csv",
    ]
    # The later notebook's table counts, whichever ended first.
    assert (done / "tables" / "shared.csv").read_text().startswith("second\n")
    assert (done / "tables" / "one.csv").read_text().startswith("first,0.1,0,twin\n")
    assert (done / "tables" / "two.csv").read_text().startswith("second,median\n")
    record = json.loads((done / "run.json").read_text())
    assert record["parameters"] == {"source": "twin", "fdr": 0.1, "seed": 0, "results": str(done)}
    assert record["source"]["kind"] == "twin"
    assert set(record["source"]["files"]) == {"metadata.csv", "twin.json"}
    for name in ("first", "second"):
        entry = record["notebooks"][name]
        assert 0.1 < entry["seconds"] < 120
        assert 20 < entry["peak_memory_mb"] < 2000
        assert entry["run_id"] == record["run_id"]
    assert record["notebooks"]["second"]["parameters"]["mode"] == "median"

    again = run_notebooks(notebooks, assign(notebooks, ["fdr=0.1", "mode=median"]), done, jobs=1)
    first = contents(done)
    assert contents(again) == first


def test_executed_notebooks_hold_no_times_and_no_working_folder(done: Path) -> None:
    text = (done / "notebooks" / "01_first.ipynb").read_text()
    assert ".work-" not in text
    assert f"written to {done}/tables" in text
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert "papermill" not in node.metadata
    assert all(not {"papermill", "execution"} & set(cell.metadata) for cell in node.cells)
    injected = [cell for cell in node.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert ["remove-cell" in cell.metadata.tags for cell in injected] == [True]


def test_a_failing_cell_is_told_in_one_line_and_earlier_results_stay(
    done: Path, toys: Path, notebooks: list
) -> None:
    before, record = contents(done), (done / "run.json").read_bytes()
    broken = toys / "01_first.py"
    error = (
        'from helpers.errors import DataError\n\nraise DataError("plate 7 has no mock well:\\n  add one")\n'
    )
    broken.write_text(broken.read_text() + f"\n# %%\n{error}")
    with pytest.raises(DataError) as caught:
        run_notebooks(notebooks, assign(notebooks, ["fdr=0.9"]), done)
    partial = done / "partial" / "01_first.ipynb"
    assert str(caught.value) == (
        "first failed in cell 5: DataError: plate 7 has no mock well: add one; "
        f"the partial notebook is {partial}"
    )
    assert "written to" in partial.read_text()
    partial.unlink()
    assert contents(done) == before
    assert (done / "run.json").read_bytes() == record


def test_a_usage_error_of_a_notebook_stays_one(toys: Path, tmp_path: Path) -> None:
    path = toys / "01_first.py"
    path.write_text(
        path.read_text() + "\n# %%\nfrom helpers.errors import UsageError\n\nraise UsageError('no')\n"
    )
    only = select_notebooks(["first"], toys)
    with pytest.raises(UsageError, match="first failed in cell 5: UsageError: no; the partial"):
        run_notebooks(only, assign(only), tmp_path / "out")


def test_a_dead_kernel_is_told(toys: Path, tmp_path: Path) -> None:
    path = toys / "01_first.py"
    path.write_text(path.read_text() + "\n# %%\nimport os\n\nos._exit(9)\n")
    only = select_notebooks(["first"], toys)
    with pytest.raises(DataError, match="first failed: DeadKernelError: the kernel died"):
        run_notebooks(only, assign(only), tmp_path / "out")


def test_the_kernel_is_this_python_and_knows_no_user_settings(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    startup = home / ".ipython" / "profile_default" / "startup"
    kernel = home / ".local" / "share" / "jupyter" / "kernels" / "python3"
    for folder in (startup, kernel):
        folder.mkdir(parents=True)
    (startup / "00.py").write_text("leaked = True")
    (kernel / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    path = toys / "01_first.py"
    path.write_text(
        path.read_text()
        + "\n# %%\nimport sys\n\nassert 'leaked' not in globals()\n"
        + "(tables / 'python.txt').write_text(sys.executable);\n"
    )
    only = select_notebooks(["first"], toys)
    out = run_notebooks(only, assign(only), tmp_path / "folder {with} braces")
    assert (out / "tables" / "python.txt").read_text() == sys.executable


def test_results_of_another_notebook_keep_their_record(done: Path, toys: Path) -> None:
    first = json.loads((done / "run.json").read_text())
    only = select_notebooks(["second"], toys)
    run_notebooks(only, assign(only, ["seed=4"]), done)
    second = json.loads((done / "run.json").read_text())
    assert list(second["notebooks"]) == ["first", "second"]
    assert second["notebooks"]["first"] == first["notebooks"]["first"]
    assert second["notebooks"]["second"]["run_id"] == second["run_id"] != first["run_id"]


@pytest.mark.parametrize("held", ["out", "results"])
def test_two_runs_do_not_share_a_folder(held: str, notebooks: list, tmp_path: Path) -> None:
    import fcntl

    (tmp_path / held).mkdir()
    values = assign(notebooks, [f"results={tmp_path / 'results'}"])
    with (tmp_path / held / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataError, match=f"another run is writing to {tmp_path / held}: wait for it, or"):
            run_notebooks(notebooks, values, tmp_path / "out")
    other = "results" if held == "out" else "out"
    assert not (tmp_path / other).exists()


def test_results_may_go_to_a_folder_of_their_own(notebooks: list, tmp_path: Path) -> None:
    out, results = tmp_path / "out", tmp_path / "results"
    run_notebooks(notebooks, assign(notebooks, [f"results={results}"]), out)
    assert sorted(path.name for path in out.iterdir()) == ["notebooks", "run.json"]
    assert sorted(path.name for path in results.iterdir()) == ["figures", "tables"]
    assert f"written to {results}/tables" in (out / "notebooks" / "01_first.ipynb").read_text()


@pytest.mark.parametrize("place", ["results", "results/tables", "out/notebooks", "results/below/it"])
def test_a_file_in_the_way_is_found_before_anything_starts(
    place: str, done: Path, notebooks: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, record = contents(done), (done / "run.json").read_bytes()
    if place == "out/notebooks":
        (done / "notebooks").rename(done / "old")
        before = {name.replace("notebooks/", "old/"): data for name, data in before.items()}
    path = tmp_path / place if "below" not in place else tmp_path / "results"
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    results = tmp_path / ("results/below/it" if "below" in place else "results")
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(UsageError, match="choose another folder with"):
        run_notebooks(notebooks, assign(notebooks, [f"results={results}"]), done)
    path.unlink()
    assert contents(done) == before
    assert (done / "run.json").read_bytes() == record
    assert not (done / ".lock").exists()


def test_a_file_that_cannot_be_put_in_place_leaves_the_earlier_results(
    done: Path, toys: Path, notebooks: list
) -> None:
    """The last of the files to be moved is in the way; none may have moved by then."""
    (done / "tables" / "two.csv").unlink()
    (done / "tables" / "two.csv").mkdir()
    before, record = contents(done), (done / "run.json").read_bytes()
    with pytest.raises(
        DataError, match=r"two\.csv cannot be written .* the earlier results are as they were"
    ):
        run_notebooks(notebooks, assign(notebooks, ["fdr=0.9"]), done)
    assert contents(done) == before
    assert (done / "run.json").read_bytes() == record


def test_a_source_that_is_not_there_leaves_nothing(
    notebooks: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="is no folder; allowed are twin, rxrx19a"):
        run_notebooks(notebooks, assign(notebooks, ["source=nowhere"]), None)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_next_run_removes_what_a_killed_one_left(done: Path, notebooks: list) -> None:
    for name in (
        ".work-dead/first/results/tables",
        "tables/.work-dead",
        "partial/.work-dead",
        ".run.json.dead",
    ):
        (done / name).mkdir(parents=True)
        (done / name / "half.csv").write_text("half")
    (done / ".lock").write_text("")
    run_notebooks(notebooks, assign(notebooks), done)
    assert sorted(path.name for path in done.iterdir()) == ["figures", "notebooks", "run.json", "tables"]
    assert [path.name for path in done.rglob("*") if "dead" in path.name] == []


SCRIPT = """
import sys
from pathlib import Path
from helpers.publish.notebooks import select_notebooks
from helpers.publish.assign import assign
from helpers.publish.run.jobs import run_notebooks

notebooks = select_notebooks([], Path(sys.argv[1]))
run_notebooks(notebooks, assign(notebooks, sys.argv[3:]), Path(sys.argv[2]))
"""


def test_a_killed_run_leaves_nothing_half_and_is_repeated_byte_for_byte(
    toys: Path, tmp_path: Path, screen: Path
) -> None:
    source = f"source={screen}"

    def start(out: Path, *pairs: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(toys), str(out), source, *pairs])

    whole, out = tmp_path / "whole", tmp_path / "out"
    clock = time.monotonic()
    assert start(whole).wait() == 0
    duration = time.monotonic() - clock
    assert start(out, "fdr=0.5").wait() == 0
    earlier = contents(out)
    whole_contents = {
        name: data for name, data in contents(whole).items() if not name.startswith("notebooks")
    }
    delays = random.Random(0)
    for _ in range(4):
        run = start(out)
        time.sleep(delays.uniform(0.2, 1.02) * duration)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        left = {name: data for name, data in contents(out).items() if ".work-" not in name}
        for name, data in left.items():
            if name.startswith("tables"):
                assert data in (earlier[name], whole_contents[name])
    assert start(out).wait() == 0
    finished = {name: data for name, data in contents(out).items() if not name.startswith("notebooks")}
    assert finished == whole_contents


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see processes")
def test_nothing_of_a_killed_run_keeps_computing(toys: Path, tmp_path: Path, screen: Path) -> None:
    pid_file = tmp_path / "kernel.pid"
    path = toys / "01_first.py"
    path.write_text(
        path.read_text()
        + f"\n# %%\nimport os\nimport time\n\nPath({str(pid_file)!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(toys), str(tmp_path / "out"), f"source={screen}"]
    )
    deadline = time.monotonic() + 60
    while not (pid_file.is_file() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    kernel = int(pid_file.read_text())
    run.kill()
    run.wait()
    deadline = time.monotonic() + 15
    while is_running(kernel) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(kernel)


COMMAND = """
import sys
from pathlib import Path
import helpers.publish.notebooks
helpers.publish.notebooks.project_root = lambda: Path(sys.argv[1])
from helpers.cli import main

sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_run_that_is_told_to_end_cleans_up(
    number: signal.Signals, code: int, toys: Path, tmp_path: Path, screen: Path
) -> None:
    """Also of what its kernel still writes, which would go on for a second."""
    path = toys / "01_first.py"
    path.write_text(
        path.read_text()
        + "\n# %%\nimport itertools\n\nfor number in itertools.count():\n"
        + "    tables.mkdir(parents=True, exist_ok=True)\n"
        + "    (tables / f'{number % 100}.csv').write_text('x')\n"
    )
    out = tmp_path / "deep" / "out"
    call = [sys.executable, "-c", COMMAND, str(tmp_path), "run", "first", "--out", str(out)]
    run = subprocess.Popen(
        [*call, "-p", f"source={screen}"],
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and so would whatever it starts.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(out.glob(".work-*/*/results/tables/99.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    run.send_signal(number)
    _, errors = run.communicate(timeout=30)
    assert run.returncode == code
    assert [line for line in errors.splitlines() if "%" not in line] == ["rxrx19: interrupted"]
    time.sleep(1.5)
    assert not out.parent.exists()


def test_a_full_disk_is_told_and_the_earlier_results_stay(
    done: Path, notebooks: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(done)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("helpers.publish.run.jobs._execute_all", full)
    with pytest.raises(DataError, match=rf"{done} cannot be written: no room is left on its disk"):
        run_notebooks(notebooks, assign(notebooks, []), done)
    assert contents(done) == before
