"""One set of packages and bounds: pyproject.toml, environment.yml and requirements.lock agree."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

# What only a pip installation of the project needs, or only conda has to be told.
CONDA_ONLY = {"python", "pip"}


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
    out = subprocess.run(["make"], cwd=project, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[1] for line in out.splitlines()}
    assert {"env", "book", "test", "lint", "bench", "clean", "help"} <= listed
