"""Clients of programs whose threads are greenlets, by gevent.

There the session's own threads are greenlets too, and its locks and conditions gevent's: all that
is patched fits together. The hub's thread alone must not wait in C. So this is a bridge: answers
come to the hub by a completion queue, whose descriptor it watches; calls of many answers, and those
that open or close a handle, are made on one of gevent's native threads. Events, which the binding
delivers on a native thread, come by another such queue, and a greenlet of the handle's calls the
watchers: they may wait, as in a handle's thread.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from gevent._hub_local import get_hub_if_exists
from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

import zookeeper
from zc.zk.session import bridge
from zc.zk.session.bridge import AwaitedAnswer
from zc.zk.session.calls import CALLS
from zc.zk.session.hub import Events, carry
from zookeeper import log
from zookeeper.runtimes import greenlets_cared_for

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Progress

T = TypeVar("T")

# Calls of many answers that are made at once; others wait for their turn. They do not take the
# threads of the hub's own pool, which looks up names for all of the program.
MAX_APART = 10

# They look at what the binding knows, and wait for nothing.
AT_ONCE = {
    "event_thread", "state", "is_unrecoverable", "client_id", "recv_timeout", "connection_fault",
    "check_operations", "event_zxid", "event_thread_busy", "is_refused",
}  # fmt: skip


class Bridge(bridge.Bridge):
    """A bridge to the hub of the thread that makes it."""

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self._handles: dict[int, Events] = {}
        self._begin()

    def _begin(self) -> None:
        log.carry = carry
        self._process = os.getpid()
        self._handles.clear()
        self._hub = gevent.get_hub()

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.binding, name)
        return function if name in AT_ONCE else partial(self._told, function)

    def _told(self, function: Callable[..., T], h: int, /, *args: Any, **kwargs: Any) -> T:
        """Call a function of the binding; watchers and completions are called by a greenlet."""
        events = self._handles.get(h)
        if events is None:
            return function(h, *args, **kwargs)
        return function(h, *events.adopt(args), **events.adopt_all(kwargs))

    # Handles

    def init(self, *args: Any, **kwargs: Any) -> int:
        """Open a handle."""
        if getattr(kwargs.get("sasl"), "name", "") == "GSSAPI":
            raise RuntimeError(
                "gevent has patched threads, and Kerberos needs threads of the operating system:"
                " patch without them, gevent.monkey.patch_all(thread=False)"
            )
        if self._process != os.getpid():
            self._begin()
        events = Events(self._hub)
        try:
            return _natively(self._open, events, events.adopt(args), events.adopt_all(kwargs))
        except Exception:
            events.end()
            raise

    def _open(self, events: Events, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        with greenlets_cared_for():
            handle = self.binding.init(*args, **kwargs)
        # Here, on the native thread: a greenlet that waits for this may be killed.
        self._handles[handle] = events
        return handle

    def close(self, h: int, *, lost: bool = False) -> int:
        """End a session."""
        events = self._handles.get(h)
        try:
            return _natively(partial(self.binding.close, h, lost=lost))
        finally:
            self._end(h, events)

    def close_many(self, handles: list[int]) -> int:
        """End several sessions, at the end of the program, which has nothing else to do."""
        ending = [(h, self._handles.get(h)) for h in handles]
        self.binding.close_many(handles)
        for h, events in ending:
            self._end(h, events)
        return zookeeper.OK

    def _end(self, h: int, events: Events | None) -> None:
        if events is not None and self._handles.get(h) is events:
            del self._handles[h]
            events.end()

    # Calls

    def blocks(self, h: int) -> bool:
        return h not in self._handles or get_hub_if_exists() is None

    def later(self, h: int, name: str) -> Callable[..., object]:
        return partial(self._told, getattr(self.binding, name), h)

    def answer(
        self,
        h: int,
        send: Callable[..., object],
        later: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
    ) -> AwaitedAnswer:
        result = AsyncResult()
        send(later, self._events_of(h).answers.bind(partial(_settle, result)), *args, **kwargs)
        if timeout is None:
            timeout = self.binding.recv_timeout(h) / 1000
        result.wait(timeout)
        return result.get_nowait() if result.ready() else (zookeeper.OPERATIONTIMEOUT, ())

    def answer_all(
        self, h: int, requests: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> list[AwaitedAnswer]:
        bind = self._events_of(h).answers.bind
        results = []
        for name, arguments in requests:
            result = AsyncResult()
            results.append(result)
            call = CALLS[name]
            try:
                call.send(self.later(h, call.later), bind(partial(_settle, result)), *arguments)
            except zookeeper.ZooKeeperException as fault:
                result.set((fault.code, (fault.with_traceback(None),)))
        deadline = time.monotonic() + self.binding.recv_timeout(h) / 1000
        for result in results:
            result.wait(max(0.0, deadline - time.monotonic()))
        late = zookeeper.OPERATIONTIMEOUT, ()
        return [result.get_nowait() if result.ready() else late for result in results]

    def many(self, h: int, name: str, *args: Any, **kwargs: Any) -> Any:
        events = self._events_of(h)
        bulk = getattr(self.binding, name)
        args, told = events.adopt(args), kwargs.pop("progress", None)
        kwargs = events.adopt_all(kwargs)
        if name == "watch_many":
            return _apart(partial(bulk, h, *args, **kwargs))
        reports = _Reports(told, events.post)
        try:
            return _apart(partial(bulk, h, *args, progress=reports, **kwargs))
        except BaseException:
            reports.fault = reports.fault or _GivenUp()
            raise

    def _events_of(self, h: int) -> Events:
        events = self._handles.get(h)
        if events is None:
            raise zookeeper.error(zookeeper.INVALIDSTATE, None, f"handle {h} has just been closed")
        return events


class _GivenUp(Exception):
    """Nobody waits for a bulk call any more."""


class _Reports:
    """A progress function for another thread, which has the program's called by `post`."""

    def __init__(self, progress: Progress | None, post: Callable[..., object]) -> None:
        self._progress = progress
        self._post = post
        self.fault: BaseException | None = None

    def __call__(self, done: int, total: int | None) -> None:
        if self.fault is not None:
            raise self.fault
        if self._progress is not None:
            self._post(self._report, done, total)

    def _report(self, done: int, total: int | None) -> None:
        if self.fault is None and self._progress is not None:
            try:
                self._progress(done, total)
            except BaseException as fault:
                self.fault = fault


def _natively(function: Callable[..., T], *args: Any) -> T:
    """Return the result of a function that blocks, and that a native thread calls."""
    hub = get_hub_if_exists()
    if hub is None:  # this is one
        return function(*args)
    return _result(hub.threadpool, function, args)


_pools: weakref.WeakKeyDictionary[Any, ThreadPool] = weakref.WeakKeyDictionary()


def _apart(function: Callable[[], T]) -> T:
    """Return the result of a function that blocks, perhaps for long."""
    hub = gevent.get_hub()
    if hub not in _pools:
        _pools[hub] = ThreadPool(MAX_APART, hub)
    return _result(_pools[hub], function, ())


def _result(pool: ThreadPool, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    result, fault = pool.apply(_outcome, (function, args))
    if fault is not None:
        raise fault
    return result  # type: ignore[no-any-return]


def _outcome(function: Callable[..., T], args: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    # A pool writes exceptions to stderr before it raises them.
    try:
        return function(*args), None
    except BaseException as fault:
        return None, fault


def _settle(result: AsyncResult, handle: int, code: int, *results: Any) -> None:
    result.set((code, results))
