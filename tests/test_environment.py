"""One set of packages and bounds, one of checks and one of systems: the files that say so agree."""

import ast
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import coverage
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.cli import main
from shown_coverage import rows

# What only a pip installation of the project needs, or only conda has to be told.
CONDA_ONLY = {"python", "pip"}
# Not imported but started, in a process of its own.
STARTED = {"ipykernel"}
# What only a build of the book imports comes with the extra `docs`.
OF_THE_BOOK = {"docutils", "sphinx"}
# Rooms whose names are for users.
FACES = ("screens", "profiles", "hits", "dose", "study", "publish")


@pytest.fixture(scope="module")
def metadata(project: Path) -> dict:
    return tomllib.loads((project / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wanted(metadata: dict) -> dict[str, Requirement]:
    """Return every requirement of pyproject.toml, extras included, by name."""
    extras = metadata["optional-dependencies"]
    return by_name([*metadata["dependencies"], *extras["docs"], *extras["dev"]])


@pytest.fixture(scope="module")
def conda(project: Path) -> dict:
    return yaml.safe_load((project / "environment.yml").read_text())


@pytest.fixture(scope="module")
def locked(project: Path) -> list[tuple[Requirement, list[str]]]:
    """Return every entry of the lock with its hashes."""
    text = (project / "requirements.lock").read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    entries = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [
        (Requirement(entry.split(" --hash=")[0].strip()), re.findall(r"--hash=(\S+)", entry))
        for entry in entries
    ]


@pytest.fixture(scope="module")
def workflows(project: Path) -> dict[str, dict]:
    paths = (project / ".github" / "workflows").glob("*.yml")
    return {path.name: yaml.safe_load(path.read_text()) for path in paths}


def by_name(requirements: list[str]) -> dict[str, Requirement]:
    """Return requirements by canonical name; each may be named once."""
    parsed = [Requirement(text) for text in requirements]
    named = {canonicalize_name(requirement.name): requirement for requirement in parsed}
    assert len(named) == len(parsed)
    return named


def test_conda_and_pip_name_the_same_packages_and_bounds(conda: dict, wanted: dict, metadata: dict) -> None:
    direct = [item for item in conda["dependencies"] if isinstance(item, str)]
    nested = [text for item in conda["dependencies"] if isinstance(item, dict) for text in item["pip"]]
    named = by_name(direct + nested)
    assert set(named) - CONDA_ONLY == set(wanted)
    for name, requirement in wanted.items():
        assert named[name].specifier == requirement.specifier, name
    assert named["python"].specifier == Requirement(f"python{metadata['requires-python']}").specifier
    assert conda["channels"][0] == "conda-forge"


def test_every_locked_version_is_pinned_with_hashes(locked: list) -> None:
    for requirement, hashes in locked:
        assert [item.operator for item in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(("system", "platform"), [("Linux", "linux"), ("Darwin", "darwin")])
def test_the_lock_holds_what_pyproject_asks_for(
    locked: list, wanted: dict, python: str, system: str, platform: str
) -> None:
    here = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "platform_system": system,
        "sys_platform": platform,
        "os_name": "posix",
        "platform_machine": "arm64" if system == "Darwin" else "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    versions: dict[str, Version] = {}
    for requirement, _ in locked:
        if requirement.marker is None or requirement.marker.evaluate(here):
            name = canonicalize_name(requirement.name)
            assert name not in versions, f"{name} is locked twice"
            versions[name] = Version(next(iter(requirement.specifier)).version)
    for name, requirement in wanted.items():
        assert name in versions, f"{name} is not in the lock: run `make lock`"
        assert requirement.specifier.contains(versions[name]), requirement


def test_the_known_traps_are_bounded(wanted: dict) -> None:
    assert not wanted["jupyter-book"].specifier.contains("2.0.0"), "2.x ignores _config.yml"
    assert not wanted["sphinx-book-theme"].specifier.contains("1.3.0"), "1.3.0 has no mobile navigation"


def test_make_explains_a_python_that_does_not_fit(project: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((project / name).read_bytes())
    old = tmp_path / "python-old"
    old.write_text('#!/bin/sh\ncase "$2" in *platform*) echo 3.9.1;; *) exit 1;; esac\n')
    old.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for name, said in ((old, "Python 3.11, 3.12 or 3.13 is needed"), ("python-none", "no python-none found")):
        ended = subprocess.run(
            ["make", "env", f"PYTHON={name}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode != 0
        assert said in ended.stderr
        assert not (tmp_path / ".venv").exists()


def test_make_lists_its_targets_by_default(project: Path) -> None:
    # inside another make it would also say which folder it enters
    out = subprocess.run(
        ["make", "--no-print-directory"], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    listed = {line.split()[1] for line in out.splitlines()}
    assert listed == {
        "help", "env", "book", "test", "messages", "lint", "fuzz", "oldest", "release-check", "bench", "worlds",
        "worlds-notebooks", "kills", "lock", "clean",
    }  # fmt: skip


def test_every_library_that_is_declared_is_used_and_every_one_that_is_used_is_declared(
    project: Path, metadata: dict
) -> None:
    declared = set(by_name(metadata["dependencies"]))
    homes = importlib.metadata.packages_distributions()
    imported = {
        name.split(".")[0]
        for path in (project / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    } - {*sys.stdlib_module_names, "helpers"}
    used = {canonicalize_name(home) for name in imported for home in homes[name]}
    assert declared - used == STARTED
    assert used - declared <= OF_THE_BOOK


def test_locked_versions_stay_unless_newer_ones_are_asked_for(project: Path) -> None:
    assert "--upgrade" not in recipe(project, "lock")
    assert "--upgrade" in recipe(project, "lock", "UPGRADE=1")


# --- what is checked before a change is taken ---------------------------------------------------------------------


def recipe(project: Path, *arguments: str) -> str:
    """Return what make would run."""
    made = subprocess.run(["make", "-n", *arguments], cwd=project, capture_output=True, text=True, check=True)
    return made.stdout


def test_hooks_are_the_commands_of_make_lint(project: Path) -> None:
    (local,) = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())["repos"]
    lint = [line for line in recipe(project, "lint").splitlines() if re.match(r"\.venv/bin/(?!python)", line)]
    assert [hook["entry"] for hook in local["hooks"]] == lint
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_a_full_run_is_measured_and_a_part_is_not(project: Path) -> None:
    assert " --cov " in recipe(project, "test", "ARGS=")
    assert "--cov" not in recipe(project, "test", "ARGS=-m 'not slow'")


def test_the_worst_covered_modules_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "helpers" / "room"
    folder.mkdir(parents=True)
    (folder / "good.py").write_text("a = 1\nb = 2\n")
    (folder / "bad.py").write_text("a = 1\n\n\ndef never():\n    b = 2\n    c = 3\n")
    measured = coverage.Coverage(data_file=None, include=[str(tmp_path / "*")], config_file=False)
    with measured.collect():
        for name in ("good", "bad"):
            exec(compile((folder / f"{name}.py").read_text(), folder / f"{name}.py", "exec"), {})
    assert rows(measured) == [(0.5, 2, "room/bad.py"), (1.0, 0, "room/good.py")]


def test_types_are_checked_where_the_faces_get_their_names(project: Path) -> None:
    checked = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    files = {path for pattern in checked for path in project.glob(pattern)}
    files |= {path for folder in files if folder.is_dir() for path in folder.rglob("*.py")}
    for face in FACES:
        module = importlib.import_module(f"helpers.{face}")
        assert Path(module.__file__) in files
        for name in module.__all__:
            home = getattr(getattr(module, name), "__module__", None) or ""
            if home.startswith("helpers."):
                assert Path(sys.modules[home].__file__) in files, f"{home}, the home of {face}.{name}"


@pytest.mark.parametrize("face", ["publish", "screens"])
def test_a_lazy_face_shows_type_checkers_the_names_of_its_table(project: Path, face: str) -> None:
    tree = ast.parse((project / "src" / "helpers" / face / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    shown = {
        alias.asname: node.module.removeprefix(f"helpers.{face}.")
        for node in block.body
        for alias in node.names
        if alias.name == alias.asname
    }
    (table,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    )
    assert shown == ast.literal_eval(table)


def test_what_the_type_checker_is_told_to_overlook_has_a_reason(project: Path) -> None:
    for folder in ("src", ".ci", "tests"):
        for path in (project / folder).rglob("*.py"):
            for line in path.read_text(encoding="utf-8").splitlines():
                _, found, rest = line.partition("# type: " + "ignore")
                if found:
                    assert re.match(r"\[[\w, -]+\]  # \w.* ", rest), f"{path}: {line.strip()}"


# --- where it runs, and what the workflows do ---------------------------------------------------------------------


def test_every_action_is_pinned_to_a_commit(workflows: dict[str, dict]) -> None:
    steps = [step for flow in workflows.values() for job in flow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert len(used) > 5
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w.-]+@[0-9a-f]{40}", action), action


def test_a_pinned_action_says_its_version(project: Path) -> None:
    for path in (project / ".github" / "workflows").glob("*.yml"):
        for line in path.read_text().splitlines():
            if re.match(r"\s*(- )?uses:", line):
                assert re.search(r" # v\d+\.\d+\.\d+$", line), f"{path.name}: {line.strip()}"


def test_the_tests_run_on_every_system_and_python_that_is_promised(
    workflows: dict[str, dict], metadata: dict
) -> None:
    pythons = [text.rpartition(" ")[2] for text in metadata["classifiers"] if re.search(r":: 3\.\d+$", text)]
    allowed = Requirement(f"python{metadata['requires-python']}").specifier
    assert pythons == [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}")]
    systems = {text for text in metadata["classifiers"] if text.startswith("Operating System")}
    assert systems == {"Operating System :: MacOS", "Operating System :: POSIX :: Linux"}
    matrix = workflows["tests.yml"]["jobs"]["test"]["strategy"]["matrix"]
    assert (matrix["system"], matrix["python"]) == (["ubuntu-latest"], pythons)
    assert matrix["include"] == [
        {"system": "macos-latest", "python": python} for python in (pythons[0], pythons[-1])
    ]


@pytest.mark.parametrize("call", [["--version"], ["run"], []])
def test_windows_is_refused_with_one_sentence(
    call: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(call) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err == "rxrx19: Windows is not supported; use the Windows Subsystem for Linux (WSL)\n"
