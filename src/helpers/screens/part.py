"""What has come of a file so far, beside it which version of the file that is."""

import os
import re
from pathlib import Path

from helpers.screens.disk import free


def plain_tag(tag: str) -> str:
    """Return a tag that can be sent back; "" for any other."""
    return tag if re.fullmatch(r"[\x20-\x7e]{1,200}", tag) else ""


class Part:
    """What has come of a file, and beside it a note of which version of the file that is.

    The note is written when there are no bytes and goes before they do, so that bytes never lie beside the note of
    another version, whenever the process is killed.
    """

    def __init__(self, path: Path):
        self.path, self.note = path, path.with_name(path.name + ".tag")

    @property
    def size(self) -> int:
        """Bytes that lie there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def is_whole(self) -> bool:
        """Tell if as many bytes lie there as the whole file has."""
        return self.path.is_file() and self.size == self.described()[1]

    def described(self) -> tuple[str, int | None]:
        """Return the tag of the version and the length of the whole file, as far as they are known."""
        try:
            tag, _, total = self.note.read_text().partition("\n")
        except (OSError, ValueError):
            return "", None
        return plain_tag(tag), int(total) if re.fullmatch("[0-9]{1,18}", total) else None

    def make_usable(self) -> None:
        """Free both names of what cannot be read and written."""
        for path in (self.path, self.note):
            if os.path.lexists(path) and not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
                free(path)

    def begin(self, tag: str, total: int | None) -> None:
        """Throw away what came, and note which version comes now."""
        self.clear()
        self.note.write_text(f"{tag}\n{'' if total is None else total}")

    def clear(self) -> None:
        """Throw away what came."""
        free(self.note)
        free(self.path)
