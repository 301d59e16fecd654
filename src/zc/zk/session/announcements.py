"""Calls of a program's functions: callbacks, session events and its watcher, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.event import ClientEvent

if TYPE_CHECKING:
    from zc.zk.session.worker import Calls
    from zookeeper.types import Watcher

# Makes an event of a client: the class of a session event, for one.
MakeEvent = Callable[[Any], ClientEvent]
Listener = Callable[[MakeEvent], object]


class Announcements:
    """The queue of calls to the program, and who of the program's is called.

    `callbacks` calls them. `listener` is called with what makes an event of the client; `watcher`
    is the program's, for session events of all handles.
    """

    def __init__(self, callbacks: Calls) -> None:
        self.callbacks = callbacks
        self.listener: Listener | None = None
        self.watcher: Watcher | None = None

    def begin_again(self) -> None:
        """Begin with an empty queue, in a child process."""
        self.callbacks.begin_again()

    def announce(self, happened: MakeEvent | None) -> None:
        """Have the listener called with `happened`, if anything has."""
        if happened is not None and self.listener is not None:
            self.callbacks.put(partial(self.listener, happened))

    def pass_on(self, handle: int, state: int) -> None:
        """Have the program's watcher called with a state of the session."""
        if self.watcher is not None:
            self.callbacks.put(partial(self.watcher, handle, zookeeper.SESSION_EVENT, state, ""))
