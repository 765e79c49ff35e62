"""Tables out of what they are packed in: gzip, or a zip of several."""

import gzip
import zipfile
from pathlib import Path

from helpers.screens.disk import check_room
from helpers.screens.heads import check_head
from helpers.screens.packed import BLOCK, member_blocks, unpacking
from helpers.screens.problems import broken, listed
from helpers.screens.text import copy_text, refuse_nul


def unpack(path: Path, folder: Path) -> list[tuple[Path, str]]:
    """Return the plain files of a table, and what messages call each; one that is not packed stays where it is.

    Parameters
    ----------
    path : Path
        A CSV, gzipped CSV, Parquet or zip.
    folder : Path
        Where to unpack to.

    Raises
    ------
    BrokenFileError
        If it holds no table, or what it holds is no text.
    PackedError
        If it is damaged.
    """
    if path.name.endswith(".gz"):
        target = folder / "plain.csv"
        with unpacking(), gzip.open(path) as packed:
            copy_text(iter(lambda: packed.read(BLOCK), b""), target)
        check_head(target, label=path.name)
        refuse_nul(target, path.name)
        return [(target, path.name)]
    if path.suffix != ".zip":
        if path.suffix != ".parquet":
            refuse_nul(path, path.name)
        return [(path, path.name)]
    with unpacking():
        archive = zipfile.ZipFile(path)
    with archive:
        members = [m for m in sorted(archive.namelist()) if _is_data(m)]
        if not members:
            inside = listed(archive.namelist()) or "nothing"
            raise broken(path.name, "", f"holds no .csv or .parquet member, only {inside}")
        check_room(folder, sum(archive.getinfo(member).file_size for member in members))
        return [_extract(archive, member, folder / str(i), path.name) for i, member in enumerate(members)]


def _extract(archive: zipfile.ZipFile, member: str, stem: Path, label: str) -> tuple[Path, str]:
    target = stem.with_suffix(Path(member).suffix.lower())
    is_text = target.suffix != ".parquet"
    blocks = member_blocks(archive, archive.getinfo(member))
    if is_text:
        copy_text(blocks, target)
    else:
        with target.open("wb") as plain:
            plain.writelines(blocks)
    label = f"{label}:{member}"
    check_head(target, label=label)
    if is_text:
        refuse_nul(target, label)
    return target, label


def _is_data(member: str) -> bool:
    name = Path(member).name
    hidden = name.startswith(".") or member.startswith("__MACOSX/")
    return not hidden and Path(name).suffix.lower() in (".csv", ".parquet")
