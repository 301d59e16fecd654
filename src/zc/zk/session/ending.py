"""The sessions of this process, which end with the program.

Their ephemeral nodes go at once then, and not seconds later.
"""

from __future__ import annotations

import atexit
import time
import weakref
from typing import TYPE_CHECKING

from zc.zk.session import processes

if TYPE_CHECKING:
    from typing import Protocol

    from zookeeper.binding import Binding

    class Session(Protocol):
        """See `zc.zk.session.session.Session`, which imports this module."""

        def begin_closing(self) -> bool: ...

        def release(self) -> tuple[Binding, int] | None: ...

        def close(self) -> None: ...

        def end(self, maintenance_seconds: float, callback_seconds: float) -> None: ...


# How long all of them together wait for their threads, which may be in the program's hands.
END_SECONDS = 1.0

open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def close_at_end(session: Session) -> None:
    """Have a session closed when the program ends, if it is not before."""
    open_sessions.add(session)
    processes.at_end(close_sessions)


@atexit.register
def close_sessions() -> None:
    """Close all side by side: with servers that do not answer, many take as long as one."""
    closing = [session for session in list(open_sessions) if session.begin_closing()]
    handles: dict[int, tuple[Binding, list[int]]] = {}
    for session in closing:
        if (released := session.release()) is not None:
            binding, handle = released
            handles.setdefault(id(binding), (binding, []))[1].append(handle)
    for binding, its_handles in handles.values():
        binding.close_many(its_handles)
    deadline = time.monotonic() + END_SECONDS
    for session in closing:
        left = max(0.0, deadline - time.monotonic())
        session.end(left, left)
