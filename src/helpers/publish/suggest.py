"""What a user may have meant."""

import difflib
from collections.abc import Iterable


def suggest(word: str, valid: Iterable[str]) -> str:
    """Return ``: did you mean hit_calling?`` for a near miss, else an empty string."""
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close else ""
