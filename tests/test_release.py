"""What is checked before a tag is published: its version, the changelog, and what is built."""

import datetime
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

DATED = (
    "# Changelog\n\n## [1.2.0] - 2024-02-29\n\n### Added\n\n- A thing.\n\n## [1.1.0] - 2024-01-01\n\n- It.\n"
)


@pytest.fixture(scope="module")
def release(project: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", project / ".ci" / "release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(release: ModuleType, project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return release.build(project, tmp_path_factory.mktemp("dist") / "dist")


@pytest.mark.parametrize("tag", ["", "1.2.0", "v1.2", "v1.2.0rc1", "v1.2.0 "])
def test_a_tag_that_is_not_the_version_is_refused(release: ModuleType, tag: str) -> None:
    with pytest.raises(release.NotReadyError, match=r"1\.2\.0"):
        release.check_tag(tag, "1.2.0")
    release.check_tag("v1.2.0", "1.2.0")


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("## [1.2.0] - Unreleased", "needs a date"),
        ("## [1.2.0]", "needs a date"),
        ("## [1.2.0] - 2023-02-29", "needs a date"),
        ("## [1.2.0] - 9999-01-01", "in the future"),
        ("## [1.2.1] - 2024-02-29", "no section"),
        ("## [1x2.0] - 2024-02-29", "no section"),
        ("## [1.2.0] - 2024-02-29\n\n## [1.1.9] - 2024-02-01", "is empty"),
    ],
)
def test_a_changelog_without_a_dated_section_is_refused(release: ModuleType, heading: str, said: str) -> None:
    release.check_changelog(DATED, "1.2.0")
    with pytest.raises(release.NotReadyError, match=said):
        release.check_changelog(DATED.replace("## [1.2.0] - 2024-02-29", heading), "1.2.0")


def test_a_release_of_today_is_fine(release: ModuleType) -> None:
    release.check_changelog(DATED.replace("2024-02-29", f"{datetime.date.today()}"), "1.2.0")


def test_the_command_stops_at_the_first_thing_that_is_wrong(project: Path) -> None:
    ended = subprocess.run(
        [sys.executable, project / ".ci" / "release.py", "v0.0.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("not ready: the tag 'v0.0.0' is not the version")


def test_what_is_built_is_the_package_and_what_belongs_to_it(built: tuple[Path, Path], project: Path) -> None:
    sdist, wheel = built
    with zipfile.ZipFile(wheel) as archive:
        installed = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
    tracked = [path for path in (project / "src").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert installed == {path.relative_to(project / "src").as_posix() for path in tracked}
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "notebooks/01_dataset_tour.py", "tests/conftest.py"} <= inside
    assert not [name for name in inside if name.endswith((".whl", ".ipynb", ".pyc"))]


def test_what_is_built_has_the_version_and_the_metadata_that_an_index_wants(
    release: ModuleType, built: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = built[1].name.split("-")[1]
    release.check_files(*built, version)
    with pytest.raises(release.NotReadyError, match="of version"):
        release.check_files(*built, "9.9")
    monkeypatch.setattr(release, "LARGEST", 1000)
    with pytest.raises(release.NotReadyError, match="by mistake"):
        release.check_files(*built, version)
