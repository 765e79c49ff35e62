"""What a user may have meant."""

import difflib
from collections.abc import Iterable

LONGEST = 80


def suggest(word: str, valid: Iterable[str]) -> str:
    """Return ``: did you mean hit_calling?`` for a near miss, else an empty string."""
    # The comparison takes long for long words, and no name is near them.
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.6) if len(word) <= LONGEST else []
    return f": did you mean {close[0]}?" if close else ""
