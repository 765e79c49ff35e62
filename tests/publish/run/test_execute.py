"""An executed notebook is tidied: no times, no working folder, and injected values out of sight."""

import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers.publish.run.execute import execute, tidy
from helpers.publish.run.kernel import kernel_environment


@pytest.fixture
def executed(tmp_path: Path) -> Path:
    shown = new_output("stream", text='written to /data/.work-1/results/"x"/tables')
    cells = [
        new_code_cell("a = 1", metadata={"tags": ["injected-parameters"], "papermill": {"duration": 1.5}}),
        new_code_cell("b", outputs=[shown], metadata={"tags": [], "execution": {"iopub": "now"}}),
        new_code_cell("c", metadata={"tags": ["hide-input"], "mystnb": {"x": 1}}),
    ]
    path = tmp_path / "n.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"papermill": {"start_time": "now"}, "k": 1}), path)
    return path


def test_times_and_working_folders_are_gone(executed: Path) -> None:
    tidy(executed, {'/data/.work-1/results/"x"': "/home/out"})
    node = nbformat.read(executed, as_version=4)
    assert dict(node.metadata) == {"k": 1}
    assert [dict(cell.metadata) for cell in node.cells] == [
        {"tags": ["injected-parameters", "remove-cell"]},
        {},
        {"tags": ["hide-input"], "mystnb": {"x": 1}},
    ]
    assert node.cells[1].outputs[0].text == "written to /home/out/tables"
    assert [cell.id for cell in node.cells] == ["cell-001", "cell-002", "cell-003"]


def test_the_same_notebook_gives_the_same_bytes(executed: Path) -> None:
    tidy(executed, {})
    once = executed.read_bytes()
    tidy(executed, {})
    assert executed.read_bytes() == once


def test_addresses_and_the_pieces_of_a_stream_are_no_part_of_a_page(tmp_path: Path) -> None:
    def page(address: str, *streams: tuple[str, str]) -> bytes:
        shown = {
            "text/plain": f"[<a.B object at {address}>, 0xff at 0x10]",
            "text/html": f"<td>&lt;a.B at {address}&gt;</td>",
            "image/png": "iVBOR",
        }
        outputs = [
            *(new_output("stream", name=name, text=text) for name, text in streams),
            new_output("display_data", data=shown),
            new_output("stream", name="stdout", text=f"<function f at {address}>\n"),
            new_output("error", ename="E", evalue=f"<B at {address}>", traceback=[f"in <B at {address}>"]),
        ]
        path = tmp_path / "n.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell("a", outputs=outputs)]), path)
        tidy(path, {})
        return path.read_bytes()

    one = page("0x7f0123456789", ("stdout", "a\nb\n"), ("stderr", "careful\n"))
    assert one == page("0x7fffff000010", ("stdout", "a\n"), ("stderr", "careful\n"), ("stdout", "b\n"))
    assert b"[<a.B object>, 0xff at 0x10]" in one, "short numbers are the reader's"
    assert b"&lt;a.B&gt;" in one
    assert b"0x7f" not in one


def test_tidying_takes_no_longer_than_reading_where_pictures_are_in_the_text(tmp_path: Path) -> None:
    data = {"text/html": f"<img src='data:image/png;base64,{'aB3/' * 500_000}'>"}
    path = tmp_path / "n.ipynb"
    nbformat.write(
        new_notebook(cells=[new_code_cell("a", outputs=[new_output("display_data", data=data)])]), path
    )
    start = time.process_time()
    tidy(path, {})
    assert time.process_time() - start < 5


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that executes cells in a kernel and returns how it ended and what was reported."""
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    for name, value in kernel_environment(tmp_path / "work").items():
        monkeypatch.setenv(name, value)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")

    def run(*cells: str) -> tuple[dict, list[dict]]:
        first = new_code_cell("a = 1", metadata={"tags": ["parameters"]})
        node = new_notebook(cells=[first, *map(new_code_cell, cells)])
        node.metadata["kernelspec"] = {"name": "python3", "display_name": "x", "language": "python"}
        nbformat.write(node, tmp_path / "in {put}.ipynb")
        given = {"input": str(tmp_path / "in {put}.ipynb"), "output": str(tmp_path / "out.ipynb")}
        events = []
        outcome = execute({**given, "folder": str(tmp_path / "cwd"), "parameters": {"a": 7}}, events.append)
        return outcome, events

    return run


def test_cells_are_reported_and_parameters_reach_them(job, tmp_path: Path) -> None:
    outcome, events = job("print(a)")
    assert "error" not in outcome
    assert outcome["seconds"] > 0
    assert outcome["peak_memory_mb"] > 10
    assert set(events[0]) == {"kernel"}
    assert [event["cell"] for event in events[1:]] == [0, 1, 2]
    assert "7" in nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[2].outputs[0].text


@pytest.mark.slow
def test_two_executions_give_the_same_bytes(job, tmp_path: Path) -> None:
    cells = (
        "import sys, time, warnings\nprint(object())\ntime.sleep(0.3)\nprint('err', file=sys.stderr)\nprint('b')",
        "warnings.warn('careful')\n[object(), lambda: 1]",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
    )
    pages = []
    for _ in range(2):
        job(*cells)
        tidy(tmp_path / "out.ipynb", {})
        pages.append((tmp_path / "out.ipynb").read_text())
    assert pages[0] == pages[1]
    assert "UserWarning: careful" in pages[0]
    assert "<object object>" in pages[0]


def test_a_failing_cell_is_told_with_its_number_in_one_line(job) -> None:
    outcome, _ = job("raise ValueError('two\\n  lines')", "print('never')")
    assert (outcome["error"], outcome["message"], outcome["cell"]) == ("ValueError", "two lines", 3)
