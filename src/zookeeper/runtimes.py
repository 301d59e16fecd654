"""Programs whose threads are greenlets: gevent or eventlet has patched `threading`.

A greenlet shares one thread with all others, so whatever waits in C stops them all: a thread that
delivers a handle's events would, for ever. Detected is the patching itself, by what does it; others
patch `_thread.start_new_thread` too, debuggers among them. Nothing is imported that the program has
not imported.

For gevent the library has a bridge (`zc.zk.session.greenlets`), which calls `init` where greenlets
are cared for: events then come on a thread of the operating system.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_are_cared_for = ContextVar("greenlets are cared for", default=False)


def greenlets() -> str | None:
    """Name what has made greenlets of threads, `gevent` or `eventlet`, if any has."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return "gevent"
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return "eventlet"
    return None


@contextmanager
def greenlets_cared_for() -> Iterator[None]:
    """Have `init` open a handle although threads are greenlets."""
    token = _are_cared_for.set(True)
    try:
        yield
    finally:
        _are_cared_for.reset(token)


def refuse_greenlets() -> None:
    """Raise RuntimeError where threads are greenlets, for which nobody cares."""
    patcher = greenlets()
    if patcher is not None and not _are_cared_for.get():
        raise RuntimeError(f"{patcher} has patched threads, {_WHY}: {_INSTEAD[patcher]}")


class NativeThread:
    """A thread of the operating system where gevent has made greenlets of those of `threading`."""

    def __init__(self, run: Callable[[], object], name: str) -> None:
        from gevent.monkey import get_original

        self.name = name
        self._run = run
        names = ["start_new_thread", "get_ident", "allocate_lock"]
        self._start_new, self._get_ident, allocate = get_original("_thread", names)
        self._over = allocate()
        self.ident: int | None = None

    def start(self) -> None:
        """Start it. Raises RuntimeError if there are no more threads."""
        self._over.acquire()
        self._start_new(self._work, ())

    def _work(self) -> None:
        self.ident = self._get_ident()
        try:
            self._run()
        finally:
            self._over.release()

    def is_alive(self) -> bool:
        """Whether it runs."""
        return bool(self._over.locked())

    def join(self, timeout: float) -> None:
        """Wait for its end, blocking the calling thread."""
        if self._over.acquire(timeout=timeout):
            self._over.release()


_WHY = "and ZooKeeper's C client needs threads of the operating system"
_INSTEAD = {
    "gevent": "use zc.zk.ZooKeeper, which has what it takes, or patch without threads,"
    " gevent.monkey.patch_all(thread=False)",
    "eventlet": "patch without them, eventlet.monkey_patch(os=True, select=True, socket=True,"
    " time=True), or do without eventlet (gunicorn: --worker-class gthread)",
}
