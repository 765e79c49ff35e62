"""Whether processes live."""

from pathlib import Path


def is_running(pid: int) -> bool:
    """Tell whether a process lives; a zombie that nobody collects does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
