"""The errors that a command tells its user instead of a result."""

from __future__ import annotations

# The status of a process that was asked whether there are differences.
DIFFERENCES = 3

# The status of one that has left something out, as it was told to.
INCOMPLETE = 4


class Failure(Exception):
    """Something is wrong; the text is a line naming the file, path or limit."""

    status = 1


class Misuse(Failure):
    """The command was called in a way that makes no sense."""

    status = 2
