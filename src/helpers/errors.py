"""The two ways a call can fail that are the user's to mend.

Each message is one line that says what is wrong, where, what is allowed and what to do next; the command
line prints it without a traceback.
"""


class DataError(Exception):
    """The data or the analysis cannot go on (the command ends with exit code 1)."""


class UsageError(Exception):
    """The call itself is wrong (the command ends with exit code 2)."""
