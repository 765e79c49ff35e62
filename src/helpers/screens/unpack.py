"""Compressed tables made plain: gzipped CSV, and the CSV and Parquet members of a zip."""

import gzip
import lzma
import shutil
import zipfile
import zlib
from pathlib import Path

from helpers.screens.heads import check_head
from helpers.screens.problems import broken, listed
from helpers.screens.text import BLOCK, copy_text, refuse_nul

DAMAGED = (
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    lzma.LZMAError,
    NotImplementedError,
)
"""What the readers of compressed files raise for one that is cut off, damaged or packed in an unknown way."""


def unpack(path: Path, folder: Path) -> list[tuple[Path, str]]:
    """Return the plain files of a table's file, and what messages call them.

    Parameters
    ----------
    path : Path
        A CSV, gzipped CSV, Parquet or zip.
    folder : Path
        Where compressed members are written.

    Raises
    ------
    BrokenFileError
        If it is no text where it should be, encrypted, or holds no table; one of `DAMAGED` if it is cut off.
    """
    if path.name.endswith(".gz"):
        target = folder / "plain.csv"
        with gzip.open(path) as packed:
            copy_text(packed, target)
        check_head(target, label=path.name)
        refuse_nul(target, path.name)
        return [(target, path.name)]
    if path.suffix != ".zip":
        if path.suffix != ".parquet":
            refuse_nul(path, path.name)
        return [(path, path.name)]
    with zipfile.ZipFile(path) as archive:
        members = [m for m in sorted(archive.namelist()) if _is_data(m)]
        if not members:
            inside = listed(archive.namelist()) or "nothing"
            raise broken(path.name, "", f"holds no .csv or .parquet member, only {inside}")
        return [_extract(archive, member, folder / str(i), path.name) for i, member in enumerate(members)]


def _extract(archive: zipfile.ZipFile, member: str, stem: Path, label: str) -> tuple[Path, str]:
    target = stem.with_suffix(Path(member).suffix.lower())
    is_text = target.suffix != ".parquet"
    try:
        with archive.open(member) as packed:
            if is_text:
                copy_text(packed, target)
            else:
                with target.open("wb") as plain:
                    shutil.copyfileobj(packed, plain, BLOCK)
    except RuntimeError as error:  # what zipfile raises for an encrypted member
        raise broken(label, "", f"member {member} is encrypted; unpack it with its password first") from error
    label = f"{label}:{member}"
    check_head(target, label=label)
    if is_text:
        refuse_nul(target, label)
    return target, label


def _is_data(member: str) -> bool:
    name = Path(member).name
    hidden = name.startswith(".") or member.startswith("__MACOSX/")
    return not hidden and Path(name).suffix.lower() in (".csv", ".parquet")
