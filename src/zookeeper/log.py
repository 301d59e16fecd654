"""The C client's log lines as records of Python's logging.

A line looks like `2026-11-22 07:17:41,123:4567(0x7f...):ZOO_INFO@function@123: message`. It becomes
a record of the logger `ZooKeeper` with that level. Two kinds of line go to DEBUG instead: a missed
deadline, which helps nobody (ZOOKEEPER-642), and a line that repeats one of the last minute.
Without a server the C client writes the same line eight times a second, and with a server that
hangs up as often as it connects. Lines that differ only in numbers of milliseconds or requests are
the same.
"""

from __future__ import annotations

import errno
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from zookeeper import constants
from zookeeper.printing import printable

if TYPE_CHECKING:
    from typing import Protocol

    class Writable(Protocol):
        def write(self, text: str, /) -> object: ...


logger = logging.getLogger("ZooKeeper")

_LINE = re.compile(r"ZOO_(?P<level>[A-Z]+)@(?P<function>\w+)@\d+: (?P<message>.*)", re.DOTALL)
_LEVELS = {
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
}

# A lost connection or session is a WARNING and not an ERROR, as the client goes on by itself. For
# some of them the C client makes up an errno with an unrelated text ("Stale file handle").
_LOST = re.compile(r"Socket \S+ zk retcode=")
_MADE_UP = re.compile(
    rf", errno=(?:{errno.ESTALE}|{errno.EHOSTDOWN}(?=\([^)]*\): failed while))\([^)]*\)"
)

_MISSED_DEADLINE = re.compile(r"Exceeded deadline by \d+ms")

# The latest lines at INFO and above, with their times (seconds): as many as the servers and
# sessions of a large program cause in a minute. With a shorter memory each would count as new.
_REPEATED_SECONDS = 60.0
_MAX_REMEMBERED = 2000
_CHANGING = re.compile(r"\d+ms\b|(?<=expected )0x[0-9a-f]+|(?<=received )0x[0-9a-f]+")
_said: OrderedDict[str, float] = OrderedDict()


def _is_repeated(message: str) -> bool:
    message = _CHANGING.sub("", message)
    now = time.monotonic()
    last = _said.get(message)
    if last is not None and now < last + _REPEATED_SECONDS:
        return True
    _said[message] = now
    _said.move_to_end(message)
    if len(_said) > _MAX_REMEMBERED:
        _said.popitem(last=False)
    return False


_stream: Writable | None = None


def set_log_stream(stream: Writable | None) -> int:
    """Send the C client's lines to a file-like object, or to logging again.

    `stream` needs a `write` that takes text; None stands for the logger `ZooKeeper`.
    Returns OK.
    """
    global _stream
    if stream is not None and not callable(getattr(stream, "write", None)):
        raise TypeError(f"a log stream needs a write method: {stream!r}")
    _stream = stream
    return constants.OK


# Where threads are greenlets, the locks of logging are none for the thread that has fetched a line.
# So this has a greenlet call a function, or returns False.
carry: Callable[..., bool] | None = None


def emit(line: str) -> None:
    """Pass on one line of the C client."""
    if carry is None or not carry(_emit, line):
        _emit(line)


def emit_dropped(count: int) -> None:
    """Log that lines are lost because they were not fetched in time."""
    if carry is None or not carry(_emit_dropped, count):
        _emit_dropped(count)


def _emit(line: str) -> None:
    line = printable(line.rstrip("\n"))  # it may have names in it
    if _stream is not None:
        _stream.write(line + "\n")
        return
    match = _LINE.search(line)
    if match is None:
        logger.info("%s", line)
        return
    message = match["message"]
    level = _LEVELS.get(match["level"], logging.INFO)
    if _LOST.match(message):
        level = min(level, logging.WARNING)
        message = _MADE_UP.sub("", message)
    if _MISSED_DEADLINE.search(message) or (level >= logging.INFO and _is_repeated(message)):
        level = logging.DEBUG
    logger.log(level, "%s: %s", match["function"], message)


def _emit_dropped(count: int) -> None:
    logger.warning("%d log lines of the C client were dropped", count)
