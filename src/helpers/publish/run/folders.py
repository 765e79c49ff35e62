"""Folders that a command writes into: writable, held by one run at a time, free of what killed runs left."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.errors import DataError, UsageError

WORK = ".work-"
LOCK = ".lock"
# What a run puts into its folder; a file of such a name would be in the way.
_PARTS = ("tables", "figures", "notebooks", "partial")


def check_writable(folder: Path, advice: str) -> None:
    """Refuse a folder that cannot be made or written; nothing is left behind.

    Parameters
    ----------
    folder : Path
        Made and removed again if it is missing.
    advice : str
        What to do about it, the end of the message.

    Raises
    ------
    UsageError
        If it is a file, below one, or on a system that refuses.
    """
    with _writable(folder, advice):
        pass


@contextlib.contextmanager
def _writable(folder: Path, advice: str) -> Iterator[None]:
    """Make a folder and its parents, and take away at the end those of them that stayed empty."""
    missing: list[Path] = []
    try:
        try:
            missing += [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryDirectory(prefix=WORK, dir=folder).cleanup()
        except OSError as error:
            reason = "it is a file" if folder.is_file() else error.strerror or error
            raise UsageError(f"cannot write to {folder} ({reason}): {advice}") from None
        yield
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def check_results(folders: Mapping[Path, str]) -> None:
    """Refuse folders that `held_folders` would refuse, before time is spent on anything else.

    Parameters
    ----------
    folders : mapping of Path to str
        Each folder, and what to do if it cannot be used.

    Raises
    ------
    UsageError
        If one cannot be written.
    """
    for folder, advice in folders.items():
        with _writable(folder, advice):
            _refuse_misplaced(folder, advice)


@contextlib.contextmanager
def held_folders(folders: Mapping[Path, str]) -> Iterator[None]:
    """Hold the folders of a run against any other run, whichever of its folders they are.

    They are made if missing. The system releases the locks however the process ends. What runs that were killed
    left in them is removed.

    Parameters
    ----------
    folders : mapping of Path to str
        Each folder, and what to do if it cannot be used.

    Raises
    ------
    UsageError
        If one cannot be written; none is left behind.
    DataError
        If another run holds one.
    """
    with contextlib.ExitStack() as stack:
        for folder, advice in folders.items():
            stack.enter_context(_writable(folder, advice))
            _refuse_misplaced(folder, advice)
        for folder, advice in folders.items():
            stack.enter_context(_locked(folder, advice))
        # Before the locks go: kernels that were killed with the run may have written until the last moment.
        stack.callback(_sweep, folders)
        _sweep(folders)
        yield


def _refuse_misplaced(folder: Path, advice: str) -> None:
    """Refuse a folder in which a file has the name of a folder of results, or the other way round."""
    for name in _PARTS:
        path = folder / name
        if (path.exists() or path.is_symlink()) and not path.is_dir():
            raise UsageError(f"{path} is a file where a folder of results belongs: move it away, or {advice}")
    if (folder / "run.json").is_dir():
        raise UsageError(f"{folder / 'run.json'} is a folder where a file belongs: move it away, or {advice}")


@contextlib.contextmanager
def _locked(folder: Path, advice: str) -> Iterator[None]:
    try:
        with FileLock(folder / LOCK, blocking=False):
            try:
                yield
            finally:  # while it is still ours: whoever opened it meanwhile sees that it is gone
                (folder / LOCK).unlink(missing_ok=True)
    except Timeout:
        raise DataError(f"another run is writing to {folder}: wait for it, or {advice}") from None


def _sweep(folders: Iterable[Path]) -> None:
    """Remove temporary files of runs that were killed; the folders are locked, so nobody uses them."""
    for folder in folders:
        for place in (folder, *(folder / name for name in _PARTS)):
            for stale in (*place.glob(f"{WORK}*"), *place.glob(".run.json.*")):
                shutil.rmtree(stale, ignore_errors=True)


def put_in_place(files: Mapping[Path, Path], record: Path) -> None:
    """Move files over earlier ones, all of them or, as far as can be known beforehand, none.

    All are first brought into the folder of their target, under a temporary name: what can fail, fails there. Then
    `record` goes, which says that the folder is whole, and each takes its place by a rename.

    Parameters
    ----------
    files : mapping of Path to Path
        Target and the file that is to stand there.
    record : Path
        Deleted before the first earlier file is replaced.

    Raises
    ------
    DataError
        If a target cannot be written; everything is as it was.
    """
    beside: dict[Path, Path] = {}
    try:
        ready = {target: _bring(path, target, beside) for target, path in files.items()}
        record.unlink(missing_ok=True)
        for target, path in ready.items():
            path.replace(target)
    finally:
        for folder in beside.values():
            shutil.rmtree(folder, ignore_errors=True)


def _bring(path: Path, target: Path, beside: dict[Path, Path]) -> Path:
    """Move or, from another file system, copy a file into a temporary folder beside its target."""
    try:
        if target.is_dir():
            raise IsADirectoryError(0, "a folder of this name is in the way")
        if target.parent not in beside:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside[target.parent] = Path(tempfile.mkdtemp(prefix=WORK, dir=target.parent))
        near = beside[target.parent] / target.name
        try:
            path.replace(near)
        except OSError:  # another file system
            shutil.copyfile(path, near)
        return near
    except OSError as error:
        raise DataError(
            f"{target} cannot be written ({error.strerror or error}): make room for it and run again; the earlier "
            "results are as they were"
        ) from None
