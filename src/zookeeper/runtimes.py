"""Programs whose threads are greenlets: gevent or eventlet has patched `threading`.

A greenlet shares one thread with all others, so whatever waits in C stops them all: a thread that
delivers a handle's events would, for ever. Detected is the patching itself, by what does it; others
patch `_thread.start_new_thread` too, debuggers among them. Nothing is imported that the program has
not imported.
"""

from __future__ import annotations

import sys


def greenlets() -> str | None:
    """Name what has made greenlets of threads, `gevent` or `eventlet`, if any has."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return "gevent"
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return "eventlet"
    return None


def refuse_greenlets() -> None:
    """Raise RuntimeError where threads are greenlets."""
    patcher = greenlets()
    if patcher is not None:
        raise RuntimeError(f"{patcher} has patched threads, {_WHY}: {_INSTEAD[patcher]}")


_WHY = "and this client of ZooKeeper needs threads of the operating system"
_INSTEAD = {
    "gevent": "patch without them, gevent.monkey.patch_all(thread=False), or do without gevent"
    " (gunicorn: --worker-class gthread)",
    "eventlet": "patch without them, eventlet.monkey_patch(os=True, select=True, socket=True,"
    " time=True), or do without eventlet (gunicorn: --worker-class gthread)",
}
