"""An event thread that is held up by a function of the program, and what is done without it.

A watcher or completion that a program gives to a function of the binding is called in the event
thread of the handle. One that does not return keeps everything else from being heard there: events
of nodes, and those of the session, whose end is then noticed by nobody. So the worker looks after
the thread a few times in each session timeout, without a request. When it has been held up for
long, the worker says so, and takes in how the session stands; a session that is over is then
replaced, by a handle with an event thread of its own. Events of nodes have to wait.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import zookeeper

if TYPE_CHECKING:
    from zc.zk.session.handle import Handle
    from zookeeper.binding import Binding

logger = logging.getLogger("zc.zk")

# Of the session timeout: how often to look, and so how long a thread is at least held up.
LOOKS = 4


class EventThreadWatch:
    """Looks after the event thread of one handle after the other; called by the worker alone."""

    def __init__(self, name: str, binding: Binding) -> None:
        self._name = name
        self._binding = binding
        self._told: Handle | None = None

    def look(self, handle: Handle, timeout_seconds: float) -> float | None:
        """See how long the thread has been held up; in how many seconds to look again.

        None where there is no thread that could be.
        """
        number = handle.handle
        if number is None:
            return None
        try:
            thread = self._binding.event_thread(number)
            if thread is None:
                return None
            seconds = self._binding.event_thread_busy(number)
            state = self._binding.state(number)
        except zookeeper.ZooKeeperException:
            return None  # closed just now
        pause = timeout_seconds / LOOKS
        if seconds < pause:
            self._told = None
            return pause
        if self._told is not handle:
            self._told = handle
            logger.warning(
                "%s: a watcher or completion has not returned for %.0f seconds, and live objects"
                " hear of no change meanwhile%s",
                self._name,
                seconds,
                _place(thread.ident),
            )
        handle.take_in(number, state)
        return pause


def _place(thread: int | None) -> str:
    """Return in words where a thread is, if that can be found out."""
    frame = sys._current_frames().get(thread or 0)
    return f" (at {frame.f_code.co_filename}:{frame.f_lineno})" if frame is not None else ""
