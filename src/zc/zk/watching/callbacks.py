"""Callbacks of live objects: those that raise exceptions are dropped, or kept and called again."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

import zookeeper
from zc.zk.errors import CancelWatch, LinkError
from zc.zk.event import CallbackFailed
from zc.zk.session.backoff import pause
from zc.zk.session.pace import Urgency
from zc.zk.session.session import Session

logger = logging.getLogger("zc.zk")

# Exceptions of a callback that come of things as they are at the moment, and of no mistake in it.
MAY_PASS = (LinkError, zookeeper.SessionError)

Callback = Callable[..., object]


class Watched(Protocol):
    """A live object, as far as its callbacks go."""

    callbacks: list[Callback]
    keep_callbacks: bool
    failed_calls: int

    def _call(self, callback: Callback) -> None:
        """Call one of them."""


class Locked(Protocol):
    """The owner of a lock."""

    lock: threading.RLock


class Queued(Watched, Protocol):
    """One of which it is known whether a round of calls waits for its turn."""

    _callbacks: list[Callback] | None
    _is_queued: bool

    @property
    def _watches(self) -> Locked:
        """Its client's, whose lock guards it."""


def call_back(reference: Callable[[], Queued | None]) -> None:
    """Call the callbacks of a live object that the program still has."""
    watched = reference()
    if watched is not None:
        # Before the call, which shows all that has changed until then; later changes queue another.
        # One step, so it needs no lock: of ten thousand objects each would take it here.
        watched._is_queued = False
        # Without callbacks none is queued; the property, which makes a list, is slower.
        for callback in list(watched._callbacks or ()):
            watched._call(callback)


def urgency_of(watched: Queued) -> Urgency:
    """Return how urgent it is to show what has changed."""
    return Urgency.TOLD if watched._callbacks else Urgency.SHOWN


class Failure:
    """A callback that has failed, so many times in a row."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.count = 0
        self.is_called_again = False
        self._told = ""

    def is_news(self, fault: Exception) -> bool:
        """Count a failure; say whether it differs from the one before."""
        self.count += 1
        former, self._told = self._told, repr(fault)
        return former != self._told


class Failures:
    """The callbacks of one live object that failed when they were called last."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._failing: dict[int, Failure] = {}  # by the callback's id

    def note(self, watched: Watched, callback: Callback, fault: BaseException) -> None:
        """Keep a callback that has just raised `fault`, or drop it."""
        if isinstance(fault, CancelWatch):
            logger.debug("%r: %r wants no more calls", watched, callback)
            self._drop(watched, callback)
            return
        is_kept = isinstance(fault, Exception) and (
            watched.keep_callbacks or isinstance(fault, MAY_PASS)
        )
        if isinstance(fault, Exception) and is_kept:
            self._keep(watched, callback, fault)
        else:
            if isinstance(fault, Exception):
                logger.error(
                    "%r: callback %r failed and is dropped", watched, callback, exc_info=fault
                )
            self._drop(watched, callback)
        watched.failed_calls += 1
        self._session.counts.failed_callbacks += 1
        self._session.announce(
            partial(
                CallbackFailed, watched=watched, callback=callback, fault=fault, is_kept=is_kept
            )
        )

    def note_success(self, watched: Watched, callback: Callback) -> None:
        if self._failing.pop(id(callback), None) is not None:
            logger.info("%r: callback %r works again", watched, callback)

    def _keep(self, watched: Watched, callback: Callback, fault: Exception) -> None:
        failure = self._failing.setdefault(id(callback), Failure(callback))
        if failure.is_news(fault):
            logger.error("%r: callback %r failed and is kept", watched, callback, exc_info=fault)
        if not (isinstance(fault, LinkError) or failure.is_called_again):
            failure.is_called_again = True
            again = partial(self._call_again, weakref.ref(watched), failure)
            self._session.call_soon(again, pause(failure.count))

    def _call_again(self, reference: Callable[[], Watched | None], failure: Failure) -> None:
        """Call a callback again, unless it has succeeded or is gone meanwhile."""
        failure.is_called_again = False
        watched = reference()
        if watched is None or self._failing.get(id(failure.callback)) is not failure:
            return
        if any(callback is failure.callback for callback in watched.callbacks):
            watched._call(failure.callback)
        else:  # the program has taken it out of the list
            del self._failing[id(failure.callback)]

    def _drop(self, watched: Watched, callback: Callback) -> None:
        self._failing.pop(id(callback), None)
        try:
            watched.callbacks.remove(callback)
        except ValueError:
            pass  # it has removed itself


def of_one_that_is_gone(kind: str, path: str, callbacks: Iterable[Callback]) -> str:
    """Return what to log of a live object with callbacks that is dropped."""
    return (
        f"zc.zk.{kind}({path}) is gone, as nobody refers to it, and its callbacks are not called"
        f" any more: {', '.join(map(_name_of, callbacks))}"
    )


def _name_of(callback: Callback) -> str:
    """Return the name of a callback, without a call of the program's code."""
    name = getattr(callback, "__qualname__", None)
    return name if isinstance(name, str) else object.__repr__(callback)


def needs_no_arguments(callback: Callback) -> bool:
    # A large module, for what few programs ever come to.
    import inspect

    try:
        inspect.signature(callback).bind()
    except (TypeError, ValueError):
        return False  # it does, or does not tell
    return True
