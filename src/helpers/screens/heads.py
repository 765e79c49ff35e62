"""The first bytes of a file: whether it is what its name says."""

import codecs
from pathlib import Path

from helpers.screens.problems import broken
from helpers.screens.text import GET_AGAIN

_MAGIC = {b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "an empty zip archive", b"\x1f\x8b": "gzip data"}
_MAGIC |= {b"PAR1": "Parquet data", b"\x89HDF": "HDF5 data", b"\x93NUMPY": "a NumPy array"}
_MAGIC |= {b"\xfd7zXZ": "xz data", b"BZh9": "bzip2 data", b"7z\xbc\xaf": "a 7z archive"}
_EXPECTED = {".zip": ("PK", "a zip archive"), ".gz": ("\x1f\x8b", "gzip data")}
_EXPECTED |= {".parquet": ("PAR1", "Parquet data")}


def check_head(path: Path, *, label: str | None = None) -> None:
    """Tell by its first bytes if a file is what its name says.

    Raises
    ------
    BrokenFileError
        If it is missing, no regular file (opening a pipe would wait for ever), empty, an HTML page, a pointer
        of git-lfs or git-annex, or of another format.
    """
    label = label or path.name
    if path.is_symlink() and not path.exists():
        raise broken(
            label, "", f"is a link to {path.readlink()}, which is missing (`git annex get` fetches it)"
        )
    try:
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or a device"
            raise broken(label, "", f"cannot be opened: it is {kind}, and only regular files are read")
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise broken(label, "", f"cannot be opened ({error.strerror}); check its permissions") from error
    if problem := _wrong_head(head, path.suffix.lower()):
        raise broken(label, "", problem)


def _wrong_head(head: bytes, suffix: str) -> str | None:
    """Return what is wrong with a file that begins with `head`."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if not start:
        return f"is empty; {GET_AGAIN}"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return f"is a web page, not data; {GET_AGAIN}, and open the address in a browser if that fails again"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of git-lfs, not the data; run `git lfs pull`"
    if b"annex/objects/" in start:
        return "is a pointer of git-annex, not the data; run `git annex get`"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is UTF-16 text; save it as UTF-8"
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "something else")
    wanted, kind = _EXPECTED.get(suffix, (None, "CSV text"))
    if wanted and not head.startswith(wanted.encode("latin-1")):
        return f"is not {kind} but {found}; give it the ending it should have, or {GET_AGAIN}"
    # A NUL is reported with its place when the text is read.
    if not wanted and found != "something else":
        return f"is not CSV text but {found}; give it the ending it should have, or {GET_AGAIN}"
    return None
