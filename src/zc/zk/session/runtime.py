"""A binding, and queues for threads, as the runtime of a program wants them."""

from __future__ import annotations

import sys
from _queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

import zookeeper

if TYPE_CHECKING:
    from zookeeper.binding import Binding


def threads_are_greenlets() -> bool:
    """Whether gevent has made greenlets of threads."""
    if "gevent.monkey" not in sys.modules:
        return False
    from zookeeper.runtimes import greenlets

    return greenlets() == "gevent"


def runtime_binding() -> Binding:
    """Return the binding of a session for which the program has chosen none."""
    binding = cast("Binding", zookeeper)
    # An emulation, or a test, that has put its own `init` there waits for nothing in C.
    if not threads_are_greenlets() or binding.init.__module__ != "zookeeper._client":
        return binding
    from zc.zk.session.greenlets import Bridge

    return cast("Binding", Bridge(binding))


def new_queue() -> SimpleQueue[Any]:
    """Return a queue for threads, whose `put` may be called from a finaliser.

    That runs in any thread, perhaps in the middle of a get or put of that same thread. It is not
    from `queue`, where gevent and eventlet put others, which are not for threads.
    """
    if not threads_are_greenlets():
        return SimpleQueue()
    from zc.zk.session.hub import Queue

    return cast("SimpleQueue[Any]", Queue())
