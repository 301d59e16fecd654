"""A command that is run when something has changed: one at a time, within a limit.

It is run by a shell, or as it is if it is given as a list of words. It and what it starts are ended
when it takes too long, and when this process ends, be it by SIGKILL. A server that it has
started in the background goes on when it has ended by itself.
"""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence

from zc.zk.cli.childprocess import Child
from zc.zk.cli.failures import BY_SIGNAL
from zc.zk.spans import in_words

DEFAULT_LIMIT_SECONDS = 60.0

# Between SIGTERM and SIGKILL.
GRACE_SECONDS = 5.0

# So often (seconds) it is looked whether the command is to be ended before its time.
_LOOK_SECONDS = 0.1

SHELL = ("/bin/sh", "-c")

CommandWords = str | Sequence[str]


def run(
    command: CommandWords,
    variables: Mapping[str, str | bytes],
    given: bytes = b"",
    *,
    limit: float = DEFAULT_LIMIT_SECONDS,
    is_over: Callable[[], bool] = lambda: False,
) -> str:
    """Run a command, and return '' if it succeeds, and else why not.

    `given` is what it can read from its standard input. It is ended when `is_over`, or when an
    exception, such as a signal's, passes through here.
    """
    words = [*SHELL, command] if isinstance(command, str) else command
    try:
        # A file in memory, and no pipe: a command that does not read it is no reason to wait.
        with open(os.memfd_create("given"), "w+b") as content:
            content.write(given)
            content.seek(0)
            child = Child(words, variables, stdin=content.fileno(), in_group=True)
    except OSError as fault:
        return f"it cannot be started: {fault.strerror}"
    ended = False
    until = time.monotonic() + limit
    try:
        while not (ended := child.ended_within(_LOOK_SECONDS)):
            if time.monotonic() >= until:
                return f"it takes longer than {in_words(limit)}, and is ended"
            if is_over():
                return "it is ended, as this process ends"
    finally:
        if not ended:
            child.end(GRACE_SECONDS)
    return _reason(child.status)


def with_path(command: CommandWords, path: str) -> CommandWords:
    """Return a command with `%s` replaced by a path, and `%%` by a percent sign."""

    def replaced(text: str, path: str) -> str:
        return re.sub("%[s%]", lambda match: path if match[0] == "%s" else "%", text)

    if isinstance(command, str):
        return replaced(command, shlex.quote(path))
    return [replaced(word, path) for word in command]


def shown(command: CommandWords) -> str:
    """Return a command as it is told."""
    return repr(command if isinstance(command, str) else shlex.join(command))


def _reason(status: int) -> str:
    if not status:
        return ""
    if status > BY_SIGNAL:
        return f"it was ended by signal {status - BY_SIGNAL}"
    return f"its status is {status}"
