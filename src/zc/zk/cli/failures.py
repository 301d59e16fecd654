"""The errors that a command tells its user instead of a result."""

from __future__ import annotations

import signal

from zc.zk.errors import LinkLoop

# The status of a process that was asked whether there are differences.
DIFFERENCES = 3

# The status of one that has left something out, as it was told to.
INCOMPLETE = 4

# As a shell counts processes that a signal has ended.
BY_SIGNAL = 128


class Failure(Exception):
    """Something is wrong; the text is a line naming the file, path or limit."""

    status = 1


class Misuse(Failure):
    """The command was called in a way that makes no sense."""

    status = 2


def in_words(fault: Exception) -> str:
    """Return what users are told of an exception; the text of a loop is but a list of links."""
    return f"a loop of links: {fault}" if isinstance(fault, LinkLoop) else str(fault)


def status_of_interruption(fault: BaseException) -> int | None:
    """Return the status for an error that a signal, unwinding the stack, caused.

    The standard library's locks and threads do not expect that, and neither does all of ours.
    """
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return BY_SIGNAL + signal.SIGINT
        if isinstance(cause, SystemExit) and isinstance(cause.code, int):
            return cause.code
        cause = cause.__context__
    return None
