"""Check what a tag would publish: its version, its section of the changelog, and the two files, built and tried.

python .ci/release.py v1.2.3 leaves the source distribution and the wheel in `dist/`, or says in one line what is wrong.
"""

import datetime
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename

PROJECT = Path(__file__).resolve().parents[1]
LARGEST = 10_000_000
"""Bytes of a distribution: something that does not belong into it is larger than all that does."""


class NotReadyError(Exception):
    """Why the tag cannot be published, in one line."""


def check_tag(tag: str, version: str) -> None:
    """Refuse a tag that is not `v` and the version of pyproject.toml."""
    if not tag:
        raise NotReadyError(f"no tag is named; try: make release-check TAG=v{version}")
    if tag != f"v{version}":
        raise NotReadyError(
            f"the tag {tag!r} is not the version in pyproject.toml, v{version}; change one of them"
        )


def check_changelog(text: str, version: str) -> None:
    """Refuse a changelog whose section of the version is missing, has no date, one in the future, or no line."""
    found = re.search(rf"^## \[{re.escape(version)}\](?: - (.*))?\n((?:(?!^## ).*\n?)*)", text, re.MULTILINE)
    if not found:
        raise NotReadyError(f"CHANGELOG.md has no section [{version}]; add one")
    try:
        day = datetime.date.fromisoformat((found[1] or "").strip())
    except ValueError:
        raise NotReadyError(
            f"section [{version}] of CHANGELOG.md needs a date: ## [{version}] - YYYY-MM-DD"
        ) from None
    # It is tomorrow already east of here.
    if day > datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1):
        raise NotReadyError(f"section [{version}] of CHANGELOG.md has a date in the future, {day}")
    if not re.search(r"^- ", found[2], re.MULTILINE):
        raise NotReadyError(f"section [{version}] of CHANGELOG.md is empty; say what changed")


def build(project: Path, dist: Path) -> tuple[Path, Path]:
    """Build the source distribution and, from it, the wheel; return both."""
    shutil.rmtree(dist, ignore_errors=True)
    _run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(dist)], project)
    (sdist,) = dist.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
        (source,) = Path(folder).iterdir()
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)], source)
    (wheel,) = dist.glob("*.whl")
    return sdist, wheel


def check_files(sdist: Path, wheel: Path, version: str) -> None:
    """Refuse distributions whose names, metadata or size an index would refuse, or that hold what is not ours."""
    named = {str(parse_sdist_filename(sdist.name)[1]), str(parse_wheel_filename(wheel.name)[1])}
    if named != {version}:
        raise NotReadyError(f"the built files are of version {', '.join(named)}, not {version}")
    for path, text in ((sdist, _sdist_metadata(sdist)), (wheel, _wheel_metadata(wheel))):
        metadata = Metadata.from_email(text, validate=True)
        if not (metadata.description or "").strip() or metadata.description_content_type != "text/markdown":
            raise NotReadyError(
                f"{path.name}: the description is missing or not Markdown; see `readme` in pyproject.toml"
            )
        if path.stat().st_size > LARGEST:
            raise NotReadyError(
                f"{path.name} has {path.stat().st_size:,} bytes; look what lies in it by mistake"
            )


def _sdist_metadata(path: Path) -> bytes:
    with tarfile.open(path) as archive:
        file = archive.extractfile(f"{path.name.removesuffix('.tar.gz')}/PKG-INFO")
        assert file is not None, "PKG-INFO is a folder"
        return file.read()


def _wheel_metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name)


def try_wheel(wheel: Path, version: str) -> None:
    """Install the wheel as a user does, with the newest libraries that it allows, and use it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        _run([str(environment / "bin" / "python"), "-m", "pip", "install", "-q", str(wheel)], Path(folder))
        command = str(environment / "bin" / "rxrx19")
        said = _run([command, "--version"], Path(folder)).strip()
        if said != f"rxrx19 {version}":
            raise NotReadyError(f"the installed command says {said!r}, not 'rxrx19 {version}'")
        _run([command, "data", "make", "twin", "screen", "--scale", "tiny"], Path(folder))
        _run([command, "data", "check", "screen"], Path(folder))


def _run(command: list[str], folder: Path) -> str:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NotReadyError(
            f"`{' '.join(command)}` failed: {' '.join((ended.stderr or ended.stdout).split())[-500:]}"
        )
    return ended.stdout


def main(arguments: list[str]) -> int:
    """Check all of it; the first thing that is wrong ends it."""
    tag = arguments[0] if arguments else ""
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        check_tag(tag, version)
        check_changelog((PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
        sdist, wheel = build(PROJECT, PROJECT / "dist")
        check_files(sdist, wheel, version)
        try_wheel(wheel, version)
    except NotReadyError as error:
        print(f"not ready: {error}", file=sys.stderr)
        return 1
    print(f"{tag} is ready: {sdist.relative_to(PROJECT)}, {wheel.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
