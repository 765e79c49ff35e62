"""The kernel of a run is this Python, with settings of its own and one thread."""

import json
import os
import sys
from pathlib import Path

import pytest

from helpers.publish.run.kernel import (
    fonts_folder,
    kernel_environment,
    print_notices,
    quiet_environment,
    seal_fonts,
)
from helpers.sealed import NOTICES, notice


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RXRX19_CACHE", "cache")


def test_the_kernel_is_this_python(tmp_path: Path) -> None:
    environment = kernel_environment(tmp_path / "work")
    folder = Path(environment["JUPYTER_PATH"]) / "kernels" / "python3"
    description = json.loads((folder / "kernel.json").read_text())
    assert description["argv"][0] == sys.executable
    assert description["argv"][-1] == "{connection_file}"


def test_settings_of_the_user_are_out_of_sight_and_everything_else_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", "/mine")
    monkeypatch.setenv("SOMETHING", "else")
    environment = quiet_environment(tmp_path / "work")
    assert environment["SOMETHING"] == "else"
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        assert Path(environment[name]).is_relative_to(tmp_path / "work"), name
    assert os.environ["IPYTHONDIR"] == "/mine", "this process keeps its own"


def test_sums_have_one_order_and_the_memory_one_place(tmp_path: Path) -> None:
    environment = kernel_environment(tmp_path / "work")
    assert {environment[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL")} == {"1"}
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["RXRX19_CACHE"] == str(tmp_path / "cache"), "a relative one is of the user's folder"


def test_a_damaged_list_of_fonts_is_dropped(capsys: pytest.CaptureFixture) -> None:
    folder = fonts_folder()
    assert folder.is_absolute()
    (folder / "fontlist.json").write_text("{}")
    assert fonts_folder() == folder
    assert (folder / "fontlist.json").exists(), "it was not finished, nobody can tell"
    seal_fonts()
    (folder / "fontlist.json").write_text("[]")
    assert list(fonts_folder().iterdir()) == []
    assert "is damaged in fontlist.json: it is dropped and made again" in capsys.readouterr().err
    folder.rmdir()
    folder.write_text("a file")
    assert fonts_folder().is_dir()


def test_notices_of_kernels_reach_the_user_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    environment = kernel_environment(tmp_path / "work")
    with monkeypatch.context() as patch:
        patch.setenv(NOTICES, environment[NOTICES])
        for text in ("one", "one", "two"):
            notice(text)
    assert capsys.readouterr().err == ""
    print_notices(tmp_path / "work")
    assert capsys.readouterr().err == "rxrx19: one\nrxrx19: two\n"
