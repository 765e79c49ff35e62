"""The two ways a call can fail that are the user's to mend, and what to say where the system refuses.

Each message is one line that says what is wrong, where, what is allowed and what to do next; the command
line prints it without a traceback.
"""

import errno

LONGEST_LINE = 900
"""Characters of a message; a longer one quotes something that nobody will read."""

_ADVICE = {
    errno.ENOSPC: "there is no room left: remove something there or choose a folder on another disk, and run again",
    errno.EDQUOT: "your share of the disk is full: remove something or choose a folder on another disk, and run again",
    errno.EFBIG: "the limit of a file's size is reached: raise it with `ulimit -f unlimited`, and run again",
    errno.ENAMETOOLONG: "the name is longer than the system allows (255 bytes each part): choose a shorter one",
    errno.EACCES: "access is not permitted: change its permissions or choose another place",
    errno.EPERM: "access is not permitted: change its permissions or choose another place",
    errno.EROFS: "it lies on a disk that can only be read: choose another place",
    errno.ENOENT: "check the name, and the folder that it is seen from",
    errno.ENOTDIR: "a part of this path is a file where a folder is needed: choose another place",
    errno.ENOTEMPTY: "another call has put something there meanwhile: look what it is, and run again",
    errno.EEXIST: "another call has put something there meanwhile: look what it is, and run again",
    errno.EISDIR: "it is a folder where a file is needed: choose another name or move it away",
    errno.ELOOP: "its links lead round in a circle: name the file itself",
    errno.EMFILE: "too many files are open at once: raise the limit with `ulimit -n 4096`, and run again",
    errno.ENFILE: "too many files are open at once on this machine: end other programs, and run again",
    errno.ENOMEM: "the memory does not suffice: end other programs or raise the limit (`ulimit -v`), and run again",
    errno.EAGAIN: "the system allows no further process: end other programs or raise `ulimit -u`, and run again",
    errno.EIO: "its disk or network drive reports an error: try again, or use a copy in another place",
    errno.ESTALE: "its disk or network drive reports an error: try again, or use a copy in another place",
}


class DataError(Exception):
    """The data or the analysis cannot go on (the command ends with exit code 1)."""


class UsageError(Exception):
    """The call itself is wrong (the command ends with exit code 2)."""


class NoRoomError(DataError, OSError):
    """A disk is full; nothing half-written is left."""

    def __str__(self) -> str:
        return str(self.args[0])


def system_advice(error: OSError) -> str:
    """Return what is wrong and what to do about it, for an error of the system."""
    said = error.strerror or str(error) or type(error).__name__
    return _ADVICE.get(error.errno or 0, f"the system says: {said}; --debug shows where")


def explain_system_error(error: OSError) -> str:
    """Return one line on what the system refused: the path as far as it is known, what is wrong, what to do.

    Parameters
    ----------
    error : OSError
        As it was raised.

    Examples
    --------
    >>> explain_system_error(PermissionError(13, "Permission denied", "a.csv"))
    'a.csv: access is not permitted: change its permissions or choose another place'
    """
    if isinstance(error, NoRoomError):
        return str(error)
    advice = system_advice(error)
    place = error.filename2 or error.filename
    return (
        f"{place}: {advice}" if isinstance(place, str) and place else f"reading or writing failed: {advice}"
    )


def shorten(text: str, most: int = LONGEST_LINE) -> str:
    r"""Return a text of at most `most` characters on one line: of a longer one its beginning and its end.

    What cannot be seen is written as its code: a hidden character is often what is wrong with a name.

    >>> shorten("a" * 50 + "z", 12)
    'aaaa ... aaz'
    >>> print(shorten("fdr\ufeff"))
    fdr\ufeff
    """
    # The beginning and the end are enough: escaping a whole file takes long.
    text = " ".join((text if len(text) <= 8 * most else text[: 4 * most] + text[-4 * most :]).split())
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 5].rstrip()} ... {text[len(text) - tail :].lstrip()}"
