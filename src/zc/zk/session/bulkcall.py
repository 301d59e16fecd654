"""A call of many answers whose requests are under way while its caller does something else."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.session.bridge import Bridge, fault_of

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Cancellable

# How often a thread that waits looks at the queue, whether or not it is told of something.
LOOK_MILLISECONDS = 1000

# Sends the call, given its completion.
Sender = Callable[[Any], "Cancellable"]


class BulkCall:
    """A call that is under way, for the thread that has begun it: to `wait` for, and to `close`."""

    def __init__(self, later: Sender) -> None:
        self._queue = zookeeper.CompletionQueue()
        self._came: tuple[int, Any] | None = None
        try:
            self._work = later(self._queue.bind(self._take))
        except BaseException:
            self._queue.close()
            raise

    def _take(self, handle: int, code: int, results: Any) -> None:
        self._came = code, results

    def wait(self) -> Any:
        """Return the results, or raise why there are none.

        The binding ends the call when nothing has come for the session timeout.
        """
        try:
            poll = select.poll()
            poll.register(self._queue.fileno(), select.POLLIN)
            while self._came is None:
                poll.poll(LOOK_MILLISECONDS)
                self._queue.drain()
        finally:
            self.close()
        code, results = self._came
        if code != zookeeper.OK:
            raise fault_of(code, None)
        return results

    def close(self) -> None:
        """Give it up if it is under way: what was sent is done all the same."""
        self._work.cancel()
        self._queue.close()


def begin(h: int, later: Sender, binding: Binding) -> BulkCall | None:
    """Begin a call. None where it has to be waited for at once; raises what sending it does."""
    try:
        if binding.event_thread(h) is None or not hasattr(select, "poll"):
            return None
        if isinstance(binding, Bridge) and not binding.blocks(h):
            return None
        return BulkCall(later)
    except (OSError, zookeeper.SystemErrorException):
        return None  # as when there are no descriptors left
